package configs

import (
	"fmt"
	"maps"
	"slices"

	"github.com/bakewatch/bakewatch/configs/internal/strict"
	"github.com/bakewatch/bakewatch/rules"
)

func authorityDefaults() rules.Authority {
	return rules.Authority{Withdraw: true, Snooze: minutes(30)}
}

func (l *loader) loadAuthorities() {
	for _, t := range l.root.List("authority") {
		a := authorityDefaults()
		t.Decode(&a)
		for _, key := range []string{"severity", "environments", "strategies", "tier", "calendar", "rules", "deployers", "attribution"} {
			notEmpty(t, key)
		}
		l.checkDecide(t, &a)
		l.checkRuleNames(t, a.Rules)
		if l.daemon != nil {
			l.daemon.checkCalendars(t, a.Calendar)
		}
		l.checkMatchable(t, a)
		l.plan.Authorities = append(l.plan.Authorities, a)
	}
}

// meaningful are the keys that mean something, by what is decided.
var meaningful = map[rules.Power][]string{
	rules.Ask:  {"needs", "within", "escalate", "silence", "withdraw", "snooze"},
	rules.Veto: {"needs", "within", "withdraw", "snooze"},
}

// checkDecide checks the power, and what goes with it.
func (l *loader) checkDecide(t strict.Table, a *rules.Authority) {
	if a.Decide == rules.None {
		l.undecided(t)
		return
	}
	for _, key := range meaningful[rules.Ask] {
		if t.Has(key) && !slices.Contains(meaningful[a.Decide], key) {
			hint := `remove it, or set decide = "ask"`
			if key == "silence" && a.Decide == rules.Veto {
				hint = "remove it: when nobody objects in time it is rolled back"
			}
			t.Fail(key, fmt.Sprintf("%s has no meaning with decide = %q", key, a.Decide), hint)
		}
	}
	if a.Decide > rules.Ask {
		l.checkTrust(t, a.Decide)
	}
	if meaningful[a.Decide] == nil {
		a.Withdraw, a.Snooze = false, 0
		return
	}
	before := t.Errors()
	l.checkQuestion(t, a)
	if l.daemon != nil && t.Errors() == before {
		l.daemon.checkSpare(t, *a)
	}
}

func (l *loader) undecided(t strict.Table) {
	if t.Has("decide") {
		t.Fail("decide", "decide must be "+strict.Words(rules.None.Words()), `to only record what would be done, set mode = "shadow"`)
		return
	}
	t.Fail("decide", "decide is required", strict.Words(rules.None.Words()))
}

// checkTrust refuses what needs no person's word where anyone on the network could announce.
func (l *loader) checkTrust(t strict.Table, decide rules.Power) {
	if l.daemon == nil || !l.daemon.open() {
		return
	}
	t.Fail("decide", fmt.Sprintf("decide = %q on an external NATS whose messages are not signed", decide),
		"write [trust] required = true in the daemon's file to have them signed, or required = false if everyone who may publish there is trusted")
}

// checkQuestion checks who is asked, or may object, and for how long.
func (l *loader) checkQuestion(t strict.Table, a *rules.Authority) {
	if len(a.Needs) == 0 {
		t.Fail("needs", fmt.Sprintf("needs is required for %s", a.Decide), "such as needs = { oncall = 1 }")
	}
	if !t.Has("within") {
		t.Fail("within", fmt.Sprintf("within is required for %s", a.Decide), `how long people have, such as "15m"`)
	} else {
		positive(t, map[string]rules.Duration{"within": a.Within})
	}
	positive(t, map[string]rules.Duration{"snooze": a.Snooze})
	if a.Decide == rules.Veto {
		l.daemon.checkObjectors(t, a.Needs)
		return
	}
	l.daemon.checkNeeds(t, a.Needs)
	l.checkPolicies(t, a.Needs)
	if a.Silence == "" {
		t.Fail("silence", "silence is required for ask", `"keep" or "roll-back": what it means that nobody answers`)
	}
	l.checkEscalate(t, a)
}

// checkPolicies warns where a policy needs more people than there are together with
// those of the question.
func (l *loader) checkPolicies(t strict.Table, needs map[string]int) {
	if l.daemon == nil || t.Errors() > 0 {
		return
	}
	for _, policy := range l.daemon.Policies {
		if len(policy.Needs) == 0 || !meets(policy, l.plan) {
			continue
		}
		together := maps.Clone(needs)
		for group, n := range policy.Needs {
			put(&together, group, max(n, needs[group]))
		}
		if !l.daemon.able(together, anyone) {
			t.Warn("needs", fmt.Sprintf("needs: with those whom policy %q needs as well there are too few different people, and people are only told", policy.Name),
				"need fewer, or add people to the groups")
		}
	}
}

