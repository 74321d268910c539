// Package crash is the rule kind crash: how often the version restarted in the
// sliding window, by an exact count that never reaches back before the deployment.
//
// Start reading at Options.
package crash

import (
	"errors"
	"fmt"
	"math"

	"github.com/bakewatch/bakewatch/rules"
	"github.com/bakewatch/bakewatch/rules/promql"
	"github.com/bakewatch/bakewatch/rules/quantity"
	"github.com/bakewatch/bakewatch/rules/threshold"
)

// Options are those of a [[rule]] of kind crash.
type Options struct {
	Restarts string            `json:"restarts" toml:"restarts" doc:"the counter of restarts, as a selector: kube_pod_container_status_restarts_total{container=\"checkout\"}"`
	Max      quantity.Quantity `json:"max,omitzero" toml:"max" doc:"how many restarts in the window are allowed"`
}

// Kind returns the kind.
func Kind() rules.Kind {
	return rules.Kind{Name: "crash", New: func() rules.Options { return &Options{} }, Later: threshold.Later("per")}
}

// Check says what is wrong with the options.
func (o *Options) Check() error {
	_, err := promql.ReadSelector("restarts", o.Restarts)
	return errors.Join(err, o.checkMax())
}

func (o *Options) checkMax() error {
	switch {
	case o.Max.IsZero():
		return threshold.NoLimit("max")
	case o.Max.Unit() != quantity.Plain, o.Max.Value() < 0, o.Max.Value() != math.Trunc(o.Max.Value()):
		return &rules.FieldError{Key: "max", Hint: "max = 2", Err: fmt.Errorf("%s is no number of restarts", o.Max)}
	}
	return nil
}

// Nature says how the rule is judged.
func (o *Options) Nature() rules.Nature { return rules.Nature{} }

// Rule builds the rule.
func (o *Options) Rule(setting rules.Setting) (rules.Rule, error) {
	selector, err := promql.ReadSelector("restarts", o.Restarts)
	scope, errScope := promql.NewScope(setting.Select)
	if err := errors.Join(err, errScope); err != nil {
		return nil, err
	}
	limit := o.Max.Value()
	return threshold.New(threshold.Config{
		Setting: setting,
		Measure: threshold.Count,
		Limits:  threshold.Limits{Max: &limit},
		Subject: "restarts",
		Apart:   scope.Apart(selector),
		Ask: func(d rules.Deployment) []rules.Query {
			restarts := scope.Series(selector, d)
			return scope.Queries(setting.Source, d, restarts.Count(setting.Interval), restarts.Present())
		},
		Read: read,
	})
}

func read(got []rules.Result) (threshold.Look, error) {
	restarts, _, errCount := threshold.CountOf(got[0], "restarts")
	_, present, errPresent := threshold.CountOf(got[1], "series of restarts")
	if err := errors.Join(errCount, errPresent); err != nil {
		return threshold.Look{}, err
	}
	if !present {
		return threshold.Look{}, rules.Failed(rules.Empty, "no series of restarts")
	}
	return threshold.Look{Bad: restarts}, nil
}
