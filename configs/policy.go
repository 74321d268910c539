package configs

import (
	"fmt"
	"maps"
	"slices"
	"strconv"

	"github.com/bakewatch/bakewatch/configs/internal/strict"
	"github.com/bakewatch/bakewatch/rules"
)

// loadPolicies reads every [[policy]].
func (d *Daemon) loadPolicies(root strict.Table) {
	for i, t := range root.List("policy") {
		p := rules.Policy{Name: strconv.Itoa(i + 1)}
		t.Decode(&p)
		if t.Has("name") {
			t = t.In(fmt.Sprintf("policy %q", strict.Shorten(p.Name)))
		}
		d.checkPolicy(t, p)
		d.Policies = append(d.Policies, p)
		d.policies = append(d.policies, t.Place("services"))
	}
}

func (d *Daemon) checkPolicy(t strict.Table, p rules.Policy) {
	for _, key := range []string{"services", "environments", "strategies", "tier", "calendar"} {
		notEmpty(t, key)
	}
	if slices.ContainsFunc(d.Policies, func(o rules.Policy) bool { return o.Name == p.Name }) {
		t.Fail("name", fmt.Sprintf("name: there is another policy called %q", strict.Shorten(p.Name)), "give each its own name")
	}
	for i, tier := range p.Tier {
		if tier < 1 || tier > 4 {
			t.Fail(fmt.Sprintf("tier.%d", i), fmt.Sprintf("tier must be 1 (most critical) to 4, not %d", tier), "")
		}
	}
	d.checkCalendars(t, p.Calendar)
	switch {
	case !t.Has("most"):
		t.Fail("most", "most is required", `the most power there: "none", "notify", "ask", "veto" or "auto"`)
	case len(p.Needs) > 0 && p.Most != rules.Ask:
		t.Fail("most", fmt.Sprintf("most = %q does not go with needs", p.Most), `people are needed for a question: write most = "ask", or remove needs`)
	}
	d.checkNeeds(t, p.Needs)
}

// checkCalendars says which of the calendars do not exist.
func (d *Daemon) checkCalendars(t strict.Table, names []string) {
	for i, name := range names {
		if _, known := d.Calendars[name]; !known {
			t.Fail(fmt.Sprintf("calendar.%d", i), fmt.Sprintf("calendar: there is no [calendar.%s] in the daemon's file", strict.Shorten(name)),
				strict.Guess(name, slices.Sorted(maps.Keys(d.Calendars))))
		}
	}
}

// meets says whether the policy may hold for a deployment of the plan. What an event
// says may always be what the policy is about.
func meets(p rules.Policy, plan rules.Plan) bool {
	return (len(p.Services) == 0 || slices.Contains(p.Services, plan.Service)) &&
		(len(p.Environments) == 0 || len(plan.Environments) == 0 || slices.ContainsFunc(p.Environments, plan.Covers)) &&
		(len(p.Tier) == 0 || slices.Contains(p.Tier, plan.Tier)) &&
		mayCarry(plan.Labels, p.Labels)
}

// mayCarry says whether a deployment may carry the labels, whose own are those that
// the plan does not set.
func mayCarry(plan, wanted map[string]string) bool {
	for label, value := range wanted {
		if own, said := plan[label]; said && own != value {
			return false
		}
	}
	return true
}

// missed warns of services of policies for which there is no plan: a word that is
// misspelt there would protect nothing.
func (d *Daemon) missed(plans []rules.Plan) (problems Problems) {
	for i, policy := range d.Policies {
		for _, service := range policy.Services {
			if !slices.ContainsFunc(plans, func(p rules.Plan) bool { return p.Service == service }) {
				p := d.policies[i]
				p.What, p.Warning = fmt.Sprintf("services: there is no plan for %q", strict.Shorten(service)), true
				problems = append(problems, p)
			}
		}
	}
	return problems
}
