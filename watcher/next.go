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
			if e.ends() {
				e.Answers = l.lastWords(in, e.Outcome)
			}
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
	Lane.wish,      // a person's wish to roll back
	Lane.wrong,     // a person's word that it was a false alarm
	Lane.vote,      // a person's answer
	Lane.conclude,  // a rollback that failed, is unknown, or is verified
	Lane.act,       // a decision that has no intent yet
	Lane.verify,    // did the rollback help?
	Lane.resolve,   // a question that people or silence have answered
	Lane.remind,    // people of an open question
	Lane.rule,      // what the rules say
	Lane.promote,   // the end of a stage
	Lane.complete,  // the end of the bake
	Lane.remark,    // blind, late
	Lane.summarise, // verdicts, for people
}

// must names the kinds that change what may be done.
var must = map[Kind]bool{
	Opened: true, Step: true, Ruled: true, Voted: true, Reminded: true, Spent: true, Decided: true, Intended: true, Done: true, Verified: true, Closed: true,
}

// mustTopic names the notes that do so as well.
var mustTopic = map[Topic]bool{
	NewerWaits: true, NewerCancelled: true, Extended: true, KeptByPeople: true, LeftBySilence: true, Unheard: true, Wrong: true, FloorLifted: true,
}

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

// rule asks the authority what follows from the answers.
func (l Lane) rule(in Input) (Entry, bool) {
	w := l.Watch
	if !l.judges(in) {
		return Entry{}, false
	}
	ruling := authority.Decide(l.caseOf(in, in.Look.Answers))
	switch {
	case w.snoozes(ruling, in.Now):
		return Entry{}, false
	case ruling.Power == rules.Auto:
		return Entry{Kind: Decided, Ruling: &ruling, Decision: &Decision{By: ByAuthority}}, true
	case ruling.Same(w.Ruling), w.unclear(ruling):
		return Entry{}, false
	case w.Question != nil && ruling.Rule == "" && !w.Question.Clause.Withdraw:
		return w.heals()
	}
	return Entry{Kind: Ruled, Ruling: &ruling, Joins: in.Peer.joins(ruling)}, true
}

// caseOf is the case for a ruling now, on what the rules say.
func (l Lane) caseOf(in Input, answers []rules.Answer) authority.Case {
	w := l.Watch
	out := barred(w.Deployment)
	groups, standIns := in.Rota.over(w.Plan, out)
	c := authority.Case{
		Deployment: w.Deployment, Plan: w.Plan, Answers: answers, Target: w.Target, Barred: out, Now: in.Now,
		Groups: groups, StandIns: standIns,
		Rollback: w.Rollback, SameAgain: w.SameAgain, Disarmed: in.Guards.Disarmed, Skewed: in.Guards.Skewed, Budget: w.overBudget(in.Guards.Budget),
		Unheard: w.unheard(in.Now),
	}
	if w.Question != nil {
		c.Begun = w.Ruling.Begun
	}
	return c
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

// act turns the decision into an intent: from here on the outside is owed a rollback,
// or what is done where there is no way back.
func (l Lane) act(Input) (Entry, bool) {
	w := l.Watch
	if w == nil || w.Decision == nil || w.Intent != nil {
		return Entry{}, false
	}
	rollback, _ := w.Plan.RollbackFor(w.Deployment.Strategy)
	intent := actions.Intent{
		Key: actionKey(l.ID, w.Seq, "rollback"), Executor: rollback.Use, With: rollback.With, Timeout: rollback.Timeout,
		Subject: actions.Subject{
			Service: l.ID.Service, Environment: l.ID.Environment, Strategy: string(w.Deployment.Strategy),
			Flag: l.ID.Flag, Slot: w.Deployment.Slot, From: w.Deployment.Version, To: w.Ruling.Target.Version,
			Watch: w.ID(), Reason: first(w.Ruling.Why),
		},
	}
	if other := w.Ruling.Otherwise; other != "" {
		intent.Key, intent.Executor, intent.With, intent.Contingency = actionKey(l.ID, w.Seq, "otherwise"), other, nil, true
		intent.Subject.To = ""
	}
	return Entry{Kind: Intended, Intent: &intent}, true
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
