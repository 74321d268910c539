package errorrate

import (
	"errors"

	"github.com/bakewatch/bakewatch/rules"
	"github.com/bakewatch/bakewatch/rules/promql"
)

// space counts bad requests by instance, of the version and of all others.
func space(scope promql.Scope, bad, all *promql.Selector, source string) rules.InstanceCounts {
	return rules.InstanceCounts{
		Ask: func(d rules.Deployment, span rules.Duration) []rules.Query {
			rest, told := scope.Rest(d, bad, all)
			if !told {
				return nil
			}
			return scope.Queries(source, d,
				scope.Series(bad, d).CountBy(span), scope.Series(all, d).CountBy(span),
				scope.Of(bad, rest).CountBy(span), scope.Of(all, rest).CountBy(span))
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
