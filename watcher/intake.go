package watcher

import (
	"context"
	"sync"

	"github.com/bakewatch/bakewatch/rules"
)

// event is a deployment that was announced, and who waits for its entry.
type event struct {
	lane rules.LaneID
	in   Input
	done chan error
}

// abreast is how many events are taken in at once.
const abreast = 128

// Announce hands in an event. It returns once the event is in the journal, or needs
// no entry there; after an error the event must be handed in again.
func (o *Owner) Announce(ctx context.Context, d rules.Deployment) error {
	e := event{d.Lane(), Input{Event: &Announced{Deployment: d, Plan: o.PlanFor(d)}}, make(chan error, 1)}
	select {
	case o.events <- e:
		return <-e.done
	case <-o.ended:
		return ErrStopped
	case <-ctx.Done():
		return ctx.Err()
	}
}

// takeIn takes the event in, and with it those that wait as well: each lane still
// writes one entry at a time, but nobody waits for the disk in turn.
func (o *Owner) takeIn(ctx context.Context, first event) {
	for events := o.waiting(first); len(events) > 0; {
		now, later := oneOfEachLane(events)
		o.sideBySide(ctx, now)
		events = later
	}
}

// sideBySide takes in events of different lanes.
func (o *Owner) sideBySide(ctx context.Context, events []event) {
	errs := make([]error, len(events))
	var writing sync.WaitGroup
	for i, e := range events {
		h := o.held(e.lane)
		writing.Go(func() {
			errs[i] = o.guarded(ctx, h, func() error { return o.drive(ctx, h, e.in) })
		})
	}
	writing.Wait()
	for i, e := range events {
		if h := o.held(e.lane); errs[i] == nil {
			errs[i] = o.guarded(ctx, h, func() error { return o.settle(ctx, h) })
		}
		e.done <- errs[i]
	}
}

// waiting collects the events that wait now, without waiting for any.
func (o *Owner) waiting(first event) []event {
	events := []event{first}
	for len(events) < abreast {
		select {
		case e := <-o.events:
			events = append(events, e)
		default:
			return events
		}
	}
	return events
}

// oneOfEachLane takes the first event of every lane; the others keep their order.
func oneOfEachLane(events []event) (now, later []event) {
	lanes := map[rules.LaneID]bool{}
	for _, e := range events {
		if lanes[e.lane] {
			later = append(later, e)
			continue
		}
		lanes[e.lane] = true
		now = append(now, e)
	}
	return now, later
}
