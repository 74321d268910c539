package rules

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/prometheus/common/model"
)

// Authority is one [[authority]]: who may decide what. Empty matchers match everything.
type Authority struct {
	Severity     []Severity        `json:"severity,omitempty" toml:"severity" doc:"severities of the breached rule"`
	Environments []string          `json:"environments,omitempty" toml:"environments" doc:"environments"`
	Strategies   []Strategy        `json:"strategies,omitempty" toml:"strategies" doc:"strategies"`
	Tier         []int             `json:"tier,omitempty" toml:"tier" doc:"tiers of the plan"`
	Labels       map[string]string `json:"labels,omitempty" toml:"labels" doc:"labels of the plan or the event"`
	Calendar     []string          `json:"calendar,omitempty" toml:"calendar" doc:"[calendar.NAME] of the daemon's file, one of which must be on"`
	Rules        []string          `json:"rules,omitempty" toml:"rules" doc:"names of rules"`
	Deployers    []string          `json:"deployers,omitempty" toml:"deployers" doc:"who deployed"`
	Attribution  []Blame           `json:"attribution,omitempty" toml:"attribution" doc:"who is to blame: this deployment, another deployment, a dependency, ambient or cannot tell; only the first may lead to more than a question, and cannot tell to one"`

	Decide Power `json:"decide" toml:"decide" doc:"notify, ask, veto or auto"`
	// Needs is, of a question, how many people of each group must agree; of a countdown, who may object.
	Needs    map[string]int `json:"needs,omitempty" toml:"needs" doc:"how many people of which group must agree; of a veto, who may object"`
	Within   Duration       `json:"within,omitempty" toml:"within" doc:"how long they have, from the first confirmed delivery"`
	Escalate []Escalation   `json:"escalate,omitempty" toml:"escalate" doc:"who is asked next, in order, when nobody answers in time"`
	Silence  Silence        `json:"silence,omitempty" toml:"silence" doc:"what no answer means after the last escalation: keep or roll-back; required for ask"`
	// Withdraw says that a question whose breach has healed is withdrawn; else it stays, and says so.
	Withdraw bool `json:"withdraw,omitempty" toml:"withdraw" doc:"a question whose breach healed is withdrawn; default true"`
	// Snooze is how long people who said keep are not asked about the same rules again.
	Snooze Duration `json:"snooze,omitempty" toml:"snooze" doc:"after keep, no new question about the same for so long; default 30m"`
}

// Escalation is who is asked when those before did not answer in time. One of them is
// enough, unless Needs says more; those who were asked before may still answer.
type Escalation struct {
	To     string   `json:"to" toml:"to" doc:"the group that is asked as well"`
	Needs  int      `json:"needs,omitempty" toml:"needs" doc:"how many of it must agree; default 1"`
	Within Duration `json:"within" toml:"within" doc:"how long they have, from the first confirmed delivery"`
}

// Silence is what it means that nobody answered in time.
type Silence string

// The meanings of silence.
const (
	SilenceKeeps     Silence = "keep"
	SilenceRollsBack Silence = "roll-back"
)

// Words lists the meanings as people write them.
func (Silence) Words() []string { return []string{string(SilenceKeeps), string(SilenceRollsBack)} }

// Policy is one [[policy]] of the daemon's file: a ceiling that no plan can raise.
// Empty matchers match everything.
type Policy struct {
	Name         string            `json:"name,omitempty" toml:"name" doc:"how it is called in rulings; default: its number"`
	Services     []string          `json:"services,omitempty" toml:"services" doc:"services"`
	Environments []string          `json:"environments,omitempty" toml:"environments" doc:"environments"`
	Strategies   []Strategy        `json:"strategies,omitempty" toml:"strategies" doc:"strategies"`
	Tier         []int             `json:"tier,omitempty" toml:"tier" doc:"tiers of the plan"`
	Labels       map[string]string `json:"labels,omitempty" toml:"labels" doc:"labels of the plan or the event"`
	Calendar     []string          `json:"calendar,omitempty" toml:"calendar" doc:"[calendar.NAME], one of which must be on"`

	Most Power `json:"most" toml:"most" doc:"the most power there: none, notify, ask, veto or auto"`
	// Needs is the least that every question there needs, on top of what the plan says.
	Needs map[string]int `json:"needs,omitempty" toml:"needs" doc:"the people that every question there needs at least; then nothing is decided without them"`
}

// Allowance is how many in how long, as people write it: "2 in 24h".
type Allowance struct {
	Most int      `json:"most"`
	Per  Duration `json:"per"`
}

// String returns the allowance as people write it.
func (a Allowance) String() string { return fmt.Sprintf("%d in %s", a.Most, a.Per) }

// MarshalText writes the allowance as people write it.
func (a Allowance) MarshalText() ([]byte, error) { return []byte(a.String()), nil }

// UnmarshalText reads "2 in 24h"; at least 1, in more than no time.
func (a *Allowance) UnmarshalText(text []byte) error {
	most, per, ok := strings.Cut(string(text), " in ")
	n, err := strconv.Atoi(strings.TrimSpace(most))
	span, spanErr := model.ParseDuration(strings.TrimSpace(per))
	if !ok || err != nil || spanErr != nil || n < 1 || span <= 0 {
		return fmt.Errorf("%q is not so many in so long, such as \"2 in 24h\"", text)
	}
	*a = Allowance{Most: n, Per: span}
	return nil
}
