package peers

import (
	"time"

	"github.com/bakewatch/bakewatch/watcher/replay"
)

// window sums the counts of the last looks, as rate() over a range does.
type window struct {
	step      time.Duration
	past, own replay.Past // looks before the deployment, and since
}

func (w *window) add(c replay.Counts, missed bool) {
	if missed {
		w.own.Miss()
	} else {
		w.own.Add(c)
	}
}

// at is how long after the deployment the last look was.
func (w *window) at() time.Duration { return time.Duration(w.own.Looks()) * w.step }

// last returns the counts of the last looks and how many of them found something out; of
// fewer where there are not that many.
func (w *window) last(length time.Duration) (c replay.Counts, arrived int) {
	n := w.past.Looks() + w.own.Looks()
	before, missing := w.upTo(n - looks(length, w.step))
	all, found := w.upTo(n)
	return all.Minus(before), found - missing
}

func (w *window) upTo(look int) (replay.Counts, int) {
	past := w.past.Looks()
	if look <= past {
		return w.past.UpTo(look)
	}
	before, found := w.past.UpTo(past)
	sum, arrived := w.own.UpTo(look - past)
	return before.Plus(sum), found + arrived
}

// looks is how many looks a length of time has: at least one.
func looks(length, step time.Duration) int { return int(max(1, (length+step-1)/step)) }

// timer goes off once an interval: at the first look that is not before it.
type timer struct{ interval, next time.Duration }

func newTimer(interval time.Duration) timer { return timer{interval, interval} }

func (t *timer) due(at time.Duration) bool {
	if at < t.next {
		return false
	}
	for t.next <= at {
		t.next += t.interval
	}
	return true
}
