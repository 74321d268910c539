package watcher

import (
	"slices"
	"strconv"

	"github.com/bakewatch/bakewatch/actions"
	"github.com/bakewatch/bakewatch/actions/authority"
)

// attention says what the entry means for whoever was called because of its watch. The
// level of the message decides where its kind alone does not.
func attention(level actions.Level, e tale) actions.Attention {
	byLevel := actions.Attention("")
	if level == actions.Urgent {
		byLevel = actions.Needed
	}
	switch {
	case e.Kind == Decided:
		return actions.Spared
	case e.Kind == Voted && e.Vote.Choice == authority.Looking:
		return actions.Given
	case e.Kind == Ruled && e.Ruling.Rule == "" && !open(e.after):
		return actions.Over
	case e.Kind == Verified && e.OK, e.Kind == Closed && endsWell(e):
		return actions.Over
	case e.Kind == Noted && e.Topic == KeptByPeople:
		return actions.Over
	case e.Kind == Noted && e.Topic == SeesAgain && !open(e.after):
		return actions.Over
	}
	return byLevel
}

// open says whether somebody may still have been called for more than this.
func open(w *Watch) bool {
	return w != nil && (w.Question != nil || w.Decision != nil || w.breached() || w.Blind)
}

// endsWell says whether nobody is needed after a watch has ended so. What failed or
// could not be told stays open until a person has looked.
func endsWell(e tale) bool {
	switch e.Outcome {
	case Passed, Kept, Superseded, CancelledWatch:
		return true
	case RolledBack:
		return e.before != nil && e.before.Verified != nil && e.before.Verified.OK
	case RollbackFailed, Unknown, Left, Undecided:
	}
	return false
}

// superseded returns the watch that the entry ended by opening another, if what was
// open about it is over; else nil.
func superseded(e Entry) *actions.Superseded {
	over := []Outcome{Superseded, RolledBack, Kept}
	if e.Kind != Opened || e.Ledger == nil || len(e.Ledger.Past) == 0 || !slices.Contains(over, e.Outcome) {
		return nil
	}
	last := e.Ledger.Past[len(e.Ledger.Past)-1]
	return &actions.Superseded{Watch: strconv.FormatUint(last.Watch, 10), Version: last.Version}
}
