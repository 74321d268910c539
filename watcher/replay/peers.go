package replay

import "time"

// Peer is another way to judge a deployment, as its documentation says.
type Peer struct {
	Name string
	// Begin begins to watch one deployment, looked at every interval.
	Begin func(interval time.Duration) Watchman
}

// Watchman is a peer that watches one deployment.
type Watchman interface {
	// See takes one look at one measure and says whether the peer would roll back; ok is
	// false where nothing was recorded.
	See(at time.Time, measure string, counts Counts, ok bool) bool
}

// Threshold is the peer that most tools offer: the share of bad events of each look
// against the limit of its measure; more than so many failed looks of one measure, and
// it rolls back.
func Threshold(name string, limit func(measure string) float64, failures int) Peer {
	return Peer{Name: name, Begin: func(time.Duration) Watchman {
		return &thresholdWatch{limit: limit, allowed: failures, failed: map[string]int{}}
	}}
}

type thresholdWatch struct {
	limit   func(string) float64
	allowed int
	failed  map[string]int
}

func (w *thresholdWatch) See(_ time.Time, measure string, counts Counts, ok bool) bool {
	if ok && counts.Total > 0 && counts.Bad/counts.Total > w.limit(measure) {
		w.failed[measure]++
	}
	return w.failed[measure] > w.allowed
}
