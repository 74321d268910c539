package watcher

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"github.com/bakewatch/bakewatch/actions/authority"
	"github.com/bakewatch/bakewatch/rules"
)

// Fold makes a lane of its entries, as Journal.Read returns them.
func Fold(id rules.LaneID, entries []Entry) Lane {
	lane := Lane{ID: id}
	for _, e := range entries {
		lane = lane.Apply(e)
	}
	return lane
}

// Apply folds one acknowledged entry. One that this version cannot understand, and
// that may change what is to be done, makes the lane be left to others until a watch
// of it is opened or closed: such an entry carries all that there is to know.
func (l Lane) Apply(e Entry) Lane {
	l.Last, l.Hash = e.Seq, e.Hash
	fold, known := folds[e.Kind]
	switch missing := e.lacks(); {
	case e.Must && (!known || e.Schema > Schema):
		l.Aside = fmt.Sprintf("entry %d (%s, schema %d) is not known to this version", e.Seq, e.Kind, e.Schema)
	case missing != "":
		l.Aside = fmt.Sprintf("entry %d (%s) carries no %s", e.Seq, e.Kind, missing)
	case known && l.misplaced(e.Kind):
		l.Aside = fmt.Sprintf("entry %d (%s) stands where none of its kind can be", e.Seq, e.Kind)
	case known:
		fold(&l, e)
	}
	return l
}

// misplaced says that the open watch has not come so far: the journal is not whole.
func (l Lane) misplaced(kind Kind) bool {
	w := l.Watch
	switch {
	case w == nil:
		return false
	case kind == Intended:
		return w.Decision == nil
	case kind == Done:
		return w.Intent == nil
	case kind == Verified:
		return w.Done == nil
	}
	return false
}

// folds says for each kind what it does to a lane that was just copied.
var folds = map[Kind]func(*Lane, Entry){
	Opened:   foldOpened,
	Closed:   foldClosed,
	Noted:    foldNoted,
	Told:     foldTold,
	Step:     foldStep,
	Verdicts: onWatch(func(w *Watch, e Entry) { w.Answers, w.AnsweredAt = e.Answers, e.At }),
	Ruled:    onWatch(foldRuled),
	Voted:    onWatch(foldVoted),
	Reminded: onWatch(foldReminded),
	Spent:    func(l *Lane, e Entry) { l.spent = append(slices.Clip(l.spent), e) },
	Decided:  onWatch(foldDecided),
	Intended: onWatch(foldIntended),
	Done:     foldDone,
	Verified: onWatch(func(w *Watch, e Entry) { w.Verified = &e }),
}

// onWatch lifts a fold of the open watch to the lane; without one there is nothing to fold.
func onWatch(fold func(*Watch, Entry)) func(*Lane, Entry) {
	return func(l *Lane, e Entry) {
		if l.Watch == nil {
			return
		}
		w := *l.Watch
		fold(&w, e)
		l.Watch = &w
	}
}

func foldOpened(l *Lane, e Entry) {
	if e.Ledger != nil {
		l.Ledger = *e.Ledger
	}
	w := &Watch{
		Seq: e.Seq, Opened: e.At, Deployment: *e.Deployment, Plan: *e.Plan, Rollback: e.Rollback,
		SameAgain: slices.Contains(l.Ledger.Bad, e.Deployment.Version),
		Ruling:    authority.Ruling{Authority: -1},
	}
	w.Target = l.Ledger.target(w.Deployment, w.Plan)
	w.Steps = []Reported{reported(w.Deployment)}
	step := w.Deployment
	if !e.Reached.IsZero() {
		step.At = e.Reached
	}
	w.reach(step, e.At)
	w.finish(step, e.At)
	l.begin(w)
}

func foldClosed(l *Lane, e Entry) {
	if e.Ledger != nil {
		l.Ledger = *e.Ledger
	}
	l.begin(nil)
}

// begin forgets what a replica that starts here would not know.
func (l *Lane) begin(w *Watch) {
	l.Watch, l.Events, l.told, l.Aside = w, nil, nil, ""
}

func foldNoted(l *Lane, e Entry) {
	if e.Deployment != nil {
		l.Events = remember(l.Events, reported(*e.Deployment))
	}
	if e.Topic == NoPlan {
		l.Ledger = l.Ledger.unwatched(*e.Deployment)
	}
	if e.Topic == Wrong {
		l.Ledger = l.Ledger.absolve(e.About)
	}
	foldFloor(l, e)
	fold, known := topics[e.Topic]
	if !known && e.Must {
		l.Aside = fmt.Sprintf("entry %d (noted, about %q) is not known to this version", e.Seq, e.Topic)
	}
	if known {
		onWatch(fold)(l, e)
	}
}

