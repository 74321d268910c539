package rules

import (
	"encoding/json"
	"time"
)

// Rule is one checked question about a deployment. It is immutable and may be
// shared by many watches.
type Rule interface {
	// Queries returns what to ask at every look at this deployment, always in the same order.
	Queries(d Deployment) []Query
	// Begin starts the evidence about this deployment, which counts from d.At.
	Begin(d Deployment) Evidence
}

// Evidence folds looks at Prometheus. It is never journaled: whoever owns the
// lane rebuilds it by looking again at the same instants.
type Evidence interface {
	// See folds one look: the results of Rule.Queries, evaluated at the instant at.
	// Looks come in order, one an interval, and are left out only where there never is
	// an answer. No result carries an error, unless its query is optional.
	See(at time.Time, got []Result) Answer
}

// Answer is a rule's verdict with its arithmetic.
type Answer struct {
	Rule    string  `json:"rule"`
	Verdict Verdict `json:"verdict"`
	// Ceiling is the most power that this evidence supports. Mode and severity are not in it.
	Ceiling Power `json:"ceiling"`
	// Why is the arithmetic as a sentence: "errors 4.1 % (41 of 1000) > limit 1 % for 1m".
	Why string `json:"why"`

	At     time.Time `json:"at,omitzero"`     // the instant that was looked at
	Value  *float64  `json:"value,omitempty"` // in the unit of Limit
	Limit  *float64  `json:"limit,omitempty"`
	Unit   string    `json:"unit,omitempty"`   // "ratio", "seconds", "per pod-second", "" for a plain number
	Bad    float64   `json:"bad,omitempty"`    // bad events in the window; of events that are wanted none is
	Part   float64   `json:"part,omitempty"`   // events in the window that are not bad, and counted beside Total: uses, the version's requests
	Total  float64   `json:"total,omitempty"`  // all events in the window
	Window Duration  `json:"window,omitempty"` // what Bad and Total were counted over
	Query  string    `json:"query,omitempty"`  // the PromQL that a person can paste, values bound

	// AtEnd is the verdict if the bake were over, where Verdict is Inconclusive: a test
	// that has found nothing is satisfied then (Healthy), or could not have found
	// anything (LowTraffic).
	AtEnd Verdict `json:"at_end,omitempty"`
	// Proved says that Healthy is proved, so that the bake may end before its time.
	Proved bool `json:"proved,omitempty"`
	// Test is what a test has won; nil: the rule is a plain limit and takes no part in false alarms.
	Test *Test `json:"test,omitempty"`
	// Compared is what the version was held against, in the order of the plan.
	Compared []Compared `json:"compared,omitempty"`
	// Weather is what the borrowed services show, while the version has no control of its own.
	Weather []Weather `json:"weather,omitempty"`
	// Attribution says who is to blame for a breach.
	Attribution Attribution `json:"attribution,omitzero"`
	// Curve is what a plot needs; filled in where an answer is written down.
	Curve *Curve `json:"curve,omitempty"`
}

// Compared is one thing that a version was held against.
type Compared struct {
	With  Control `json:"with,omitempty"` // empty: the limit
	Bad   float64 `json:"bad,omitempty"`  // or the wanted events, of a rule for which fewer are worse
	Total float64 `json:"total,omitempty"`
	Level float64 `json:"level"`          // the share of these events that is normal there
	Unit  string  `json:"unit,omitempty"` // of Level; empty: "ratio"
	// Missing says why it could not be compared with; empty: it was.
	Missing string `json:"missing,omitempty"`
	// Shares says that it is worse there as well: what happens is not the version's own.
	Shares bool `json:"shares,omitempty"`
}

// Options are what a TOML table of one kind says. A struct with `toml`, `json`
// and `doc` tags; New returns a pointer to one with the defaults filled in.
type Options interface {
	// Check says what is wrong with the values, taken together. It may return a
	// joined error; a *FieldError in it names the key that is to be blamed.
	Check() error
}

// Kind names a kind of rule, executor or channel and makes its options.
type Kind struct {
	Name string
	New  func() Options
	// With makes the options that a plan's [[rollback]] gives an executor under
	// `with`; nil: it takes none. Rule kinds and channels have none.
	With func() Options
	// Later lists keys that a later version brings: refused as "not yet supported", never ignored.
	Later []string
}

// FieldError blames one key of an options table.
type FieldError struct {
	Key  string // as written in TOML, dotted below tables: "select.join.on"
	Hint string // what to do, or empty
	Err  error
	// Offset and Length mark the bytes of a string value that are wrong, where Length > 0 (bad PromQL).
	Offset, Length int
}