func (l *loader) checkEscalate(t strict.Table, a *rules.Authority) {
	notEmpty(t, "escalate")
	asked, written := maps.Clone(a.Needs), t.List("escalate")
	for i := range a.Escalate {
		e, key := &a.Escalate[i], fmt.Sprintf("escalate.%d", i)
		if i < len(written) && !written[i].Has("needs") {
			e.Needs = 1
		}
		l.checkLevel(t, key, *e, asked)
		put(&asked, e.To, e.Needs)
	}
}

// checkLevel checks one step of an escalation, after those who were asked before.
func (l *loader) checkLevel(t strict.Table, key string, e rules.Escalation, asked map[string]int) {
	if e.Within <= 0 {
		t.Fail(key, "escalate: within is required", `how long they have, such as "15m"`)
	}
	before, again := asked[e.To]
	switch {
	case e.To == "":
		t.Fail(key, "escalate: to is required", "the group that is asked next")
	case e.Needs < 1:
		t.Fail(key+".needs", fmt.Sprintf("escalate: needs must be 1 or more, not %d", e.Needs), "")
	case !l.daemon.checkSize(t, key+".to", "escalate", e.To, e.Needs):
	case again && before <= e.Needs:
		t.Warn(key+".to", fmt.Sprintf("escalate: %s is asked already", e.To), "name another group, or need fewer of it")
	}
}

func (l *loader) checkRuleNames(t strict.Table, names []string) {
	var known []string
	for _, spec := range l.plan.Rules {
		known = append(known, spec.Name)
	}
	for i, name := range names {
		if !slices.Contains(known, name) && !l.brokenRule(name) {
			t.Fail(fmt.Sprintf("rules.%d", i), fmt.Sprintf("rules: there is no rule called %q", strict.Shorten(name)), strict.Guess(name, known))
		}
	}
}

// brokenRule says whether a rule of this name is written, though it could not be read.
func (l *loader) brokenRule(name string) bool {
	return slices.ContainsFunc(l.root.List("rule"), func(t strict.Table) bool {
		return t.String("name") == name || !t.Has("name") && t.String("kind") == name
	})
}

// checkReach refuses a plan of which nobody would hear.
func (l *loader) checkReach() {
	if l.daemon != nil {
		l.daemon.checkChannels(l.root.Table("notify"), l.plan.Notify)
	}
	asks := slices.ContainsFunc(l.plan.Authorities, func(a rules.Authority) bool { return len(a.Needs) > 0 })
	acts := slices.ContainsFunc(l.plan.Authorities, func(a rules.Authority) bool { return a.Decide >= rules.Ask })
	deaf := deaf(l.plan.Notify) && len(l.plan.Pages) == 0
	switch {
	case deaf && !asks:
		l.root.Fail("notify", "the plan reaches nobody: no authority names people, and no channel hears of it",
			`write [notify] chat = ["log"], or a channel of the daemon's file`)
	case deaf:
		l.root.Warn("", "people are asked, but no channel tells them: only the command line shows the question", `add page = […] to [notify]`)
	case l.unconfirmed():
		l.root.Warn("", "a countdown is meant to roll back, but the log confirms nothing: it never begins", `add a channel that people read to [notify], or page to their [group.NAME]`)
	}
	if acts && len(l.plan.Rollbacks) == 0 && !l.root.Has("rollback") {
		l.root.Warn("", "an authority may roll back, but there is no [[rollback]]: people are told, nothing more", "add a [[rollback]]")
	}
	if s := l.plan.Select; s.Version == "" && s.Join == nil && len(s.Slots) == 0 && l.root.Errors() == 0 {
		l.root.Warn("select", "versions cannot be told apart: rules judge the whole service, old and new version together",
			"name the label in [select] version, or use join or slots")
	}
}

// unconfirmed says whether silence is meant to roll back, though no channel could
// confirm that anybody was reached.
func (l *loader) unconfirmed() bool {
	silent := slices.ContainsFunc(l.plan.Authorities, func(a rules.Authority) bool {
		return a.Decide == rules.Veto || a.Silence == rules.SilenceRollsBack
	})
	if !silent || l.daemon == nil {
		return false
	}
	heard := slices.Concat(l.plan.Notify.Page, l.plan.Notify.Chat)
	for _, page := range l.plan.Pages {
		heard = append(heard, page...)
	}
	return !slices.ContainsFunc(heard, func(channel string) bool { return l.daemon.Channels[channel].Kind.Name != LogChannel })
}

func deaf(n rules.Notification) bool {
	return len(n.Page)+len(n.Chat)+len(n.Stakeholders) == 0
}
