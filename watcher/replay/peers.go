package replay

import "time"

// Peer is another way to judge a deployment, as its documentation says; package peers has some.
type Peer struct {
	Name string
	// Begin begins to watch one deployment. It returns nil if the peer cannot judge it,
	// for want of what was before.
	Begin func(Start) Watchman
}

// Watchman is a peer that watches one deployment.
type Watchman interface {
	// See takes one look at all measures, in their order, and says whether the peer would
	// roll back now. It is not asked again once it has said so.
	See(look []Seen) (stop bool)
}

// Seen is what one look found of one measure since the look before.
type Seen struct {
	// New is the new version's, Control that of what it is compared with, and Service that
	// of all versions together. A recording does not tell versions apart.
	New, Control, Service Counts
	// Missed says that nothing is known; the counts are zero.
	Missed bool
}

// Start is what a peer knows when it begins.
type Start struct {
	Step     time.Duration // between two looks
	Beside   bool          // there is a control beside the new version
	Measures []Before
}

// Before is what was counted of one measure before a deployment.
type Before struct {
	// Level is the usual share of bad events; 0: not known.
	Level float64
	// Past are the looks of the last hours: at least six, where so much was recorded.
	Past Past
}

// How far peers look back.
const (
	pastOfLevel = 7 * 24 * time.Hour
	pastOfLooks = 6 * time.Hour
)

// start is what peers know of a deployment at an instant, who see looks from the first
// one on. A look from before the deployment to after it belongs to neither.
func (r Recording) start(at, first time.Time, step time.Duration) Start {
	s := Start{Step: step}
	for _, m := range r.Measures {
		b := Before{Level: r.level(m, at)}
		for to := first.Add(-pastOfLooks); to.Before(first); to = to.Add(step) {
			if counts, ok := m.Series.Count(to.Add(-step), to); ok && !to.After(at) {
				b.Past.Add(counts)
			} else {
				b.Past.Miss()
			}
		}
		s.Measures = append(s.Measures, b)
	}
	return s
}

// level is the usual share of bad events before an instant; 0: nothing was recorded.
// What was known to be wrong is not usual.
func (r Recording) level(m Measure, at time.Time) float64 {
	var sum Counts
	for _, row := range m.Series.Rows[m.Series.first(at.Add(-pastOfLevel)):] {
		if row.To.After(at) {
			break
		}
		if !r.wrong(row.From, row.To) {
			sum = sum.Plus(row.Counts)
		}
	}
	if sum.Total == 0 {
		return 0
	}
	return sum.Level()
}

// seen is one look at all measures.
func (r Recording) seen(at time.Time, step time.Duration) []Seen {
	look := make([]Seen, len(r.Measures))
	for i, m := range r.Measures {
		if counts, ok := m.Series.Count(at.Add(-step), at); ok {
			look[i] = Seen{New: counts, Service: counts}
		} else {
			look[i] = Seen{Missed: true}
		}
	}
	return look
}
