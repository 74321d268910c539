package watcher

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/bakewatch/bakewatch/actions"
	"github.com/bakewatch/bakewatch/actions/authority"
	"github.com/bakewatch/bakewatch/rules"
)

// tellQuestion asks: the first line says what happens and what is asked.
func tellQuestion(m *actions.Message, e tale) []actions.Audience {
	m.Level = actions.Urgent
	m.Title = headline(m, e.after, fmt.Sprintf("Answer within %s.", rules.Duration(e.after.Question.Within())))
	m.Lines = append(m.Lines, circumstances(e)...)
	m.Question = asked(e.after)
	if e.Joins == nil {
		return team
	}
	m.Lines = append(m.Lines, fmt.Sprintf("Answered together with question %d of the same release.", e.Joins.Question))
	if len(e.after.Plan.Notify.Chat) == 0 {
		return team // or nobody would hear of it
	}
	return chat // one question, not thirty
}

// headline is the first line of a question: what is to be done, until when, and what
// silence means.
func headline(m *actions.Message, w *Watch, until string) string {
	what := fmt.Sprintf("%s %s → %s (%s)?", m.Service, m.Version, w.Ruling.Target.Version, m.Environment)
	if w.Ruling.Otherwise != "" {
		what = fmt.Sprintf("%s %s (%s) cannot be rolled back: %s instead?", m.Service, m.Version, m.Environment, w.Ruling.Otherwise)
	}
	if w.Question.Veto {
		until = strings.Replace(until, "Answer", "Object", 1)
	}
	return fmt.Sprintf("%s %s Silence: %s.", what, until, silenceMeans(w))
}

// silenceMeans says what follows when nobody answers.
func silenceMeans(w *Watch) string {
	means := "nothing is rolled back"
	switch {
	case w.Question.Veto || w.Ruling.Silence() == rules.SilenceRollsBack:
		means = "it is rolled back"
	case w.Ruling.Otherwise != "":
		means = "nothing is done"
	}
	if next, more := w.Question.Next(); more {
		return next.To + " are asked as well, then " + means
	}
	return means
}

// standIns say why people are asked who are not on call.
func standIns(ruling authority.Ruling) (lines []string) {
	for _, group := range slices.Sorted(maps.Keys(ruling.StandIns)) {
		lines = append(lines, fmt.Sprintf("The fallback of %s is asked: %s.", group, ruling.StandIns[group]))
	}
	return lines
}

// circumstances are what one should know before answering.
func circumstances(e tale) (lines []string) {
	q := e.after.Question
	way, _ := e.after.Plan.RollbackFor(e.after.Deployment.Strategy)
	lines = standIns(e.after.Ruling)
	if takes := takes(way, e.ledger); takes != "" {
		lines = append(lines, takes)
	}
	who := "Nobody said who deployed: it takes one more to agree."
	if len(q.Barred) > 0 {
		who = strings.Join(q.Barred, ", ") + " deployed or wrote it and cannot vote."
	}
	return append(lines, tally(q)+" "+who)
}

// takes says how long a rollback is expected to take, and took before.
func takes(way rules.Rollback, ledger Ledger) string {
	var took []time.Duration
	for _, past := range ledger.Past {
		if past.Took > 0 {
			took = append(took, time.Duration(past.Took))
		}
	}
	text := ""
	if way.Takes > 0 {
		text = fmt.Sprintf("Takes about %s", way.Takes)
	}
	if len(took) > 0 {
		seen := fmt.Sprintf("the last %d took %s to %s", len(took), rules.Duration(slices.Min(took).Round(time.Second)), rules.Duration(slices.Max(took).Round(time.Second)))
		if len(took) == 1 {
			seen = fmt.Sprintf("the last took %s", rules.Duration(took[0].Round(time.Second)))
		}
		if text == "" {
			return strings.ToUpper(seen[:1]) + seen[1:] + "."
		}
		text += " (" + seen + ")"
	}
	if text != "" {
		text += "."
	}
	return text
}

