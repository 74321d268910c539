package authority

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/bakewatch/bakewatch/rules"
)

// calendars returns the ceiling of every calendar that is on and lowers power, by name.
func calendars(c Case) (all []Ceiling) {
	for _, name := range slices.Sorted(maps.Keys(c.Plan.Calendars)) {
		if calendar := c.Plan.Calendars[name]; calendar.During < rules.Auto && calendar.On(c.Now) {
			all = append(all, Ceiling{
				Name: "calendar", Power: calendar.During, Guard: true,
				Why: fmt.Sprintf("the calendar %q is on", name),
			})
		}
	}
	return all
}

// policies returns the ceiling of every policy of the daemon's file that matches.
// Where one wants people to agree, nothing is decided without them.
func policies(c Case) (all []Ceiling) {
	for i, p := range c.Plan.Policies {
		if !applies(c, p) {
			continue
		}
		ceiling := Ceiling{Name: "policy", Power: p.Most, Guard: true, Why: fmt.Sprintf("policy %q allows no more", policyName(i, p))}
		if len(p.Needs) > 0 && ceiling.Power > rules.Ask {
			ceiling.Power, ceiling.Why = rules.Ask, fmt.Sprintf("policy %q wants people to agree", policyName(i, p))
		}
		all = append(all, ceiling)
	}
	return all
}

func policyName(i int, p rules.Policy) string { return cmp.Or(p.Name, fmt.Sprint(i+1)) }

// applies says whether the policy is about this deployment.
func applies(c Case, p rules.Policy) bool {
	return anyOf(p.Services, c.Deployment.Service) &&
		anyOf(p.Environments, c.Deployment.Environment) &&
		anyOf(p.Strategies, c.Deployment.Strategy) &&
		anyOf(p.Tier, c.Plan.Tier) &&
		anyOn(p.Calendar, c) &&
		hasLabels(p.Labels, c.Plan.Labels, c.Deployment.Labels)
}

// policyNeeds returns the people whom all policies that match want together.
func policyNeeds(c Case) (needs map[string]int) {
	for _, p := range c.Plan.Policies {
		if applies(c, p) {
			needs = atLeast(needs, p.Needs)
		}
	}
	return needs
}

// atLeast returns the needs raised to the least of them; neither is changed.
func atLeast(needs, least map[string]int) map[string]int {
	if len(least) == 0 {
		return needs
	}
	both := maps.Clone(needs)
	if both == nil {
		both = map[string]int{}
	}
	for group, n := range least {
		both[group] = max(both[group], n)
	}
	return both
}

// policyClause is how people are asked where only a policy names them.
func policyClause(clause rules.Authority) rules.Authority {
	clause.Within = cmp.Or(clause.Within, rules.Duration(15*time.Minute))
	clause.Silence, clause.Withdraw = rules.SilenceKeeps, true
	return clause
}
