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
	enough := true
	for _, group := range slices.Sorted(maps.Keys(needs)) {
		key, n := "needs."+group, needs[group]
		if n < 1 {
			t.Fail(key, fmt.Sprintf("needs.%s must be 1 or more, not %d", group, n), "")
		}
		enough = n > 0 && d.checkSize(t, key, "needs", group, n) && enough
	}
	if enough && len(needs) > 0 {
		d.checkSpare(t, "needs", "needs", needs)
	}
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
	var people []string
	known := d != nil
	for _, group := range slices.Sorted(maps.Keys(needs)) {
		key := "needs." + group
		if needs[group] != 1 {
			t.Fail(key, fmt.Sprintf("needs.%s must be 1 with decide = \"veto\", not %d", group, needs[group]), "anyone of the group may object, and one is enough")
		}
		known = d.checkSize(t, key, "needs", group, 1) && known
		people = append(people, d.members(group)...)
	}
	slices.Sort(people)
	if known && len(slices.Compact(people)) == 1 {
		t.Warn("needs", fmt.Sprintf("needs: when %s deployed, nobody is left who may object, and people are only told", people[0]), "add people to the groups")
	}
}

// checkSpare checks that there are enough different people, and warns where one who
// deployed, and therefore has no vote, would be missed.
func (d *Daemon) checkSpare(t strict.Table, key, what string, needs map[string]int) {
	groups, all := map[string][]string{}, map[string]bool{}
	for name := range needs {
		groups[name] = d.members(name)
		for _, person := range groups[name] {
			all[person] = true
		}
	}
	if !rules.Quorum(needs, groups) {
		t.Fail(key, what+": different people are needed, and the groups share too many", "need fewer, or add people to the groups")
		return
	}
	var missed []string
	for _, person := range slices.Sorted(maps.Keys(all)) {
		if !rules.Quorum(needs, groups, person) {
			missed = append(missed, person)
		}
	}
	if len(missed) > 0 {
		t.Warn(key, fmt.Sprintf("%s: when %s deployed, too few are left who may vote, and people are only told", what, list(missed, "or")),
			"need fewer, or add people to the groups")
	}
}
