package replay

import (
	"time"

	"github.com/bakewatch/bakewatch/rules"
)

// Measure is one kind of bad events of a recording. A rule of its name judges it.
type Measure struct {
	Name    string // of the rule: "errors"
	Subject string // what is counted, for sentences: "errors", "requests slower than 450ms"
	Series  Series
}

// Recording is what was counted of one service, and what is known of its deployments.
type Recording struct {
	Name     string
	Measures []Measure
	// Deployments are those that are known, in any order.
	Deployments []Deployment
	// Wrong are stretches in which something was known to be wrong: no history learns
	// from them, and no good deployment is taken from them.
	Wrong []rules.Span
	// Borrowed is until when the counts are those of another recording, put before this
	// one so that it has a past: no good deployment is taken from them. Zero: none are.
	Borrowed time.Time
}

// Deployment is one moment of a recording that is taken for a deployment.
type Deployment struct {
	Name string
	At   time.Time
	// Bad says that what was recorded from then on is known to be wrong.
	Bad bool
}

// Step returns how long one row of the recording usually counts: the longest of its measures.
func (r Recording) Step() time.Duration {
	var longest time.Duration
	for _, m := range r.Measures {
		longest = max(longest, m.Series.Step)
	}
	return longest
}

// Span returns from when until when anything was recorded.
func (r Recording) Span() (from, to time.Time) {
	for _, m := range r.Measures {
		first, last := m.Series.Span()
		if first.IsZero() {
			continue
		}
		if from.IsZero() || first.Before(from) {
			from = first
		}
		if last.After(to) {
			to = last
		}
	}
	return from, to
}

// Good returns the moments, every so often, that can be taken for good deployments:
// the given history lies before each, and nothing known to be wrong within its bake.
// A recording that names good deployments has no others.
func (r Recording) Good(every, history, bake time.Duration) []Deployment {
	var named []Deployment
	for _, d := range r.Deployments {
		if !d.Bad {
			named = append(named, d)
		}
	}
	if len(named) > 0 || every <= 0 {
		return named
	}
	var good []Deployment
	from, to := r.Span()
	if r.Borrowed.After(from) {
		from = r.Borrowed
	}
	for at := from.Add(history); !at.Add(bake).After(to); at = at.Add(every) {
		if !r.wrong(at, at.Add(bake)) && r.counted(at, at.Add(bake)) {
			good = append(good, Deployment{Name: at.UTC().Format(time.RFC3339), At: at})
		}
	}
	return good
}

// Bad returns the deployments that are known to be bad.
func (r Recording) Bad() []Deployment {
	var bad []Deployment
	for _, d := range r.Deployments {
		if d.Bad {
			bad = append(bad, d)
		}
	}
	return bad
}

// wrong says whether anything known to be wrong overlaps the time.
func (r Recording) wrong(from, to time.Time) bool {
	for _, span := range r.Wrong {
		if span.From.Before(to) && span.To.After(from) {
			return true
		}
	}
	return false
}

// counted says whether anything at all was recorded in the time.
func (r Recording) counted(from, to time.Time) bool {
	for _, m := range r.Measures {
		rows := m.Series.Rows
		if i := m.Series.first(from); i < len(rows) && rows[i].From.Before(to) {
			return true
		}
	}
	return false
}

// refined divides the rows of all measures that are longer than the step.
func (r Recording) refined(step time.Duration) Recording {
	measures := make([]Measure, len(r.Measures))
	for i, m := range r.Measures {
		m.Series = m.Series.Refine(step, r.Wrong)
		measures[i] = m
	}
	r.Measures = measures
	return r
}
