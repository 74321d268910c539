package watchertest

import (
	"slices"

	"github.com/bakewatch/bakewatch/actions"
	"github.com/bakewatch/bakewatch/watcher"
)

// The names of the promises, as docs and tests use them.
const (
	journal = "journal" // the journal is what one writer at a time wrote
	i1      = "I1"      // at most one decision per watch
	i2      = "I2"      // at most one effect per idempotency key
	i3      = "I3"      // every accepted event ends in a terminal state or a visible open one
	i4      = "I4"      // no rollback without sufficient evidence, unless people voted for it
	i5      = "I5"      // no rollback of a rollback
	i6      = "I6"      // every effect has an earlier intent
	i7      = "I7"      // what people are shown is the fold of the journal
)

func (c *checker) see(e watcher.Entry) {
	l := c.lanes[e.Lane]
	if l == nil {
		l = &lane{}
		c.lanes[e.Lane] = l
	}
	c.chain(l, e)
	if e.Deployment != nil {
		if c.seen == nil {
			c.seen = map[string]bool{}
		}
		c.seen[e.Deployment.ID] = true
	}
	if e.Kind == watcher.Opened {
		c.open(l, e)
	} else {
		c.within(l, e)
	}
	if e.Ledger != nil {
		l.ledger = *e.Ledger
	}
	l.entries = append(l.entries, e)
}

// chain checks that the entry follows the lane's last one, and that no owner wrote
// after a later one had begun.
func (c *checker) chain(l *lane, e watcher.Entry) {
	if e.Seq <= c.seq {
		c.breaks(journal, e, "comes after entry %d", c.seq)
	}
	c.seq = e.Seq
	if len(l.entries) == 0 {
		return
	}
	last := l.entries[len(l.entries)-1]
	if e.Prev != last.Hash {
		c.breaks(journal, e, "does not follow entry %d", last.Seq)
	}
	if e.Epoch < last.Epoch {
		c.breaks(journal, e, "was written by epoch %d (%s) after epoch %d (%s)", e.Epoch, e.Owner, last.Epoch, last.Owner)
	}
}

// open begins a watch; an open one of the lane must end in the same entry.
func (c *checker) open(l *lane, e watcher.Entry) {
	switch {
	case l.open != nil && e.Outcome == "":
		c.breaks(i3, e, "the watch of entry %d has no outcome", l.open.opened.Seq)
	case l.open == nil && e.Outcome != "":
		c.breaks(journal, e, "ends a watch (%s) where none is open", e.Outcome)
	}
	if l.open != nil {
		c.end(l.open, e, e.Outcome)
	}
	l.open = &watch{opened: e, bad: slices.Clone(l.ledger.Bad), of: map[watcher.Kind][]watcher.Entry{}}
	c.watches = append(c.watches, l.open)
}

// atMostOne are the kinds that a watch has once.
var atMostOne = map[watcher.Kind]string{
	watcher.Decided: i1, watcher.Intended: i2, watcher.Done: journal, watcher.Verified: journal, watcher.Closed: i3,
}

// after says which kind must come before another.
var after = map[watcher.Kind]watcher.Kind{
	watcher.Voted: watcher.Ruled, watcher.Intended: watcher.Decided, watcher.Done: watcher.Intended, watcher.Verified: watcher.Done,
}

// within checks an entry of the open watch.
func (c *checker) within(l *lane, e watcher.Entry) {
	w := l.open
	if w == nil {
		if e.Watch != 0 || !slices.Contains([]watcher.Kind{watcher.Noted, watcher.Told}, e.Kind) {
			c.breaks(journal, e, "belongs to no open watch")
		}
		return
	}
	if e.Watch != w.opened.Seq {
		c.breaks(journal, e, "names watch %d while %d is open", e.Watch, w.opened.Seq)
	}
	if promise, once := atMostOne[e.Kind]; once && w.has(e.Kind) {
		c.breaks(promise, e, "the watch has one already: entry %d", w.of[e.Kind][0].Seq)
	}
	if before, ok := after[e.Kind]; ok && !w.has(before) {
		c.breaks(i6, e, "the watch has no entry %q before it", before)
	}
	w.of[e.Kind] = append(w.of[e.Kind], e)
	switch e.Kind {
	case watcher.Ruled, watcher.Voted:
		if w.has(watcher.Decided) {
			c.breaks(i1, e, "comes after the decision")
		}
	case watcher.Decided:
		c.decided(w, e)
	case watcher.Intended:
		c.intended(w, e)
	case watcher.Done:
		if intent := w.of[watcher.Intended]; len(intent) > 0 && intent[0].Intent.Key != e.Done.Key {
			c.breaks(i6, e, "is the end of another rollback")
		}
	case watcher.Closed:
		c.end(w, e, e.Outcome)
		l.open = nil
	case watcher.Opened, watcher.Step, watcher.Verdicts, watcher.Reminded, watcher.Spent, watcher.Verified, watcher.Told, watcher.Noted:
	}
}

func (c *checker) intended(w *watch, e watcher.Entry) {
	d := w.of[watcher.Decided]
	if len(d) == 0 {
		return // reported before
	}
	s := e.Intent.Subject
	if s.To != d[0].Ruling.Target.Version || s.From != w.opened.Deployment.Version {
		c.breaks(i6, e, "intends %s → %s, decided was %s → %s", s.From, s.To, w.opened.Deployment.Version, d[0].Ruling.Target.Version)
	}
}

// ends says which end of a rollback an outcome stands for.
var ends = map[watcher.Outcome]actions.Result{
	watcher.RolledBack: actions.ResultDone, watcher.RollbackFailed: actions.ResultFailed, watcher.Unknown: actions.ResultUnknown,
}

// end checks that the outcome is what the watch has come to.
func (c *checker) end(w *watch, e watcher.Entry, outcome watcher.Outcome) {
	w.over = true
	result, acted := ends[outcome]
	done := w.of[watcher.Done]
	switch {
	case !slices.Contains(watcher.Outcomes(), outcome):
		c.breaks(i3, e, "%q is no outcome", outcome)
	case acted && len(done) == 0:
		c.breaks(i3, e, "is %s, but no rollback has ended", outcome)
	case acted && done[0].Done.Result != result:
		c.breaks(i3, e, "is %s, but the rollback was %s", outcome, done[0].Done.Result)
	case !acted && w.has(watcher.Intended):
		c.breaks(i3, e, "is %s, but a rollback was intended", outcome)
	}
	if e.Ledger != nil && w.opened.Deployment != nil && !remembers(*e.Ledger, w, outcome) {
		c.breaks(i3, e, "the ledger does not remember the watch of entry %d as %s", w.opened.Seq, outcome)
	}
}

func remembers(l watcher.Ledger, w *watch, outcome watcher.Outcome) bool {
	return slices.ContainsFunc(l.Past, func(p watcher.PastWatch) bool {
		return p.Watch == w.opened.Seq && p.Outcome == outcome && p.Version == w.opened.Deployment.Version
	})
}
