package watcher

import (
	"fmt"
	"slices"
	"time"

	"github.com/bakewatch/bakewatch/actions"
	"github.com/bakewatch/bakewatch/actions/authority"
	"github.com/bakewatch/bakewatch/rules"
)

// ledgerLength is how many past watches a lane remembers: the last, and the last that passed.
const ledgerLength = 20

// How long a lane's memory may get beside that.
const (
	maxBad    = 100
	maxReason = 500 // bytes of one past watch's reason
)

// Ledger is what a lane remembers of its past. It travels in every opened and
// closed entry, so that start-up reads no further back. It is a value.
type Ledger struct {
	Live   string    `json:"live,omitempty"`   // the version that is live
	LiveAt time.Time `json:"live_at,omitzero"` // when its deployment happened
	// Unwatched says that the live version went live without a plan, or that a rollback
	// left it unclear what is live: an event about it opens a watch.
	Unwatched bool        `json:"unwatched,omitempty"`
	Past      []PastWatch `json:"past,omitempty"` // the last 20 watches that ended, oldest first
	Bad       []string    `json:"bad,omitempty"`  // quarantine: the last 100 versions rolled back here, oldest first
	// Floor is the last version whose deployment cannot be undone, FloorAt when it happened,
	// and FloorBegun whether it only began: see the type of that name. Floors are those
	// before it, oldest first: one that is lifted leaves the one before.
	Floor      string    `json:"floor,omitempty"`
	FloorAt    time.Time `json:"floor_at,omitzero"`
	FloorBegun bool      `json:"floor_begun,omitempty"`
	Floors     []Floor   `json:"floors,omitempty"`
}

// PastWatch is one line of the ledger.
type PastWatch struct {
	Watch   uint64    `json:"watch"` // sequence of its opened entry
	ID      string    `json:"id"`    // of the event
	Version string    `json:"version"`
	Opened  time.Time `json:"opened"`
	Closed  time.Time `json:"closed"`
	Outcome Outcome   `json:"outcome"`
	Rule    string    `json:"rule,omitempty"`
	Target  string    `json:"target,omitempty"`
	Reason  string    `json:"reason,omitempty"`
	Wrong   bool      `json:"wrong,omitempty"` // a person says that it was a false alarm
	// Took is how long its rollback took, where there was one that worked.
	Took rules.Duration `json:"took,omitempty"`
}

// opens returns the ledger after a deployment has gone live.
func (l Ledger) opens(d rules.Deployment) Ledger {
	l.Live, l.LiveAt, l.Unwatched = d.Version, d.At, false
	return l.bars(d)
}

// unwatched returns the ledger after a deployment has gone live that nobody watches.
func (l Ledger) unwatched(d rules.Deployment) Ledger {
	l = l.opens(d)
	l.Unwatched = true
	return l
}

// cancels returns the ledger after a deployment was given up: what it replaced is live again.
func (l Ledger) cancels(d rules.Deployment) Ledger {
	l.Live, l.Unwatched = d.Previous, false
	return l
}

// unclear returns the ledger after a rollback of which nobody knows what it did.
func (l Ledger) unclear() Ledger {
	l.Unwatched = true
	return l
}

// ends returns the ledger after a watch has ended. The last version that passed is
// never forgotten, however many have failed since: it is where a rollback goes.
func (l Ledger) ends(line PastWatch) Ledger {
	l.Past = append(slices.Clip(l.Past), line)
	if len(l.Past) <= ledgerLength {
		return l
	}
	oldest := 0
	if l.Past[0].Outcome == Passed && l.Past[0].Version == l.lastPassed("") {
		oldest = 1
	}
	l.Past = slices.Delete(slices.Clone(l.Past), oldest, oldest+1)
	return l
}

// rolledBack returns the ledger after a rollback that was begun at the given time:
// the target is live, and the version it replaced is in quarantine.
func (l Ledger) rolledBack(s actions.Subject, at time.Time) Ledger {
	l.Live, l.LiveAt, l.Unwatched = s.To, at, false
	return l.quarantine(s.From)
}

// quarantine returns the ledger after a version was rolled back, by whomever.
func (l Ledger) quarantine(version string) Ledger {
	if version == "" || slices.Contains(l.Bad, version) {
		return l
	}
	l.Bad = append(slices.Clip(l.Bad), version)
	l.Bad = l.Bad[max(0, len(l.Bad)-maxBad):]
	return l
}

// wrong says whether the watch is known to have been a false alarm.
func (l Ledger) wrong(watch uint64) bool {
	return slices.ContainsFunc(l.Past, func(p PastWatch) bool { return p.Watch == watch && p.Wrong })
}

// absolve returns the ledger after a person said that a watch was a false alarm: its
// version is in quarantine no longer.
func (l Ledger) absolve(watch uint64) Ledger {
	l.Past, l.Bad = slices.Clone(l.Past), slices.Clone(l.Bad)
	for i, p := range l.Past {
		if p.Watch == watch {
			l.Past[i].Wrong = true
			l.Bad = slices.DeleteFunc(l.Bad, func(version string) bool { return version == p.Version })
		}
	}
	return l
}

