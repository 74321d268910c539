package audit

import (
	"fmt"
	"slices"

	"github.com/bakewatch/bakewatch/rules"
	"github.com/bakewatch/bakewatch/watcher"
)

// Finding is one place where something was done without the authority for it.
type Finding struct {
	Lane rules.LaneID `json:"lane"`
	Seq  uint64       `json:"seq"` // of the entry
	What string       `json:"what"`
}

func (f Finding) String() string { return fmt.Sprintf("entry %d (%s): %s", f.Seq, f.Lane, f.What) }

// Result is what an audit saw.
type Result struct {
	Watches   int `json:"watches"`
	Decisions int `json:"decisions"`
	Votes     int `json:"votes"`
	Refused   int `json:"refused"`  // votes that did not count
	Unproved  int `json:"unproved"` // and of these, those of somebody who could not show who they are
	// Uncounted are decisions of which the journal does not say how large the budget of
	// all lanes was: older versions did not write it down.
	Uncounted int       `json:"uncounted"`
	Findings  []Finding `json:"findings"`
}

// Check audits a whole journal, in its order.
func Check(entries []watcher.Entry) Result {
	a := New()
	for _, e := range entries {
		a.See(e)
	}
	return a.Result
}

// Auditor reads a journal's entries one after the other.
type Auditor struct {
	Result
	open  map[rules.LaneID]*watch
	known map[rules.LaneID]bool // lanes of which some watch's beginning was seen
	spent []watcher.Entry
}

// New returns an auditor who has seen nothing yet.
func New() *Auditor {
	return &Auditor{
		Result: Result{Findings: []Finding{}}, open: map[rules.LaneID]*watch{}, known: map[rules.LaneID]bool{},
	}
}

// watch is what is known of a lane's open watch.
type watch struct {
	opened   watcher.Entry
	hands    []string       // everybody who is named in an event about it
	asked    *watcher.Entry // the question that is open
	since    []watcher.Entry
	decided  *watcher.Entry
	intended *watcher.Entry
	done     bool
}

func (a *Auditor) finds(e watcher.Entry, format string, args ...any) {
	a.Findings = append(a.Findings, Finding{Lane: e.Lane, Seq: e.Seq, What: fmt.Sprintf(format, args...)})
}

// See audits the journal's next entry. What belongs to a watch whose beginning was cut off
// by age cannot be audited, and is left out.
func (a *Auditor) See(e watcher.Entry) {
	if e.Kind == watcher.Opened {
		a.Watches++
		a.known[e.Lane] = true
		a.open[e.Lane] = &watch{opened: e, hands: hands(e)}
		return
	}
	if e.Kind == watcher.Spent {
		a.spent = append(a.spent, e)
		return
	}
	w := a.open[e.Lane]
	if w == nil {
		if a.began(e) && (e.Kind == watcher.Intended || e.Kind == watcher.Decided) {
			a.finds(e, "is of no open watch")
		}
		return
	}
	switch e.Kind {
	case watcher.Step:
		if e.Deployment.Version == w.opened.Deployment.Version {
			w.hands = append(w.hands, hands(e)...)
		}
	case watcher.Ruled:
		a.ruled(w, e)
	case watcher.Voted, watcher.Told, watcher.Reminded:
		a.voted(w, e)
		w.since = append(w.since, e)
	case watcher.Noted:
		w.noted(e)
		a.refused(e)
	case watcher.Decided:
		a.Decisions++
		a.decided(w, e)
		w.decided = &e
	case watcher.Intended:
		a.intended(w, e)
		w.intended = &e
	case watcher.Done:
		if w.intended == nil || w.intended.Intent.Key != e.Done.Key || w.done {
			a.finds(e, "ends what was never intended, or has ended before")
		}
		w.done = true
	case watcher.Closed:
		delete(a.open, e.Lane)
	case watcher.Opened, watcher.Spent, watcher.Verdicts, watcher.Verified:
	}
}

// began says whether the entry's lane is known from a beginning: whatever comes before
// the first one belongs to a watch that was cut off.
func (a *Auditor) began(e watcher.Entry) bool { return a.known[e.Lane] }

// hands are the people an event names.
func hands(e watcher.Entry) []string {
	people := slices.Clone(e.Deployment.Authors)
	if e.Deployment.By != "" {
		people = append(people, e.Deployment.By)
	}
	return people
}

// ruled begins a question, or ends the one that is open.
func (a *Auditor) ruled(w *watch, e watcher.Entry) {
	if w.decided != nil {
		a.finds(e, "comes after the decision of entry %d", w.decided.Seq)
	}
	w.asked, w.since = nil, nil
	if e.Ruling.Power == rules.Ask || e.Ruling.Power == rules.Veto {
		w.asked = &e
	}
	for _, ceiling := range e.Ruling.Ceilings {
		if e.Ruling.Power > ceiling.Power {
			a.finds(e, "has power %s although %s allows %s", e.Ruling.Power, ceiling.Name, ceiling.Power)
		}
	}
}

// noted ends a question that people or silence have answered.
func (w *watch) noted(e watcher.Entry) {
	switch e.Topic {
	case watcher.KeptByPeople, watcher.LeftBySilence, watcher.Unheard:
		w.asked, w.since = nil, nil
	case watcher.NoPlan, watcher.OlderEvent, watcher.NewerWaits, watcher.NewerCancelled, watcher.FloorLifted, watcher.WentBlind, watcher.SeesAgain,
		watcher.StillRolling, watcher.Extended, watcher.StagePassed, watcher.StageHeld, watcher.SetAside, watcher.Refused, watcher.Healed, watcher.Wrong:
	}
}

// refused counts a vote that did not count. One that is nobody's must not be laid at
// anybody's door.
func (a *Auditor) refused(e watcher.Entry) {
	if e.Topic != watcher.Refused || e.Vote == nil {
		return
	}
	a.Refused++
	shown := e.Vote.Proof.Way != "" && e.Vote.Proof.Subject != ""
	switch {
	case e.Vote.Person == "":
		a.Unproved++
	case !shown:
		a.finds(e, "names %s as refused, who did not show who it was", e.Vote.Person)
	}
}

// intended checks that what is about to be done is what was decided.
func (a *Auditor) intended(w *watch, e watcher.Entry) {
	if w.decided == nil {
		a.finds(e, "was never decided")
		return
	}
	if w.intended != nil {
		a.finds(e, "was intended before, in entry %d", w.intended.Seq)
	}
	ruling, intent := w.decided.Ruling, e.Intent
	way, _ := w.opened.Plan.RollbackFor(w.opened.Deployment.Strategy)
	switch {
	case ruling.Otherwise == "" && (intent.Contingency || intent.Executor != way.Use || intent.Subject.To != ruling.Target.Version):
		a.finds(e, "is %s to %q, decided was %s to %q", intent.Executor, intent.Subject.To, way.Use, ruling.Target.Version)
	case ruling.Otherwise != "" && (!intent.Contingency || intent.Executor != ruling.Otherwise || intent.Executor != way.Otherwise):
		a.finds(e, "is %s, decided was %s instead of a rollback", intent.Executor, ruling.Otherwise)
	}
}
