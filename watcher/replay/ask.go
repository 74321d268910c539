package replay

import (
	"strings"
	"time"

	"github.com/bakewatch/bakewatch/rules"
)

// source is where queries to a recording are asked.
const source = "recording"

// The labels of the two samples that a recording answers with.
const (
	countLabel = "count"
	countBad   = "bad"
	countTotal = "total"
)

// queryOf asks what a measure counted in the window before an instant.
func queryOf(measure string, window rules.Duration) rules.Query {
	return rules.Query{Source: source, Template: measure + "[" + window.String() + "]"}
}

// answer answers a query of queryOf at an instant. Where anything of the window was not
// recorded the answer is empty: part of a count is no count.
func (r Recording) answer(q rules.Query, at time.Time) rules.Result {
	name, rest, _ := strings.Cut(q.Template, "[")
	var window rules.Duration
	if err := window.UnmarshalText([]byte(strings.TrimSuffix(rest, "]"))); err != nil {
		return rules.Result{Err: rules.Failed(rules.BadQuery, "%q: %w", q.Template, err)}
	}
	for _, m := range r.Measures {
		if m.Name != name {
			continue
		}
		counts, ok := m.Series.Count(at.Add(-time.Duration(window)), at)
		if !ok {
			return rules.Result{}
		}
		return rules.Result{Samples: []rules.Sample{
			{Labels: map[string]string{countLabel: countBad}, Value: counts.Bad},
			{Labels: map[string]string{countLabel: countTotal}, Value: counts.Total},
		}}
	}
	return rules.Result{Err: rules.Failed(rules.BadQuery, "nothing is recorded as %q", name)}
}

// read takes the answer to one query of queryOf.
func read(got []rules.Result) (Counts, error) {
	var counts Counts
	for _, result := range got {
		if len(result.Samples) == 0 {
			return counts, rules.Failed(rules.Empty, "nothing was recorded")
		}
		for _, sample := range result.Samples {
			if sample.Labels[countLabel] == countBad {
				counts.Bad = sample.Value
			} else {
				counts.Total = sample.Value
			}
		}
	}
	return counts, nil
}

// remembers lets evidence that judges by what was before learn it from the recording.
func (r Recording) remembers(evidence rules.Evidence) {
	historical, ok := evidence.(rules.Historical)
	if !ok {
		return
	}
	for range mostRequests {
		past, wants := historical.Wants()
		if !wants {
			return
		}
		historical.Learn(r.past(past), r.Wrong)
	}
}

// mostRequests bounds how often evidence may ask for more of the past.
const mostRequests = 10

// past answers one request for what was before a deployment.
func (r Recording) past(p rules.Past) [][]rules.Result {
	results := make([][]rules.Result, len(p.Queries))
	for i, q := range p.Queries {
		results[i] = make([]rules.Result, p.Instants())
		for j := range results[i] {
			results[i][j] = r.answer(q, p.From.Add(time.Duration(j)*p.Step))
		}
	}
	return results
}
