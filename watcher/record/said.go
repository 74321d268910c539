package record

import (
	"slices"
	"time"

	"github.com/bakewatch/bakewatch/rules"
	"github.com/bakewatch/bakewatch/watcher"
)

// How long after a watch people may still go back themselves, and so agree: while its
// version is live a week, since what a rule saw early (a leak, a report that runs on
// Mondays) may hurt people only then, and who goes back later does so for other reasons.
// Once something newer is live, a day: going back past both may still be about the older.
const (
	horizon = 7 * 24 * time.Hour
	grace   = 24 * time.Hour
)

// word is what people said of a breach.
type word int

const (
	unanswered word = iota // nobody knows, or not yet
	agreed
	disagreed
	unopposed // Bakewatch went back without people, and nobody said that it was wrong
)

// reach is how long after the watch of a version people may go back from it.
func (l *lane) reach(w *watch) time.Duration {
	if l.live == w.version {
		return horizon
	}
	return grace
}

// said returns what people said of a rule's breach. What they did weighs more than what
// they left undone, and a later word more than an earlier one.
func (w *watch) said(b *breach, now time.Time) word {
	past := now.Sub(w.ended)
	switch {
	case w.wrong:
		return disagreed
	case !w.back.IsZero(), w.decided == watcher.ByVotes:
		return agreed
	case w.decided != "" && w.acted && w.outcome != "" && past >= grace:
		return unopposed
	case w.decided != "":
		return unanswered
	case w.kept:
		return disagreed
	case b.begun && w.outcome != "":
		return agreed
	case w.outcome != "" && past >= w.lane.reach(w) && w.spared(b):
		return disagreed
	}
	return unanswered
}

// spared says that the watch ended although the rule was breached, or after its breach had
// healed. Of a version that was replaced while the breach lasted nobody knows: the newer one
// may have been the remedy.
func (w *watch) spared(b *breach) bool {
	switch w.outcome {
	case watcher.Passed, watcher.Left, watcher.Kept:
		return true
	case watcher.Superseded, watcher.Undecided:
		return b.healed
	case watcher.RolledBack, watcher.RollbackFailed, watcher.Unknown, watcher.CancelledWatch:
	}
	return false
}

// leads says which watches a deployment leads back from: those of versions that were live
// after the one which is deployed again. What Bakewatch itself rolled back is none of them.
func (l *lane) leads(e watcher.Entry) {
	d := e.Deployment
	if d == nil || len(l.watches) == 0 {
		return
	}
	passed := e.Ledger != nil && slices.ContainsFunc(e.Ledger.Past, func(p watcher.PastWatch) bool { return p.Version == d.Version && p.Outcome == watcher.Passed })
	if d.Step != rules.RolledBack && !passed {
		return
	}
	for _, w := range slices.Backward(l.watches) {
		if w.version == d.Version {
			return
		}
		late := w.outcome != "" && e.At.Sub(w.ended) > l.reach(w)
		if !w.acted && !late {
			w.back = e.At
		}
	}
}
