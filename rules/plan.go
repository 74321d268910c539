package rules

import (
	"slices"

	"github.com/prometheus/common/model"
)

// Duration is a length of time as people write it: "30m", "1d", "90s".
type Duration = model.Duration

// Plan is one service's rollback plan, checked and resolved: no template, preset
// or default is left to apply. It travels in the journal with the watch that was
// opened with it, so it is plain data.
type Plan struct {
	Service      string            `json:"service"`
	Owner        string            `json:"owner"`
	File         string            `json:"file"`
	Hash         string            `json:"hash"` // of the resolved plan; tells versions of a plan apart
	Environments []string          `json:"environments,omitempty"`
	Tier         int               `json:"tier,omitempty"` // 1 (most critical) to 4; 0 unsaid
	Labels       map[string]string `json:"labels,omitempty"`

	Source   string   `json:"source"`
	Settle   Duration `json:"settle"`   // the source's: how long after an instant its samples are all visible
	Interval Duration `json:"interval"` // how often rules are judged
	Bake     Duration `json:"bake"`
	BakeMin  Duration `json:"bake_min"`
	RollOut  Duration `json:"roll_out"`
	BlindFor Duration `json:"blind_for"`
	// FalseAlarms is the share of healthy deployments that may be blamed by chance, all rules together.
	FalseAlarms Chance `json:"false_alarms,omitempty"`
	// DependsOn are services that may be to blame instead.
	DependsOn []string `json:"depends_on,omitempty"`
	// Weather are services that its rules borrow as controls where they have none of their own.
	Weather []string `json:"weather,omitempty"`

	// Stages are those of a roll-out in steps that the plan names.
	Stages []StageBake `json:"stages,omitempty"`

	Select      Select      `json:"select"`
	Rules       []Spec      `json:"rules"`
	Rollbacks   []Rollback  `json:"rollbacks,omitempty"`
	Authorities []Authority `json:"authorities,omitempty"`
	// Groups are the people of every group that Authorities and Policies name; of one with a schedule
	// those of its fallback.
	Groups map[string][]string `json:"groups,omitempty"`
	// Schedules say who is on call, by group: a service and its id, such as "pagerduty:PABC".
	Schedules map[string]string `json:"schedules,omitempty"`
	// Pages are the channels that wake a group, by group.
	Pages map[string][]string `json:"pages,omitempty"`
	// Calendars are those that Authorities name, and every one that lowers power while it is on.
	Calendars map[string]Calendar `json:"calendars,omitempty"`
	// Policies are the ceilings of the daemon's file that may meet this plan.
	Policies []Policy `json:"policies,omitempty"`
	// Budget is how many rollbacks one lane may see without people; nil: any number.
	Budget *Allowance   `json:"budget,omitempty"`
	Notify Notification `json:"notify"`
}

// Rule returns the specification of the rule with this name.
func (p Plan) Rule(name string) (Spec, bool) {
	for _, spec := range p.Rules {
		if spec.Name == name {
			return spec, true
		}
	}
	return Spec{}, false
}

// RollbackFor returns the first [[rollback]] that matches the strategy.
func (p Plan) RollbackFor(strategy Strategy) (Rollback, bool) {
	for _, r := range p.Rollbacks {
		if len(r.Strategies) == 0 || slices.Contains(r.Strategies, strategy) {
			return r, true
		}
	}
	return Rollback{}, false
}

// StageBake is one [[stage]]: how long a canary or a rolling deployment is watched at
// a stage before the tool may go on.
type StageBake struct {
	At   string   `json:"at" toml:"at" doc:"the stage's name, as events give it: \"25%\"; required"`
	Bake Duration `json:"bake" toml:"bake" doc:"how long this stage is watched before it may be left; required"`
}

// BakeAt returns how long a stage bakes: one that the plan does not name, as long as
// the whole deployment once it is live.
func (p Plan) BakeAt(stage string) Duration {
	for _, s := range p.Stages {
		if s.At == stage {
			return s.Bake
		}
	}
	return p.Bake
}

// Covers says whether the plan is for this environment.
func (p Plan) Covers(environment string) bool {
	return len(p.Environments) == 0 || slices.Contains(p.Environments, environment)
}

// Select says how the service's series are found and how its versions differ.
// At most one of Version, Join and Slots is set; none: versions cannot be told apart.
type Select struct {
	Match   map[string]string            `json:"match,omitempty" toml:"match" doc:"label values added to every selector; may hold placeholders"`
	Version string                       `json:"version,omitempty" toml:"version" doc:"the label that tells versions apart"`
	Join    *Join                        `json:"join,omitempty" toml:"join" doc:"the version stands on another metric of the same target"`
	Slots   map[string]map[string]string `json:"slots,omitempty" toml:"slots" doc:"the matchers of each slot; the event names the slot"`
}

// Join finds a target's version on another metric.
type Join struct {
	Metric string   `json:"metric" toml:"metric" doc:"such as target_info"`
	On     []string `json:"on" toml:"on" doc:"the labels both metrics share"`
	Label  string   `json:"label" toml:"label" doc:"the label of metric that holds the version"`
}

// Rollback is one [[rollback]]: how to go back.
type Rollback struct {
	Strategies []Strategy     `json:"strategies,omitempty" toml:"strategies" doc:"which strategies it is for; default: all"`
	Use        string         `json:"use" toml:"use" doc:"an [executor.NAME] of the daemon's file"`
	With       map[string]any `json:"with,omitempty" toml:"with" doc:"the executor's options for this service"`
	Target     TargetChoice   `json:"target" toml:"target" doc:"last-passed or previous; default last-passed"`
	Takes      Duration       `json:"takes,omitempty" toml:"takes" doc:"how long it is expected to take; told to people"`
	Timeout    Duration       `json:"timeout" toml:"timeout" doc:"longer: unknown, and a person is told; default 5m"`
	Verify     Duration       `json:"verify" toml:"verify" doc:"the limits must be kept again by then; default 10m"`
	Reversible *bool          `json:"reversible,omitempty" toml:"reversible" doc:"unsaid: a person is asked; false: nobody rolls back, and otherwise is offered"`
	Otherwise  string         `json:"otherwise,omitempty" toml:"otherwise" doc:"what to do instead where there is no way back: an [executor.NAME]"`
	Runbook    string         `json:"runbook,omitempty" toml:"runbook" doc:"a link for people"`
}

// TargetChoice says which version a rollback goes to.
type TargetChoice string

// The choices of a target.
const (
	LastPassed      TargetChoice = "last-passed" // the last version that passed in the lane
	PreviousVersion TargetChoice = "previous"    // the version that was live before
)

// Words lists the choices as people write them.
func (TargetChoice) Words() []string { return []string{string(LastPassed), string(PreviousVersion)} }

// Notification is [notify]: the channels that hear of the watch, by audience.
type Notification struct {
	Page         []string `json:"page,omitempty" toml:"page" doc:"a person is needed"`
	Chat         []string `json:"chat,omitempty" toml:"chat" doc:"everything"`
	Stakeholders []string `json:"stakeholders,omitempty" toml:"stakeholders" doc:"plain words: opened, decided, rolled back, recovered"`
}
