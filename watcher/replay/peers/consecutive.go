package peers

import (
	"time"

	"github.com/bakewatch/bakewatch/watcher/replay"
)

// Consecutive decides as an alert of Prometheus does that has a `for`: at every look
// the share over a window is above the limit, for so long without a pause. No value
// makes the alert inactive, and its clock starts anew.
//
// https://prometheus.io/docs/prometheus/latest/configuration/alerting_rules/
type Consecutive struct {
	Max    float64
	Window time.Duration
	For    time.Duration
}

// ConsecutiveDocumented is the usual alert: 1 % over 5 minutes, for the 10 minutes of the documentation.
var ConsecutiveDocumented = Consecutive{Max: 0.01, Window: 5 * time.Minute, For: 10 * time.Minute}

// Begin begins to watch at looks that are so far apart.
func (c Consecutive) Begin(step time.Duration) Judge {
	return &consecutiveRun{Consecutive: c, window: window{step: step}}
}

type consecutiveRun struct {
	Consecutive
	window
	since time.Duration // when it became pending; 0: it is not
}

func (c *consecutiveRun) See(l replay.Seen) bool {
	c.add(l.New, l.Missed)
	counts, _ := c.last(c.Window)
	if share, ok := counts.Share(); !ok || share <= c.Max {
		c.since = 0
		return false
	}
	if c.since == 0 {
		c.since = c.at()
	}
	return c.at()-c.since >= c.For
}
