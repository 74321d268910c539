package compare

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/bakewatch/bakewatch/rules"
	"github.com/bakewatch/bakewatch/rules/counting"
	"github.com/bakewatch/bakewatch/rules/eprocess"
	"github.com/bakewatch/bakewatch/rules/promql"
	"github.com/bakewatch/bakewatch/rules/quantity"
	"github.com/bakewatch/bakewatch/rules/threshold"
)

// Config is what a kind says about its rule.
type Config struct {
	Setting rules.Setting
	// Subject is what is counted as bad: "errors". Of is what it is a share of: "requests".
	Subject, Of string
	// Fewer says that what is counted is wanted: less of it is worse, and Limit is a goal.
	Fewer bool
	// Limit is the largest share that is allowed, or the smallest; nil: the plan names none.
	Limit *float64
	// OnlyNew says why the rule has no question about a version that was here before, and
	// so about the target of a rollback; empty: it has.
	OnlyNew string
	// LoadTest is what a load test counted, mark telling bad from good; ok is false if it
	// does not tell. nil: there was none, or it counts nothing of this sort.
	LoadTest func(mark float64) (counts eprocess.Counts, ok bool)
	// Rate says that the total is a time, and what is bad has a rate; nil: it has a share.
	Rate *Rate
	// Gate is a plain limit besides, which asks what Ask asks about the version; nil: there is none.
	Gate *threshold.Rule
	// Scope and Selectors tell versions apart.
	Scope     promql.Scope
	Selectors []*promql.Selector
	// Ask returns the queries about one arm, whose counts are over step.
	Ask func(arm promql.Arm, step rules.Duration) []rules.Query
	// Read reads their results, in which mark tells bad from good.
	Read func(got []rules.Result, mark float64) (threshold.Look, error)
	// Mark is what tells bad from good where the plan does not say; its zero value: it does.
	Mark Mark
	// Space counts by instance, mark telling bad from good; nil: the kind cannot.
	Space func(mark float64) rules.InstanceCounts
}

// Mark finds what tells bad from good in the service's history: the slowest that
// requests were, up to a quantile.
type Mark struct {
	Ask  func(arm promql.Arm) []rules.Query
	Name func(mark float64) string // the subject: "requests slower than 500ms"
}

// Rule judges one share by comparison. It implements rules.Rule and rules.Verifier.
type Rule struct {
	config Config
	lent   []Lent
}

var _ rules.Verifier = (*Rule)(nil)

// New makes the rule. What does not fit a test is a *rules.FieldError.
func New(c Config) (*Rule, error) {
	if c.Setting.Judge != "" {
		return nil, &rules.FieldError{Key: "judge", Hint: `leave it out, or say "threshold"`, Err: fmt.Errorf("%q is no judge", c.Setting.Judge)}
	}
	if c.Setting.For > 0 {
		return nil, &rules.FieldError{Key: "for", Hint: `leave it out, or say judge = "threshold"`, Err: errors.New("a test decides by its evidence, not after a time")}
	}
	if err := c.Setting.CheckImprovement(); err != nil {
		return nil, err
	}
	if c.Limit == nil && c.Setting.CompareTo != nil && len(c.Setting.CompareTo) == 0 {
		return nil, &rules.FieldError{Key: "compare_to", Hint: "name a control, or set max", Err: errors.New("there is nothing to judge by")}
	}
	if c.Rate != nil && c.Setting.WorseBy.Points > 0 {
		return nil, &rules.FieldError{Key: "worse_by", Hint: `write a factor, such as "2x"`, Err: fmt.Errorf("%s is a difference of shares, and %s have a rate", c.Setting.WorseBy, c.Subject)}
	}
	if slices.Contains(c.Setting.CompareTo, rules.LoadTest) {
		if err := c.checkLoadTest(); err != nil {
			return nil, err
		}
	}
	if c.Setting.WorseBy.IsZero() {
		c.Setting.WorseBy = rules.SmallestMargin
	}
	return &Rule{config: c}, nil
}

func (c Config) checkLoadTest() error {
	switch {
	case c.Setting.LoadTest == nil:
		return &rules.FieldError{Key: "compare_to", Hint: "name its summary by load_test", Err: errors.New("load-test: there is no load test")}
	case c.LoadTest == nil:
		return &rules.FieldError{Key: "compare_to", Hint: "remove load-test", Err: fmt.Errorf("load-test: a load test does not count %s", c.Subject)}
	}
	return nil
}

