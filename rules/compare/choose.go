package compare

import (
	"cmp"
	"errors"

	"github.com/bakewatch/bakewatch/rules"
	"github.com/bakewatch/bakewatch/rules/promql"
	"github.com/bakewatch/bakewatch/rules/quantity"
	"github.com/bakewatch/bakewatch/rules/threshold"
)

// Choice is a rule that the plan may have judged by comparison or, by judge =
// "threshold", as a plain limit over the window.
type Choice struct {
	Config
	// LimitKey is the key of the limit in the plan.
	LimitKey    string
	MinRequests int
	// MinKey is the key of MinRequests in the plan; empty: min_requests.
	MinKey string
	// Bad is what tells bad from good where the plan says it.
	Bad float64
}

// Choose makes the rule by the judge that the plan names.
func Choose(c Choice) (rules.Rule, error) {
	if c.Setting.Judge == "threshold" {
		return c.limited()
	}
	if c.MinRequests > 0 {
		return nil, &rules.FieldError{Key: cmp.Or(c.MinKey, "min_requests"), Hint: `leave it out, or say judge = "threshold"`, Err: errors.New("a test weighs how much it has seen by itself")}
	}
	return New(c.Config)
}

func (c Choice) limited() (rules.Rule, error) {
	if c.Limit == nil {
		return nil, threshold.NoLimit(c.LimitKey)
	}
	var space rules.InstanceCounts
	if c.Space != nil {
		space = c.Space(c.Bad)
	}
	return threshold.New(threshold.Config{
		Setting: c.Setting, Measure: threshold.Share, Limits: threshold.Limits{Max: c.Limit, Unit: c.unit()},
		Subject: c.subject(c.Bad), Of: c.Of, MinTotal: threshold.MinRequests(c.MinRequests, *c.Limit), MinKey: c.MinKey, Apart: c.Scope.AllApart(c.Selectors...),
		Ask:   func(d rules.Deployment) []rules.Query { return c.Ask(promql.Version(d), c.Setting.Interval) },
		Read:  func(got []rules.Result) (threshold.Look, error) { return c.Read(got, c.Bad) },
		Space: space,
	})
}

// Limit returns the limit as a share; nil where the plan names none.
func Limit(max quantity.Quantity) *float64 {
	if max.IsZero() {
		return nil
	}
	return new(max.Value())
}

// Later lists the keys of such a rule that a later version brings, and more.
func Later(more ...string) []string { return append([]string{"bake"}, more...) }
