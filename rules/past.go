package rules

import (
	"slices"
	"time"
)

// Past is one request for what was before a deployment: the queries, at the instants
// From, From+Step, … up to To.
type Past struct {
	Queries  []Query
	From, To time.Time
	Step     time.Duration
}

// Optional says that the evidence can do without it.
func (p Past) Optional() bool {
	return !slices.ContainsFunc(p.Queries, func(q Query) bool { return !q.Optional })
}

// Instants returns how many instants the request covers.
func (p Past) Instants() int {
	if p.Step <= 0 || p.To.Before(p.From) {
		return 0
	}
	return int(p.To.Sub(p.From)/p.Step) + 1
}

// Span is a stretch of time, from its begin to before its end.
type Span struct {
	From time.Time `json:"from"`
	To   time.Time `json:"to"`
}

// Contains says whether the instant is within the span.
func (s Span) Contains(t time.Time) bool { return !t.Before(s.From) && t.Before(s.To) }

// Historical is evidence that judges by what was normal before the deployment.
// Whoever folds looks into it asks Wants before the first one, and answers by Learn,
// until it wants nothing more.
type Historical interface {
	Evidence
	// Wants returns what of the past it needs to know next; ok is false once it needs
	// nothing. Requests of watches of one service are the same where they can be, so
	// that their answers may be shared.
	Wants() (p Past, ok bool)
	// Learn folds the answer to Wants: results[i][j] is query i at the j-th instant.
	// Instants within bad are of versions that ended badly, and are left out.
	Learn(results [][]Result, bad []Span)
}

// Verifier is a rule that judges otherwise while a rollback is verified: by an absolute
// limit alone, as what was normal before may not come back at once.
type Verifier interface {
	// Verify starts the evidence about the target of a rollback, which counts from d.At.
	Verify(d Deployment) Evidence
}

// Plotter is evidence that can show what it has seen.
type Plotter interface {
	// Curve returns the series behind the verdict so far.
	Curve() Curve
}

// Curve is what a plot of a verdict needs, small enough for the journal: one value
// for each of the instants From, From+Step, … Values are rounded; NaN-free.
type Curve struct {
	From time.Time `json:"from"`
	Step Duration  `json:"step"`
	// New and Control are shares of bad events in each step; -1: no events.
	New     []float64 `json:"new"`
	Control []float64 `json:"control,omitempty"`
	// Limit is what New is held against; Wealth the evidence at the end of each step.
	Limit  float64   `json:"limit"`
	Wealth []float64 `json:"wealth,omitempty"`
}
