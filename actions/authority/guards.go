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

// The names of ceilings that the state machine knows again.
const (
	UnheardCeiling = "unheard"
	BudgetCeiling  = "budget"
)

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
		own = append(own, Ceiling{Name: "evidence", Power: answer.Ceiling, Why: weakness(spec)})
	}
	own = append(own, attributed(answer.Attribution))
	for _, g := range guards {
		if power, why := g.check(c); power < rules.Auto {
			own = append(own, Ceiling{Name: g.name, Power: power, Why: why, Guard: true})
		}
	}
	return append(append(own, calendars(c)...), policies(c)...)
}

// weakness says why the evidence allows no more: of a rule, or of a person's wish.
func weakness(spec rules.Spec) string {
	if spec.Name == ByHand {
		return "a wish is always asked about"
	}
	return "the evidence alone is not enough for more"
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
	{BudgetCeiling, budget},
	{UnheardCeiling, unheard},
}

// noTarget and unseenTarget are about the version that a rollback goes to: what is
// done instead of one needs none.
func noTarget(c Case) (rules.Power, string) {
	if c.Target.Version == "" && otherwise(c) == "" {
		return rules.Notify, c.Target.Missing
	}
	return rules.Auto, ""
}

func unseenTarget(c Case) (rules.Power, string) {
	if c.Target.Doubt != "" && otherwise(c) == "" {
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

// notReversible lowers to ask where the plan does not say, and where the plan, the
// event or the ledger says no but something else can be offered; with nothing to
// offer, to notify.
func notReversible(c Case) (rules.Power, string) {
	rollback, ok := c.Plan.RollbackFor(c.Deployment.Strategy)
	if !ok {
		return rules.Auto, "" // noWayBack says so
	}
	why := irreversible(c, rollback)
	switch {
	case why != "" && rollback.Otherwise != "":
		return rules.Ask, why + ": " + rollback.Otherwise + " is offered instead"
	case why != "":
		return rules.Notify, why
	case rollback.Reversible == nil:
		return rules.Ask, "the plan does not say whether the rollback is reversible"
	}
	return rules.Auto, ""
}

// irreversible says who says that there is no way back; empty: nobody does.
func irreversible(c Case, rollback rules.Rollback) string {
	switch {
	case c.Deployment.Reversible != nil && !*c.Deployment.Reversible:
		return "the deployment says that it is not reversible"
	case rollback.Reversible != nil && !*rollback.Reversible:
		return "the plan says that it is not reversible"
	case c.Target.BelowFloor != "":
		return c.Target.BelowFloor
	}
	return ""
}

// otherwise returns the executor that is offered instead of a rollback; empty: there
// is a way back, or nothing else to offer.
func otherwise(c Case) string {
	rollback, ok := c.Plan.RollbackFor(c.Deployment.Strategy)
	if !ok || irreversible(c, rollback) == "" {
		return ""
	}
	return rollback.Otherwise
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

func budget(c Case) (rules.Power, string) {
	if c.Budget != "" {
		return rules.Ask, c.Budget
	}
	return rules.Auto, ""
}

func unheard(c Case) (rules.Power, string) {
	if c.Unheard != "" {
		return rules.Ask, c.Unheard
	}
	return rules.Auto, ""
}
