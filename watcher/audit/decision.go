package audit

import (
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/bakewatch/bakewatch/actions/authority"
	"github.com/bakewatch/bakewatch/rules"
	"github.com/bakewatch/bakewatch/watcher"
)

// decided checks that the one decision has the authority that it claims.
func (a *Auditor) decided(w *watch, e watcher.Entry) {
	if w.decided != nil {
		a.finds(e, "was decided before, in entry %d", w.decided.Seq)
	}
	for _, ceiling := range e.Ruling.Ceilings {
		if e.Ruling.Power > ceiling.Power {
			a.finds(e, "has power %s although %s allows %s", e.Ruling.Power, ceiling.Name, ceiling.Power)
		}
	}
	switch e.Decision.By {
	case watcher.ByAuthority:
		if e.Ruling.Power != rules.Auto {
			a.finds(e, "was decided alone with power %s", e.Ruling.Power)
		}
		a.granted(w, e)
		a.breached(e)
	case watcher.ByVotes:
		a.agreed(w, e)
	case watcher.BySilence, watcher.ByCountdown:
		a.silent(w, e)
		a.breached(e)
	default:
		a.finds(e, "was decided by %q", e.Decision.By)
	}
	a.paid(w, e)
}

// granted checks that a clause of the plan lets Bakewatch decide alone.
func (a *Auditor) granted(w *watch, e watcher.Entry) {
	clauses, i := w.opened.Plan.Authorities, e.Ruling.Authority
	if i < 0 || i >= len(clauses) || clauses[i].Decide != rules.Auto {
		a.finds(e, "was decided alone, and no clause of the plan allows it")
	}
	if slices.ContainsFunc(w.opened.Plan.Policies, func(p rules.Policy) bool {
		return everywhere(p) && (p.Most < rules.Auto || len(p.Needs) > 0)
	}) {
		a.finds(e, "was decided alone against a policy for everything")
	}
}

// breached checks that what speaks is a breach, not missing data and not a wish.
func (a *Auditor) breached(e watcher.Entry) {
	if e.Ruling.NoData || e.Ruling.Begun != nil {
		a.finds(e, "was decided without people, and nothing was breached")
	}
	for _, answer := range e.Ruling.Answers {
		if answer.Rule == e.Ruling.Rule && answer.Verdict != rules.Breached {
			a.finds(e, "rule %q speaks and is %s", answer.Rule, answer.Verdict)
		}
	}
}

// agreed checks that enough different people, who were asked and had no hand in it,
// voted for it on the question that was open.
func (a *Auditor) agreed(w *watch, e watcher.Entry) {
	if w.asked == nil {
		a.finds(e, "votes decided, and nobody was asked")
		return
	}
	voters := w.voters(authority.RollBack)
	for _, way := range w.ways() {
		if seats(way, w.asked.Ruling.Groups, voters) {
			return
		}
	}
	a.finds(e, "%v agreed, which is too few of %v", voters, w.ways())
}

// voters are those whose vote for the choice stands, without those who had a hand in it.
func (w *watch) voters(choice authority.Choice) (people []string) {
	stands := map[string]authority.Choice{}
	for _, e := range w.since {
		switch {
		case e.Kind != watcher.Voted || e.Vote.Question != w.asked.Seq || e.Vote.Choice == authority.Looking:
		case e.Vote.Choice == authority.Withdraw:
			delete(stands, e.Vote.Person)
		default:
			stands[e.Vote.Person] = e.Vote.Choice
		}
	}
	for _, person := range slices.Sorted(maps.Keys(stands)) {
		if stands[person] == choice && !w.hasHand(person) {
			people = append(people, person)
		}
	}
	return people
}

func (w *watch) hasHand(person string) bool {
	return slices.ContainsFunc(w.hands, func(hand string) bool { return strings.EqualFold(hand, person) })
}

// ways are what would be enough: what the clause needs, or what any escalation does. One
// more of each group where nobody is known to have deployed.
func (w *watch) ways() (ways []map[string]int) {
	clause := w.asked.Ruling.Clause
	ways = append(ways, w.raised(clause.Needs))
	for _, escalation := range clause.Escalate[:min(w.level(), len(clause.Escalate))] {
		way := map[string]int{escalation.To: max(1, escalation.Needs)}
		for group, n := range w.policies() {
			way[group] = max(way[group], n)
		}
		ways = append(ways, w.raised(way))
	}
	return ways
}

// policies are the people whom policies for everything want. Those that match only some
// deployments are not audited.
func (w *watch) policies() map[string]int {
	needs := map[string]int{}
	for _, p := range w.opened.Plan.Policies {
		if !everywhere(p) {
			continue
		}
		for group, n := range p.Needs {
			needs[group] = max(needs[group], n)
		}
	}
	return needs
}

func everywhere(p rules.Policy) bool {
	return len(p.Services)+len(p.Environments)+len(p.Strategies)+len(p.Tier)+len(p.Labels)+len(p.Calendar) == 0
}

