package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/bakewatch/bakewatch/watcher"
)

// settled is after how long an announced event has come to the daemon that answers:
// from then on, that it is not known means something.
const settled = 5 * time.Second

// final says that there is no watch and will be none.
func final(err error) bool {
	var e *exit
	return errors.As(err, &e) && e.code == exitUnwatched
}

// unwatched looks in the lanes for why the watch is unknown. Where the version is
// watched under another event's id, that watch is the one to wait for.
func (w *waiter) unwatched(ctx context.Context, unknown error) error {
	ctx, cancel := bounded(ctx)
	defer cancel()
	lanes, err := w.daemon.desk.List(ctx)
	if err != nil {
		return unknown
	}
	meant := w.meant(lanes)
	switch {
	case len(meant) == 0:
		return unknown
	case len(meant) == 1 && meant[0].Watch != nil:
		watch := meant[0].Watch
		fmt.Fprintf(w.stderr, "%s is watched already as %s: waiting for that\n", printable(watch.Version), printable(watch.ID))
		w.ref.Name = strconv.FormatUint(watch.Watch, 10)
		return w.look(ctx)
	case slices.ContainsFunc(meant, func(l watcher.LaneView) bool { return l.Watch != nil }):
		return unknown
	}
	return nothingWatched(meant)
}

// nothingWatched says of lanes with one version why nobody watches it.
func nothingWatched(lanes []watcher.LaneView) error {
	why, where := "was live already", make([]string, len(lanes))
	for i, lane := range lanes {
		where[i] = lane.Lane.String()
		if lane.Unwatched {
			why = "went live without a plan"
		}
	}
	return &exit{
		code: exitUnwatched, err: fmt.Errorf("nothing is watched: %s %s in %s", lanes[0].Live, why, strings.Join(where, " and ")),
		hint: "bakewatch announce --retry watches a version that is live already, where a plan covers it",
	}
}

// meant are the lanes that the name speaks of, if the version that it names is live in
// all of them: an id does not say in which environment it is.
func (w *waiter) meant(lanes []watcher.LaneView) []watcher.LaneView {
	var meant []watcher.LaneView
	for _, l := range lanes {
		if w.elsewhere(l) {
			continue
		}
		if l.Lane.Service == w.ref.Name && l.Unwatched || madeUp(w.ref.Name, l.Lane.Service, l.Live) {
			meant = append(meant, l)
		}
	}
	differs := func(l watcher.LaneView) bool {
		return !w.elsewhere(l) && l.Lane.Service == meant[0].Lane.Service && l.Live != meant[0].Live
	}
	if len(meant) == 0 || slices.ContainsFunc(lanes, differs) {
		return nil
	}
	return meant
}

func (w *waiter) elsewhere(l watcher.LaneView) bool {
	return l.Live == "" || w.ref.Environment != "" && w.ref.Environment != l.Lane.Environment
}
