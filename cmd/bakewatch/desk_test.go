package main

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"sync"
	"time"

	"github.com/prometheus/common/model"

	"github.com/bakewatch/bakewatch/actions/authority"
	"github.com/bakewatch/bakewatch/rules"
	"github.com/bakewatch/bakewatch/watcher"
)

// desk is a Desk in memory: it finds watches and writes down what it was asked.
type desk struct {
	mu      sync.Mutex // a real daemon's requests come from many goroutines
	lanes   []watcher.LaneView
	watches []watcher.WatchView
	calls   []string
	shows   int
	// onShow changes the desk before the n-th Show (from 1), as time would.
	onShow func(d *desk, n int) error
	fails  error
}

func (d *desk) List(context.Context) ([]watcher.LaneView, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.lanes, d.fails
}

func (d *desk) Show(_ context.Context, ref watcher.Ref) (watcher.WatchView, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.shows++
	if d.onShow != nil {
		if err := d.onShow(d, d.shows); err != nil {
			return watcher.WatchView{}, err
		}
	}
	for _, w := range d.watches {
		if ref.Name == w.ID || ref.Name == w.Lane.Service || ref.Name == strconv.FormatUint(w.Watch, 10) {
			return w, d.fails
		}
	}
	return watcher.WatchView{}, fmt.Errorf("no watch %q: %w", ref.Name, watcher.ErrNotFound)
}

func (d *desk) Answer(ctx context.Context, ref watcher.Ref, vote authority.Vote) (watcher.WatchView, error) {
	d.called("answer %s %d %s %s by %s via %s at %s", ref.Name, vote.Question, vote.Choice, vote.Reason, vote.Proof.Subject, vote.Proof.Way, vote.At.Format(time.TimeOnly))
	return d.Show(ctx, ref)
}

func (d *desk) Cancel(ctx context.Context, ref watcher.Ref, by authority.Proof, reason string) (watcher.WatchView, error) {
	d.called("cancel %s %s by %s", ref.Name, reason, by.Subject)
	return d.Show(ctx, ref)
}

func (d *desk) Rollback(ctx context.Context, ref watcher.Ref, by authority.Proof, reason string) (watcher.WatchView, error) {
	d.called("rollback %s %s by %s", ref.Name, reason, by.Subject)
	return d.Show(ctx, ref)
}

func (d *desk) Wrong(ctx context.Context, ref watcher.Ref, by authority.Proof, reason string) (watcher.WatchView, error) {
	d.called("wrong %s %s by %s", ref.Name, reason, by.Subject)
	return d.Show(ctx, ref)
}

func (d *desk) Disarm(_ context.Context, order watcher.Order) error {
	d.called("disarm %q %s by %s", order.Service, order.Reason, order.By.Subject)
	return d.orders(order)
}

func (d *desk) Arm(_ context.Context, order watcher.Order) error {
	d.called("arm %q by %s", order.Service, order.By.Subject)
	return d.orders(order)
}

// orders refuses a misspelt service, as a daemon does.
func (d *desk) orders(order watcher.Order) error {
	if order.Service == "chekout" && !order.Force {
		return fmt.Errorf("%w: no deployment and no plan names a service %q; known: checkout", watcher.ErrRefused, order.Service)
	}
	return d.fails
}

// made are the calls that were made.
func (d *desk) made() []string {
	d.mu.Lock()
	defer d.mu.Unlock()
	return slices.Clone(d.calls)
}

func (d *desk) called(format string, args ...any) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.calls = append(d.calls, fmt.Sprintf(format, args...))
}

// asked is a watch that asks people.
func asked() watcher.WatchView {
	why := "errors 4.1 % (41 of 1000) > limit 1 % for 1m"
	return watcher.WatchView{
		ID: "checkout-4711", Watch: 17, Version: "2.4.0", Target: "2.3.9",
		Lane:  rules.LaneID{Environment: "production", Service: "checkout"},
		Phase: watcher.Asking, Opened: noon.Add(-5 * time.Minute), BakeEnds: noon.Add(25 * time.Minute),
		Answers: []rules.Answer{
			{Rule: "5xx", Verdict: rules.Breached, Ceiling: rules.Auto, Why: why},
			{Rule: "latency", Verdict: rules.Healthy, Ceiling: rules.Auto, Why: "p99 120 ms ≤ limit 500 ms"},
		},
		Ruling: &authority.Ruling{
			Power: rules.Ask, Rule: "5xx", Blamed: []string{"5xx"}, Why: []string{why},
			Target:   authority.Target{Version: "2.3.9", Doubt: "it never passed here"},
			Ceilings: []authority.Ceiling{{Name: "severity", Power: rules.Ask, Why: "warning may ask"}},
		},
		Question: &watcher.QuestionView{
			Question: 23, Asked: noon.Add(-2 * time.Minute), Heard: noon.Add(-time.Minute), Deadline: noon.Add(14 * time.Minute),
			Needs: map[string]int{"oncall": 1, "checkout-owners": 1}, Silence: rules.SilenceKeeps,
			Votes: []authority.Vote{{Question: 23, Person: "ana", Choice: authority.Keep, Reason: "load test", At: noon.Add(-30 * time.Second)}},
		},
		Deployment: &rules.Deployment{ID: "checkout-4711", Service: "checkout", Environment: "production", Version: "2.4.0"},
		Plan:       &rules.Plan{Service: "checkout", Bake: model.Duration(30 * time.Minute)},
	}
}

// baking is a watch of which nothing is asked.
func baking() watcher.WatchView {
	w := asked()
	w.Phase, w.Question, w.Ruling = watcher.Baking, nil, nil
	return w
}

// ended is a watch that is over.
func ended(outcome watcher.Outcome) watcher.WatchView {
	w := baking()
	w.Phase, w.Outcome, w.Closed, w.Reason = watcher.Ended, outcome, noon, "so it ended"
	return w
}