func (e *FieldError) Error() string { return e.Key + ": " + e.Err.Error() }
func (e *FieldError) Unwrap() error { return e.Err }

// Nature is how a rule is judged, as far as its own options tell.
type Nature struct {
	// Compared says that it is judged by comparison, unless the plan says judge = "threshold".
	Compared bool
	// Gated says that its limit is a plain one in any case: beside the comparison, or alone
	// where the plan does not say what to compare with.
	Gated bool
	// Now says that it looks at what is now, so that a window has no meaning.
	Now bool
	// Borrows says that it may borrow other services as controls: more of what it counts is worse.
	Borrows bool
	// Fewest is how many events a plain limit is judged on, and FewestKey the option that
	// says so; empty: the rule is over no events.
	FewestKey string
	Fewest    float64
}

// RuleOptions are the options of a rule kind.
type RuleOptions interface {
	Options
	// Nature says how a rule with these options is judged.
	Nature() Nature
	// Rule builds the rule. The options were checked; an error means that they do
	// not fit the setting (a version placeholder where versions cannot be told apart).
	Rule(Setting) (Rule, error)
}

// Retrospective is what options are besides, if a look of their rule may see further
// back than to the look before.
type Retrospective interface {
	// ReachesBack returns how far before itself a look sees, in a rule with this window.
	ReachesBack(window Duration) Duration
}

// Setting is what a rule gets from the plan around it.
type Setting struct {
	Spec              // the rule's own common options, resolved
	Interval Duration // how often the rule is judged
	Source   string   // which Prometheus
	Select   Select
	Bake     Duration // how long the watch is meant to last
	// FalseAlarms is what all tests of the plan may blame by chance; 0: the default.
	FalseAlarms Chance
}

// Selecting says what a rule takes of the plan's [select]; empty: all of it.
type Selecting string

// SelectNone is for metrics that carry neither the service's labels nor its version.
const SelectNone Selecting = "none"

// Words lists the choices as people write them.
func (Selecting) Words() []string { return []string{string(SelectNone)} }

// Spec is one [[rule]] of a plan: the options that all kinds share, and the kind's own.
type Spec struct {
	Name     string   `json:"name" toml:"name" doc:"the rule's name; default: its kind"`
	Kind     string   `json:"kind" toml:"kind" doc:"what is asked: error-rate, latency, security-scan, crash, up, saturation, traffic, adoption, feedback or query"`
	Severity Severity `json:"severity" toml:"severity" doc:"critical (may act by itself), warning (may ask) or info (may notify); default critical"`
	Mode     Mode     `json:"mode" toml:"mode" doc:"shadow, notify or enforce; default: the plan's"`
	Judge    string   `json:"judge" toml:"judge" doc:"threshold: a plain limit over the sliding window, which healthy deployments break by chance; default: what counts events is compared, by a test, and all else is held against plain limits"`
	Window   Duration `json:"window" toml:"window" doc:"the sliding window; default: the plan's"`
	WarmUp   Duration `json:"warm_up" toml:"warm_up" doc:"looks this early do not count; default: the plan's, and for a query with $window at least the window"`
	For      Duration `json:"for" toml:"for" doc:"how long the limit must be broken without a pause; default: at once"`
	OnNoData OnNoData `json:"on_no_data" toml:"on_no_data" doc:"wait, notify or ask; default wait"`

	// CompareTo is nil where the plan does not say: ControlsFor the strategy.
	CompareTo []Control `json:"compare_to" toml:"compare_to" doc:"what the version is compared with: previous, off, before, last-week, load-test; default: the strategy's control, then before; [] for none"`
	WorseBy   Margin    `json:"worse_by,omitzero" toml:"worse_by" doc:"the smallest difference that matters: 1.25x or +0.1pp; default 1.25x"`
	BetterBy  Margin    `json:"better_by,omitzero" toml:"better_by" doc:"how much better the version must be than what it is compared with: 1.1x or +0.5pp; breached when it is proved that it is not; instead of worse_by"`

	// LoadTest is what load_test names, read at load; nil: the plan names none.
	LoadTest *LoadTestSummary `json:"load_test,omitempty"`

	// Stations are the services that it borrows; filled in when a watch is opened.
	Stations []Station `json:"stations,omitempty"`

	Selecting Selecting `json:"select,omitempty" toml:"select" doc:"none: [select] adds nothing to the rule's selectors, for metrics of another exporter such as kube-state-metrics; default: the plan's [select]"`

	// Options are the kind's own, as JSON; package kinds reads them.
	Options json.RawMessage `json:"options"`
}
