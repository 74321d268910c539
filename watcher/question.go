package watcher

import (
	"errors"
	"fmt"
	"slices"
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

// defaultSnooze is how long people who said keep are not asked about the same again,
// where the clause does not say.
const defaultSnooze = 30 * time.Minute

// maxRefused bounds how many refused votes on one question are written down: whoever
// forges them must not fill the journal.
const maxRefused = 50

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
	case w.refused(*in.Vote, err.Error()) || len(w.Refused) >= maxRefused:
		return Entry{}, false
	}
	return Entry{Kind: Noted, Topic: Refused, Vote: in.Vote, Text: err.Error()}, true
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

// refused says whether the same was refused for the same reason before.
func (w *Watch) refused(v authority.Vote, why string) bool {
	return slices.ContainsFunc(w.Refused, func(r Refusal) bool {
		return r.Vote.Person == v.Person && r.Vote.Proof == v.Proof && r.Vote.Choice == v.Choice && r.Why == why
	})
}

// wish asks, at a person's wish, whether to roll back: the same authority decides as
// over a breach.
func (l Lane) wish(in Input) (Entry, bool) {
	if in.Begin == nil {
		return Entry{}, false
	}
	ruling, err := l.wished(in)
	return Entry{Kind: Ruled, Ruling: &ruling}, err == nil
}

// Askable says why a person's wish to roll back is not even asked about; nil: it is.
func (l Lane) Askable(in Input) error {
	_, err := l.wished(in)
	return err
}

// wished is the ruling on a person's wish, or why there is none.
func (l Lane) wished(in Input) (authority.Ruling, error) {
	w := l.Watch
	switch {
	case l.Aside != "":
		return authority.Ruling{}, fmt.Errorf("%w: lane %s is set aside: %s", ErrRefused, l.ID, l.Aside)
	case w == nil:
		return authority.Ruling{}, fmt.Errorf("%w: no watch of %s is open", ErrRefused, l.ID)
	case w.Decision != nil:
		return authority.Ruling{}, fmt.Errorf("%w: the watch of %s is %s", ErrRefused, l.ID, w.Phase())
	case w.Question != nil:
		return authority.Ruling{}, fmt.Errorf("%w: people are asked already, in question %d: answer that", ErrRefused, w.Question.Seq)
	}
	c := l.caseOf(in, nil)
	c.Begun = &authority.Begun{By: in.Begin.By, Reason: in.Begin.Reason, At: in.Now}
	ruling := authority.Decide(c)
	ruling.Answers = w.Answers
	if ruling.Power >= rules.Ask {
		return ruling, nil
	}
	err := fmt.Errorf("%w: nobody may be asked to roll %s back", ErrRefused, l.ID)
	for _, ceiling := range ruling.Ceilings {
		if ceiling.Power < rules.Ask {
			err = fmt.Errorf("%w: %s", err, ceiling.Why)
		}
	}
	return ruling, err
}

// wrong records that a breach was a false alarm.
func (l Lane) wrong(in Input) (Entry, bool) {
	if in.Wrong == nil || l.Ledger.wrong(in.Wrong.Watch) || l.Watch != nil && l.Watch.Seq == in.Wrong.Watch {
		return Entry{}, false
	}
	text := fmt.Sprintf("%s says that watch %d was a false alarm: %s", in.Wrong.By, in.Wrong.Watch, in.Wrong.Reason)
	return Entry{Kind: Noted, Topic: Wrong, About: in.Wrong.Watch, Text: text}, true
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

// remind reminds the people of an open question: once at half of their time, and once
// in its last minute. Very short times need no reminder.
func (l Lane) remind(in Input) (Entry, bool) {
	w := l.Watch
	if w == nil || w.Question == nil {
		return Entry{}, false
	}
	began, _ := w.Question.Began()
	deadline, runs := w.Question.Deadline()
	whole := deadline.Sub(began)
	switch {
	case !runs || !in.Now.Before(deadline):
		return Entry{}, false
	case whole > 2*time.Minute && deadline.Sub(in.Now) <= time.Minute:
		return w.reminds(LastMinute, ""), !w.wasReminded(LastMinute)
	case whole >= time.Minute && in.Now.Sub(began) >= whole/2:
		return w.reminds(HalfTime, ""), !w.wasReminded(HalfTime)
	}
	return Entry{}, false
}

func (w *Watch) reminds(of Occasion, to string) Entry {
	return Entry{Kind: Reminded, Reminder: &Reminder{Question: w.Question.Seq, Of: of, Level: w.Question.Level, To: to}}
}

// wasReminded says whether those of the question's level were reminded of this.
func (w *Watch) wasReminded(of Occasion) bool {
	return slices.ContainsFunc(w.Reminded, func(r Reminder) bool { return r.Of == of && r.Level == w.Question.Level })
}

// votesOn are the votes that count on a question.
func votesOn(q *authority.Question) []authority.Vote {
	if q == nil {
		return nil
	}
	return q.Votes
}

func snoozeOf(q *authority.Question) time.Duration {
	if q == nil || q.Clause.Snooze <= 0 {
		return defaultSnooze
	}
	return time.Duration(q.Clause.Snooze)
}

// snoozes says that people said keep not long ago, and nothing new speaks: what they
// kept is neither asked about again nor decided over their heads, unless it has become
// clearly worse.
func (w *Watch) snoozes(ruling authority.Ruling, now time.Time) bool {
	kept := w.Question == nil && !w.Kept.IsZero() && now.Before(w.Kept.Add(w.KeptFor))
	switch {
	case !kept:
		return false
	case ruling.Rule == "":
		return true
	}
	return slices.Contains(w.Ruling.Blamed, ruling.Rule) && !w.clearlyWorse(ruling)
}

// muchWorse is how many times as high a share, or a value, is clearly worse than what people kept.
const muchWorse = 2

// clearlyWorse says whether the rule that speaks has more than doubled since people said keep.
func (w *Watch) clearlyWorse(ruling authority.Ruling) bool {
	before, known := amount(ruling.Rule, w.KeptAt)
	now, seen := amount(ruling.Rule, ruling.Answers)
	return known && seen && before > 0 && now > muchWorse*before
}

// amount returns how bad it is by the rule: its share of bad events, or else its value.
func amount(rule string, answers []rules.Answer) (float64, bool) {
	for _, a := range answers {
		switch {
		case a.Rule != rule:
		case a.Total > 0 && a.Bad > 0:
			return a.Bad / a.Total, true
		case a.Value != nil:
			return *a.Value, true
		}
	}
	return 0, false
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