// foldFloor takes what a note says of changes that cannot be undone.
func foldFloor(l *Lane, e Entry) {
	l.Ledger = l.leaves(e)
	if e.Deployment == nil || e.Topic != FloorLifted && e.Topic != NewerCancelled {
		return
	}
	l.Ledger = l.Ledger.lift(*e.Deployment)
	onWatch(func(w *Watch, _ Entry) { w.Target = l.Ledger.above(w.Target, w.Deployment) })(l, e)
}

// topics say what a note changes in the open watch; those that change nothing are
// there as well, to be known.
var topics = map[Topic]func(*Watch, Entry){
	NoPlan:         func(*Watch, Entry) {},
	OlderEvent:     func(*Watch, Entry) {},
	SetAside:       func(*Watch, Entry) {},
	NewerWaits:     foldNewer,
	NewerCancelled: func(w *Watch, _ Entry) { w.Newer = nil },
	FloorLifted:    func(*Watch, Entry) {},
	WentBlind:      func(w *Watch, _ Entry) { w.Blind = true },
	SeesAgain:      func(w *Watch, _ Entry) { w.Blind = false },
	StillRolling:   func(w *Watch, _ Entry) { w.Late = true },
	Extended:       func(w *Watch, e Entry) { w.Extensions, w.Extended = w.Extensions+1, e.At },
	LeftBySilence:  func(w *Watch, _ Entry) { w.Silent, w.Question = true, nil },
	Unheard:        func(w *Watch, _ Entry) { w.Unheard, w.Question = true, nil },
	KeptByPeople: func(w *Watch, e Entry) {
		w.KeptFor, w.KeptAt, w.KeptBy = snoozeOf(w.Question), w.Answers, votesOn(w.Question)
		w.Kept, w.Question = e.At, nil
		w.Ruling.Power, w.Ruling.Begun = rules.None, nil // so that the same is asked again, but not before the snooze is over
	},
	Refused: func(w *Watch, e Entry) {
		if e.Vote != nil {
			w.Refused = append(slices.Clip(w.Refused), Refusal{*e.Vote, e.Text})
		}
	},
	Healed:      func(w *Watch, _ Entry) { w.Healed = true },
	StagePassed: func(w *Watch, e Entry) { w.Stage = w.Stage.passed(e.At) },
	StageHeld:   func(w *Watch, e Entry) { w.Stage = w.Stage.held(e.At) },
	Wrong:       func(*Watch, Entry) {},
}

// remembered is how many noted events, and how many deliveries, a lane knows again.
const remembered = 100

func remember[T any](list []T, one T) []T {
	list = append(slices.Clip(list), one)
	return list[max(0, len(list)-remembered):]
}

func reported(d rules.Deployment) Reported { return Reported{d.ID, d.Step, d.Stage} }

func foldTold(l *Lane, e Entry) {
	l.told = remember(l.told, *e.Told)
	onWatch(func(w *Watch, e Entry) {
		q := w.Question
		if q == nil || e.Told.About != q.Seq && e.Told.About != q.Told || !e.Told.confirmed() {
			return
		}
		heard := *q
		heard.Reached = true
		if e.Told.About == q.Told && q.Heard.IsZero() {
			heard.Heard = e.At
		}
		w.Question = &heard
	})(l, e)
}

func foldStep(l *Lane, e Entry) {
	knew := l.Watch != nil && irreversible(l.Watch.Deployment)
	onWatch(func(w *Watch, e Entry) {
		d := *e.Deployment
		w.Steps = append(slices.Clip(w.Steps), reported(d))
		switch {
		case w.targets(d.Version):
			if live(d.Step) {
				w.Proof = d.ID
			}
		case d.Version == w.Deployment.Version:
			w.advance(d, e.At)
		}
	})(l, e)
	if w := l.Watch; w != nil && w.Rollback && e.Deployment.Step == rules.RolledBack && w.Deployment.Version == e.Deployment.Version {
		l.Ledger = l.Ledger.quarantine(w.Deployment.Previous)
	}
	if w := l.Watch; w != nil && w.Deployment.Version == e.Deployment.Version {
		l.Ledger = w.bars(l.Ledger, knew)
	}
}

// bars returns the ledger after a step of the watched deployment, which may have said
// only now that it cannot be undone, or have come to its end.
func (w *Watch) bars(ledger Ledger, knew bool) Ledger {
	if !knew {
		ledger = ledger.bars(w.Deployment)
	}
	if w.Finished.IsZero() {
		return ledger
	}
	return ledger.wentLive(w.Deployment.Version)
}

// advance takes in a later step of the watched deployment.
func (w *Watch) advance(d rules.Deployment, at time.Time) {
	w.Deployment = merge(w.Deployment, d)
	w.Rollback = w.Rollback || d.Step == rules.RolledBack
	w.reach(d, at)
	w.finish(d, at)
	if w.Question != nil {
		q := w.Question.Bar(barred(w.Deployment))
		w.Question = &q
	}
}

