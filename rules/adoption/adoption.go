// Package adoption is the rule kind adoption: whether users use what was deployed, as
// uses for each session, by exact counts, compared with what the version is to be
// compared with and with a goal. Fewer uses are worse. A test takes uses for a share of
// the sessions, and says so where they are more than that; a plain goal takes any number.
//
// Start reading at Options.
package adoption

import (
	"errors"
	"fmt"

	"github.com/bakewatch/bakewatch/rules"
	"github.com/bakewatch/bakewatch/rules/compare"
	"github.com/bakewatch/bakewatch/rules/promql"
	"github.com/bakewatch/bakewatch/rules/quantity"
	"github.com/bakewatch/bakewatch/rules/threshold"
)

// Options are those of a [[rule]] of kind adoption.
type Options struct {
	Uses        string            `json:"uses" toml:"uses" doc:"the counter of uses, as a selector: feature_used_total{feature=\"one_click\"}"`
	Per         string            `json:"per" toml:"per" doc:"the counter of what uses are counted for each of, as a selector: sessions_total"`
	Min         quantity.Quantity `json:"min,omitzero" toml:"min" doc:"the goal: the fewest uses for each session, proved to be missed: 5%; with judge = \"threshold\" any number, such as 1.2; default: none, the rule only compares"`
	MinSessions int               `json:"min_sessions,omitempty" toml:"min_sessions" doc:"for judge = \"threshold\": fewer in the window are low-traffic; default: 20, or as many that min means 20 uses"`
}

// Kind returns the kind.
func Kind() rules.Kind {
	return rules.Kind{Name: "adoption", New: func() rules.Options { return &Options{} }, Later: compare.Later()}
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
		return nil
	case o.Min.Unit() != quantity.Ratio && o.Min.Unit() != quantity.Plain:
		return &rules.FieldError{Key: "min", Hint: `write "5%" or 1.2`, Err: fmt.Errorf("%s is no number of uses", o.Min)}
	case o.Min.Value() <= 0:
		return &rules.FieldError{Key: "min", Err: fmt.Errorf("%s could never be missed", o.Min)}
	}
	return nil
}

// Nature says how the rule is judged.
func (o *Options) Nature() rules.Nature {
	return rules.Nature{Compared: true, FewestKey: "min_sessions", Fewest: threshold.MinForGoal(o.MinSessions, o.Min.Value())}
}

// Rule builds the rule.
func (o *Options) Rule(setting rules.Setting) (rules.Rule, error) {
	uses, errUses := promql.ReadSelector("uses", o.Uses)
	per, errPer := promql.ReadSelector("per", o.Per)
	scope, errScope := promql.NewScope(setting.Select)
	if err := errors.Join(errUses, errPer, errScope); err != nil {
		return nil, err
	}
	counters := compare.Counters{Scope: scope, Source: setting.Source, Part: uses, Whole: per}
	if setting.Judge == "threshold" {
		return o.limited(counters, setting)
	}
	goal := compare.Limit(o.Min)
	if goal != nil && *goal >= mostGoal {
		return nil, &rules.FieldError{Key: "min", Hint: `say judge = "threshold"`, Err: fmt.Errorf("%s is not below %s: a test takes uses for a share of the sessions", o.Min, quantity.Format(mostGoal, quantity.Ratio))}
	}
	return compare.Choose(compare.Choice{
		Config: compare.Config{
			Setting: setting, Subject: "uses", Of: "sessions", Fewer: true, Limit: goal, OnlyNew: onlyNew,
			Scope: scope, Selectors: counters.Selectors(), Ask: counters.Ask,
			Read: func(got []rules.Result, _ float64) (threshold.Look, error) {
				look, err := read(got)
				look.Bad = look.Part
				return look, err
			},
		},
		MinRequests: o.MinSessions, MinKey: "min_sessions", LimitKey: "min",
	})
}

const (
	// mostGoal is from where on a goal leaves a test no room below everything.
	mostGoal = 0.95
	onlyNew  = "the goal is the new version's, not the target's of a rollback"
)

// limited builds the rule that holds the window against the goal.
func (o *Options) limited(counters compare.Counters, setting rules.Setting) (rules.Rule, error) {
	if o.Min.IsZero() {
		return nil, threshold.NoLimit("min")
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
		OnlyNew:  onlyNew,
		Apart:    counters.Scope.AllApart(counters.Selectors()...),
		Ask: func(d rules.Deployment) []rules.Query {
			return counters.Ask(promql.Version(d), setting.Interval)
		},
		Read: read,
	})
}

func read(got []rules.Result) (threshold.Look, error) {
	used, sessions, missing, err := threshold.Beside(got, "uses", "sessions")
	look := threshold.Look{Part: used, Total: sessions, Missing: missing}
	if missing {
		look.Note = "no series of uses: is the selector right?"
	}
	return look, err
}
