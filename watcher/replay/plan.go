package replay

import (
	"errors"
	"fmt"
	"time"

	"github.com/bakewatch/bakewatch/rules"
)

// Config says how deployments of recordings are watched.
type Config struct {
	// Interval is how often rules are judged. Shorter than a recording's rows, each row
	// is taken to have come evenly. 0: a minute, or a row where rows are shorter.
	Interval time.Duration
	// Bake is how long a watch lasts; above 0.
	Bake time.Duration
	// FalseAlarms is the share of good deployments that may be blamed by chance; 0: the default.
	FalseAlarms rules.Chance
	// Peers are asked about the same looks.
	Peers []Peer
}

// usual is how often rules are judged where nobody says.
const usual = time.Minute

func (c *Config) defaults(r Recording) error {
	if c.Bake <= 0 {
		return errors.New("replay: the bake must be longer than nothing")
	}
	if c.Interval <= 0 {
		c.Interval = min(usual, r.Step())
	}
	if c.Interval < time.Second || c.Bake < c.Interval {
		return fmt.Errorf("replay: rules cannot be judged every %s in a bake of %s", c.Interval, c.Bake)
	}
	return nil
}

// The versions of a replay, and the people who would be asked.
const (
	before = "before"
	after  = "after"
	people = "people"
)

// plan is what a recording is watched by: a rule for each measure, all of them enforced,
// and the right to roll back without asking wherever the evidence allows it.
func (c Config) plan(r Recording) rules.Plan {
	yes := true
	p := rules.Plan{
		Service: r.Name, Source: source, Interval: rules.Duration(c.Interval),
		Bake: rules.Duration(c.Bake), BakeMin: rules.Duration(c.Bake), RollOut: rules.Duration(c.Bake), BlindFor: rules.Duration(c.Bake),
		FalseAlarms: c.FalseAlarms,
		Rollbacks:   []rules.Rollback{{Use: source, Target: rules.LastPassed, Reversible: &yes}},
		Authorities: []rules.Authority{
			{Decide: rules.Auto},
			{Decide: rules.Ask, Needs: map[string]int{people: 1}, Within: rules.Duration(4 * c.Bake), Silence: rules.SilenceKeeps},
		},
		Groups: map[string][]string{people: {"somebody"}},
	}
	for _, m := range r.Measures {
		p.Rules = append(p.Rules, rules.Spec{
			Name: m.Name, Kind: "error-rate", Severity: rules.Critical, Mode: rules.Enforce,
			Window: p.Interval, CompareTo: []rules.Control{rules.Before},
		})
	}
	return p
}

// setting is what a rule gets from the plan around it.
func setting(p rules.Plan, spec rules.Spec) rules.Setting {
	return rules.Setting{
		Spec: spec, Interval: p.Interval, Source: p.Source, Bake: p.Bake,
		Wealth: rules.Threshold(p.FalseAlarms) * float64(len(p.Rules)),
	}
}

func interval(s rules.Setting) time.Duration { return time.Duration(s.Interval) }
