// Package crash is the rule kind crash: how often the version's pods restart, by an exact
// count that never reaches back before the deployment. Restarts for each second of each pod
// are compared with what the version is to be compared with; a number of them that is allowed is a plain limit
// over the sliding window. No pods are no data, never health.
//
// Start reading at Options.
package crash

import (
	"errors"
	"fmt"
	"math"

	"github.com/bakewatch/bakewatch/rules"
	"github.com/bakewatch/bakewatch/rules/compare"
	"github.com/bakewatch/bakewatch/rules/promql"
	"github.com/bakewatch/bakewatch/rules/quantity"
	"github.com/bakewatch/bakewatch/rules/threshold"
)

// Options are those of a [[rule]] of kind crash.
type Options struct {
	Restarts string            `json:"restarts" toml:"restarts" doc:"the counter of restarts, as a selector, with a series for each pod: kube_pod_container_status_restarts_total{container=\"checkout\"}"`
	Max      quantity.Quantity `json:"max,omitzero" toml:"max" doc:"how many restarts in the window are allowed, as a plain limit; the rule compares as well only if it says compare_to; default: none, the rule only compares"`
}

// Kind returns the kind.
func Kind() rules.Kind {
	return rules.Kind{Name: "crash", New: func() rules.Options { return &Options{} }, Later: compare.Later("per")}
}

// Check says what is wrong with the options.
func (o *Options) Check() error {
	_, err := promql.ReadSelector("restarts", o.Restarts)
	return errors.Join(err, o.checkMax())
}

func (o *Options) checkMax() error {
	switch {
	case o.Max.IsZero():
		return nil
	case o.Max.Unit() != quantity.Plain, o.Max.Value() < 0, o.Max.Value() != math.Trunc(o.Max.Value()):
		return &rules.FieldError{Key: "max", Hint: "max = 2", Err: fmt.Errorf("%s is no number of restarts", o.Max)}
	}
	return nil
}

// Nature says how the rule is judged.
func (o *Options) Nature() rules.Nature { return rules.Nature{Compared: true, Gated: !o.Max.IsZero()} }

// Rule builds the rule.
func (o *Options) Rule(setting rules.Setting) (rules.Rule, error) {
	selector, err := promql.ReadSelector("restarts", o.Restarts)
	scope, errScope := promql.NewScope(setting.Select)
	if err := errors.Join(err, errScope); err != nil {
		return nil, err
	}
	counter := counter{scope: scope, source: setting.Source, restarts: selector}
	limited := !o.Max.IsZero()
	switch {
	case setting.Judge == "threshold" && !limited:
		return nil, threshold.NoLimit("max")
	case setting.Judge == "threshold", limited && setting.CompareTo == nil:
		return counter.limited(setting, o.Max.Value())
	case !limited:
		return compare.New(counter.compared(setting))
	case len(setting.CompareTo) == 0:
		return nil, &rules.FieldError{Key: "compare_to", Hint: "remove it: max alone compares nothing", Err: errors.New("there is nothing to compare with")}
	}
	return counter.both(setting, o.Max.Value())
}
