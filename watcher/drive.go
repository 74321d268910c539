package watcher

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/bakewatch/bakewatch/rules"
)

// most is how many entries one input may lead to, and how many conflicts it may meet,
// before the lane is left to the next input: nothing may fill the journal or spin.
const most = 100

// handle drives one lane until it is quiet, and begins what the outside is owed then.
func (o *Owner) handle(ctx context.Context, id rules.LaneID, in Input) error {
	h := o.held(id)
	return o.guarded(ctx, h, func() error {
		if err := o.drive(ctx, h, in); err != nil {
			return err
		}
		return o.settle(ctx, h)
	})
}

// drive writes what follows from an input, an entry at a time. A conflict means that
// someone else wrote: fold again, ask again. On any other error nothing is done, and
// whoever gave the input may give it again. It touches nothing but its own lane.
func (o *Owner) drive(ctx context.Context, h *held, in Input) (err error) {
	in = o.input(h, in)
	if h.Aside != "" && in.asks() {
		return fmt.Errorf("lane %s is set aside: %s", h.ID, h.Aside)
	}
	for range most {
		e, ok := h.Next(in)
		if !ok {
			return nil
		}
		if e.Kind == Decided {
			if in.Guards.Budget, err = o.charge(ctx, h, e); err != nil {
				return err
			}
			if in.Guards.Budget != "" {
				continue // it is ruled on anew, with the budget spent
			}
		}
		if err = o.append(ctx, h, e); err != nil {
			o.Log.Error("journal does not take the entry", "lane", h.ID.String(), "kind", string(e.Kind), "err", err)
			return err
		}
	}
	return fmt.Errorf("lane %s does not come to rest", h.ID)
}

// input adds to what has arrived for the lane what holds now.
func (o *Owner) input(h *held, in Input) Input {
	in.Now = time.Now().UTC()
	in.Guards = o.Guards(h.ID.Service)
	if h.Watch != nil {
		if h.sight.fits(h.Watch) {
			in.Said = h.sight.said
		}
		if in.Vote != nil && in.Refuse == nil {
			in.Refuse = h.Watch.admit(*in.Vote) // as its voter is told: what follows from the same moment may let others vote
		}
		in.Guards.Budget = o.budget.spent(h.Lane, in.Now)
		if len(h.Watch.Plan.Schedules) > 0 {
			in.Rota = o.Rota(h.Watch.Plan)
		}
	}
	return in
}

// append writes one entry and folds what the journal acknowledged.
func (o *Owner) append(ctx context.Context, h *held, e Entry) error {
	e.Owner, e.Epoch = o.Name, o.Epoch
	if h.sight.fits(h.Watch) {
		e = h.sight.plot(e)
	}
	written, err := o.Journal.Append(ctx, e)
	if errors.Is(err, ErrConflict) {
		o.Log.Info("journal: someone else wrote to the lane; it is read again", "lane", h.ID.String(), "kind", string(e.Kind), "after", e.Seq)
		return o.refold(ctx, h)
	}
	if err != nil {
		return err
	}
	h.Lane = h.Apply(written)
	o.Watch.Appended(written)
	if w := h.Watch; w != nil && written.Kind == Decided {
		o.Watch.Detected(written.At.Sub(w.Deployment.At))
	}
	o.Log.Info("journal", logged(written)...)
	return nil
}

// logged is what a line in the log says of an entry.
func logged(e Entry) []any {
	watch := e.Watch
	if e.Kind == Opened {
		watch = e.Seq
	}
	line := []any{"kind", string(e.Kind), "service", e.Lane.Service, "environment", e.Lane.Environment, "watch", watch, "seq", e.Seq}
	for name, word := range map[string]string{"topic": string(e.Topic), "outcome": string(e.Outcome)} {
		if word != "" {
			line = append(line, name, word)
		}
	}
	return line
}

func (o *Owner) refold(ctx context.Context, h *held) error {
	entries, err := o.Journal.Read(ctx, h.ID)
	if err != nil {
		return fmt.Errorf("read the lane again: %w", err)
	}
	before := h.Aside
	h.Lane = Fold(h.ID, entries)
	if h.Aside != "" && before == "" {
		o.Log.Error("a lane is left alone", "lane", h.ID.String(), "why", h.Aside)
	}
	return nil
}
