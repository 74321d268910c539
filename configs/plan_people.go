package configs

import (
	"fmt"
	"maps"
	"slices"

	"github.com/bakewatch/bakewatch/configs/internal/strict"
	"github.com/bakewatch/bakewatch/rules"
)

func rollbackDefaults() rules.Rollback {
	return rules.Rollback{Target: rules.LastPassed, Timeout: minutes(5), Verify: minutes(10)}
}

func (l *loader) loadRollbacks() {
	for _, t := range l.root.List("rollback") {
		file := rollbackFile{Rollback: rollbackDefaults()}
		t.Decode(&file)
		notEmpty(t, "strategies")
		positive(t, map[string]rules.Duration{"timeout": file.Timeout, "verify": file.Verify})
		if t.Has("takes") && file.Takes <= 0 {
			t.Fail("takes", "takes must be longer than nothing", "")
		}
		if file.Runbook != "" && !webAddress(file.Runbook) {
			t.Fail("runbook", "runbook must be an http or https address", "")
		}
		l.checkUse(t, file.Use)
		for i, earlier := range l.plan.Rollbacks {
			if covers(earlier.Strategies, file.Strategies) {
				t.Warn("", fmt.Sprintf("never used: rollback %d matches every strategy that this one does", i+1), "put the narrower one first")
				break
			}
		}
		l.plan.Rollbacks = append(l.plan.Rollbacks, file.Rollback)
	}
}

// checkUse checks the executor, and what the plan tells it.
func (l *loader) checkUse(t strict.Table, use string) {
	if use == "" {
		t.Fail("use", "use is required", "an [executor.NAME] of the daemon's file")
		return
	}
	if l.daemon == nil {
		return
	}
	tool, known := l.daemon.Executors[use]
	if !known {
		t.Fail("use", fmt.Sprintf("use: there is no [executor.%s] in the daemon's file", strict.Shorten(use)),
			strict.Guess(use, slices.Sorted(maps.Keys(l.daemon.Executors))))
		return
	}
	if tool.Kind.With == nil {
		if t.Has("with") {
			t.Fail("with", fmt.Sprintf("with: an executor of kind %q takes none", tool.Kind.Name), "remove it")
		}
		return
	}
	options, with := tool.Kind.With(), t.Table("with")
	with.Decode(options)
	with.Blame(options.Check())
}

func (l *loader) loadAuthorities() {
	for _, t := range l.root.List("authority") {
		var file authorityFile
		t.Decode(&file)
		for _, key := range []string{"severity", "environments", "strategies", "tier", "rules", "deployers", "attribution"} {
			notEmpty(t, key)
		}
		l.checkDecide(t, file.Authority)
		l.checkRuleNames(t, file.Rules)
		l.checkMatchable(t, file.Authority)
		l.plan.Authorities = append(l.plan.Authorities, file.Authority)
	}
}

// checkDecide checks the power, and what goes with it.
func (l *loader) checkDecide(t strict.Table, a rules.Authority) {
	switch a.Decide {
	case rules.Ask:
		l.checkNeeds(t, a)
		if a.Within <= 0 {
			t.Fail("within", "within is required for ask", `how long people have, such as "15m"`)
		}
		if a.Silence == "" {
			t.Fail("silence", "silence is required for ask", `"keep" or "roll-back": what it means that nobody answers`)
		}
		return
	case rules.Auto:
		l.checkTrust(t)
	case rules.Veto:
		t.NotYet("decide", `decide = "veto"`)
		return
	case rules.None:
		if t.Has("decide") {
			t.Fail("decide", `decide must be "notify", "ask" or "auto"`, `to only record what would be done, set mode = "shadow"`)
		} else {
			t.Fail("decide", "decide is required", `"notify", "ask" or "auto"`)
		}
		return
	case rules.Notify:
	}
	for _, key := range []string{"needs", "within", "silence"} {
		if t.Has(key) {
			t.Fail(key, fmt.Sprintf("%s has no meaning with decide = %q", key, a.Decide), `remove it, or set decide = "ask"`)
		}
	}
}

// checkTrust refuses auto where anyone on the network could announce.
func (l *loader) checkTrust(t strict.Table) {
	if l.daemon == nil || !l.daemon.open() {
		return
	}
	t.Fail("decide", `decide = "auto" on an external NATS whose messages are not signed`,
		"write [trust] required = true in the daemon's file and have messages signed, or [trust] required = false if everyone who may publish there is trusted")
}

func (l *loader) checkNeeds(t strict.Table, a rules.Authority) {
	switch {
	case len(a.Needs) == 0:
		t.Fail("needs", "needs is required for ask", "such as needs = { oncall = 1 }")
		return
	case len(a.Needs) > 1:
		t.NotYet("needs", "needs with more than one group")
	}
	for _, group := range slices.Sorted(maps.Keys(a.Needs)) {
		if n := a.Needs[group]; n < 1 {
			t.Fail("needs."+group, fmt.Sprintf("needs.%s must be 1, not %d", group, n), "")
		} else if n > 1 {
			t.NotYet("needs."+group, fmt.Sprintf("needs.%s = %d", group, n))
		}
		l.checkGroup(t, group)
	}
}

func (l *loader) checkGroup(t strict.Table, name string) {
	if l.daemon == nil {
		return
	}
	group, known := l.daemon.Groups[name]
	if !known {
		t.Fail("needs."+name, fmt.Sprintf("needs: there is no [group.%s] in the daemon's file", strict.Shorten(name)),
			strict.Guess(name, slices.Sorted(maps.Keys(l.daemon.Groups))))
		return
	}
	l.plan.Groups[name] = group.People
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
	deaf := deaf(l.plan.Notify)
	switch {
	case deaf && !asks:
		l.root.Fail("notify", "the plan reaches nobody: no authority names people, and no channel hears of it",
			`write [notify] chat = ["log"], or a channel of the daemon's file`)
	case deaf:
		l.root.Warn("", "people are asked, but no channel tells them: only the command line shows the question", `add page = […] to [notify]`)
	}
	if acts && len(l.plan.Rollbacks) == 0 && !l.root.Has("rollback") {
		l.root.Warn("", "an authority may roll back, but there is no [[rollback]]: people are told, nothing more", "add a [[rollback]]")
	}
	if s := l.plan.Select; s.Version == "" && s.Join == nil && len(s.Slots) == 0 && l.root.Errors() == 0 {
		l.root.Warn("select", "versions cannot be told apart: rules judge the whole service, old and new version together",
			"name the label in [select] version, or use join or slots")
	}
}

func deaf(n rules.Notification) bool {
	return len(n.Page)+len(n.Chat)+len(n.Stakeholders) == 0
}
