// Package feedback is the rule kind feedback: what users say about the version, as
// complaints for each session, by exact counts, compared with what the version is to
// be compared with and with max, or as a rating that an expression gives. Silence is never taken for praise: too few
// sessions are low traffic, and no rating is no data.
//
// Start reading at Options.
package feedback

import (
	"errors"
	"fmt"

	"github.com/bakewatch/bakewatch/rules"
	"github.com/bakewatch/bakewatch/rules/compare"
	"github.com/bakewatch/bakewatch/rules/promql"
	"github.com/bakewatch/bakewatch/rules/quantity"
	"github.com/bakewatch/bakewatch/rules/threshold"
)

// Options are those of a [[rule]] of kind feedback: either complaints, per and max,
// or rating and min.
type Options struct {
	Complaints  string            `json:"complaints,omitempty" toml:"complaints" doc:"the counter of complaints, as a selector: support_tickets_total; either this or rating"`
	Per         string            `json:"per,omitempty" toml:"per" doc:"the counter of what complaints are counted as a share of, as a selector: sessions_total"`
	Max         quantity.Quantity `json:"max,omitzero" toml:"max" doc:"the most complaints for each session that are allowed, proved to be exceeded: 0.5% or 0.005; default: none, the rule only compares"`
	MinSessions int               `json:"min_sessions,omitempty" toml:"min_sessions" doc:"for judge = \"threshold\": fewer in the window are low-traffic; default: 20, or as many that one complaint alone keeps max"`
	Rating      string            `json:"rating,omitempty" toml:"rating" doc:"PromQL that gives one number, the rating; placeholders inside label matchers, $window and $interval for durations; either this or complaints"`
	Min         quantity.Quantity `json:"min,omitzero" toml:"min" doc:"the lowest rating that is allowed: 4.2 or 80%"`
}

// Kind returns the kind.
func Kind() rules.Kind {
	return rules.Kind{Name: "feedback", New: func() rules.Options { return &Options{} }, Later: compare.Later()}
}

// Check says what is wrong with the options.
func (o *Options) Check() error {
	switch {
	case o.Complaints == "" && o.Rating == "":
		return &rules.FieldError{Key: "complaints", Hint: "name the counter of complaints and, as per, that of sessions; or give a rating and min", Err: errors.New("is needed, or rating")}
	case o.Complaints != "" && o.Rating != "":
		return &rules.FieldError{Key: "rating", Hint: "write two rules", Err: errors.New("stands beside complaints: a rule judges one of the two")}
	case o.Rating != "":
		return errors.Join(promql.CheckNumber("rating", o.Rating), o.checkMin(), o.without("rating", map[string]bool{
			"per": o.Per != "", "max": !o.Max.IsZero(), "min_sessions": o.MinSessions != 0,
		}))
	}
	_, errComplaints := promql.ReadSelector("complaints", o.Complaints)
	_, errPer := promql.ReadSelector("per", o.Per)
	return errors.Join(errComplaints, errPer, threshold.CheckShare("max", o.Max), threshold.CheckFewest("min_sessions", o.MinSessions),
		o.without("complaints", map[string]bool{"min": !o.Min.IsZero()}))
}

// without blames the keys that say nothing beside this one.
func (o *Options) without(key string, said map[string]bool) error {
	for _, other := range []string{"per", "max", "min_sessions", "min"} {
		if said[other] {
			return &rules.FieldError{Key: other, Hint: "remove it", Err: fmt.Errorf("says nothing beside %s", key)}
		}
	}
	return nil
}

func (o *Options) checkMin() error {
	switch {
	case o.Min.IsZero():
		return threshold.NoLimit("min")
	case o.Min.Unit() != quantity.Plain && o.Min.Unit() != quantity.Ratio:
		return &rules.FieldError{Key: "min", Hint: `write 4.2 or "80%"`, Err: fmt.Errorf("%s is no rating", o.Min)}
	}
	return nil
}

// ReachesBack returns how far before a look its rating sees: the window, if it holds
// $window.
func (o *Options) ReachesBack(window rules.Duration) rules.Duration {
	return promql.ReachesBack(o.Rating, window)
}

// Nature says how the rule is judged.
func (o *Options) Nature() rules.Nature {
	if o.Rating != "" {
		return rules.Nature{Now: !promql.UsesWindow(o.Rating)}
	}
	return rules.Nature{Compared: true, Borrows: true, FewestKey: "min_sessions", Fewest: threshold.MinRequests(o.MinSessions, o.Max.Value())}
}

// Rule builds the rule.
func (o *Options) Rule(setting rules.Setting) (rules.Rule, error) {
	scope, err := promql.NewScope(setting.Select)
	if err != nil {
		return nil, err
	}
	if o.Rating != "" {
		return o.rating(scope, setting)
	}
	return o.complaints(scope, setting)
}

func (o *Options) rating(scope promql.Scope, setting rules.Setting) (rules.Rule, error) {
	if setting.CompareTo != nil || !setting.WorseBy.IsZero() || !setting.BetterBy.IsZero() {
		return nil, &rules.FieldError{Key: "rating", Hint: "leave out compare_to, worse_by and better_by", Err: errors.New("is held against min, and compared with nothing")}
	}
	template, err := promql.ReadNumber("rating", o.Rating, promql.Words{Window: setting.Window, Interval: setting.Interval})
	if err != nil {
		return nil, err
	}
	text, lowest := template.String(), o.Min.Value()
	return threshold.New(threshold.Config{
		Setting: setting,
		Measure: threshold.Level,
		Limits:  threshold.Limits{Min: &lowest, Unit: o.Min.Unit()},
		Subject: "rating",
		Ask:     func(d rules.Deployment) []rules.Query { return scope.Queries(setting.Source, d, text) },
		Read:    threshold.Value,
	})
}

func (o *Options) complaints(scope promql.Scope, setting rules.Setting) (rules.Rule, error) {
	complaints, errComplaints := promql.ReadSelector("complaints", o.Complaints)
	per, errPer := promql.ReadSelector("per", o.Per)
	if err := errors.Join(errComplaints, errPer); err != nil {
		return nil, err
	}
	counters := compare.Counters{Scope: scope, Source: setting.Source, Part: complaints, Whole: per}
	return compare.Choose(compare.Choice{
		Config: compare.Config{
			Setting: setting, Subject: "complaints", Of: "sessions", Limit: compare.Limit(o.Max),
			Scope: scope, Selectors: counters.Selectors(), Ask: counters.Ask, Read: compare.ReadBad("complaints", "sessions"),
			Space: counters.Space,
		},
		MinRequests: o.MinSessions, MinKey: "min_sessions", LimitKey: "max",
	})
}