// foldNewer remembers the deployment that waits; a later step of it adds to what is known.
func foldNewer(w *Watch, e Entry) {
	step, before := *e.Deployment, w.Newer
	e.Reached = e.At
	if !step.At.IsZero() && step.At.Before(e.At) {
		e.Reached = step.At
	}
	if before != nil && before.Deployment.Version == step.Version {
		d := merge(*before.Deployment, step)
		if before.isPast(step, e.Reached) {
			d.Step, d.Stage, e.Reached = before.Deployment.Step, before.Deployment.Stage, before.Reached
		}
		e.Deployment = &d
	}
	w.Newer = &e
}

// isPast says that the deployment which waits has come further than this step of it.
func (e Entry) isPast(step rules.Deployment, reached time.Time) bool {
	return !live(step.Step) && !step.Retry && (live(e.Deployment.Step) || reached.Before(e.Reached))
}

// live says whether the step means that its version is live.
func live(step rules.Step) bool { return step == rules.Finished || step == rules.RolledBack }

// finish starts the bake's clock once the deployment is live.
func (w *Watch) finish(d rules.Deployment, at time.Time) {
	if !w.Finished.IsZero() || !live(d.Step) {
		return
	}
	w.Finished = at
	if !d.At.IsZero() && d.At.Before(at) {
		w.Finished = d.At
	}
	if w.Finished.Before(w.Deployment.At) {
		w.Finished = w.Deployment.At
	}
}

// merge adds to the deployment what a later step of it says. Where it stands, the
// latest word counts; who is behind it only becomes more: whoever else a step names
// had a hand in it as well, and does not vote.
func merge(d, step rules.Deployment) rules.Deployment {
	d.Step, d.Stage, d.Slot = step.Step, cmp.Or(step.Stage, d.Stage), cmp.Or(step.Slot, d.Slot)
	d.By, d.Release = cmp.Or(d.By, step.By), cmp.Or(d.Release, step.Release)
	for _, person := range append(slices.Clip(step.Authors), step.By) {
		if person != "" && person != d.By && !slices.Contains(d.Authors, person) {
			d.Authors = append(slices.Clip(d.Authors), person)
		}
	}
	if step.Reversible != nil && !*step.Reversible {
		d.Reversible = step.Reversible
	}
	return d
}

func foldRuled(w *Watch, e Entry) {
	w.Ruling, w.Answers, w.AnsweredAt, w.Question = *e.Ruling, e.Ruling.Answers, e.At, nil
	w.Healed, w.Reminded, w.Refused, w.Joins = false, nil, nil, e.Joins
	if e.Ruling.Power != rules.Ask && e.Ruling.Power != rules.Veto {
		return
	}
	w.Stage = w.Stage.asked()
	w.Question = &authority.Question{
		Seq: e.Seq, Veto: e.Ruling.Power == rules.Veto, Clause: e.Ruling.Clause, Required: e.Ruling.Required, Groups: e.Ruling.Groups,
		Barred: barred(w.Deployment), Asked: e.At, Since: e.At, Told: e.Seq,
	}
	if e.Ruling.Groups == nil {
		w.Question.Groups = w.Plan.Groups
	}
}

// foldReminded remembers the reminder; an escalation begins the next level of the question.
func foldReminded(w *Watch, e Entry) {
	if w.Question == nil || e.Reminder.Question != w.Question.Seq {
		return
	}
	w.Reminded = append(slices.Clip(w.Reminded), *e.Reminder)
	if e.Reminder.Of != Escalated {
		return
	}
	q := *w.Question
	q.Level, q.Since, q.Told, q.Heard = q.Level+1, e.At, e.Seq, time.Time{}
	w.Question = &q
}

// barred returns who does not vote: whoever deployed, and who wrote the release.
func barred(d rules.Deployment) []string {
	people := slices.Clone(d.Authors)
	if d.By != "" {
		people = append(people, d.By)
	}
	return people
}

func foldVoted(w *Watch, e Entry) {
	if w.Question == nil {
		return
	}
	q := w.Question.With(*e.Vote)
	w.Question, w.Voted = &q, e.Vote
}

func foldDecided(w *Watch, e Entry) {
	w.Ruling, w.Decision, w.Question = *e.Ruling, e.Decision, nil
}

func foldIntended(w *Watch, e Entry) {
	w.Intent, w.Intended, w.Acting, w.Writer = e.Intent, e.Seq, e.At, Writer{e.Owner, e.Epoch}
}

func foldDone(l *Lane, e Entry) {
	onWatch(func(w *Watch, e Entry) { w.Done, w.DoneAt = e.Done, e.At })(l, e)
	if w := l.Watch; w != nil && w.Intent != nil && w.isBack() && !w.Intent.Contingency {
		// What went live after the rollback had begun is newer than the target.
		l.Ledger = l.Ledger.rolledBack(w.Intent.Subject, w.Acting)
	}
}
