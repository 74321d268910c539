package watcher

import (
	"slices"
	"time"

	"github.com/bakewatch/bakewatch/actions"
	"github.com/bakewatch/bakewatch/actions/authority"
	"github.com/bakewatch/bakewatch/rules"
)

// Next is the whole state machine: the one entry to write now, or none. It is
// called again with the same input after every acknowledged entry, until it has none.
//
// The order of steps is the precedence: what has happened outside is recorded
// first, then what follows from it, then what the rules say, then what is only
// worth knowing.
func (l Lane) Next(in Input) (Entry, bool) {
	if l.Aside != "" {
		return Entry{}, false
	}
	for _, step := range steps {
		if e, ok := step(l, in); ok {
			e.Schema, e.Lane, e.At, e.Seq, e.Prev = Schema, l.ID, in.Now, l.Last, l.Hash
			if l.Watch != nil && e.Kind != Opened {
				e.Watch = l.Watch.Seq
			}
			e.Must = must[e.Kind] || mustTopic[e.Topic]
			return e, true
		}
	}
	return Entry{}, false
}

var steps = []func(Lane, Input) (Entry, bool){
	Lane.hear,      // a delivery
	Lane.finish,    // the end of a rollback
	Lane.announce,  // an event
	Lane.replace,   // the newer deployment that waited for the rollback to end
	Lane.cancel,    // a person's wish
	Lane.vote,      // a person's answer
	Lane.conclude,  // a rollback that failed, is unknown, or is verified
	Lane.act,       // a decision that has no intent yet
	Lane.verify,    // did the rollback help?
	Lane.resolve,   // a question that people or silence have answered
	Lane.rule,      // what the rules say
	Lane.complete,  // the end of the bake
	Lane.remark,    // blind, late
	Lane.summarise, // verdicts, for people
}

// must names the kinds that change what may be done.
var must = map[Kind]bool{
	Opened: true, Step: true, Ruled: true, Voted: true, Decided: true, Intended: true, Done: true, Verified: true, Closed: true,
}

// mustTopic names the notes that do so as well.
var mustTopic = map[Topic]bool{NewerWaits: true, NewerCancelled: true, Extended: true, KeptByPeople: true, LeftBySilence: true, Unheard: true}

// Todo is what the outside is owed: the grant for a rollback that was intended and
// has not ended. It is the same before a crash and after it.
func (l Lane) Todo() (actions.Grant, bool) {
	w := l.Watch
	if l.Aside != "" || w == nil || w.Intent == nil || w.Done != nil {
		return actions.Grant{}, false
	}
	grant, err := actions.Acknowledged(*w.Intent, w.Intended)
	if w.Newer != nil {
		grant = grant.Overtaken(w.Newer.Deployment.Version)
	}
	return grant, err == nil
}

func (l Lane) hear(in Input) (Entry, bool) {
	if in.Told == nil || slices.ContainsFunc(l.told, in.Told.repeats) {
		return Entry{}, false
	}
	return Entry{Kind: Told, Told: in.Told}, true
}

func (l Lane) finish(in Input) (Entry, bool) {
	w := l.Watch
	if in.Done == nil || w == nil || w.Intent == nil || w.Done != nil || w.Intent.Key != in.Done.Key {
		return Entry{}, false
	}
	return Entry{Kind: Done, Done: in.Done}, true
}

func (l Lane) cancel(in Input) (Entry, bool) {
	w := l.Watch
	if in.Cancel == nil || w == nil || w.Decision != nil {
		return Entry{}, false
	}
	return l.close(in.Now, CancelledWatch, "cancelled by "+in.Cancel.By+": "+in.Cancel.Reason), true
}

func (l Lane) vote(in Input) (Entry, bool) {
	w := l.Watch
	if in.Vote == nil || w == nil || w.Question == nil || w.Question.Admit(*in.Vote) != nil {
		return Entry{}, false
	}
	return Entry{Kind: Voted, Vote: in.Vote}, true
}

// rule asks the authority what follows from the answers.
func (l Lane) rule(in Input) (Entry, bool) {
	w := l.Watch
	if !l.judges(in) {
		return Entry{}, false
	}
	ruling := authority.Decide(authority.Case{
		Deployment: w.Deployment, Plan: w.Plan, Answers: in.Look.Answers, Target: w.Target, Barred: barred(w.Deployment),
		Rollback: w.Rollback, SameAgain: w.SameAgain, Disarmed: in.Guards.Disarmed, Skewed: in.Guards.Skewed,
	})
	switch {
	case w.snoozes(ruling, in.Now):
		return Entry{}, false
	case ruling.Power == rules.Auto:
		return Entry{Kind: Decided, Ruling: &ruling, Decision: &Decision{By: "authority"}}, true
	case ruling.Same(w.Ruling), w.unclear(ruling):
		return Entry{}, false
	}
	return Entry{Kind: Ruled, Ruling: &ruling}, true
}

// unclear says that the standing ruling stays for want of a better one: a rule that
// it blames cannot be judged now, and that is no recovery.
func (w *Watch) unclear(ruling authority.Ruling) bool {
	if ruling.Power > w.Ruling.Power {
		return false
	}
	for _, now := range ruling.Answers {
		judged := now.Verdict == rules.Healthy || now.Verdict == rules.Breached
		if !judged && slices.Contains(w.Ruling.Blamed, now.Rule) && now.Verdict != verdictOf(now.Rule, w.Ruling.Answers) {
			return true
		}
	}
	return false
}

// verdictOf returns what a rule says among the answers; inconclusive if it says nothing.
func verdictOf(rule string, answers []rules.Answer) rules.Verdict {
	for _, a := range answers {
		if a.Rule == rule {
			return a.Verdict
		}
	}
	return rules.Inconclusive
}

