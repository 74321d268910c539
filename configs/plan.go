package configs

import (
	"time"

	"github.com/bakewatch/bakewatch/configs/internal/strict"
	"github.com/bakewatch/bakewatch/rules"
)

// later is a key that is known, and that a later version brings.
type later = strict.Later

// elsewhere is a key that other code of this package reads.
type elsewhere = strict.Elsewhere

// Settings are the keys of a plan for which the daemon's file may give defaults.
type Settings struct {
	Environments []string          `toml:"environments" doc:"the environments that the plan is for; default: every environment"`
	Tier         int               `toml:"tier" doc:"1 (most critical) to 4; authorities match on it"`
	Labels       map[string]string `toml:"labels" doc:"words about the service; authorities match on them"`
	Preset       string            `toml:"preset" doc:"a well-known instrumentation: fills in the selectors that a rule does not name"`
	Source       string            `toml:"source" doc:"which [prometheus.NAME] to ask; default: the only one"`
	Mode         rules.Mode        `toml:"mode" doc:"shadow (only recorded), notify (tells what it would have done) or enforce; a rule may set its own"`

	Bake     rules.Duration `toml:"bake" doc:"how long a deployment is watched after it is live"`
	BakeMin  rules.Duration `toml:"bake_min" doc:"never passed earlier, however well the version is proved to be; at most bake"`
	RollOut  rules.Duration `toml:"roll_out" doc:"started but not finished after this: people are told"`
	WarmUp   rules.Duration `toml:"warm_up" doc:"looks this early do not count; at most a quarter of bake unless written out; a rule may set its own"`
	Interval rules.Duration `toml:"interval" doc:"how often rules are judged; not shorter than the scrape interval, at least 1s"`
	Window   rules.Duration `toml:"window" doc:"the sliding window of every rule that sets none; at least the interval, better several scrapes long"`
	BlindFor rules.Duration `toml:"blind_for" doc:"so long without answers from Prometheus: people are told"`

	Select rules.Select       `toml:"select" doc:"how this service's series are found and how its versions differ"`
	Notify rules.Notification `toml:"notify" doc:"the channels that hear of a watch, by audience"`

	FalseAlarms rules.Chance `toml:"false_alarms" doc:"how many healthy deployments may be blamed by chance, by all tests of the plan together: 1 in 10 to 1 in 1000000"`

	Discover later `toml:"discover" doc:"watch a version that appears in Prometheus without an event"`
}

// settings returns the defaults that hold where neither file says anything.
func settings() Settings {
	return Settings{
		Mode: rules.ModeNotify,
		Bake: minutes(30), BakeMin: minutes(5), RollOut: minutes(30), WarmUp: minutes(1), FalseAlarms: 1. / 1000,
		Interval: rules.Duration(15 * time.Second), Window: minutes(5), BlindFor: minutes(5),
	}
}

func minutes(n int) rules.Duration { return rules.Duration(time.Duration(n) * time.Minute) }

// planFile is a plan as it is written.
type planFile struct {
	Service string `toml:"service" doc:"the service's name, as deployments announce it; required"`
	Owner   string `toml:"owner" doc:"who answers for the plan; shown in every message; required"`
	Settings
	DependsOn []string `toml:"depends_on" doc:"services that may be to blame instead, by the names under which their own deployments are announced"`
	Weather   []string `toml:"weather" doc:"services that suffer from what this one suffers from, and neither call it nor are called by it, by the names of their plans: while a rule has no control of its own, what rises there in the same minutes is not held against the version"`

	Rule      elsewhere `toml:"rule" doc:"when to roll back"`
	Stage     elsewhere `toml:"stage" doc:"the stages of a canary or rolling deployment, and how long each bakes"`
	Rollback  elsewhere `toml:"rollback" doc:"how to go back; the first that matches the strategy"`
	Authority elsewhere `toml:"authority" doc:"who makes the call; the first that matches; none: notify"`

	Extends later `toml:"extends" doc:"a [template.NAME] of the daemon's file"`
	Until   later `toml:"until" doc:"for batch jobs: bake until so many runs"`
	Ready   later `toml:"ready" doc:"what must be true before a deployment"`
	Process later `toml:"process" doc:"how releases are reported"`
}

// ruleFile is a [[rule]] as it is written, the kind's own keys aside.
type ruleFile struct {
	rules.Spec
	LoadTestFile string `toml:"load_test" doc:"the summary of a load test, for load-test in compare_to: what k6 writes by --summary-export or handleSummary, or the statistics.json of a JMeter report; relative to this file"`

	Bake later `toml:"bake" doc:"a rule that bakes longer than the plan"`
}
