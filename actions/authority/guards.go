package authority

import (
	"fmt"

	"github.com/bakewatch/bakewatch/rules"
)

// modeCeiling is the ceiling of the rule's step on the ladder shadow, notify, enforce.
const modeCeiling = "mode"

// severityCeiling is the ceiling that says how much a rule matters, not how much is known.
const severityCeiling = "severity"

// attributionCeiling is the ceiling that says whose fault it is.
const attributionCeiling = "attribution"

// ceilings returns every ceiling that meets one rule: the rule's own, then the
// guards'. A ceiling of Auto lowers nothing.
func ceilings(c Case, answer rules.Answer, spec rules.Spec) []Ceiling {
	own := []Ceiling{
		{Name: modeCeiling, Power: spec.Mode.Ceiling(), Why: "the rule's mode is " + spec.Mode.String()},
		{Name: severityCeiling, Power: spec.Severity.Ceiling(), Why: "the rule's severity is " + spec.Severity.String()},
	}
	if answer.Verdict == rules.NoData {
		own = append(own, Ceiling{Name: "no data", Power: spec.OnNoData.Ceiling(), Why: "the rule has no data, and on_no_data is " + spec.OnNoData.String()})
	} else {
		own = append(own, Ceiling{Name: "evidence", Power: answer.Ceiling, Why: "the evidence alone is not enough for more"})
	}
	own = append(own, attributed(answer.Attribution))
	for _, g := range guards {
		if power, why := g.check(c); power < rules.Auto {
			own = append(own, Ceiling{Name: g.name, Power: power, Why: why, Guard: true})
		}
	}
	return own
}

// attributed returns the ceiling of who is to blame. It is one of the circumstances:
// the rule is meant to be acted on, and that something else breaks the service is no
// reason to let its people sleep.
func attributed(a rules.Attribution) Ceiling {
	return Ceiling{Name: attributionCeiling, Power: a.Blame.Ceiling(), Why: a.String(), Guard: true}
}

// guard is a check of the case that can only lower power.
type guard struct {
	name  string
	check func(Case) (rules.Power, string)
}

// guards is the table of ceilings that do not depend on the rule.
var guards = []guard{
	{"no target", noTarget},
	{"unseen target", unseenTarget},
	{"no way back", noWayBack},
	{"not reversible", notReversible},
	{"a rollback of a rollback", rollbackOfRollback},
	{"same again", sameAgain},
	{"disarmed", disarmed},
	{"blind or skewed", skewed},
}

func noTarget(c Case) (rules.Power, string) {
	if c.Target.Version == "" {
		return rules.Notify, c.Target.Missing
	}
	return rules.Auto, ""
}

func unseenTarget(c Case) (rules.Power, string) {
	if c.Target.Doubt != "" {
		return rules.Ask, c.Target.Doubt
	}
	return rules.Auto, ""
}

func noWayBack(c Case) (rules.Power, string) {
	if _, ok := c.Plan.RollbackFor(c.Deployment.Strategy); !ok {
		return rules.Notify, fmt.Sprintf("the plan has no [[rollback]] for strategy %q", c.Deployment.Strategy)
	}
	return rules.Auto, ""
}

// notReversible lowers to ask where the plan does not say, and to notify where the
// plan or the event says no: there is nothing yet to offer instead of a rollback.
func notReversible(c Case) (rules.Power, string) {
	rollback, ok := c.Plan.RollbackFor(c.Deployment.Strategy)
	switch {
	case !ok:
		return rules.Auto, "" // noWayBack says so
	case c.Deployment.Reversible != nil && !*c.Deployment.Reversible:
		return rules.Notify, "the deployment says that it is not reversible"
	case rollback.Reversible == nil:
		return rules.Ask, "the plan does not say whether the rollback is reversible"
	case !*rollback.Reversible:
		return rules.Notify, "the plan says that it is not reversible"
	}
	return rules.Auto, ""
}

func rollbackOfRollback(c Case) (rules.Power, string) {
	if c.Rollback {
		return rules.Notify, "this deployment is itself a rollback"
	}
	return rules.Auto, ""
}

func sameAgain(c Case) (rules.Power, string) {
	if c.SameAgain {
		return rules.Notify, c.Deployment.Version + " was rolled back here before"
	}
	return rules.Auto, ""
}

func disarmed(c Case) (rules.Power, string) {
	if c.Disarmed != "" {
		return rules.Notify, "disarmed: " + c.Disarmed
	}
	return rules.Auto, ""
}

func skewed(c Case) (rules.Power, string) {
	if c.Skewed != "" {
		return rules.Ask, c.Skewed
	}
	return rules.Auto, ""
}