// badSpans returns the stretches in which versions ran that ended badly: whatever
// broke a rule, or was rolled back by whomever, is not what is normal here.
func (l Ledger) badSpans() (bad []rules.Span) {
	for _, p := range l.Past {
		if l.endedBadly(p) {
			bad = append(bad, rules.Span{From: p.Opened, To: p.Closed})
		}
	}
	return bad
}

// badSpans are those of the ledger and, once the watch's own version was rolled back,
// its time: while the target is verified, what broke is not what is normal.
func (l Lane) badSpans() []rules.Span {
	bad := l.Ledger.badSpans()
	if w := l.Watch; w != nil && w.Done != nil {
		bad = append(bad, rules.Span{From: w.Deployment.At, To: w.DoneAt})
	}
	return bad
}

// watchedSpans returns the stretches in which what the lane shows may be its own doing:
// from when a deployment was announced until it passed or was rolled back; one that ended
// badly and stays live, until something else is live. What is open ends at until.
func (l Lane) watchedSpans(until time.Time) (spans []rules.Span) {
	past := l.Ledger.Past
	for i, p := range past {
		s := rules.Span{From: p.Opened, To: p.Closed}
		if l.Ledger.endedBadly(p) {
			switch {
			case p.Outcome == RolledBack, p.Outcome == CancelledWatch: // it is gone
			case i+1 < len(past):
				s.To = past[i+1].Opened
			case l.Watch != nil:
				s.To = l.Watch.Opened
			case l.Ledger.Live == p.Version:
				s.To = until
			}
		}
		spans = append(spans, s)
	}
	if l.Watch != nil {
		spans = append(spans, rules.Span{From: l.Watch.Opened, To: until})
	}
	return spans
}

// endedBadly says that the watch found something worse, or that people went back.
func (l Ledger) endedBadly(p PastWatch) bool {
	if p.Wrong {
		return false
	}
	switch p.Outcome {
	case Passed:
		return false
	case RolledBack, RollbackFailed, Unknown, Left:
		return true
	case Kept, Undecided, Superseded, CancelledWatch:
		return p.Rule != "" || slices.Contains(l.Bad, p.Version) // a rule was broken when it ended, or people went back themselves
	}
	return true
}

// goesBack says whether a deployment of the version is a rollback by its nature,
// though nobody calls it one: it passed here, and what it replaces did not.
func (l Ledger) goesBack(version string) bool {
	return version != l.Live && l.passed(version) && !l.passed(l.Live)
}

// settles says whether the version is the target of a rollback of which nobody knew
// whether it had worked: now it has.
func (l Ledger) settles(version string) bool {
	if len(l.Past) == 0 {
		return false
	}
	last := l.Past[len(l.Past)-1]
	return last.Target == version && last.Version == l.Live && (last.Outcome == Unknown || last.Outcome == RollbackFailed)
}

// knows says whether the lane has seen the version.
func (l Ledger) knows(version string) bool {
	return slices.ContainsFunc(l.Past, func(p PastWatch) bool { return p.Version == version })
}

// lastPassed returns the last version that passed here, other than the given one
// and not in quarantine; empty if there is none.
func (l Ledger) lastPassed(not string) string {
	for _, past := range slices.Backward(l.Past) {
		if past.Outcome == Passed && past.Version != not && !slices.Contains(l.Bad, past.Version) {
			return past.Version
		}
	}
	return ""
}

// target says which version a rollback of d would go to: the last that passed, not
// merely the one before, for after a bad B and a bad C nobody wants B back.
func (l Ledger) target(d rules.Deployment, plan rules.Plan) authority.Target {
	return l.above(l.aim(d, plan), d)
}

// aim says which version a rollback of d would go to, if there is a way back.
func (l Ledger) aim(d rules.Deployment, plan rules.Plan) authority.Target {
	rollback, _ := plan.RollbackFor(d.Strategy)
	passed := l.lastPassed(d.Version)
	if rollback.Target != rules.PreviousVersion && passed != "" {
		return authority.Target{Version: passed}
	}
	switch {
	case d.Previous == "":
		return authority.Target{Missing: "no version is known to go back to"}
	case d.Previous == d.Version:
		return authority.Target{Missing: "the version before was the same one"}
	case slices.Contains(l.Bad, d.Previous):
		return authority.Target{Missing: d.Previous + " is in quarantine: it was rolled back here"}
	case !l.knows(d.Previous):
		return authority.Target{Version: d.Previous, Doubt: fmt.Sprintf("only the event names %s; it was never watched here", d.Previous)}
	case !l.passed(d.Previous):
		return authority.Target{Version: d.Previous, Doubt: d.Previous + " never passed here"}
	}
	return authority.Target{Version: d.Previous}
}

func (l Ledger) passed(version string) bool {
	return slices.ContainsFunc(l.Past, func(p PastWatch) bool { return p.Version == version && p.Outcome == Passed })
}
