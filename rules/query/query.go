// Package query is the rule kind query: any PromQL expression that gives one
// number, held against max and min. The expression is asked as it stands, with
// its placeholders bound; nothing is added to it.
//
// Start reading at Options.
package query

import (
	"errors"
	"fmt"

	"github.com/bakewatch/bakewatch/rules"
	"github.com/bakewatch/bakewatch/rules/promql"
	"github.com/bakewatch/bakewatch/rules/quantity"
	"github.com/bakewatch/bakewatch/rules/threshold"
)

// Options are those of a [[rule]] of kind query.
type Options struct {
	Expr string            `json:"expr" toml:"expr" doc:"PromQL that gives one number; placeholders inside label matchers, $window and $interval for durations"`
	Max  quantity.Quantity `json:"max,omitzero" toml:"max" doc:"the most that is allowed, in the base unit or with a unit: 2GiB, 500ms, 90%, 12"`
	Min  quantity.Quantity `json:"min,omitzero" toml:"min" doc:"the least that is allowed, likewise"`
}

// Kind returns the kind.
func Kind() rules.Kind {
	return rules.Kind{Name: "query", New: func() rules.Options { return &Options{} }, Later: threshold.Later()}
}

// Check says what is wrong with the options.
func (o *Options) Check() error {
	return errors.Join(promql.CheckNumber("expr", o.Expr), o.checkLimits())
}

// ReachesBack returns how far before a look its expression sees: the window, if it
// holds $window.
func (o *Options) ReachesBack(window rules.Duration) rules.Duration {
	return promql.ReachesBack(o.Expr, window)
}

func (o *Options) checkLimits() error {
	switch {
	case o.Max.IsZero() && o.Min.IsZero():
		return threshold.NoLimit("max")
	case o.Max.IsZero() || o.Min.IsZero():
		return nil
	case o.Max.Unit() != o.Min.Unit():
		return &rules.FieldError{Key: "min", Err: fmt.Errorf("%q and max %q have different units", o.Min, o.Max)}
	case o.Min.Value() > o.Max.Value():
		return &rules.FieldError{Key: "min", Err: fmt.Errorf("%q is above max %q: no value keeps both", o.Min, o.Max)}
	}
	return nil
}

// Nature says how the rule is judged.
func (o *Options) Nature() rules.Nature { return rules.Nature{Now: !promql.UsesWindow(o.Expr)} }

// Rule builds the rule.
func (o *Options) Rule(setting rules.Setting) (rules.Rule, error) {
	template, err := promql.ReadNumber("expr", o.Expr, promql.Words{Window: setting.Window, Interval: setting.Interval})
	scope, errScope := promql.NewScope(setting.Select)
	if err := errors.Join(err, errScope); err != nil {
		return nil, err
	}
	text := template.String()
	return threshold.New(threshold.Config{
		Setting: setting,
		Measure: threshold.Level,
		Limits:  o.limits(),
		Subject: "value",
		Ask: func(d rules.Deployment) []rules.Query {
			return scope.Queries(setting.Source, d, text)
		},
		Read: threshold.Value,
	})
}

func (o *Options) limits() threshold.Limits {
	var limits threshold.Limits
	if !o.Max.IsZero() {
		limits.Max, limits.Unit = new(o.Max.Value()), o.Max.Unit()
	}
	if !o.Min.IsZero() {
		limits.Min, limits.Unit = new(o.Min.Value()), o.Min.Unit()
	}
	return limits
}
