package authority

import (
	"slices"
	"time"

	"github.com/bakewatch/bakewatch/rules"
)

// Case is all that a ruling may depend on.
type Case struct {
	Deployment rules.Deployment
	Plan       rules.Plan
	Answers    []rules.Answer // one for each rule of the plan
	Target     Target
	// Now is when the ruling is made: calendars are looked up for it.
	Now time.Time
	// Begun is a person's wish to roll back, which is asked about like a breach; nil: nobody wishes it.
	Begun *Begun
	// Groups are the people of every group now, of those on a schedule whoever is on
	// call; nil: as the plan says.
	Groups map[string][]string
	// StandIns say which groups are stood in for because nobody knows who is on call.
	StandIns map[string]string
	// Barred are the people who do not vote: the deployer and the authors of the release.
	Barred []string
	// Rollback says that this deployment is itself a rollback, ours or anyone's.
	Rollback bool
	// SameAgain says that this version was rolled back in this lane before.
	SameAgain bool
	// Disarmed is why nothing may be rolled back now; empty while armed.
	Disarmed string
	// Skewed is why the clocks or the sight of things cannot be trusted; empty when they can.
	Skewed string
	// Budget is why no more is rolled back without people; empty while there is some left.
	Budget string
	// Unheard is why no countdown may run: nobody is known to have been reached; empty
	// while that is not known.
	Unheard string
}

// Begun is a person's wish to roll back.
type Begun struct {
	By     string    `json:"by"`
	Reason string    `json:"reason"`
	At     time.Time `json:"at"`
}

// groups returns the people of every group now.
func (c Case) groups() map[string][]string {
	if c.Groups == nil {
		return c.Plan.Groups
	}
	return c.Groups
}

// Target is the version that a rollback would go to, and how well it is known.
type Target struct {
	Version string `json:"version,omitempty"` // empty: none
	// Doubt is why the target is only asked about: the lane has never seen it, or it never passed.
	Doubt string `json:"doubt,omitempty"`
	// Missing is why there is none, where Version is empty.
	Missing string `json:"missing,omitempty"`
	// BelowFloor is why there is no way back, where all that passed is older than the
	// last change that cannot be undone.
	BelowFloor string `json:"below_floor,omitempty"`
}

// Ceiling is one reason why power was lowered, or might have been.
type Ceiling struct {
	Name  string      `json:"name"` // "mode", "no target", …
	Power rules.Power `json:"power"`
	Why   string      `json:"why"`
	// Guard says that it is no ceiling of the rule itself (mode, severity, evidence),
	// but one of the circumstances.
	Guard bool `json:"guard,omitempty"`
}

// Ruling is what follows from verdicts and power now.
type Ruling struct {
	Power rules.Power `json:"power"`
	// Rule is the rule that speaks: the breached one with the most power. Empty: nothing is breached.
	Rule string `json:"rule,omitempty"`
	// Blamed are all rules that are breached, in the plan's order. One with no power
	// (a shadow rule) is among them only if no other has any: it takes nothing away.
	Blamed []string `json:"blamed,omitempty"`
	// NoData says that the rule that speaks has no data rather than a breach:
	// then only people's votes can lead to a rollback, never silence.
	NoData bool `json:"no_data,omitempty"`
	// Authority is the index of the clause that grants the power or, where a ceiling
	// lowered it to ask, of the one that names the people; -1: none matched.
	Authority int             `json:"authority"`
	Clause    rules.Authority `json:"clause"`
	Target    Target          `json:"target"`
	// Otherwise is the executor that is offered instead of a rollback, where there is no
	// way back; empty: it is a rollback.
	Otherwise string `json:"otherwise,omitempty"`
	// Begun is the wish that speaks, where it is no rule.
	Begun *Begun `json:"begun,omitempty"`
	// Groups are the people who are asked or may object, by group, as they were then.
	Groups map[string][]string `json:"groups,omitempty"`
	// Required are the people whom the policies want in any case, also once the question
	// was escalated to others.
	Required map[string]int `json:"required,omitempty"`
	// StandIns say of which groups nobody knows who is on call, and why.
	StandIns map[string]string `json:"stand_ins,omitempty"`
	// Why is the arithmetic of every blamed rule, the speaking one first.
	Why []string `json:"why,omitempty"`
	// Ceilings are all ceilings below auto that met the speaking rule.
	Ceilings []Ceiling      `json:"ceilings,omitempty"`
	Answers  []rules.Answer `json:"answers,omitempty"`
}

// Same says whether the other ruling asks the same of the same people: target,
// power, authority and blamed rules. The arithmetic may differ.
func (r Ruling) Same(other Ruling) bool {
	return r.Power == other.Power && r.Rule == other.Rule && r.NoData == other.NoData && r.Authority == other.Authority &&
		r.Target.Version == other.Target.Version && r.Otherwise == other.Otherwise && slices.Equal(r.Blamed, other.Blamed)
}

// Silence says what it means that nobody answers. A clause's `silence = "roll-back"`
// holds only where the clause itself lets people decide: where a ceiling wants
// people to agree (weak evidence, a target that was never seen), silence is no yes.
func (r Ruling) Silence() rules.Silence {
	held := slices.ContainsFunc(r.Ceilings, func(c Ceiling) bool { return c.Power <= rules.Ask && c.Name != severityCeiling })
	if held || r.NoData || r.Begun != nil || r.Clause.Silence != rules.SilenceRollsBack {
		return rules.SilenceKeeps
	}
	return rules.SilenceRollsBack
}

// Unshadowed returns the power that the ruling would have if its rule were enforced:
// the least of what the plan grants and of every ceiling but the mode's.
func (r Ruling) Unshadowed() rules.Power {
	power := r.Clause.Decide
	for _, c := range r.Ceilings {
		if c.Name != modeCeiling {
			power = min(power, c.Power)
		}
	}
	return power
}

// Attribution returns who is to blame for the breach of the rule that speaks.
func (r Ruling) Attribution() rules.Attribution {
	for _, answer := range r.Answers {
		if answer.Rule == r.Rule {
			return answer.Attribution
		}
	}
	return rules.Attribution{}
}

// HeldByAttribution says that who is to blame is one of the ceilings, so that those tell it.
func (r Ruling) HeldByAttribution() bool {
	return slices.ContainsFunc(r.Ceilings, func(c Ceiling) bool { return c.Name == attributionCeiling })
}

// Thwarted says that the plan gave this breach to people or to Bakewatch itself, its
// rule is meant to be acted on, and only circumstances forbid it: somebody must look.
func (r Ruling) Thwarted() bool {
	if r.Power != rules.Notify || r.Clause.Decide < rules.Ask {
		return false
	}
	return !slices.ContainsFunc(r.Ceilings, func(c Ceiling) bool { return c.Power <= rules.Notify && !c.Guard })
}