// Queries returns what to ask at every look: about the version, then about the controls
// beside it, then about the services that are borrowed.
func (r *Rule) Queries(d rules.Deployment) []rules.Query {
	queries := r.config.Ask(promql.Version(d), r.config.Setting.Interval)
	for _, a := range r.config.arms(d) {
		if a.missing == "" {
			queries = append(queries, r.config.Ask(a.Arm, r.config.Setting.Interval)...)
		}
	}
	for _, s := range r.weather(d) {
		queries = append(queries, s.queries...)
	}
	return queries
}

// Begin starts the evidence.
func (r *Rule) Begin(d rules.Deployment) rules.Evidence {
	e := &evidence{
		Config: r.config, unasked: map[rules.Control]eprocess.Askable{}, deployment: d, asked: counting.Asked{Queries: r.config.Ask(promql.Version(d), r.config.Setting.Interval)},
		start: r.config.start(d), arms: r.config.arms(d), against: r.config.controls(d), past: newPast(r.config, d),
		weather: r.weather(d),
	}
	for _, a := range e.arms {
		if a.missing == "" {
			e.present = append(e.present, a)
		}
	}
	if r.config.Gate != nil {
		e.gate = r.config.Gate.Begin(d)
	}
	return e
}

// Verify starts the evidence about the target of a rollback: a plain limit, the plan's
// own or what is normal for the service.
func (r *Rule) Verify(d rules.Deployment) rules.Evidence {
	if r.config.OnlyNew != "" {
		return threshold.Unasked(r.config.Setting.Name, r.config.OnlyNew)
	}
	if r.config.Gate != nil {
		return gatedVerification{gate: r.config.Gate.Verify(d), asked: len(r.config.Gate.Queries(d))}
	}
	return &verification{Config: r.config, deployment: d, past: newPast(r.config, d)}
}

func (c Config) start(d rules.Deployment) counting.Start {
	return counting.Start{
		From: d.At, Interval: time.Duration(c.Setting.Interval), WarmUp: time.Duration(c.Setting.WarmUp),
		Apart: c.Scope.AllApart(c.Selectors...) && !counting.Again(d),
	}
}

// arm is a control beside the version, or why there is none.
type arm struct {
	promql.Arm
	control rules.Control
	missing string
}

// controls returns what the version is to be compared with.
func (c Config) controls(d rules.Deployment) []rules.Control {
	if c.Setting.CompareTo != nil {
		return c.Setting.CompareTo
	}
	return rules.ControlsFor(d.Strategy)
}

// arms returns the controls that are asked about at every look.
func (c Config) arms(d rules.Deployment) []arm {
	var arms []arm
	for _, control := range c.controls(d) {
		a := arm{control: control}
		switch control {
		case rules.Previous:
			a.Arm, a.missing = c.Scope.PreviousVersion(d, c.Selectors...)
		case rules.Off:
			a.Arm, a.missing = c.Scope.OffCohort(d, c.Selectors...)
		case rules.LastWeek:
			a.Arm = promql.LastWeek(d)
		case rules.Before, rules.LoadTest: // no arms: known before the first look
			continue
		}
		if a.missing == "" {
			a.missing = c.unbound(a.Arm)
		}
		arms = append(arms, a)
	}
	return arms
}

// unbound says which placeholder of the plan's selectors has no value in an arm:
// asking would leave the whole rule without an answer.
func (c Config) unbound(a promql.Arm) string {
	for _, q := range c.Ask(a, c.Setting.Interval) {
		if _, err := promql.Bind(q.Template, q.Values); err != nil {
			return reason(err)
		}
	}
	return ""
}

// scale is how looks and minutes of the past relate.
func (c Config) scale() eprocess.Scale {
	interval := time.Duration(c.Setting.Interval)
	return eprocess.Scale{
		LooksPerMinute: float64(time.Minute) / float64(interval), Row: max(1, interval.Minutes()),
		Worse: c.worse, Fewer: c.Fewer,
	}
}

// worse returns the level that is worse than p by the smallest difference that matters.
func (c Config) worse(p float64) float64 {
	if c.Fewer {
		return c.Setting.WorseBy.Below(p)
	}
	return c.Setting.WorseBy.Apply(p)
}

func (c Config) bets() eprocess.Bets {
	looks := int(time.Duration(c.Setting.Bake) / max(1, time.Duration(c.Setting.Interval)))
	return eprocess.Bets{Threshold: rules.Threshold(c.Setting.FalseAlarms), Looks: max(1, looks)}
}

// subject names what is counted.
func (c Config) subject(mark float64) string {
	if c.Mark.Name != nil {
		return c.Mark.Name(mark)
	}
	return c.Subject
}

// unit is that of levels.
func (c Config) unit() quantity.Unit {
	if c.Rate != nil {
		return c.Rate.Unit
	}
	return quantity.Ratio
}

// level writes a share or rate for people.
func (c Config) level(of float64) string { return quantity.Format(of, c.unit()) }
