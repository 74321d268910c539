package threshold

import (
	"fmt"
	"time"

	"github.com/bakewatch/bakewatch/rules"
	"github.com/bakewatch/bakewatch/rules/counting"
	"github.com/bakewatch/bakewatch/rules/quantity"
)

// Measure is what is held against the limit.
type Measure uint8

// The measures.
const (
	Level Measure = iota // the value at the look
	Count                // bad events in the window
	Share                // bad events of all events in the window
	Per                  // events, none of them bad, for each of all events in the window
)

// Look is what one look at Prometheus says.
type Look struct {
	Value float64 // Level: held against the limit
	Bad   float64 // Count, Share: bad events since the look before
	Part  float64 // Per: events since the look before
	Total float64 // Share, Per: all events since the look before
	Note  string  // said at the end: "2 of 3 down"; or empty
	// Missing says that a count is not there and was taken for zero, although that may
	// break the limit: people are asked at most.
	Missing bool
	Shown   int // which of the queries a person is shown
}

// Limits are the most and the least that is allowed; nil: no limit on that side.
type Limits struct {
	Max, Min *float64
	Unit     quantity.Unit
}

// Config is what a kind says about its rule.
type Config struct {
	Setting rules.Setting
	Measure Measure
	Limits  Limits
	// Subject is what is counted or measured: "errors". Of is what it is a share of, or
	// counted for each of: "requests".
	Subject, Of string
	// MinTotal is the fewest events in the window that a Share or a Per is judged on.
	MinTotal float64
	// MinKey is the option that says MinTotal; empty: min_requests.
	MinKey string
	// Within is how long after the deployment the limit may still be broken.
	Within rules.Duration
	// OnlyNew says why the limit says nothing about a version that was here before, and
	// so about the target of a rollback; empty: it does.
	OnlyNew string
	// Apart says that counts are the version's own, so that a look which began
	// before the deployment counts as well.
	Apart bool
	// Ask returns the queries of a look; a person is shown the first, or the Look's own choice.
	Ask func(d rules.Deployment) []rules.Query
	// Read reads their results. An error is a *rules.SampleError; rules.VerdictOf says what it means.
	Read func(got []rules.Result) (Look, error)
	// Space counts by instance; the zero value: the kind cannot.
	Space rules.InstanceCounts
}

// Rule judges one question by a plain limit. It implements rules.Rule.
type Rule struct{ config Config }

// New makes the rule. It refuses a judge other than threshold, as a *rules.FieldError.
func New(c Config) (*Rule, error) {
	if judge := c.Setting.Judge; judge != "" && judge != "threshold" {
		return nil, &rules.FieldError{Key: "judge", Hint: `leave it out, or say "threshold"`, Err: fmt.Errorf("not yet supported: %q", judge)}
	}
	return &Rule{config: c}, nil
}

// Queries returns what to ask at every look.
func (r *Rule) Queries(d rules.Deployment) []rules.Query { return r.config.Ask(d) }

// Begin starts the evidence.
func (r *Rule) Begin(d rules.Deployment) rules.Evidence {
	e := &evidence{Config: r.config, from: d.At}
	e.start = counting.Start{From: d.At, Interval: r.config.interval(), WarmUp: r.config.warmUp(), Apart: r.config.Apart && !counting.Again(d)}
	e.asked.Queries = r.config.Ask(d)
	return e
}

// Verify starts the evidence about the target of a rollback. It implements rules.Verifier.
func (r *Rule) Verify(d rules.Deployment) rules.Evidence {
	if r.config.OnlyNew == "" {
		return r.Begin(d)
	}
	return Unasked(r.config.Setting.Name, r.config.OnlyNew)
}

// Unasked is the evidence about a version that the rule has no question about. Its
// verdict is none that shows that the version serves.
func Unasked(rule, why string) rules.Evidence { return unasked{rule: rule, why: why} }

type unasked struct{ rule, why string }

// See folds one look.
func (u unasked) See(at time.Time, _ []rules.Result) rules.Answer {
	return rules.Answer{Rule: u.rule, Verdict: rules.LowTraffic, Ceiling: rules.None, Why: u.why, At: at}
}

// Instances is that of rules.Spatial.
func (r *Rule) Instances(d rules.Deployment, span rules.Duration) []rules.Query {
	return r.config.Space.Instances(d, span)
}

// ReadInstances is that of rules.Spatial.
func (r *Rule) ReadInstances(got []rules.Result) (rules.Space, error) {
	return r.config.Space.ReadInstances(got)
}

func (c *Config) interval() time.Duration { return time.Duration(c.Setting.Interval) }
func (c *Config) window() time.Duration   { return time.Duration(c.Setting.Window) }
func (c *Config) warmUp() time.Duration   { return time.Duration(c.Setting.WarmUp) }
func (c *Config) hold() time.Duration     { return time.Duration(c.Setting.For) }

// broken returns the limit that the value breaks; if none, one that it keeps.
func (l Limits) broken(value float64) (limit float64, sign string, broken bool) {
	switch {
	case l.Max != nil && value > *l.Max:
		return *l.Max, ">", true
	case l.Min != nil && value < *l.Min:
		return *l.Min, "<", true
	case l.Max != nil:
		return *l.Max, "≤", false
	case l.Min != nil:
		return *l.Min, "≥", false
	}
	return 0, "", false
}
