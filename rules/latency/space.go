package latency

import (
	"errors"
	"math"

	"github.com/bakewatch/bakewatch/rules"
	"github.com/bakewatch/bakewatch/rules/promql"
)

// queriesOfArm is how many queries count one side of the versions' border by instance.
const queriesOfArm = 4

// space counts slow requests by instance, of the version and of all others.
func space(scope promql.Scope, selector *promql.Selector, source string, limit float64) rules.InstanceCounts {
	return rules.InstanceCounts{
		Ask: func(d rules.Deployment, span rules.Duration) []rules.Query {
			rest, told := scope.Rest(d, selector)
			if !told {
				return nil
			}
			var templates []string
			for _, arm := range []promql.Arm{promql.Version(d), rest} {
				h := scope.Histogram(selector, arm)
				templates = append(templates, h.BucketsBy(span), h.Edges(), h.TotalBy(span), h.WithinBy(limit, span))
			}
			return scope.Queries(source, d, templates...)
		},
		Read: func(got []rules.Result) (rules.Space, error) {
			if len(got) != 2*queriesOfArm {
				return rules.Space{}, rules.Failed(rules.WrongType, "%d results for %d queries", len(got), 2*queriesOfArm)
			}
			fresh, errNew := readArm(got[:queriesOfArm], limit)
			rest, errRest := readArm(got[queriesOfArm:], limit)
			return rules.Space{New: fresh, Rest: rest}, errors.Join(errNew, errRest)
		},
	}
}

// readArm reads one side: classic and native histograms are counted together.
func readArm(got []rules.Result, limit float64) ([]rules.Instance, error) {
	total, errTotal := promql.ByInstance(got[2])
	fast, errFast := promql.ByInstance(got[3])
	if err := errors.Join(errTotal, errFast); err != nil {
		return nil, err
	}
	bad := map[string]float64{}
	for name, count := range total {
		bad[name] = slow(count, fast[name])
	}
	if len(got[1].Samples) > 0 {
		if err := addClassic(bad, total, got[0], got[1], limit); err != nil {
			return nil, err
		}
	}
	return promql.Instances(bad, total), nil
}

func addClassic(bad, total map[string]float64, counts, series rules.Result, limit float64) error {
	have, err := byEdge(series)
	if err != nil {
		return err
	}
	edge, err := pick(have, limit)
	if err != nil {
		return err
	}
	of := map[string][]rules.Sample{}
	for _, sample := range counts.Samples {
		name := promql.InstanceOf(sample)
		of[name] = append(of[name], sample)
	}
	for name, samples := range of {
		counted, err := byEdge(rules.Result{Samples: samples})
		if err != nil {
			return err
		}
		all := counted[math.Inf(1)]
		bad[name] += slow(all, counted[edge])
		total[name] += all
	}
	return nil
}
