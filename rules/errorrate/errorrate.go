// Package errorrate is the rule kind error-rate: bad requests as a share of all
// requests, by exact counts, compared with what the version is to be compared with
// and with max. It never reads a rate that someone else computed, and a missing error
// counter is zero only beside a present request counter.
//
// Start reading at Options.
package errorrate

import (
	"errors"

	"github.com/bakewatch/bakewatch/rules"
	"github.com/bakewatch/bakewatch/rules/compare"
	"github.com/bakewatch/bakewatch/rules/eprocess"
	"github.com/bakewatch/bakewatch/rules/promql"
	"github.com/bakewatch/bakewatch/rules/quantity"
	"github.com/bakewatch/bakewatch/rules/threshold"
)

// Options are those of a [[rule]] of kind error-rate.
type Options struct {
	Errors      string            `json:"errors" toml:"errors" doc:"the counter of bad requests, as a selector: http_requests_total{code=~\"5..\"}"`
	Requests    string            `json:"requests" toml:"requests" doc:"the counter of all requests, as a selector"`
	Max         quantity.Quantity `json:"max,omitzero" toml:"max" doc:"the largest share of bad requests that is allowed, proved to be exceeded: 1% or 0.01; default: none, the rule only compares"`
	MinRequests int               `json:"min_requests,omitempty" toml:"min_requests" doc:"for judge = \"threshold\": fewer in the window are low-traffic; default: 20, or as many that one bad request alone keeps max"`
}

// Kind returns the kind.
func Kind() rules.Kind {
	return rules.Kind{Name: "error-rate", New: func() rules.Options { return &Options{} }, Later: compare.Later()}
}

// Check says what is wrong with the options.
func (o *Options) Check() error {
	_, errErrors := promql.ReadSelector("errors", o.Errors)
	_, errRequests := promql.ReadSelector("requests", o.Requests)
	return errors.Join(errErrors, errRequests, threshold.CheckShare("max", o.Max), threshold.CheckMinRequests(o.MinRequests))
}

// Nature says how the rule is judged.
func (o *Options) Nature() rules.Nature {
	return rules.Nature{Compared: true, Borrows: true, FewestKey: "min_requests", Fewest: threshold.MinRequests(o.MinRequests, o.Max.Value())}
}

// Rule builds the rule.
func (o *Options) Rule(setting rules.Setting) (rules.Rule, error) {
	bad, errBad := promql.ReadSelector("errors", o.Errors)
	all, errAll := promql.ReadSelector("requests", o.Requests)
	scope, errScope := promql.NewScope(setting.Select)
	if err := errors.Join(errBad, errAll, errScope); err != nil {
		return nil, err
	}
	counters := compare.Counters{Scope: scope, Source: setting.Source, Part: bad, Whole: all}
	return compare.Choose(compare.Choice{
		Config: compare.Config{
			Setting: setting, Subject: "errors", Of: "requests", Limit: compare.Limit(o.Max),
			Scope: scope, Selectors: counters.Selectors(), Ask: counters.Ask, Read: compare.ReadBad("errors", "requests"),
			LoadTest: loadTest(setting.LoadTest),
			Space:    counters.Space,
		},
		MinRequests: o.MinRequests, LimitKey: "max",
	})
}

func loadTest(s *rules.LoadTestSummary) func(float64) (eprocess.Counts, bool) {
	if s == nil {
		return nil
	}
	return compare.Tested(eprocess.Counts{Total: s.Requests, Bad: s.Errors})
}
