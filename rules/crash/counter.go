package crash

import (
	"errors"

	"github.com/bakewatch/bakewatch/rules"
	"github.com/bakewatch/bakewatch/rules/compare"
	"github.com/bakewatch/bakewatch/rules/promql"
	"github.com/bakewatch/bakewatch/rules/quantity"
	"github.com/bakewatch/bakewatch/rules/threshold"
)

// counter counts the restarts of one arm, and for how long its pods were there to crash.
type counter struct {
	scope    promql.Scope
	source   string // [prometheus.NAME] of the daemon's file
	restarts *promql.Selector
}

// What is said about the rate of restarts, for each second of each pod: no pod restarts twice in
// one, and at a restart in five minutes binomial counts vary by a third of a percent less than Poisson's.
const (
	// large is a crash loop: Kubernetes starts a container that crashes again after at most five minutes.
	large = 1.0 / 300
	// fewest is how many seconds of pods a history must hold: an hour of one of them.
	fewest = 3600
)

func (c counter) ask(arm promql.Arm, step rules.Duration) []rules.Query {
	restarts := c.scope.Of(c.restarts, arm)
	return c.scope.Queries(c.source, arm.Deployment, restarts.Count(step), restarts.Time(step))
}

// read reads what was asked. Pods that did not restart tell as much as those that did; no
// pods tell nothing.
func read(got []rules.Result) (threshold.Look, error) {
	restarts, _, errCount := threshold.CountOf(got[0], "restarts")
	seconds, present, errTime := threshold.CountOf(got[1], "series of restarts")
	if err := errors.Join(errCount, errTime); err != nil {
		return threshold.Look{}, err
	}
	if !present {
		return threshold.Look{}, rules.Failed(rules.Empty, "no series of restarts")
	}
	return threshold.Look{Bad: restarts, Total: seconds}, nil
}

// limited holds the restarts in the window against a plain limit.
func (c counter) limited(setting rules.Setting, limit float64) (*threshold.Rule, error) {
	return threshold.New(threshold.Config{
		Setting: setting,
		Measure: threshold.Count,
		Limits:  threshold.Limits{Max: &limit},
		Subject: "restarts",
		Apart:   c.scope.Apart(c.restarts),
		Ask:     func(d rules.Deployment) []rules.Query { return c.ask(promql.Version(d), setting.Interval) },
		Read: func(got []rules.Result) (threshold.Look, error) {
			look, err := read(got)
			look.Total = 0 // the limit is for all pods together
			return look, err
		},
	})
}

// compared compares the rate of restarts.
func (c counter) compared(setting rules.Setting) compare.Config {
	return compare.Config{
		Setting: setting, Subject: "restarts", Of: "pods",
		Rate:  &compare.Rate{Unit: quantity.PerPodSecond, Large: large, Fewest: fewest},
		Scope: c.scope, Selectors: []*promql.Selector{c.restarts}, Ask: c.ask,
		Read: func(got []rules.Result, _ float64) (threshold.Look, error) { return read(got) },
	}
}

// both compares the rate of restarts, and holds their number against a plain limit.
func (c counter) both(setting rules.Setting, limit float64) (rules.Rule, error) {
	compared := c.compared(setting)
	gate, err := c.limited(setting, limit)
	if err != nil {
		return nil, err
	}
	compared.Gate = gate
	return compare.New(compared)
}
