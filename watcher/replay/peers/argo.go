package peers

import (
	"time"

	"github.com/bakewatch/bakewatch/watcher/replay"
)

// Argo decides as an AnalysisRun of Argo Rollouts does with one metric that has a
// successCondition: measured once an interval over a window, it fails when more than
// FailureLimit measurements in all have failed; a measurement that errors (the query
// has no result) is retried after 10 seconds, and more than ConsecutiveErrorLimit
// errors in a row abort as well. No request at all makes the ratio NaN, which fulfils
// no condition: that is a failed measurement. Of several metrics, one that fails is enough.
//
// https://argo-rollouts.readthedocs.io/en/stable/features/analysis/ and issue 1008
// (the retry after 10 seconds, and a default of 4 errors).
type Argo struct {
	Max                   float64       // successCondition: share of bad requests at most this
	Interval              time.Duration // between measurements, and their window
	FailureLimit          int
	ConsecutiveErrorLimit int
}

// argoRetry is after how long an error is measured again.
const argoRetry = 10 * time.Second

// ArgoDocumented is the success-rate template of the documentation: 95 % over 5 minutes.
var ArgoDocumented = Argo{Max: 0.05, Interval: 5 * time.Minute, FailureLimit: 3, ConsecutiveErrorLimit: 4}

// Begin begins an analysis of looks that are so far apart.
func (a Argo) Begin(step time.Duration) Judge {
	a.Interval = max(a.Interval, step)
	return &argoRun{Argo: a, window: window{step: step}, next: a.Interval}
}

type argoRun struct {
	Argo
	window
	next             time.Duration // when to measure
	failures, errors int
}

func (a *argoRun) See(l replay.Seen) bool {
	at := a.at() + a.step
	a.add(l.New, l.Missed)
	for ; a.next < at+a.step; a.measure() {
		if a.over() {
			return true
		}
	}
	return a.over()
}

func (a *argoRun) measure() {
	c, arrived := a.last(a.Interval)
	if arrived == 0 {
		a.errors++
		a.next += argoRetry
		return
	}
	a.errors = 0
	a.next += a.Interval
	if share, ok := c.Share(); !ok || share > a.Max {
		a.failures++
	}
}

func (a *argoRun) over() bool {
	return a.failures > a.FailureLimit || a.errors > a.ConsecutiveErrorLimit
}
