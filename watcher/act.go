package watcher

import (
	"context"
	"time"

	"github.com/bakewatch/bakewatch/actions"
	"github.com/bakewatch/bakewatch/rules"
)

// carried is a grant that this process may carry out, and how.
type carried struct {
	try   func(context.Context, actions.Grant) actions.Outcome
	begun bool
}

// ending is how a rollback came back.
type ending struct {
	lane    rules.LaneID
	outcome actions.Outcome
	// stopped says that this process stopped it in the middle: whoever reads the
	// journal next finds out.
	stopped bool
}

// settle carries out what the lane owes the outside, once.
func (o *Owner) settle(ctx context.Context, h *held) error {
	grant, owed := h.Todo()
	if !owed {
		return nil
	}
	c, known := o.beside.grants[grant.Key()]
	if !known && h.Watch.Writer == (Writer{o.Name, o.Epoch}) { // only the acknowledgement was lost
		c, known = &carried{try: o.Actor.Run}, true
		o.beside.grants[grant.Key()] = c
	}
	switch {
	case !known:
		return o.leave(ctx, h, grant)
	case c.begun:
		return nil
	}
	c.begun = true
	o.beside.acting++
	id := h.ID
	go func() {
		outcome := c.try(o.beside.ctx, grant)
		stopped := o.beside.ctx.Err() != nil && outcome.Result != actions.ResultDone
		select {
		case o.ends <- ending{id, outcome, stopped}:
		case <-o.gone:
		}
	}()
	return nil
}

// leave leaves a rollback to the replica that has written its intent while this one
// was running, for as long as it may take. Then nobody is at it any more.
func (o *Owner) leave(ctx context.Context, h *held, grant actions.Grant) error {
	if time.Since(h.Watch.Acting) < grant.Longest() {
		return nil
	}
	if err := o.refold(ctx, h); err != nil {
		return err
	}
	o.beside.grants[grant.Key()] = &carried{try: o.Actor.Resume}
	return nil // the next tick resumes it, unless it turned out to have ended
}

// finish takes a rollback that came back.
func (o *Owner) finish(ctx context.Context, end ending) {
	o.beside.acting--
	if !end.stopped {
		o.record(ctx, end)
	}
}

// record journals how a rollback ended. While the journal does not take it, the
// outcome is kept and offered again at every tick.
func (o *Owner) record(ctx context.Context, end ending) {
	if err := o.handle(ctx, end.lane, Input{Done: &end.outcome}); err != nil {
		o.unwritten = append(o.unwritten, end)
		return
	}
	delete(o.beside.grants, end.outcome.Key)
}

// offerAgain gives the journal what it did not take before.
func (o *Owner) offerAgain(ctx context.Context) {
	again := o.unwritten
	o.unwritten = nil
	for _, end := range again {
		o.record(ctx, end)
	}
}