// judges says whether the look is one at the watched version, while a decision may still be made.
func (l Lane) judges(in Input) bool {
	return l.Watch != nil && in.Look != nil && in.Look.Watch == l.Watch.Seq && !in.Look.Verify && l.Watch.Decision == nil
}

// snooze is how long people who said keep are not asked about the same rules again.
const snooze = 30 * time.Minute

// snoozes says that people said keep not long ago, and nothing new speaks: what they
// kept is neither asked about again nor decided over their heads.
func (w *Watch) snoozes(ruling authority.Ruling, now time.Time) bool {
	kept := w.Question == nil && !w.Kept.IsZero() && now.Before(w.Kept.Add(snooze))
	return kept && (ruling.Rule == "" || slices.Contains(w.Ruling.Blamed, ruling.Rule))
}

// resolve ends a question: by the votes of enough people, or by silence.
func (l Lane) resolve(in Input) (Entry, bool) {
	w := l.Watch
	if w == nil || w.Question == nil || w.Rollback { // what turned out to be a rollback is ruled on anew at the next look
		return Entry{}, false
	}
	choice, agreed := w.Question.Answer()
	deadline, heard := w.Question.Deadline()
	switch {
	case agreed && choice == authority.Keep:
		return Entry{Kind: Noted, Topic: KeptByPeople, Text: "kept: " + who(w.Question.Votes)}, true
	case agreed && in.Guards.Disarmed == "":
		return l.decide("votes"), true
	case agreed, heard && in.Now.Before(deadline), !heard && in.Now.Before(w.patience()):
		return Entry{}, false
	case !heard:
		return Entry{Kind: Noted, Topic: Unheard, Text: "no channel confirmed that anybody was reached: nothing is rolled back"}, true
	case w.Ruling.Silence() == rules.SilenceRollsBack && in.Guards == (Guards{}) && !w.Question.Said(authority.Keep):
		return l.silence(in)
	}
	return w.leftBySilence(), true
}

// leftBySilence notes that the question has ended without an answer that counts.
func (w *Watch) leftBySilence() Entry {
	text := "nobody answered in time: nothing is rolled back"
	if votes := w.Question.Votes; len(votes) > 0 {
		text = "too few answered in time: " + who(votes) + "; nothing is rolled back"
	}
	return Entry{Kind: Noted, Topic: LeftBySilence, Text: text}
}

// silence rolls back where the plan says so, but only while the breach is seen:
// otherwise it waits for that, at most to the end of the bake.
func (l Lane) silence(in Input) (Entry, bool) {
	w := l.Watch
	switch {
	case l.judges(in) && verdictOf(w.Ruling.Rule, in.Look.Answers) == rules.Breached:
		return l.decide("silence"), true
	case !l.judges(in) || in.Now.Before(w.patience()):
		return Entry{}, false
	}
	return w.leftBySilence(), true
}

// patience is how long a question waits for its first confirmed delivery: as long
// as people have to answer, and at least to the end of the bake.
func (w *Watch) patience() time.Time {
	asked := w.Question.Asked.Add(time.Duration(w.Question.Clause.Within))
	if bake := w.BakeEnds(); bake.After(asked) {
		return bake
	}
	return asked
}

func (l Lane) decide(by string) Entry {
	ruling := l.Watch.Ruling
	return Entry{Kind: Decided, Ruling: &ruling, Decision: &Decision{By: by, Votes: l.Watch.Question.Votes}}
}

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

// act turns the decision into an intent: from here on the outside is owed a rollback.
func (l Lane) act(Input) (Entry, bool) {
	w := l.Watch
	if w == nil || w.Decision == nil || w.Intent != nil {
		return Entry{}, false
	}
	rollback, _ := w.Plan.RollbackFor(w.Deployment.Strategy)
	return Entry{Kind: Intended, Intent: &actions.Intent{
		Key: actionKey(l.ID, w.Seq), Executor: rollback.Use, With: rollback.With,
		Timeout: rollback.Timeout,
		Subject: actions.Subject{
			Service: l.ID.Service, Environment: l.ID.Environment, Strategy: string(w.Deployment.Strategy),
			Flag: l.ID.Flag, Slot: w.Deployment.Slot, From: w.Deployment.Version, To: w.Ruling.Target.Version,
			Watch: w.ID(), Reason: first(w.Ruling.Why),
		},
	}}, true
}

func first(list []string) string {
	if len(list) == 0 {
		return ""
	}
	return list[0]
}

// summarise journals the verdicts when they changed, at most once a minute, and
// now and then when they did not, so that a plot has points. Before the first look
// there is nothing to say.
func (l Lane) summarise(in Input) (Entry, bool) {
	if !l.judges(in) || !slices.ContainsFunc(in.Look.Answers, func(a rules.Answer) bool { return !a.At.IsZero() || a.Verdict != rules.Inconclusive }) {
		return Entry{}, false
	}
	quiet := in.Now.Sub(l.Watch.AnsweredAt)
	changed := !slices.EqualFunc(in.Look.Answers, l.Watch.Answers, func(a, b rules.Answer) bool {
		return a.Rule == b.Rule && a.Verdict == b.Verdict
	})
	if quiet < time.Minute || !changed && quiet < 5*time.Minute {
		return Entry{}, false
	}
	return Entry{Kind: Verdicts, Answers: brief(in.Look.Answers)}, true
}

// brief leaves out what the plan says anyway, so that the journal stays small.
func brief(answers []rules.Answer) []rules.Answer {
	answers = slices.Clone(answers)
	for i := range answers {
		answers[i].Query = ""
	}
	return answers
}
