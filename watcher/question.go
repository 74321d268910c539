package watcher

import (
	"errors"
	"fmt"
	"time"

	"github.com/bakewatch/bakewatch/actions/authority"
	"github.com/bakewatch/bakewatch/rules"
)

// By whom a decision was made.
const (
	ByAuthority = "authority" // auto
	ByVotes     = "votes"
	BySilence   = "silence"
	ByCountdown = "countdown" // veto, and nobody objected
)

// vote records a person's answer, or that it does not count and why.
func (l Lane) vote(in Input) (Entry, bool) {
	w := l.Watch
	if in.Vote == nil || w == nil {
		return Entry{}, false
	}
	err := in.Refuse
	if err == nil {
		err = w.admit(*in.Vote)
	}
	switch {
	case w.counts(*in.Vote):
		return Entry{}, false
	case err == nil:
		return Entry{Kind: Voted, Vote: in.Vote}, true
	case in.Vote.Person == "" && !w.asksIn(in.Vote.Question):
		return Entry{}, false
	}
	return w.refuse(*in.Vote, err)
}

// asksIn says whether the question with this sequence is open.
func (w *Watch) asksIn(question uint64) bool {
	return w.Question != nil && w.Question.Seq == question
}

// admit says whether the vote counts now: nil, or why not.
func (w *Watch) admit(v authority.Vote) error {
	if w.Question == nil {
		return errNotAsking
	}
	return w.Question.Admit(v)
}

var errNotAsking = errors.New("no question is open")

// counts says whether this very vote is recorded: Next is asked again with the same input.
func (w *Watch) counts(v authority.Vote) bool {
	last := w.Voted
	return last != nil && last.Question == v.Question && last.Person == v.Person && last.Choice == v.Choice && last.At.Equal(v.At)
}

// resolve ends a question: by the votes of enough people, or by silence.
func (l Lane) resolve(in Input) (Entry, bool) {
	w := l.Watch
	if w == nil || w.Question == nil || w.Rollback { // what turned out to be a rollback is ruled on anew at the next look
		return Entry{}, false
	}
	choice, agreed := w.Question.Answer()
	switch {
	case agreed && choice == authority.Keep:
		return Entry{Kind: Noted, Topic: KeptByPeople, Text: "kept: " + who(w.Question.Votes)}, true
	case agreed && in.Guards.Disarmed == "":
		return l.decide(ByVotes), true
	case agreed || !w.overdue(in.Now):
		return Entry{}, false
	}
	if next, more := w.Question.Next(); more {
		return w.reminds(Escalated, next.To), true
	}
	return l.silence(in)
}

// overdue says that the people of the question's level have had their time.
func (w *Watch) overdue(now time.Time) bool {
	deadline, runs := w.Question.Deadline()
	if !runs {
		return !now.Before(w.patience())
	}
	return !now.Before(deadline)
}

// patience is how long a question waits for its first confirmed delivery: as long
// as people have to answer and, if nobody else is to be asked, at least to the end of the bake.
func (w *Watch) patience() time.Time {
	asked := w.Question.Since.Add(w.Question.Within())
	if _, more := w.Question.Next(); more {
		return asked
	}
	if bake := w.BakeEnds(); bake.After(asked) {
		return bake
	}
	return asked
}

// unheard is why no countdown may run: its time would be over, and nobody is known to
// have been reached.
func (w *Watch) unheard(now time.Time) string {
	if q := w.Question; q != nil && q.Veto && !q.Reached && w.overdue(now) {
		return "no channel confirmed that those who may object were reached"
	}
	return w.stays(authority.UnheardCeiling)
}

// overBudget is why no more is rolled back without people.
func (w *Watch) overBudget(now string) string {
	if now != "" {
		return now
	}
	return w.stays(authority.BudgetCeiling)
}

// stays is why a ceiling that has passed still holds: what people were asked about
// because of it stays theirs, also when none of them answered.
func (w *Watch) stays(ceiling string) string {
	if w.Question == nil && !w.Silent && !w.Unheard {
		return ""
	}
	for _, c := range w.Ruling.Ceilings {
		if c.Name == ceiling {
			return c.Why
		}
	}
	return ""
}

// silence is what follows when nobody else is to be asked and nobody has answered.
// It rolls back where the plan says so, but only while the breach is seen: otherwise
// it waits for that, at most to the end of the bake.
func (l Lane) silence(in Input) (Entry, bool) {
	w := l.Watch
	q := w.Question
	by, yes := BySilence, w.Ruling.Silence() == rules.SilenceRollsBack
	if q.Veto {
		by, yes = ByCountdown, true
	}
	switch {
	case q.Veto && (!q.Reached || in.Guards != (Guards{})):
		return Entry{}, false // ruled on anew at the next look: it becomes a question
	case !q.Reached:
		return Entry{Kind: Noted, Topic: Unheard, Text: "no channel confirmed that anybody was reached: nothing is rolled back"}, true
	case !yes || in.Guards != (Guards{}) || q.Said(authority.Keep):
		return w.leftBySilence(in.Now), true
	case l.judges(in) && verdictOf(w.Ruling.Rule, in.Look.Answers) == rules.Breached:
		return l.decide(by), true
	case !l.judges(in) || in.Now.Before(w.patience()):
		return Entry{}, false
	}
	return w.leftBySilence(in.Now), true
}

// late is how long after its deadline a question may end before that is worth saying.
const late = time.Minute

// leftBySilence notes that the question has ended without an answer that counts.
func (w *Watch) leftBySilence(now time.Time) Entry {
	text := "nobody answered in time: nothing is rolled back"
	if votes := w.Question.Votes; len(votes) > 0 {
		text = "too few answered in time: " + who(votes) + "; nothing is rolled back"
	}
	if deadline, runs := w.Question.Deadline(); runs && now.Sub(deadline) >= late {
		text += fmt.Sprintf(" (told %s late: nobody was at it when the time was over)", now.Sub(deadline).Round(time.Second))
	}
	return Entry{Kind: Noted, Topic: LeftBySilence, Text: text}
}

// heals notes, once, that nothing is breached any more although the question stays.
func (w *Watch) heals() (Entry, bool) {
	if w.Healed {
		return Entry{}, false
	}
	return Entry{Kind: Noted, Topic: Healed, Text: "no rule is breached any more; the question stays open, as the plan says"}, true
}

// votesOn are the votes that count on a question.
func votesOn(q *authority.Question) []authority.Vote {
	if q == nil {
		return nil
	}
	return q.Votes
}

func (l Lane) decide(by string) Entry {
	ruling := l.Watch.Ruling
	return Entry{Kind: Decided, Ruling: &ruling, Decision: &Decision{By: by, Votes: l.Watch.Question.Votes}}
}

// who says who said what.
func who(votes []authority.Vote) string {
	text := ""
	for i, v := range votes {
		if i > 0 {
			text += ", "
		}
		text += v.Person + " said " + string(v.Choice)
		if v.Reason != "" {
			text += " (" + v.Reason + ")"
		}
	}
	return text
}
