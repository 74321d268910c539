package watchertest

import (
	"fmt"
	"time"

	"github.com/bakewatch/bakewatch/rules"
	"github.com/bakewatch/bakewatch/watcher"
)

// Effect is one rollback that the outside has really seen.
type Effect struct {
	Key string // the idempotency key
	To  string // the version that is live since
	At  time.Time
}

// Record is what a run has left behind.
type Record struct {
	Entries []watcher.Entry // the whole journal, in order
	Effects []Effect
	// Events are the ids of the deployments that were accepted.
	Events []string
	// Lanes is what the Desk shows, read after the last entry that changes
	// anything; nil: nobody asked.
	Lanes []watcher.LaneView
}

// Check returns every promise that the record breaks; none: all are kept.
func Check(r Record) []error {
	c := &checker{lanes: map[rules.LaneID]*lane{}}
	for _, e := range r.Entries {
		c.see(e)
	}
	c.effects(r.Effects)
	c.events(r.Events)
	c.views(r.Lanes)
	return c.broken
}

// checker audits the entries one after the other.
type checker struct {
	lanes  map[rules.LaneID]*lane
	broken []error
	seq    uint64
	seen   map[string]bool // ids of deployments that stand in the journal
	// watches in the order they were opened
	watches []*watch
}

// lane is what the auditor knows of a lane.
type lane struct {
	entries []watcher.Entry
	open    *watch
	ledger  watcher.Ledger // as the last entry with one says
}

// watch holds the entries of one watch, by kind.
type watch struct {
	opened watcher.Entry
	bad    []string // the quarantine when it was opened
	of     map[watcher.Kind][]watcher.Entry
	over   bool
}

func (w *watch) has(kind watcher.Kind) bool { return len(w.of[kind]) > 0 }

// breaks records a broken promise.
func (c *checker) breaks(promise string, e watcher.Entry, format string, args ...any) {
	c.broken = append(c.broken, fmt.Errorf("%s: entry %d (%s of %s): %s", promise, e.Seq, e.Kind, e.Lane, fmt.Sprintf(format, args...)))
}
