package watcher

import (
	"fmt"
	"slices"
	"time"

	"github.com/bakewatch/bakewatch/actions/authority"
	"github.com/bakewatch/bakewatch/rules"
)

// Floor is a version whose deployment cannot be undone: what went live before it is no
// target any more.
type Floor struct {
	Version string    `json:"version"`
	At      time.Time `json:"at,omitzero"` // when its deployment happened
	// Begun says that the deployment began and, as far as is known, never came to its end.
	// Nobody but its tool, or a person, knows whether it has done what cannot be undone.
	Begun bool `json:"begun,omitempty"`
}

// maxFloors bounds how many a lane remembers.
const maxFloors = 20

// irreversible says that the deployment cannot be undone, by its own word.
func irreversible(d rules.Deployment) bool { return d.Reversible != nil && !*d.Reversible }

// harmless says that an event takes back that its deployment cannot be undone: it was
// given up before it had done such a thing.
func harmless(d rules.Deployment) bool {
	return d.Step == rules.Cancelled && d.Reversible != nil && *d.Reversible
}

// floors returns all of them, the last one, which counts, at the end.
func (l Ledger) floors() []Floor {
	if l.Floor == "" {
		return nil
	}
	return append(slices.Clone(l.Floors), Floor{l.Floor, l.FloorAt, l.FloorBegun})
}

func (l Ledger) withFloors(all []Floor) Ledger {
	if len(all) == 0 {
		l.Floor, l.FloorAt, l.FloorBegun, l.Floors = "", time.Time{}, false, nil
		return l
	}
	all = all[max(0, len(all)-maxFloors):]
	last := all[len(all)-1]
	l.Floor, l.FloorAt, l.FloorBegun, l.Floors = last.Version, last.At, last.Begun, all[:len(all)-1]
	return l
}

// bars returns the ledger after a deployment has begun: one that cannot be undone is the
// new floor. That an earlier try of it came to its end is not forgotten.
func (l Ledger) bars(d rules.Deployment) Ledger {
	if !irreversible(d) {
		return l
	}
	floor, all := Floor{d.Version, d.At, !live(d.Step)}, l.floors()
	all = slices.DeleteFunc(all, func(f Floor) bool {
		floor.Begun = floor.Begun && (f.Version != d.Version || f.Begun)
		return f.Version == d.Version
	})
	return l.withFloors(append(all, floor))
}

// wentLive returns the ledger after a deployment came to its end: whatever it had to do is done.
func (l Ledger) wentLive(version string) Ledger {
	all := l.floors()
	for i := range all {
		all[i].Begun = all[i].Begun && all[i].Version != version
	}
	return l.withFloors(all)
}

// lifts says whether an event lifts a floor: that of a deployment which went live never
// falls, nor that of a later try than the event is of.
func (l Ledger) lifts(d rules.Deployment) bool {
	return harmless(d) && slices.ContainsFunc(l.floors(), func(f Floor) bool { return f.isOf(d) })
}

func (f Floor) isOf(d rules.Deployment) bool {
	return f.Begun && f.Version == d.Version && (d.At.IsZero() || !d.At.Before(f.At.Add(-tolerance)))
}

// lift returns the ledger after such an event: the floor before it counts again.
func (l Ledger) lift(d rules.Deployment) Ledger {
	if !l.lifts(d) {
		return l
	}
	return l.withFloors(slices.DeleteFunc(l.floors(), func(f Floor) bool { return f.isOf(d) }))
}

// above returns the target of a rollback of d with why there is no way back to it, if it
// is from before the last change that cannot be undone.
func (l Ledger) above(target authority.Target, d rules.Deployment) authority.Target {
	target.BelowFloor = ""
	if target.Version == "" || target.Version == l.Floor || d.Version == l.Floor || l.liveSince(target.Version, l.FloorAt) {
		return target
	}
	target.BelowFloor = fmt.Sprintf("%s is from before %s, which cannot be undone", target.Version, l.Floor)
	if l.FloorBegun {
		target.BelowFloor += fmt.Sprintf(" (it began and never went live: if it had not done so yet, announce %s as cancelled and reversible)", l.Floor)
	}
	return target
}

// liveSince says whether the version was deployed here since then.
func (l Ledger) liveSince(version string, since time.Time) bool {
	return since.IsZero() || slices.ContainsFunc(l.Past, func(p PastWatch) bool { return p.Version == version && !p.Opened.Before(since) })
}

// unfloored notes that a deployment, given up before, has not done what cannot be undone.
// While one of its version is watched or waits, the event is a step of that.
func (l Lane) unfloored(d rules.Deployment) (Entry, bool) {
	w := l.Watch
	if !l.Ledger.lifts(d) || w != nil && (w.Deployment.Version == d.Version || w.Newer != nil && w.Newer.Deployment.Version == d.Version) {
		return Entry{}, false
	}
	return note(FloorLifted, d, fmt.Sprintf("%s was given up before it had done what cannot be undone: what was live before it may be gone back to again", d.Version)), true
}

// leaves returns the ledger after a note that ends the wait of a deployment: it was never
// watched, and may have done what cannot be undone all the same.
func (l Lane) leaves(e Entry) Ledger {
	w := l.Watch
	if w == nil || w.Newer == nil || e.Topic != NewerCancelled && (e.Topic != NewerWaits || w.Newer.Deployment.Version == e.Deployment.Version) {
		return l.Ledger
	}
	return l.Ledger.bars(*w.Newer.Deployment)
}
