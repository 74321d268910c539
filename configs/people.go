package configs

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"

	"github.com/bakewatch/bakewatch/configs/internal/strict"
	"github.com/bakewatch/bakewatch/rules"
)

// loadPeople checks groups and persons.
func (d *Daemon) loadPeople(root strict.Table) {
	groups := root.Named("group")
	for name, t := range groups {
		d.checkGroup(t, name)
	}
	persons := root.Named("person")
	for name, t := range persons {
		d.checkPerson(t, name)
	}
	d.checkLogins(persons)
	d.checkProofs(persons)
}

func (d *Daemon) checkGroup(t strict.Table, name string) {
	g := d.Groups[name]
	d.checkMembers(t, g)
	notEmpty(t, "page")
	d.checkChannels(t, rules.Notification{Page: g.Page})
	if !t.Has("schedule") {
		if t.Has("fallback") {
			t.Fail("fallback", "fallback is for a group with a schedule", "remove it, or name who may be asked in people")
		}
		return
	}
	d.checkSchedule(t, g.Schedule)
	switch other, known := d.Groups[g.Fallback]; {
	case !t.Has("fallback"):
		t.Fail("schedule", "a schedule needs a fallback", "name the group to ask when nobody is known to be on call: fallback = …")
	case !known:
		t.Fail("fallback", fmt.Sprintf("fallback: there is no [group.%s]", strict.Shorten(g.Fallback)), strict.Guess(g.Fallback, slices.Sorted(maps.Keys(d.Groups))))
	case other.Schedule != "" || g.Fallback == name:
		t.Fail("fallback", fmt.Sprintf("fallback: [group.%s] has a schedule itself", g.Fallback), "name a group of people")
	}
}

func (d *Daemon) checkMembers(t strict.Table, g Group) {
	switch scheduled := t.Has("schedule"); {
	case scheduled && t.Has("people"):
		t.Fail("people", "people and schedule exclude each other", "keep one of them; a group of people may be the schedule's fallback")
	case !scheduled && len(g.People) == 0:
		t.Fail("people", "there are no people", `write people = ["ana", "ben"]`)
	}
	for i, person := range g.People {
		key, same := fmt.Sprintf("people.%d", i), func(other string) bool { return strings.EqualFold(other, person) }
		switch _, known := d.People[person]; {
		case strings.TrimSpace(person) == "" || slices.ContainsFunc(g.People[:i], same):
			t.Fail(key, fmt.Sprintf("people: %q is empty or named twice", strict.Shorten(person)), "name each person once")
		case !known && d.Trust.Signed():
			t.Fail(key, fmt.Sprintf("people: %q could not vote: votes must be signed, and there is no [person.%s]", strict.Shorten(person), strict.Shorten(person)),
				"write how they prove who they are, such as nkeys")
		}
	}
}

func (d *Daemon) checkPerson(t strict.Table, name string) {
	p := d.People[name]
	if len(proofsOf(name, p)) == 0 {
		t.Fail("", "accepts no proof", "write nkeys, basic, oidc, slack, pagerduty, link or local")
	}
	for i, key := range p.NKeys {
		checkNKey(t, fmt.Sprintf("nkeys.%d", i), key)
	}
	for key, id := range map[string]string{"slack": p.Slack, "pagerduty": p.PagerDuty} {
		if t.Has(key) && !ids.MatchString(id) {
			t.Fail(key, fmt.Sprintf("%s: %q is no id", key, strict.Shorten(id)), "not the name but the id of the user there, such as U024BE7LH")
		}
	}
	if p.Basic != "" && d.HTTP.WebConfigFile == "" {
		t.Warn("basic", "basic: nobody can log in so: there is no web_config_file in [http]", "set it, or accept another proof")
	}
	if !d.asked(name, p) {
		t.Warn("", "is in no group: nobody asks them", "name them in [group.NAME] people, or remove this")
	}
}

// ids are ids of users, which no name of a user looks like.
var ids = regexp.MustCompile(`^[A-Z0-9]{5,}$`)

// asked says whether the person may be in any group: in one of people, or on call.
func (d *Daemon) asked(name string, p rules.Person) bool {
	for _, g := range d.Groups {
		if slices.Contains(g.People, name) || g.Schedule != "" && p.PagerDuty != "" {
			return true
		}
	}
	return false
}

// proof is one way in which somebody is recognized, and its key in the file.
type proof struct{ key, way, subject string }

func proofsOf(name string, p rules.Person) []proof {
	var all []proof
	for i, key := range p.NKeys {
		all = append(all, proof{fmt.Sprintf("nkeys.%d", i), "nkeys", key})
	}
	for _, one := range []proof{
		{"basic", "basic", p.Basic}, {"oidc", "oidc", p.OIDC}, {"slack", "slack", p.Slack}, {"pagerduty", "pagerduty", p.PagerDuty},
	} {
		if one.subject != "" {
			all = append(all, one)
		}
	}
	if p.Link {
		all = append(all, proof{"link", "link", name})
	}
	if p.Local {
		all = append(all, proof{"local", "local", name})
	}
	return all
}

// checkProofs refuses a proof that stands for two people: it would stand for nobody.
func (d *Daemon) checkProofs(persons map[string]strict.Table) {
	type means struct{ way, subject string }
	owners := map[means]string{}
	for _, name := range slices.Sorted(maps.Keys(persons)) {
		for _, p := range proofsOf(name, d.People[name]) {
			owner, taken := owners[means{p.way, p.subject}]
			if taken {
				persons[name].Fail(p.key, fmt.Sprintf("%s: it stands for %s already", p.way, owner), "each proof speaks for one person")
			}
			owners[means{p.way, p.subject}] = name
		}
	}
}
