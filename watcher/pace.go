package watcher

import "time"

// pace says at which instants a watch is looked at: they stand on a grid of the
// interval since the epoch, moved back by settle, because samples become visible late.
type pace struct {
	interval time.Duration
	settle   time.Duration
}

func paceOf(w *Watch) pace {
	return pace{interval: max(time.Duration(w.Plan.Interval), time.Second/10), settle: time.Duration(w.Plan.Settle)}
}

// begun says whether the first look at what the watch judges now is due.
func (p pace) begun(w *Watch, now time.Time) bool {
	return !p.after(w.Subject().At).After(p.latest(now))
}

// latest returns the newest instant that may be looked at.
func (p pace) latest(now time.Time) time.Time {
	return grid(now, p.interval).Add(-p.settle)
}

// after returns the first instant after t.
func (p pace) after(t time.Time) time.Time {
	return grid(t.Add(p.settle), p.interval).Add(p.interval - p.settle)
}

// grid rounds down to a multiple of the interval since the epoch.
func grid(t time.Time, interval time.Duration) time.Time {
	nanos := t.UnixNano()
	return time.Unix(0, nanos-nanos%int64(interval)).UTC()
}
