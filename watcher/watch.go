package watcher

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/bakewatch/bakewatch/actions"
	"github.com/bakewatch/bakewatch/rules"
)

// maxExtensions is how often a bake that could not be judged is extended.
const maxExtensions = 2

// Phase says where the watch stands.
func (w *Watch) Phase() Phase {
	switch {
	case w.Done != nil:
		return Verifying
	case w.Decision != nil:
		return Acting
	case w.Question != nil && w.Question.Veto:
		return Vetoing
	case w.Question != nil:
		return Asking
	case w.Finished.IsZero():
		return Rolling
	}
	return Baking
}

// BakeEnds returns when the bake is over; the zero time while its clock stands.
func (w *Watch) BakeEnds() time.Time {
	if w.Finished.IsZero() {
		return time.Time{}
	}
	if w.Extensions > 0 {
		return w.Extended.Add(time.Duration(w.Plan.Bake))
	}
	return w.Finished.Add(time.Duration(w.Plan.Bake))
}

// Subject returns the deployment that the rules are to judge now: the watched one,
// or, while a rollback is verified, the target.
func (w *Watch) Subject() rules.Deployment {
	d := w.Deployment
	if w.Done == nil || w.Intent == nil || w.Intent.Contingency {
		return d
	}
	d.Version, d.Previous, d.At = w.Intent.Subject.To, w.Intent.Subject.From, w.DoneAt
	d.Slot = otherSlot(w.Plan.Select.Slots, d.Slot)
	return d
}

// otherSlot returns the slot beside this one; with more or fewer than two it cannot be told.
func otherSlot(slots map[string]map[string]string, slot string) string {
	if len(slots) != 2 {
		return ""
	}
	for name := range slots {
		if name != slot {
			return name
		}
	}
	return ""
}

// ID returns the watch's number as text.
func (w *Watch) ID() string { return fmt.Sprint(w.Seq) }

// acting says that a rollback is decided and has not come to its end.
func (w *Watch) acting() bool { return w.Decision != nil && w.Done == nil }

// underway says that a rollback was intended and has not ended: it may be happening now.
func (w *Watch) underway() bool { return w.Intent != nil && w.Done == nil }

// targets says whether this is the version that the rollback goes to.
func (w *Watch) targets(version string) bool {
	return w.Intent != nil && w.Intent.Subject.To == version
}

// isBack says whether the target is live again: by the word of the executor or, where
// that sees no other version, of an event that says so.
func (w *Watch) isBack() bool {
	if w.Intent != nil && w.Intent.Contingency {
		return w.Done.Result == actions.ResultDone
	}
	proved := w.Proof != "" && (w.Done.Live == "" || w.targets(w.Done.Live))
	return w.Done.Result == actions.ResultDone || proved
}

// recorded says whether this was reported before: the very event, or a step of the
// watch's own version. Once that has been replaced, a new event is a new deployment.
func (w *Watch) recorded(d rules.Deployment) bool {
	own := d.Version == w.Deployment.Version && !d.Retry && w.Done == nil
	return slices.ContainsFunc(w.Steps, func(r Reported) bool {
		return r.Step == d.Step && r.Stage == d.Stage && (r.ID == d.ID || own)
	})
}

// line returns the watch as the ledger remembers it.
func (w *Watch) line(at time.Time, outcome Outcome, reason string) PastWatch {
	line := PastWatch{
		Watch: w.Seq, ID: w.Deployment.ID, Version: w.Deployment.Version, Opened: w.Opened, Closed: at,
		Outcome: outcome, Rule: w.Ruling.Rule, Reason: reason,
	}
	if w.Intent != nil {
		line.Target = w.Intent.Subject.To
		if w.Done != nil && w.isBack() {
			line.Took = rules.Duration(w.DoneAt.Sub(w.Acting))
		}
	}
	if reason == "" {
		line.Reason = strings.Join(w.Ruling.Why, "; ")
	}
	if len(line.Reason) > maxReason {
		line.Reason = strings.ToValidUTF8(line.Reason[:maxReason], "") + "…"
	}
	return line
}

// fate is the outcome of a watch that a newer deployment ends.
func (w *Watch) fate() Outcome {
	switch {
	case w.Done == nil:
		return Superseded
	case w.isBack() && w.Intent.Contingency:
		return Left // the version is still live
	case w.isBack():
		return RolledBack
	}
	return outcomeOf[w.Done.Result]
}

// outcomeOf says what the end of a rollback means for its watch.
var outcomeOf = map[actions.Result]Outcome{
	actions.ResultDone:    RolledBack,
	actions.ResultFailed:  RollbackFailed,
	actions.ResultUnknown: Unknown,
}
