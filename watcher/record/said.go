package record

import (
	"slices"
	"time"

	"github.com/bakewatch/bakewatch/rules"
	"github.com/bakewatch/bakewatch/watcher"
)

// grace is how long after a watch people may still go back themselves, and so agree.
const grace = 24 * time.Hour

// word is what people said of a breach.
type word int

const (
	unanswered word = iota // nobody knows, or not yet
	agreed
	disagreed
	unopposed // Bakewatch went back without people, and nobody said that it was wrong
)

// said returns what people said of a rule's breach. What they did weighs more than what
// they left undone, and a later word more than an earlier one.
func (w *watch) said(b *breach, now time.Time) word {
	settled := w.outcome != "" && now.Sub(w.ended) >= grace
	switch {
	case w.wrong:
		return disagreed
	case !w.back.IsZero(), w.decided == watcher.ByVotes:
		return agreed
	case w.decided != "" && w.acted && settled:
		return unopposed
	case w.decided != "":
		return unanswered
	case w.kept:
		return disagreed
	case b.begun && w.outcome != "":
		return agreed
	case settled && w.spared(b):
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
		late := w.outcome != "" && e.At.Sub(w.ended) > grace
		if w.version == d.Version || late {
			return
		}
		if !w.acted {
			w.back = e.At
		}
	}
}
