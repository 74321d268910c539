package configs

import (
	"fmt"
	"maps"
	"slices"

	"github.com/bakewatch/bakewatch/configs/internal/strict"
	"github.com/bakewatch/bakewatch/rules"
)

// members returns the people of a group as far as the file names them: of a schedule
// those of its fallback.
func (d *Daemon) members(group string) []string {
	if d == nil {
		return nil
	}
	if g := d.Groups[group]; g.Schedule == "" {
		return g.People
	}
	return d.Groups[d.Groups[group].Fallback].People
}

// checkNeeds checks how many people of which groups are needed; without the daemon's
// file (nil) only the numbers.
func (d *Daemon) checkNeeds(t strict.Table, needs map[string]int) {
	enough := d != nil && len(needs) > 0
	for _, group := range slices.Sorted(maps.Keys(needs)) {
		key, n := "needs."+group, needs[group]
		if n < 1 {
			t.Fail(key, fmt.Sprintf("needs.%s must be 1 or more, not %d", group, n), "")
		}
		enough = d.checkSize(t, key, "needs", group, n) && n > 0 && enough
	}
	if enough && !d.able(needs, anyone) {
		t.Fail("needs", "needs: different people are needed, and the groups share too many", "need fewer, or add people to the groups")
	}
}

func anyone(string) bool { return true }

// able says whether those of the groups' people who count are as many as are needed.
func (d *Daemon) able(needs map[string]int, counts func(string) bool) bool {
	groups := map[string][]string{}
	for group := range needs {
		groups[group] = d.members(group)
	}
	return rules.Quorum(needs, groups, counts)
}

// checkSize checks that there is the group, and that it has so many people.
func (d *Daemon) checkSize(t strict.Table, key, what, name string, n int) bool {
	if d == nil {
		return false
	}
	group, known := d.Groups[name]
	has := len(d.members(name))
	switch {
	case !known:
		t.Fail(key, fmt.Sprintf("%s: there is no [group.%s] in the daemon's file", what, strict.Shorten(name)),
			strict.Guess(name, slices.Sorted(maps.Keys(d.Groups))))
	case n > has && group.Schedule != "":
		t.Fail(key, fmt.Sprintf("%s: %d of %s are needed, and [group.%s], who are asked when nobody is on call, has %d", what, n, name, group.Fallback, has), "need fewer, or add people to it")
	case n > has:
		t.Fail(key, fmt.Sprintf("%s: %d of %s are needed, and [group.%s] has %d", what, n, name, name, has), "need fewer, or add people to it")
	default:
		return true
	}
	return false
}

// checkObjectors checks who may object to a countdown: one of them is enough.
func (d *Daemon) checkObjectors(t strict.Table, needs map[string]int) {
	for _, group := range slices.Sorted(maps.Keys(needs)) {
		key := "needs." + group
		if needs[group] != 1 {
			t.Fail(key, fmt.Sprintf("needs.%s must be 1 with decide = \"veto\", not %d", group, needs[group]), "anyone of the group may object, and one is enough")
		}
		d.checkSize(t, key, "needs", group, 1)
	}
}

// waysOf lists what is enough to answer, each by itself: of a question what it needs,
// or those that it is escalated to; of a countdown anyone.
func waysOf(a rules.Authority) (ways []map[string]int) {
	if a.Decide == rules.Veto {
		for group := range a.Needs {
			ways = append(ways, map[string]int{group: 1})
		}
		return ways
	}
	ways = append(ways, a.Needs)
	for _, e := range a.Escalate {
		ways = append(ways, map[string]int{e.To: e.Needs})
	}
	return ways
}

// checkSpare warns where one who deployed, and therefore has no vote, would be missed.
func (d *Daemon) checkSpare(t strict.Table, a rules.Authority) {
	people, ways := map[string]bool{}, waysOf(a)
	for _, way := range ways {
		for group := range way {
			for _, person := range d.members(group) {
				people[person] = true
			}
		}
	}
	var missed []string
	for _, person := range slices.Sorted(maps.Keys(people)) {
		others := func(other string) bool { return other != person }
		if !slices.ContainsFunc(ways, func(way map[string]int) bool { return d.able(way, others) }) {
			missed = append(missed, person)
		}
	}
	if len(missed) > 0 {
		t.Warn("needs", fmt.Sprintf("needs: when %s deployed, too few are left who may vote, and people are only told", list(missed, "or")),
			"need fewer, or add people to the groups")
	}
}
