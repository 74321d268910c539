package watcher

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"

	"github.com/bakewatch/bakewatch/rules"
)

// ErrStopped says that this replica is no longer, or not yet, the active one.
var ErrStopped = errors.New("this replica is not active")

var _ Desk = (*Owner)(nil)

// do runs a function in the loop and waits for it. What the loop has taken it also
// ends, so nothing that the function writes is read too early.
func (o *Owner) do(ctx context.Context, f func(context.Context) error) error {
	done := make(chan error, 1)
	in := func(ctx context.Context) {
		defer func() {
			if p := recover(); p != nil {
				o.Log.Error("a request caused a panic", "cause", fmt.Sprint(p))
				done <- fmt.Errorf("panic: %v", p)
			}
		}()
		done <- f(ctx)
	}
	select {
	case o.inbox <- in:
		return <-done
	case <-o.ended:
		return ErrStopped
	case <-ctx.Done():
		return ctx.Err()
	}
}

// Heard records what became of a message.
func (o *Owner) Heard(ctx context.Context, lane rules.LaneID, told Delivery) error {
	return o.do(ctx, func(ctx context.Context) error { return o.handle(ctx, lane, Input{Told: &told}) })
}

// List implements Desk.
func (o *Owner) List(ctx context.Context) (views []LaneView, err error) {
	err = o.do(ctx, func(context.Context) error {
		for _, h := range o.lanes {
			views = append(views, o.view(h))
		}
		views = append(views, o.disarmedOnly()...)
		return nil
	})
	slices.SortFunc(views, func(a, b LaneView) int { return byName(a.Lane, b.Lane) })
	return views, err
}

// Show implements Desk.
func (o *Owner) Show(ctx context.Context, ref Ref) (view WatchView, err error) {
	last := uint64(0)
	err = o.do(ctx, func(context.Context) error {
		found, h, err := o.find(ref)
		if err != nil {
			return err
		}
		view, last = found, h.after(found.Watch)
		if view.Outcome == "" && h.sight.fits(h.Watch) {
			view.Answers = h.sight.curves(view.Answers)
		}
		return nil
	})
	if err != nil || view.Outcome == "" {
		return view, err
	}
	return o.recalled(ctx, view, last), nil
}

// change does something to an open watch and returns how it looks afterwards.
func (o *Owner) change(ctx context.Context, ref Ref, f func(context.Context, *held) error) (view WatchView, err error) {
	err = o.do(ctx, func(ctx context.Context) error {
		found, h, err := o.find(ref)
		if err != nil {
			return err
		}
		if found.Outcome != "" {
			return fmt.Errorf("%w: watch %d of %s has ended: %s", ErrRefused, found.Watch, h.ID, found.Outcome)
		}
		if err := f(ctx, h); err != nil {
			return err
		}
		view, _ = o.match(h, byNumber(strconv.FormatUint(found.Watch, 10)))
		return nil
	})
	return view, err
}

// find returns the watch that a name stands for: its number or else its event's id
// or else its service, whose open watch counts, or the last. Two lanes that both
// answer to the name must be told apart.
func (o *Owner) find(ref Ref) (WatchView, *held, error) {
	for _, is := range []names{byNumber(ref.Name), byEvent(ref.Name), byService(ref.Name)} {
		var best WatchView
		var in *held
		for _, h := range o.lanes {
			if ref.Environment != "" && ref.Environment != h.ID.Environment || ref.Unflagged && h.ID.Flag != "" {
				continue
			}
			view, ok := o.match(h, is)
			if ok && in != nil {
				return WatchView{}, nil, fmt.Errorf("%w: %q is both in %s and in %s; name the environment, or the watch's number", ErrRefused, ref.Name, in.ID, h.ID)
			}
			if ok {
				best, in = view, h
			}
		}
		if in != nil {
			return best, in, nil
		}
	}
	return WatchView{}, nil, o.missing(ref)
}

// missing says why no watch answers to the name.
func (o *Owner) missing(ref Ref) error {
	var elsewhere []string
	for id, h := range o.lanes {
		switch {
		case id.Service != ref.Name, ref.Unflagged && id.Flag != "":
		case ref.Environment == "" || ref.Environment == id.Environment:
			return fmt.Errorf("%w: %s has no watch; %s went live there without a plan", ErrNotFound, id, h.Ledger.Live)
		default:
			elsewhere = append(elsewhere, id.Environment)
		}
	}
	if len(elsewhere) > 0 {
		slices.Sort(elsewhere)
		return fmt.Errorf("%w: %s was never deployed in %s, but in %s", ErrNotFound, ref.Name, ref.Environment, some(slices.Compact(elsewhere)))
	}
	return fmt.Errorf("%w: no watch has the number or event id %q, and no service of that name was deployed", ErrNotFound, ref.Name)
}

// names says whether a name stands for a watch, given its service, number and event id.
type names func(service string, watch uint64, event string) bool

func byNumber(name string) names {
	return func(_ string, watch uint64, _ string) bool { return name == strconv.FormatUint(watch, 10) }
}

func byEvent(name string) names {
	return func(_ string, _ uint64, event string) bool { return name == event }
}

func byService(name string) names {
	return func(service string, _ uint64, _ string) bool { return name == service }
}

// match returns the newest watch of the lane that the name stands for.
func (o *Owner) match(h *held, is names) (WatchView, bool) {
	if w := h.Watch; w != nil && is(h.ID.Service, w.Seq, w.Deployment.ID) {
		return o.watchView(h), true
	}
	for _, past := range slices.Backward(h.Ledger.Past) {
		if is(h.ID.Service, past.Watch, past.ID) {
			return past.view(h.ID), true
		}
	}
	return WatchView{}, false
}

func (o *Owner) view(h *held) LaneView {
	view := LaneView{
		Lane: h.ID, Live: h.Ledger.Live, Unwatched: h.Ledger.Unwatched, Bad: h.Ledger.Bad, Past: h.Ledger.Past,
		Disarmed: o.Guards(h.ID.Service).Disarmed, Aside: h.Aside,
	}
	if h.Watch != nil {
		w := o.watchView(h)
		w.Plan, w.Deployment = nil, nil // a list is short; Show has all of it
		ruling := *w.Ruling
		ruling.Answers = plain(ruling.Answers)
		w.Answers, w.Ruling = plain(w.Answers), &ruling
		view.Watch = &w
	}
	return view
}
