package watcher

import (
	"context"

	"github.com/bakewatch/bakewatch/rules"
)

// Do runs a function in the loop, for benchmarks.
func (o *Owner) Do(ctx context.Context, f func(context.Context) error) error { return o.do(ctx, f) }

// Looked waits until every look that was asked for has been folded.
func (o *Owner) Looked(ctx context.Context) {
	for busy := true; busy; {
		_ = o.do(ctx, func(context.Context) error {
			busy = false
			for _, h := range o.lanes {
				busy = busy || h.sight != nil && h.sight.asking()
			}
			return nil
		})
	}
}

// Remembered returns how many instants of the past are kept.
func (o *Owner) Remembered(ctx context.Context) (instants int) {
	_ = o.do(ctx, func(context.Context) error { instants = o.past.size(); return nil })
	return instants
}

// Shared lets tests look at how instances overlap.
var Shared = shared

// Watched lets tests look at when a lane cannot tell of the weather.
var Watched = Lane.watchedSpans

// View is what people are shown of an open watch of which nothing else is known.
func (w *Watch) View(lane rules.LaneID) WatchView { return w.view(lane) }

// View is what people are shown of a watch that ended of which the journal knows no more.
func (p PastWatch) View(lane rules.LaneID) WatchView { return p.view(lane) }
