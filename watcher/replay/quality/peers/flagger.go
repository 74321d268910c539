package peers

import "github.com/bakewatch/bakewatch/watcher/replay/quality/sim"

// Flagger decides as a Canary of Flagger does: once a minute the success rate over
// that minute is checked, and when Threshold checks in all have failed it rolls back.
// A check without values ("probably not receiving traffic") counts as failed.
//
// https://docs.flagger.app/usage/how-it-works and /usage/metrics.
type Flagger struct {
	Max       float64 // share of bad requests at most this: 1 − thresholdRange.min
	Threshold int     // failed checks that roll back
}

// FlaggerDocumented is the analysis of the documentation's tutorials: 99 %, five failed checks.
var FlaggerDocumented = Flagger{Max: 0.01, Threshold: 5}

// Begin begins an analysis.
func (f Flagger) Begin() sim.Judge { return &flaggerRun{Flagger: f, window: newWindow(nil)} }

type flaggerRun struct {
	Flagger
	*window
	failed int
}

func (f *flaggerRun) See(l sim.Look) bool {
	f.add(l.New, l.Missed)
	if l.At%60 != 0 {
		return false
	}
	c, _ := f.last(sim.Minute)
	if share, ok := c.Share(); !ok || share > f.Max {
		f.failed++
	}
	return f.failed >= f.Threshold
}

// Consecutive decides as an alert of Prometheus does that has a `for`: at every look
// the share over a window is above the limit, for so long without a pause. No value
// makes the alert inactive, and its clock starts anew.
//
// https://prometheus.io/docs/prometheus/latest/configuration/alerting_rules/
type Consecutive struct {
	Max    float64
	Window int // seconds
	For    int // seconds
}

// ConsecutiveDocumented is the usual alert: 1 % over 5 minutes, for the 10 minutes of the documentation.
var ConsecutiveDocumented = Consecutive{Max: 0.01, Window: 300, For: 600}

// Begin begins to watch.
func (c Consecutive) Begin() sim.Judge {
	return &consecutiveRun{Consecutive: c, window: newWindow(nil)}
}

type consecutiveRun struct {
	Consecutive
	*window
	since int // seconds: when it became pending; 0: it is not
}

func (c *consecutiveRun) See(l sim.Look) bool {
	c.add(l.New, l.Missed)
	counts, _ := c.last(c.Window / sim.Step)
	if share, ok := counts.Share(); !ok || share <= c.Max {
		c.since = 0
		return false
	}
	if c.since == 0 {
		c.since = l.At
	}
	return l.At-c.since >= c.For
}
