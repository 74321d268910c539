// Package latency is the rule kind latency: p99 ≤ 500 ms is judged as "at most 1 %
// of the requests took longer than 500 ms", by exact counts of a classic or a
// native histogram. It never interpolates a quantile.
//
// Start reading at Options, then read.go.
package latency

import (
	"cmp"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/bakewatch/bakewatch/rules"
	"github.com/bakewatch/bakewatch/rules/compare"
	"github.com/bakewatch/bakewatch/rules/promql"
	"github.com/bakewatch/bakewatch/rules/quantity"
	"github.com/bakewatch/bakewatch/rules/threshold"
)

// Options are those of a [[rule]] of kind latency.
type Options struct {
	Histogram   string            `json:"histogram" toml:"histogram" doc:"the histogram of durations in seconds, as a selector without _bucket; classic or native"`
	Quantile    float64           `json:"quantile" toml:"quantile" doc:"which quantile is limited, between 0 and 1; default 0.99"`
	Max         quantity.Quantity `json:"max,omitzero" toml:"max" doc:"the longest that the quantile may be, proved to be exceeded: 500ms; default: none, the rule only compares with how slow requests were before"`
	MinRequests int               `json:"min_requests,omitempty" toml:"min_requests" doc:"for judge = \"threshold\": fewer in the window are low-traffic; default: 20, or as many that one slow request alone keeps the limit (100 for 0.99)"`
}

// Kind returns the kind.
func Kind() rules.Kind {
	return rules.Kind{Name: "latency", New: func() rules.Options { return &Options{Quantile: 0.99} }, Later: compare.Later()}
}

// Check says what is wrong with the options.
func (o *Options) Check() error {
	_, err := o.selector()
	return errors.Join(err, o.checkQuantile(), o.checkMax(), threshold.CheckMinRequests(o.MinRequests))
}

func (o *Options) checkQuantile() error {
	if o.Quantile > 0 && o.Quantile < 1 {
		return nil
	}
	return &rules.FieldError{Key: "quantile", Hint: "0.99 for the 99th percentile", Err: fmt.Errorf("%v is not between 0 and 1", o.Quantile)}
}

func (o *Options) checkMax() error {
	switch {
	case o.Max.IsZero():
		return nil
	case o.Max.Unit() != quantity.Seconds:
		return &rules.FieldError{Key: "max", Hint: `write "500ms" or "2s"`, Err: fmt.Errorf("%s has no unit of time", o.Max)}
	case o.Max.Value() <= 0:
		return &rules.FieldError{Key: "max", Err: fmt.Errorf("%s is not above zero", o.Max)}
	}
	return nil
}

func (o *Options) selector() (*promql.Selector, error) {
	selector, err := promql.ReadSelector("histogram", o.Histogram)
	if err != nil {
		return nil, err
	}
	if selector.Has("le") {
		return nil, &rules.FieldError{Key: "histogram", Hint: "leave le out; max says which bucket counts", Err: errors.New("names a bucket")}
	}
	if base, suffixed := cutSuffix(selector.Metric()); suffixed {
		return nil, &rules.FieldError{Key: "histogram", Hint: "write " + base, Err: fmt.Errorf("%s is a part of the histogram", selector.Metric())}
	}
	return selector, nil
}

// Nature says how the rule is judged.
func (o *Options) Nature() rules.Nature {
	return rules.Nature{Compared: true, Borrows: true, FewestKey: "min_requests", Fewest: threshold.MinRequests(o.MinRequests, slower(o.Quantile))}
}

// Rule builds the rule.
func (o *Options) Rule(setting rules.Setting) (rules.Rule, error) {
	selector, err := o.selector()
	scope, errScope := promql.NewScope(setting.Select)
	if err := errors.Join(err, errScope); err != nil {
		return nil, err
	}
	longest, subject := o.Max.Value(), "requests slower than "+o.Max.String()
	tested, err := o.tested(setting)
	if err != nil {
		return nil, err
	}
	if tested.longest > 0 {
		longest, subject = tested.longest, o.named("the load test", tested.longest)
	}
	choice := compare.Choice{
		Config: compare.Config{
			Setting: setting, Subject: subject, Of: "requests",
			Scope: scope, Selectors: []*promql.Selector{selector},
			Ask: ask(scope, selector, setting.Source, longest),
			Read: func(got []rules.Result, mark float64) (threshold.Look, error) {
				return read(got, cmp.Or(longest, mark))
			},
			Space: func(mark float64) rules.InstanceCounts {
				return space(scope, selector, setting.Source, cmp.Or(longest, mark))
			},
			LoadTest: tested.counts,
		},
		MinRequests: o.MinRequests, LimitKey: "max", Bad: longest,
	}
	if !o.Max.IsZero() {
		choice.Limit = new(slower(o.Quantile))
	} else if longest == 0 {
		choice.Mark = o.slowest(scope, selector, setting.Source)
	}
	return compare.Choose(choice)
}

// ask returns the queries of a look. Without a limit native histograms cannot be
// counted: how many were slow must be asked for one limit.
func ask(scope promql.Scope, selector *promql.Selector, source string, longest float64) func(promql.Arm, rules.Duration) []rules.Query {
	return func(arm promql.Arm, step rules.Duration) []rules.Query {
		h := scope.Histogram(selector, arm)
		return scope.Queries(source, arm.Deployment, h.Buckets(step), h.Edges(), h.Total(step), h.Within(longest, step), h.Natives())
	}
}

// slowest takes the quantile of the service's own last day for the limit.
func (o *Options) slowest(scope promql.Scope, selector *promql.Selector, source string) compare.Mark {
	return compare.Mark{
		Ask: func(arm promql.Arm) []rules.Query {
			return scope.Queries(source, arm.Deployment, scope.Histogram(selector, arm).Quantile(o.Quantile, rules.Duration(24*time.Hour)))
		},
		Name: func(mark float64) string { return o.named("the last day", mark) },
	}
}

// named names slow requests where the quantile of something tells what is slow.
func (o *Options) named(of string, mark float64) string {
	return fmt.Sprintf("requests slower than %s of %s, %s,", percentile(o.Quantile), of, quantity.Format(mark, quantity.Seconds))
}

func percentile(quantile float64) string { return "p" + strconv.FormatFloat(100*quantile, 'g', 12, 64) }