func (w *watch) raised(needs map[string]int) map[string]int {
	needs = maps.Clone(needs)
	for group, n := range needs {
		if len(w.hands) == 0 && n < len(w.asked.Ruling.Groups[group]) {
			needs[group]++
		}
	}
	return needs
}

// level is how often the question was escalated.
func (w *watch) level() (n int) {
	for _, e := range w.since {
		if e.Kind == watcher.Reminded && e.Reminder.Of == watcher.Escalated {
			n++
		}
	}
	return n
}

// seats says whether every seat can be given to a different person.
func seats(needs map[string]int, groups map[string][]string, people []string) bool {
	var left []string
	for _, group := range slices.Sorted(maps.Keys(needs)) {
		for range min(needs[group], len(people)+1) {
			left = append(left, group)
		}
	}
	return len(left) > 0 && sit(left, people, groups)
}

func sit(left, people []string, groups map[string][]string) bool {
	if len(left) == 0 {
		return true
	}
	for i, person := range people {
		if slices.Contains(groups[left[0]], person) && sit(left[1:], slices.Delete(slices.Clone(people), i, i+1), groups) {
			return true
		}
	}
	return false
}

// silent checks that silence may decide, that the people of the last level had their
// time, counted from when somebody was known to have heard, and that nobody said keep.
func (a *Auditor) silent(w *watch, e watcher.Entry) {
	if w.asked == nil {
		a.finds(e, "silence decided, and nobody was asked")
		return
	}
	ruling := w.asked.Ruling
	countdown := e.Decision.By == watcher.ByCountdown
	switch {
	case countdown != (ruling.Power == rules.Veto):
		a.finds(e, "was decided by %s with power %s", e.Decision.By, ruling.Power)
	case !countdown && (ruling.Clause.Silence != rules.SilenceRollsBack || ruling.Otherwise != ""):
		a.finds(e, "silence means %q", ruling.Clause.Silence)
	case !countdown && slices.ContainsFunc(ruling.Ceilings, func(c authority.Ceiling) bool { return c.Power <= rules.Ask && c.Name != "severity" }):
		a.finds(e, "silence decided what a ceiling wants people to agree on")
	case w.level() < len(ruling.Clause.Escalate):
		a.finds(e, "silence decided after %d of %d escalations", w.level(), len(ruling.Clause.Escalate))
	case len(w.voters(authority.Keep)) > 0:
		a.finds(e, "silence outvotes %v", w.voters(authority.Keep))
	}
	if over, heard := w.timeOver(); !heard {
		a.finds(e, "silence decided, and nobody is known to have heard")
	} else if e.At.Before(over) {
		a.finds(e, "silence decided %s before the time was over", over.Sub(e.At))
	}
}

// timeOver is when the time of the last level was over.
func (w *watch) timeOver() (over time.Time, heard bool) {
	within := w.asked.Ruling.Clause.Within
	level, began, told := w.asked.At, time.Time{}, w.asked.Seq
	extra := time.Duration(0)
	escalations := 0
	for _, e := range w.since {
		switch {
		case e.Kind == watcher.Reminded && e.Reminder.Of == watcher.Escalated:
			within = w.asked.Ruling.Clause.Escalate[escalations].Within
			escalations++
			level, began, told, extra = e.At, time.Time{}, e.Seq, 0
		case e.Kind == watcher.Told && e.Told.Failed == "" && e.Told.Receipt != "" && (e.Told.About == told || e.Told.About == w.asked.Seq):
			heard = true
			if e.Told.About == told && began.IsZero() {
				began = e.At
			}
		case e.Kind == watcher.Voted && e.Vote.Choice == authority.Looking && !e.Vote.At.Before(level):
			extra = authority.Grace
		}
	}
	if began.IsZero() {
		began = level
	}
	return began.Add(time.Duration(within) + extra), heard
}

// voted checks that a vote that was counted is of somebody who has one.
func (a *Auditor) voted(w *watch, e watcher.Entry) {
	if e.Kind != watcher.Voted {
		return
	}
	a.Votes++
	if w.asked == nil || e.Vote.Question != w.asked.Seq {
		a.finds(e, "counts %s for question %d, which is not open", e.Vote.Person, e.Vote.Question)
		return
	}
	asked := slices.ContainsFunc(w.ways(), func(way map[string]int) bool {
		return slices.ContainsFunc(slices.Collect(maps.Keys(way)), func(group string) bool {
			return slices.Contains(w.asked.Ruling.Groups[group], e.Vote.Person)
		})
	})
	switch {
	case !asked:
		a.finds(e, "counts %s, who was not asked", e.Vote.Person)
	case w.hasHand(e.Vote.Person):
		a.finds(e, "counts %s, who deployed or wrote it", e.Vote.Person)
	case e.Vote.Proof.Way == "" || e.Vote.Proof.Subject == "":
		a.finds(e, "counts %s, who did not show who it was", e.Vote.Person)
	}
}
