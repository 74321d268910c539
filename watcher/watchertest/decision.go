package watchertest

import (
	"slices"
	"time"

	"github.com/bakewatch/bakewatch/actions/authority"
	"github.com/bakewatch/bakewatch/rules"
	"github.com/bakewatch/bakewatch/watcher"
)

// decided checks the one decision of a watch: what was known, and who made it.
func (c *checker) decided(w *watch, e watcher.Entry) {
	r, d := e.Ruling, w.opened.Deployment
	if r == nil || e.Decision == nil {
		c.breaks(i4, e, "has no ruling, or does not say who decided")
		return
	}
	switch {
	case w.opened.Rollback:
		c.breaks(i5, e, "%s is itself a rollback", d.Version)
	case slices.Contains(w.bad, r.Target.Version):
		c.breaks(i5, e, "%s is in quarantine", r.Target.Version)
	case r.Target.Version == "" || r.Target.Version == d.Version:
		c.breaks(i4, e, "its target is %q", r.Target.Version)
	}
	switch e.Decision.By {
	case "authority":
		if r.Power != rules.Auto {
			c.breaks(i4, e, "was made with power %s", r.Power)
		}
		c.breached(e)
	case "silence":
		c.breached(e)
		c.silent(w, e)
	case "votes":
		c.voted(w, e)
	default:
		c.breaks(i4, e, "was decided by %q", e.Decision.By)
	}
}

// breached checks that the rule that speaks is breached: not blind, not without data.
func (c *checker) breached(e watcher.Entry) {
	for _, a := range e.Ruling.Answers {
		if a.Rule != e.Ruling.Rule {
			continue
		}
		if a.Verdict != rules.Breached || e.Ruling.NoData {
			c.breaks(i4, e, "rule %q speaks and is %s", a.Rule, a.Verdict)
		}
		if a.Why == "" || len(e.Ruling.Why) == 0 {
			c.breaks(i4, e, "rule %q does not say why", a.Rule)
		}
		return
	}
	c.breaks(i4, e, "rule %q speaks and has no answer", e.Ruling.Rule)
}

// question returns the last question that the watch asked.
func (w *watch) question() (watcher.Entry, bool) {
	for _, e := range slices.Backward(w.of[watcher.Ruled]) {
		if e.Ruling.Power == rules.Ask {
			return e, true
		}
	}
	return watcher.Entry{}, false
}

// silent checks that people were reached and had their time.
func (c *checker) silent(w *watch, e watcher.Entry) {
	asked, ok := w.question()
	if !ok || asked.Ruling.Clause.Silence != rules.SilenceRollsBack {
		c.breaks(i4, e, "silence decided what it was not asked")
		return
	}
	for _, told := range w.of[watcher.Told] {
		if told.Told.About == asked.Seq && told.Told.Failed == "" {
			if e.At.Before(told.At.Add(time.Duration(asked.Ruling.Clause.Within))) {
				c.breaks(i4, e, "people had not the time that they were promised")
			}
			return
		}
	}
	c.breaks(i4, e, "silence decided, though nobody was reached")
}

// voted checks that enough people of the groups asked, and none who deployed, voted
// for it on the question that was open.
func (c *checker) voted(w *watch, e watcher.Entry) {
	asked, ok := w.question()
	if !ok {
		c.breaks(i4, e, "nobody was asked")
		return
	}
	people := map[string]bool{}
	for _, v := range w.of[watcher.Voted] {
		if v.Vote.Question == asked.Seq && v.Vote.Choice == authority.RollBack {
			people[v.Vote.Person] = true
		}
	}
	d := w.opened.Deployment
	for _, person := range append(slices.Clone(d.Authors), d.By) {
		delete(people, person)
	}
	for group, needed := range asked.Ruling.Clause.Needs {
		for _, person := range w.opened.Plan.Groups[group] {
			if people[person] {
				needed--
			}
		}
		if needed > 0 {
			c.breaks(i4, e, "%d more of %q had to agree", needed, group)
		}
	}
}
