package authority

import "github.com/bakewatch/bakewatch/rules"

// Enforced returns the power that a breach of the rule would have if it were enforced and
// no other rule were breached: what a rule's record counts, whatever its mode is now.
func Enforced(c Case, breach rules.Answer) rules.Power {
	spec, _ := c.Plan.Rule(breach.Rule)
	spec.Mode = rules.Enforce
	return ruleOn(c, breach, spec).Power
}

// Granted returns the authority of the plan that matches a breach of the rule, before any
// ceiling lowers it; one that notifies where none does.
func Granted(c Case, breach rules.Answer) rules.Authority {
	spec, _ := c.Plan.Rule(breach.Rule)
	_, clause := match(c, breach, spec, anyClause)
	return clause
}
