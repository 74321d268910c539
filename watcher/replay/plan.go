package replay

import (
	"fmt"
	"time"

	"github.com/bakewatch/bakewatch/rules"
)

// Config says how deployments of recordings are watched.
type Config struct {
	// Interval is how often rules are judged; at least a second. Rows that are longer are
	// divided (Series.Refine). 0: a minute, or a row where rows are shorter.
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

// every returns how often the rules of the recording are judged.
func (c Config) every(r Recording) time.Duration {
	if c.Interval > 0 {
		return c.Interval
	}
	return min(usual, max(r.Step(), time.Second))
}

func (c Config) check(r Recording) error {
	if every := c.every(r); every < time.Second || c.Bake < every {
		return fmt.Errorf("replay: rules cannot be judged every %s in a bake of %s", every, c.Bake)
	}
	return nil
}

// earliest is when a deployment may pass at the earliest, as in plans that do not say.
const earliest = 5 * time.Minute

// shown is the window of the counts that a rule's arithmetic shows.
const shown = 5 * time.Minute

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
		Bake: rules.Duration(c.Bake), BakeMin: rules.Duration(min(earliest, c.Bake)), RollOut: rules.Duration(c.Bake), BlindFor: rules.Duration(c.Bake),
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
			Window: rules.Duration(max(shown, c.Interval)), CompareTo: []rules.Control{rules.Before},
		})
	}
	return p
}

// setting is what a rule gets from the plan around it.
func setting(p rules.Plan, spec rules.Spec) rules.Setting {
	return rules.Setting{Spec: spec, Interval: p.Interval, Source: p.Source, Bake: p.Bake, FalseAlarms: p.FalseAlarms}
}
