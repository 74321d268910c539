// Package up is the rule kind up: how many of the version's targets Prometheus
// reaches now. A target that is known and down counts as down; one that is not
// known at all is missing data, and never a reason to roll back.
//
// Start reading at Options.
package up

import (
	"errors"
	"fmt"
	"math"

	"github.com/bakewatch/bakewatch/rules"
	"github.com/bakewatch/bakewatch/rules/promql"
	"github.com/bakewatch/bakewatch/rules/quantity"
	"github.com/bakewatch/bakewatch/rules/threshold"
)

// Options are those of a [[rule]] of kind up.
type Options struct {
	Targets string            `json:"targets" toml:"targets" doc:"the series that is 1 for a target that is up and 0 for one that is down, as a selector; default: up"`
	Min     quantity.Quantity `json:"min" toml:"min" doc:"the fewest targets that must be up, as a number or as a share of those known: 2 or 100%; default 1"`
}

// Kind returns the kind.
func Kind() rules.Kind {
	return rules.Kind{
		Name:  "up",
		New:   func() rules.Options { return &Options{Targets: "up", Min: quantity.Must("1")} },
		Later: threshold.Later(),
	}
}

// Check says what is wrong with the options.
func (o *Options) Check() error {
	_, err := promql.ReadSelector("targets", o.Targets)
	return errors.Join(err, o.checkMin())
}

func (o *Options) checkMin() error {
	value := o.Min.Value()
	share := o.Min.Unit() == quantity.Ratio && value <= 1
	number := o.Min.Unit() == quantity.Plain && value == math.Trunc(value)
	switch {
	case !share && !number:
		return &rules.FieldError{Key: "min", Hint: `min = 2 or min = "100%"`, Err: fmt.Errorf("%q is neither a number of targets nor a share of them", o.Min)}
	case value <= 0:
		return &rules.FieldError{Key: "min", Err: fmt.Errorf("%q could never be broken", o.Min)}
	}
	return nil
}

// Nature says how the rule is judged.
func (o *Options) Nature() rules.Nature { return rules.Nature{Now: true} }

// Rule builds the rule.
func (o *Options) Rule(setting rules.Setting) (rules.Rule, error) {
	selector, err := promql.ReadSelector("targets", o.Targets)
	scope, errScope := promql.NewScope(setting.Select)
	if err := errors.Join(err, errScope); err != nil {
		return nil, err
	}
	limit, unit := o.Min.Value(), o.Min.Unit()
	return threshold.New(threshold.Config{
		Setting: setting,
		Measure: threshold.Level,
		Limits:  threshold.Limits{Min: &limit, Unit: unit},
		Subject: "targets up",
		Ask: func(d rules.Deployment) []rules.Query {
			targets := scope.Series(selector, d)
			return scope.Queries(setting.Source, d, targets.Sum(), targets.Present())
		},
		Read: func(got []rules.Result) (threshold.Look, error) { return read(got, unit) },
	})
}

func read(got []rules.Result, unit quantity.Unit) (threshold.Look, error) {
	up, _, errUp := threshold.CountOf(got[0], "targets up")
	known, present, errKnown := threshold.CountOf(got[1], "targets")
	if err := errors.Join(errUp, errKnown); err != nil {
		return threshold.Look{}, err
	}
	switch {
	case !present || known == 0:
		return threshold.Look{}, rules.Failed(rules.Empty, "Prometheus knows no target")
	case up > known:
		return threshold.Look{}, rules.Failed(rules.WrongType, "%v of %v targets up: the series is not 0 or 1", up, known)
	}
	look := threshold.Look{Value: up, Bad: known - up, Total: known}
	if unit == quantity.Ratio {
		look.Value = up / known
	}
	if look.Bad > 0 {
		look.Note = fmt.Sprintf("%v of %v down", look.Bad, known)
	}
	return look, nil
}
