package peers

import (
	"time"

	"github.com/bakewatch/bakewatch/watcher/replay"
)

// Flagger decides as a Canary of Flagger does: once a minute each metric is checked over
// that minute, and when Threshold checks in all have failed it rolls back. A check
// without values ("probably not receiving traffic") counts as failed. However many
// metrics fail at once, it is one failed check.
//
// https://docs.flagger.app/usage/how-it-works and /usage/metrics.
type Flagger struct {
	// Max is the share of bad requests of each metric, 1 − thresholdRange.min; a metric
	// for which it is 0 is not checked.
	Max       []float64
	Threshold int // failed checks that roll back
}

// FlaggerDocumented is the analysis of the documentation's tutorials: a success rate of
// 99 % (and a 99th percentile of the latency, which is a share as well), five failed checks.
func FlaggerDocumented(metrics int) Flagger {
	f := Flagger{Threshold: 5}
	for range metrics {
		f.Max = append(f.Max, 0.01)
	}
	return f
}

// Begin begins an analysis of looks that are so far apart.
func (f Flagger) Begin(step time.Duration) replay.Watchman {
	run := &flaggerRun{Flagger: f, step: step, timer: newTimer(time.Minute)}
	for range f.Max {
		run.windows = append(run.windows, window{step: step})
	}
	return run
}

type flaggerRun struct {
	Flagger
	timer
	step, at time.Duration // between looks; since the deployment
	windows  []window      // of each metric
	failed   int
}

func (f *flaggerRun) See(look []replay.Seen) bool {
	f.at += f.step
	for i := range f.windows {
		f.windows[i].add(look[i].New, look[i].Missed)
	}
	if f.due(f.at) && f.fails() {
		f.failed++
	}
	return f.failed >= f.Threshold
}

// fails says whether a check fails now.
func (f *flaggerRun) fails() bool {
	for i := range f.windows {
		if f.Max[i] == 0 {
			continue
		}
		c, _ := f.windows[i].last(time.Minute)
		if share, ok := c.Share(); !ok || share > f.Max[i] {
			return true
		}
	}
	return false
}
