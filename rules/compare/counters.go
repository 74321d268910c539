package compare

import (
	"errors"

	"github.com/bakewatch/bakewatch/rules"
	"github.com/bakewatch/bakewatch/rules/promql"
	"github.com/bakewatch/bakewatch/rules/threshold"
)

// Counters are two counters, of which the first counts some of what the second counts.
type Counters struct {
	Scope       promql.Scope
	Source      string // [prometheus.NAME] of the daemon's file
	Part, Whole *promql.Selector
}

// Ask returns the queries about one arm, whose counts are over step: the part, the
// whole, and how many series the whole has. threshold.Beside reads their results.
func (c Counters) Ask(arm promql.Arm, step rules.Duration) []rules.Query {
	whole := c.Scope.Of(c.Whole, arm)
	return c.Scope.Queries(c.Source, arm.Deployment, c.Scope.Of(c.Part, arm).Count(step), whole.Count(step), whole.Present())
}

// Selectors returns both.
func (c Counters) Selectors() []*promql.Selector { return []*promql.Selector{c.Part, c.Whole} }

// Space counts both by instance, of the version and of all others.
func (c Counters) Space(float64) rules.InstanceCounts {
	return rules.InstanceCounts{
		Ask: func(d rules.Deployment, span rules.Duration) []rules.Query {
			rest, told := c.Scope.Rest(d, c.Selectors()...)
			if !told {
				return nil
			}
			by := func(selector *promql.Selector, arm promql.Arm) string { return c.Scope.Of(selector, arm).CountBy(span) }
			version := promql.Version(d)
			return c.Scope.Queries(c.Source, d, by(c.Part, version), by(c.Whole, version), by(c.Part, rest), by(c.Whole, rest))
		},
		Read: readSpace,
	}
}

func readSpace(got []rules.Result) (rules.Space, error) {
	if len(got) != 4 {
		return rules.Space{}, rules.Failed(rules.WrongType, "%d results for 4 queries", len(got))
	}
	fresh, errNew := pair(got[0], got[1])
	rest, errRest := pair(got[2], got[3])
	return rules.Space{New: fresh, Rest: rest}, errors.Join(errNew, errRest)
}

func pair(bad, all rules.Result) ([]rules.Instance, error) {
	wrong, errBad := promql.ByInstance(bad)
	total, errAll := promql.ByInstance(all)
	return promql.Instances(wrong, total), errors.Join(errBad, errAll)
}

// ReadBad reads what Counters ask where the part is bad.
func ReadBad(subject, of string) func(got []rules.Result, mark float64) (threshold.Look, error) {
	return func(got []rules.Result, _ float64) (threshold.Look, error) {
		bad, total, _, err := threshold.Beside(got, subject, of)
		return threshold.Look{Bad: bad, Total: total}, err
	}
}
