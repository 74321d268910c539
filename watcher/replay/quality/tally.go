package quality

import (
	"slices"

	"github.com/bakewatch/bakewatch/watcher/replay/quality/sim"
)

// Tally counts what one judge made of the deployments of a cell.
type Tally struct {
	Runs, Alarms int
	// Asked are alarms that only ever ask people; the others roll back by themselves, at
	// once or later.
	Asked int
	// Passed early, and ended without a pass for want of traffic or data; Bakewatch only.
	Early, Unjudged int

	delays   [sim.Looks + 1]int // alarms by their look
	alone    [sim.Looks + 1]int // rollbacks without asking by their look
	requests []float32          // of the new arm up to each alarm, at most manyRequests of them
}

// manyRequests is of how many alarms the requests are kept for the median.
const manyRequests = 2000

// outcome is what became of one deployment.
type outcome struct {
	look            int // of the alarm, from 1 on; 0: none
	alone           int // of the rollback without asking, likewise
	requests        int
	early, unjudged bool
}

func (t *Tally) add(o outcome) {
	t.Runs++
	count(&t.Early, o.early)
	count(&t.Unjudged, o.unjudged)
	if o.look == 0 {
		return
	}
	t.Alarms++
	count(&t.Asked, o.alone == 0)
	t.delays[o.look]++
	if o.alone > 0 {
		t.alone[o.alone]++
	}
	if len(t.requests) < manyRequests {
		t.requests = append(t.requests, float32(o.requests))
	}
}

func count(n *int, yes bool) {
	if yes {
		*n++
	}
}

// Merge adds another tally's counts.
func (t *Tally) Merge(o *Tally) {
	t.Runs += o.Runs
	t.Alarms += o.Alarms
	t.Asked += o.Asked
	t.Early += o.Early
	t.Unjudged += o.Unjudged
	for i := range o.delays {
		t.delays[i] += o.delays[i]
		t.alone[i] += o.alone[i]
	}
	t.requests = append(t.requests, o.requests[:min(len(o.requests), max(0, manyRequests-len(t.requests)))]...)
}

// Per1000 is how many of a thousand deployments were alarmed about.
func (t *Tally) Per1000() float64 { return 1000 * share(t.Alarms, t.Runs) }

// Missed is the share of deployments without an alarm.
func (t *Tally) Missed() float64 { return 1 - share(t.Alarms, t.Runs) }

func share(n, of int) float64 {
	if of == 0 {
		return 0
	}
	return float64(n) / float64(of)
}

// Delay is the median of the seconds to the alarm, a miss being longer than any; ok is
// false where half or more are missed.
func (t *Tally) Delay() (seconds float64, ok bool) { return middle(&t.delays, t.Runs) }

// Alone is the same of rollbacks that ask nobody.
func (t *Tally) Alone() (seconds float64, ok bool) { return middle(&t.alone, t.Runs) }

func middle(delays *[sim.Looks + 1]int, runs int) (seconds float64, ok bool) {
	seen := 0
	for look, n := range delays {
		if seen += n; 2*seen > runs {
			return float64(look * sim.Step), true
		}
	}
	return 0, false
}

// Requests is the median of the requests up to an alarm, of those that there were.
func (t *Tally) Requests() float64 {
	if len(t.requests) == 0 {
		return 0
	}
	sorted := slices.Clone(t.requests)
	slices.Sort(sorted)
	return float64(sorted[len(sorted)/2])
}
