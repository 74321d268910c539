package watcher

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"time"

	"github.com/bakewatch/bakewatch/rules"
)

// announce says what an event is to the lane: a repeat, a step of the open watch,
// proof that a rollback worked, a note, or a new deployment that is to be watched.
func (l Lane) announce(in Input) (Entry, bool) {
	if in.Event == nil {
		return Entry{}, false
	}
	d := in.Event.Deployment
	w := l.Watch
	if e, ok := l.unfloored(d); ok {
		return e, true
	}
	switch {
	case l.repeats(d):
		return Entry{}, false
	case w != nil && w.outlived(d):
		return note(OlderEvent, d, fmt.Sprintf("%s of %s is from before this deployment of it: recorded, nothing follows", d.Step, d.Version)), true
	case w != nil && w.Newer != nil && d.Step == rules.Cancelled && d.Version == l.newest():
		return note(NewerCancelled, d, d.Version+", which waited for the rollback to end, was cancelled"), true
	case w != nil && w.Decision == nil && d.Version == w.Deployment.Version && d.Step == rules.Cancelled:
		return l.cancelled(in), true
	case w != nil && w.concerns(d):
		return Entry{Kind: Step, Deployment: &d}, true
	case d.Step == rules.Cancelled:
		return Entry{}, false // nothing is watched that could end
	case l.older(d):
		return note(OlderEvent, d, fmt.Sprintf("%s is older than %s: recorded, not watched", d.Version, l.newest())), true
	case in.Event.Plan == nil && w != nil && !w.underway():
		return l.close(in.Now, w.fate(), fmt.Sprintf("%s went live without a rollback plan", d.Version)), true
	case in.Event.Plan == nil:
		return note(NoPlan, d, "it went live without a rollback plan: nobody watches it"), true
	case w != nil && w.underway():
		e := note(NewerWaits, d, fmt.Sprintf("%s came while %s is rolled back: it is watched right after", d.Version, w.Deployment.Version))
		e.Plan = in.Event.Plan
		return e, true
	}
	return l.open(d, in.Event.Plan, in), true
}

// repeats says whether the lane has this event already.
func (l Lane) repeats(d rules.Deployment) bool {
	w := l.Watch
	switch {
	case slices.Contains(l.Events, reported(d)):
		return true
	case w != nil && w.recorded(d), l.watched(d) && (w == nil || !w.targets(d.Version)):
		return true
	case w != nil || d.Step == rules.Cancelled || d.Retry || l.Ledger.Unwatched:
		return false
	}
	return d.Version == l.Ledger.Live
}

// watched says whether a past watch was opened by this very event.
func (l Lane) watched(d rules.Deployment) bool {
	return slices.ContainsFunc(l.Ledger.Past, func(p PastWatch) bool { return p.ID == d.ID && p.Version == d.Version })
}

// tolerance is how far the clocks of one deployment's tools may disagree.
const tolerance = 5 * time.Second

// outlived says that the event ends an earlier deployment of the watched version: it
// may neither start this one's clock nor end its watch. That one has begun is
// harmless, and says who was at it.
func (w *Watch) outlived(d rules.Deployment) bool {
	own := d.Version == w.Deployment.Version && w.Done == nil && d.ID != w.Deployment.ID && !d.Retry
	return own && d.Step != rules.Started && !d.At.IsZero() && d.At.Before(w.Deployment.At.Add(-tolerance))
}

// concerns says whether the event is about the open watch: a step of its own
// version until that is replaced or, once it acts, word of the target.
func (w *Watch) concerns(d rules.Deployment) bool {
	if d.Version == w.Deployment.Version {
		return w.Done == nil && (!d.Retry || w.Decision == nil)
	}
	return w.targets(d.Version)
}

// older says whether the event happened before the newest deployment of the lane.
func (l Lane) older(d rules.Deployment) bool {
	if d.At.IsZero() {
		return false
	}
	if w := l.Watch; w != nil && w.Newer != nil && d.Version != l.newest() && d.At.Before(w.Newer.Deployment.At) {
		return true
	}
	return d.At.Before(l.Ledger.LiveAt) && d.Version != l.Ledger.Live
}

// newest returns the version that was deployed last.
func (l Lane) newest() string {
	if l.Watch != nil && l.Watch.Newer != nil {
		return l.Watch.Newer.Deployment.Version
	}
	return l.Ledger.Live
}

func note(topic Topic, d rules.Deployment, text string) Entry {
	return Entry{Kind: Noted, Topic: topic, Deployment: &d, Text: text}
}

// open begins a watch; an open one of the lane ends in the same append.
func (l Lane) open(d rules.Deployment, plan *rules.Plan, in Input) Entry {
	ledger, e := l.Ledger, Entry{Kind: Opened, Deployment: &d, Plan: plan}
	if d.Previous == "" {
		d.Previous = ledger.Live
	}
	if d.At.IsZero() || d.At.After(in.Now) {
		d.At = in.Now // from a clock that is ahead: nothing later may look older than this
	}
	if w := l.Watch; w != nil {
		e.Outcome = w.fate()
		ledger = ledger.ends(w.line(in.Now, e.Outcome, ""))
		if w.Question != nil {
			e.Text = fmt.Sprintf("the question whether to roll %s back lapses", w.Deployment.Version)
		}
	}
	e.Rollback = d.Step == rules.RolledBack || ledger.goesBack(d.Version)
	if d.Step == rules.RolledBack || ledger.settles(d.Version) {
		ledger = ledger.quarantine(ledger.Live)
	}
	ledger = ledger.opens(d)
	e.Ledger = &ledger
	return e
}

// cancelled ends the watch of a deployment that was given up.
func (l Lane) cancelled(in Input) Entry {
	w, d := l.Watch, in.Event.Deployment
	text := "the deployment was cancelled"
	ledger := l.Ledger.cancels(w.Deployment)
	switch {
	case !irreversible(w.Deployment):
	case ledger.lifts(d):
		text += " before it had done what cannot be undone"
	case w.Finished.IsZero():
		text += "; it may have done what cannot be undone, so nothing goes back to before it: if it has not, announce it as cancelled and reversible"
	}
	ledger = ledger.lift(d).ends(w.line(in.Now, CancelledWatch, text))
	return Entry{Kind: Closed, Outcome: CancelledWatch, Text: text, Ledger: &ledger}
}

// replace opens the deployment that came while a rollback was under way.
func (l Lane) replace(in Input) (Entry, bool) {
	w := l.Watch
	if w == nil || w.Newer == nil || w.Done == nil {
		return Entry{}, false
	}
	e := l.open(*w.Newer.Deployment, w.Newer.Plan, in)
	if w.Newer.Reached.After(e.Deployment.At) {
		e.Reached = w.Newer.Reached
	}
	return e, true
}

// actionKey is the idempotency key of what is done about a watch, the same after every restart.
func actionKey(lane rules.LaneID, watch uint64, action string) string {
	sum := sha256.Sum256(fmt.Appendf(nil, "%s\x00%s\x00%s\x00%d\x00%s", lane.Environment, lane.Service, lane.Flag, watch, action))
	return hex.EncodeToString(sum[:16])
}
