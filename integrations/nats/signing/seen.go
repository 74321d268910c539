package signing

import (
	"fmt"
	"sync"
	"time"
)

// Bounds of what is remembered.
const (
	// seenFor is how long after a message another one can be stored that is as fresh:
	// the one was signed Fresh ahead of its time, the other comes Fresh late.
	seenFor = 2 * Fresh
	// seenMost is how many ids are remembered at most in that time; with more, the
	// oldest are forgotten early.
	seenMost = 50_000
)

// Seen remembers which ids were there, as long as it matters, in memory. It tells a
// message that is delivered again, from the same place, from a copy in another place.
// Its zero value is ready.
type Seen struct {
	mu          sync.Mutex
	now, before map[string]uint64 // places by key and id; before is that of the time before
	began       time.Time
}

// First returns nil if the id of the key was never there, or only in this place of the
// stream, else ErrReplayed. The stored is when the stream took the message: this is
// the clock by which ids are forgotten, so that a long outage forgets none.
func (s *Seen) First(by Signed, place uint64, stored time.Time) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.now == nil || stored.Sub(s.began) > seenFor || len(s.now) >= seenMost {
		s.now, s.before, s.began = map[string]uint64{}, s.now, stored
	}
	name := by.Key + " " + by.ID
	for _, known := range []map[string]uint64{s.now, s.before} {
		if first, there := known[name]; there && first != place {
			return fmt.Errorf("%w: %s signed id %s once, for the message %d of the stream", ErrReplayed, by.Key, by.ID, first)
		}
	}
	s.now[name] = place
	return nil
}
