package watcher

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/bakewatch/bakewatch/rules"
)

// Rota is who is on call now, for the groups that have a schedule.
type Rota struct {
	Groups map[string][]string // the people by group; a group that is missing here is as the plan says
	// StandIns say why it is not known who is on call, by group: then the plan's people are asked.
	StandIns map[string]string
}

// over returns the people of the plan's groups with whoever is on call in their place, and
// why some groups are stood in for. Where too few of those on call could answer, since they
// are fewer than the plan needs or are barred, the plan's own people are asked.
func (r Rota) over(p rules.Plan, barred []string) (groups map[string][]string, standIns map[string]string) {
	if len(r.Groups) == 0 {
		return p.Groups, r.StandIns
	}
	groups, standIns = map[string][]string{}, map[string]string{}
	maps.Copy(groups, p.Groups)
	maps.Copy(standIns, r.StandIns)
	for group, people := range r.Groups {
		free := slices.DeleteFunc(slices.Clone(people), func(person string) bool {
			return slices.ContainsFunc(barred, func(b string) bool { return strings.EqualFold(b, person) })
		})
		if needs := mostNeeded(p, group); len(free) < needs {
			standIns[group] = tooFew(people, len(free), needs)
			continue
		}
		groups[group] = people
	}
	return groups, standIns
}

func tooFew(people []string, free, needs int) string {
	onCall := strings.Join(people, ", ")
	if len(people) > free {
		return fmt.Sprintf("on call: %s; of these %d may vote, and it needs %d", onCall, free, needs)
	}
	return fmt.Sprintf("on call: %s; it needs %d", onCall, needs)
}

// mostNeeded is how many people of the group the plan ever needs.
func mostNeeded(p rules.Plan, group string) int {
	needs := 1
	for _, a := range p.Authorities {
		needs = max(needs, a.Needs[group])
		for _, e := range a.Escalate {
			if e.To == group {
				needs = max(needs, e.Needs)
			}
		}
	}
	for _, policy := range p.Policies {
		needs = max(needs, policy.Needs[group])
	}
	return needs
}
