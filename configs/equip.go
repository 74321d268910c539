package configs

import (
	"maps"
	"slices"

	"github.com/bakewatch/bakewatch/rules"
)

// equip gives the plan what the daemon's file says of it: the policies that may meet it
// and the budget; who is in the groups that are named, who knows that and how they are
// woken; the calendars that are named or that lower power.
func (d *Daemon) equip(p *rules.Plan) {
	p.Policies, p.Budget = nil, d.Budget.Lane
	for _, policy := range d.Policies {
		if meets(policy, *p) {
			p.Policies = append(p.Policies, policy)
		}
	}
	p.Groups, p.Schedules, p.Pages = nil, nil, nil
	for _, name := range groupsOf(*p) {
		g, known := d.Groups[name]
		if !known {
			continue
		}
		put(&p.Groups, name, d.members(name))
		if g.Schedule != "" {
			put(&p.Schedules, name, g.Schedule)
		}
		if len(g.Page) > 0 {
			put(&p.Pages, name, g.Page)
		}
	}
	p.Calendars = nil
	named := calendarsOf(*p)
	for name, calendar := range d.Calendars {
		if calendar.During < rules.Auto || slices.Contains(named, name) {
			put(&p.Calendars, name, calendar)
		}
	}
}

// put sets an entry of a map that may not be there yet.
func put[V any](into *map[string]V, key string, value V) {
	if *into == nil {
		*into = map[string]V{}
	}
	(*into)[key] = value
}

// groupsOf lists the groups that the plan and its policies name.
func groupsOf(p rules.Plan) []string {
	named := map[string]bool{}
	for _, a := range p.Authorities {
		for group := range a.Needs {
			named[group] = true
		}
		for _, e := range a.Escalate {
			named[e.To] = true
		}
	}
	for _, policy := range p.Policies {
		for group := range policy.Needs {
			named[group] = true
		}
	}
	return slices.Sorted(maps.Keys(named))
}

// calendarsOf lists the calendars that the plan and its policies name.
func calendarsOf(p rules.Plan) (named []string) {
	for _, a := range p.Authorities {
		named = append(named, a.Calendar...)
	}
	for _, policy := range p.Policies {
		named = append(named, policy.Calendar...)
	}
	slices.Sort(named)
	return slices.Compact(named)
}