// tally says how many have agreed of how many it takes.
func tally(q *authority.Question) string {
	if q.Veto {
		return "One objection stops it."
	}
	needs := 0
	for _, n := range q.Needs() {
		needs += n
	}
	back := 0
	for _, v := range q.Votes {
		if v.Choice == authority.RollBack {
			back++
		}
	}
	return fmt.Sprintf("%d of %d votes.", back, needs)
}

// asked is the question as a channel needs it.
func asked(w *Watch) *actions.Asked {
	q := w.Question
	deadline, _ := q.Deadline()
	a := &actions.Asked{
		Watch: w.ID(), Question: q.Seq, Veto: q.Veto, Needs: q.Needs(), Within: rules.Duration(q.Within()), Deadline: deadline,
		Else: q.Escalated(), Silence: string(w.Ruling.Silence()), Snooze: rules.Duration(snoozeOf(q)),
	}
	choices := []authority.Choice{authority.RollBack, authority.Keep}
	if q.Veto {
		a.Silence, choices = string(rules.SilenceRollsBack), []authority.Choice{authority.Keep}
	}
	if q.Looked == nil {
		choices = append(choices, authority.Looking)
	}
	if w.Joins != nil { // whoever answers here answers for all of the release
		a.Watch, a.Question = fmt.Sprint(w.Joins.Watch), w.Joins.Question
	}
	for _, choice := range choices {
		// One whole command an answer, bound to the question that was read: what is pasted is what is meant.
		a.Answers = append(a.Answers, actions.Reply{
			Choice: string(choice), Command: fmt.Sprintf("bakewatch answer %s %s --question %d", a.Watch, choice, a.Question),
		})
	}
	return a
}

// tellReminded reminds those who were asked, or asks others as well.
func tellReminded(m *actions.Message, e tale) []actions.Audience {
	q := e.after.Question
	if q == nil {
		return nil
	}
	m.Level = actions.Urgent
	deadline, runs := q.Deadline()
	left := fmt.Sprintf("Answer within %s.", rules.Duration(q.Within()))
	if runs && e.Reminder.Of != Escalated {
		left = fmt.Sprintf("Answer within %s.", rules.Duration(deadline.Sub(e.At).Round(time.Second)))
	}
	m.Title = headline(m, e.after, left)
	if e.Reminder.Of == Escalated {
		m.Lines = append(m.Lines, fmt.Sprintf("Nobody answered in time: %s may answer now, and so may those who were asked before.", e.Reminder.To))
	}
	m.Lines = append(append(m.Lines, e.after.Ruling.Why...), circumstances(e)...)
	m.Question = asked(e.after)
	return team
}

// Pages are the channels that wake the people of an open question, beside those of the
// plan: of the groups that are asked at its level.
func Pages(entries []Entry) []string {
	if len(entries) == 0 {
		return nil
	}
	w := Fold(entries[len(entries)-1].Lane, entries).Watch
	if w == nil || w.Question == nil {
		return nil
	}
	var channels []string
	for group := range w.Question.Clause.Needs {
		channels = append(channels, w.Plan.Pages[group]...)
	}
	for _, way := range w.Question.Escalated() {
		for group := range way {
			channels = append(channels, w.Plan.Pages[group]...)
		}
	}
	slices.Sort(channels)
	return slices.Compact(channels)
}

// saying is a vote in words.
var saying = map[authority.Choice]string{
	authority.RollBack: "said roll-back", authority.Keep: "said keep", authority.Withdraw: "withdrew the vote",
	authority.Looking: "is looking: there are " + rules.Duration(authority.Grace).String() + " more to answer",
}

// decidedBy is whose decision it was, in words.
var decidedBy = map[string]string{
	ByAuthority: "decided by authority", ByVotes: "decided by votes", BySilence: "decided by silence", ByCountdown: "nobody objected in time",
}

// wouldHave says what each power would have done.
var wouldHave = map[rules.Power]string{
	rules.None: "done nothing", rules.Notify: "told people", rules.Ask: "asked people", rules.Veto: "rolled back unless somebody objects", rules.Auto: "rolled back",
}
