package watcher

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/bakewatch/bakewatch/rules"
)

// BudgetLane is the lane in which it is written, before anything is decided, that a
// rollback counts against the budgets. No service has its name.
var BudgetLane = rules.LaneID{Service: Everywhere}

// budget is what was spent, of all lanes: the fold of its own lane in the journal, so
// that it is known after a restart and to every replica. Many rollbacks at once mean
// that the measuring is wrong rather than the deployments.
type budget struct {
	mu   sync.Mutex // lanes may be driven side by side
	lane Lane
	all  func() *rules.Allowance // of all lanes together
}

// spent is why no more is rolled back in the lane without people; empty: there is some left.
func (b *budget) spent(l Lane, now time.Time) string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.over(l, b.inForce(), now)
}

// inForce is the budget as the daemon's file says it now.
func (b *budget) inForce() Budget { return Budget{All: b.all()} }

func (b *budget) over(l Lane, of Budget, now time.Time) string {
	anywhere := func(s Spending) bool { return s.Watch != l.Watch.Seq } // its own was charged, and could not be decided
	here := func(s Spending) bool { return s.Lane == l.ID && anywhere(s) }
	if all := of.All; all != nil && b.count(now, *all, anywhere) >= all.Most {
		return fmt.Sprintf("the budget of all rollbacks is spent: %s", all)
	}
	if own := l.Watch.Plan.Budget; own != nil && b.count(now, *own, here) >= own.Most {
		return fmt.Sprintf("the budget of %s is spent: %s", l.ID, own)
	}
	return ""
}

// count returns how many rollbacks of these were charged within the allowance's time.
func (b *budget) count(now time.Time, of rules.Allowance, these func(Spending) bool) (n int) {
	for _, e := range slices.Backward(b.lane.spent) {
		if !e.At.After(now.Add(-time.Duration(of.Per))) {
			break
		}
		if these(*e.Spent) {
			n++
		}
	}
	return n
}

// charged says whether the watch's rollback was charged already: a decision that met a
// conflict is made again, and not paid for twice.
func (b *budget) charged(watch uint64) bool {
	return slices.ContainsFunc(b.lane.spent, func(e Entry) bool { return e.Spent.Watch == watch })
}

// charge writes down that a rollback is about to be decided, before it is. It returns
// why it may not be, without people: another lane took the last of the budget. What
// people have voted for is charged, and never refused. Decision and charge say what was
// in force, so that a reader of the journal can count again.
func (o *Owner) charge(ctx context.Context, h *held, decided Entry) (refused string, err error) {
	b := o.budget
	b.mu.Lock()
	defer b.mu.Unlock()
	of := b.inForce()
	decided.Decision.Budget = &of
	for range most {
		switch {
		case b.charged(h.Watch.Seq), of.All == nil && h.Watch.Plan.Budget == nil:
			return "", nil
		case decided.Decision.By != ByVotes:
			if refused = b.over(h.Lane, of, decided.At); refused != "" {
				return refused, nil
			}
		}
		err := o.spend(ctx, Spending{Lane: h.ID, Watch: h.Watch.Seq, By: decided.Decision.By, Budget: &of}, decided.At)
		if !errors.Is(err, ErrConflict) {
			return "", err
		}
	}
	return "", fmt.Errorf("budget: %w", ErrConflict)
}

// spend appends to the budget's lane; after a conflict the lane was read again.
func (o *Owner) spend(ctx context.Context, s Spending, at time.Time) error {
	b := o.budget
	e := Entry{
		Schema: Schema, Lane: BudgetLane, Kind: Spent, At: at, Owner: o.Name, Epoch: o.Epoch, Must: must[Spent],
		Seq: b.lane.Last, Prev: b.lane.Hash, Spent: &s,
	}
	written, err := o.Journal.Append(ctx, e)
	if err == nil {
		b.lane = b.lane.Apply(written)
		o.Watch.Appended(written)
		return nil
	}
	if errors.Is(err, ErrConflict) {
		entries, readErr := o.Journal.Read(ctx, BudgetLane)
		if readErr != nil {
			return fmt.Errorf("read the budget again: %w", readErr)
		}
		b.lane = Fold(BudgetLane, entries)
	}
	return err
}
