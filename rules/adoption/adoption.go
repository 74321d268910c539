// Package adoption is the rule kind adoption: whether users use what was deployed, as
// uses for each session, by exact counts over the sliding window, against a goal. It
// says nothing about a version that was here before, which was not made for the goal.
//
// Start reading at Options.
package adoption

import (
	"errors"
	"fmt"

	"github.com/bakewatch/bakewatch/rules"
	"github.com/bakewatch/bakewatch/rules/promql"
	"github.com/bakewatch/bakewatch/rules/quantity"
	"github.com/bakewatch/bakewatch/rules/threshold"
)

// Options are those of a [[rule]] of kind adoption.
type Options struct {
	Uses        string            `json:"uses" toml:"uses" doc:"the counter of uses, as a selector: feature_used_total{feature=\"one_click\"}"`
	Per         string            `json:"per" toml:"per" doc:"the counter of what uses are counted for each of, as a selector: sessions_total"`
	Min         quantity.Quantity `json:"min,omitzero" toml:"min" doc:"the goal: the fewest uses for each session, as a share or a number: 5% or 1.2"`
	MinSessions int               `json:"min_sessions,omitempty" toml:"min_sessions" doc:"fewer in the window: low-traffic; default: 20, or as many that min means 20 uses"`
}

// Kind returns the kind.
func Kind() rules.Kind {
	return rules.Kind{Name: "adoption", New: func() rules.Options { return &Options{} }, Later: threshold.Later("better_by")}
}

// Check says what is wrong with the options.
func (o *Options) Check() error {
	_, errUses := promql.ReadSelector("uses", o.Uses)
	_, errPer := promql.ReadSelector("per", o.Per)
	return errors.Join(errUses, errPer, o.checkMin(), threshold.CheckFewest("min_sessions", o.MinSessions))
}

func (o *Options) checkMin() error {
	switch {
	case o.Min.IsZero():
		return threshold.NoLimit("min")
	case o.Min.Unit() != quantity.Ratio && o.Min.Unit() != quantity.Plain:
		return &rules.FieldError{Key: "min", Hint: `write "5%" or 1.2`, Err: fmt.Errorf("%s is no number of uses", o.Min)}
	case o.Min.Value() <= 0:
		return &rules.FieldError{Key: "min", Err: fmt.Errorf("%s could never be missed", o.Min)}
	}
	return nil
}

// Rule builds the rule.
func (o *Options) Rule(setting rules.Setting) (rules.Rule, error) {
	uses, errUses := promql.ReadSelector("uses", o.Uses)
	per, errPer := promql.ReadSelector("per", o.Per)
	scope, errScope := promql.NewScope(setting.Select)
	if err := errors.Join(errUses, errPer, errScope); err != nil {
		return nil, err
	}
	goal := o.Min.Value()
	return threshold.New(threshold.Config{
		Setting:  setting,
		Measure:  threshold.Per,
		Limits:   threshold.Limits{Min: &goal, Unit: o.Min.Unit()},
		Subject:  "uses per session",
		Of:       "sessions",
		MinTotal: threshold.MinForGoal(o.MinSessions, goal),
		MinKey:   "min_sessions",
		OnlyNew:  "the goal is the new version's, not the target's of a rollback",
		Apart:    scope.Apart(uses) && scope.Apart(per),
		Ask:      ask(scope, uses, per, setting),
		Read:     read,
	})
}

func ask(scope promql.Scope, uses, per *promql.Selector, setting rules.Setting) func(rules.Deployment) []rules.Query {
	return func(d rules.Deployment) []rules.Query {
		sessions := scope.Series(per, d)
		return scope.Queries(setting.Source, d,
			scope.Series(uses, d).Count(setting.Interval),
			sessions.Count(setting.Interval),
			sessions.Present(),
		)
	}
}

func read(got []rules.Result) (threshold.Look, error) {
	used, sessions, missing, err := threshold.Beside(got, "uses", "sessions")
	look := threshold.Look{Part: used, Total: sessions, Missing: missing}
	if missing {
		look.Note = "no series of uses: is the selector right?"
	}
	return look, err
}
