// Package saturation is the rule kind saturation: how full something is that has a
// limit (CPU, memory, a queue, a pool), as a ratio of that limit. It is asked as it
// stands, with its placeholders bound; nothing of [select] is added. A number that
// can't be a ratio is never judged as one.
//
// Start reading at Options.
package saturation

import (
	"errors"
	"fmt"

	"github.com/bakewatch/bakewatch/rules"
	"github.com/bakewatch/bakewatch/rules/promql"
	"github.com/bakewatch/bakewatch/rules/quantity"
	"github.com/bakewatch/bakewatch/rules/threshold"
)

// Options are those of a [[rule]] of kind saturation.
type Options struct {
	Expr string            `json:"expr" toml:"expr" doc:"PromQL that gives one number, what is used as a ratio of its limit; placeholders inside label matchers, $window and $interval for durations"`
	Max  quantity.Quantity `json:"max" toml:"max" doc:"the largest ratio that is allowed: 90% or 0.9; default 90%"`
}

// Kind returns the kind.
func Kind() rules.Kind {
	return rules.Kind{
		Name:  "saturation",
		New:   func() rules.Options { return &Options{Max: quantity.Must("90%")} },
		Later: threshold.Later(),
	}
}

// Check says what is wrong with the options.
func (o *Options) Check() error {
	return errors.Join(promql.CheckNumber("expr", o.Expr), o.checkMax())
}

func (o *Options) checkMax() error {
	wrong := func(hint, format string, args ...any) error {
		return &rules.FieldError{Key: "max", Hint: hint, Err: fmt.Errorf(format, args...)}
	}
	plain := o.Max.Unit() == quantity.Plain
	switch value := o.Max.Value(); {
	case o.Max.IsZero(), !plain && o.Max.Unit() != quantity.Ratio:
		return wrong(`write "90%" or 0.9`, "%q is no ratio of a limit", o.Max)
	case value <= 0:
		return wrong("", "%s is not above zero", o.Max)
	case plain && value > 1:
		return wrong(fmt.Sprintf(`write "%g%%" if that is meant`, value), "%s is %g times the limit", o.Max, value)
	case value >= absurd:
		return wrong("", "%s could never be broken: so large a number is taken for no ratio", o.Max)
	}
	return nil
}

// ReachesBack returns how far before a look its expression sees: the window, if it
// holds $window.
func (o *Options) ReachesBack(window rules.Duration) rules.Duration {
	return promql.ReachesBack(o.Expr, window)
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
	text, limit := template.String(), o.Max.Value()
	return threshold.New(threshold.Config{
		Setting: setting,
		Measure: threshold.Level,
		Limits:  threshold.Limits{Max: &limit, Unit: quantity.Ratio},
		Subject: "saturation",
		Ask: func(d rules.Deployment) []rules.Query {
			return scope.Queries(setting.Source, d, text)
		},
		Read: read,
	})
}

// absurd is a ratio that no resource can be at: the expression gives percent, or
// bytes, or anything else.
const absurd = 10

func read(got []rules.Result) (threshold.Look, error) {
	look, err := threshold.Value(got)
	used := quantity.Format(look.Value, quantity.Ratio)
	switch {
	case err != nil:
		return threshold.Look{}, err
	case look.Value < 0:
		return threshold.Look{}, rules.Failed(rules.NotANumber, "a negative ratio, %v", look.Value)
	case look.Value >= absurd:
		return threshold.Look{}, rules.Failed(rules.WrongType, "%v is no ratio of a limit, or it would be %s: is it percent, or not divided by the limit?", look.Value, used)
	case look.Value < 1:
		look.Note = quantity.Format(1-look.Value, quantity.Ratio) + " is left"
	default:
		look.Note = "nothing is left"
	}
	return look, nil
}
