package watcher_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/bakewatch/bakewatch/rules"
	"github.com/bakewatch/bakewatch/watcher"
)

// TestReplicasThatRaceDecideAndActOnceAtMost lets two or three replicas own the same
// lane, with a journal that takes its time and sometimes loses an acknowledgement.
// Ownership is only thrift: whatever they do, at most one of them decides and acts.
func TestReplicasThatRaceDecideAndActOnceAtMost(t *testing.T) {
	for seed := range uint64(25) {
		t.Run(fmt.Sprint("seed ", seed), func(t *testing.T) {
			random := rand.New(rand.NewPCG(seed, 1))
			w := &world{bad: []string{"2.4.0"}, tells: random.IntN(2) == 0, idempotent: random.IntN(2) == 0}
			stage(t, w, plan(), func(s *scene) {
				s.passed("2.3.9")
				for i := range 1 + random.IntN(2) {
					s.start(fmt.Sprint("replica ", i))
				}
				s.journal.Lock()
				s.journal.delay = delays(rand.New(rand.NewPCG(seed, 2)))
				s.journal.Unlock()
				s.announce("2.4.0")
				s.wait(time.Duration(random.IntN(90)) * time.Second)
				if random.IntN(3) == 0 {
					s.announce("2.5.0")
				}
				s.wait(20 * time.Minute)
				if random.IntN(2) == 0 {
					s.owners[0].kill()
					<-s.owners[0].gone
				}
				s.wait(2 * time.Hour)
				assertInvariants(t, s)
			})
		})
	}
}

// TestAProcessThatIsKilledAtAnyMomentActsOnceAtMost kills the replica again and again,
// wherever it stands, and starts another, until the watch has ended.
func TestAProcessThatIsKilledAtAnyMomentActsOnceAtMost(t *testing.T) {
	ends := map[watcher.Outcome]int{}
	for seed := range uint64(25) {
		t.Run(fmt.Sprint("seed ", seed), func(t *testing.T) {
			random := rand.New(rand.NewPCG(seed, 3))
			w := &world{bad: []string{"2.4.0"}, tells: random.IntN(2) == 0, idempotent: random.IntN(2) == 0}
			stage(t, w, plan(), func(s *scene) {
				s.passed("2.3.9")
				s.journal.Lock()
				s.journal.delay = delays(rand.New(rand.NewPCG(seed, 4)))
				s.journal.Unlock()
				s.announce("2.4.0")
				s.wait(5 * time.Second)
				for i := range 1 + random.IntN(5) {
					s.wait(time.Duration(random.IntN(60000)) * time.Millisecond)
					last := s.owners[len(s.owners)-1]
					last.kill()
					<-last.gone
					s.wait(time.Duration(random.IntN(20)) * time.Second)
					s.start(fmt.Sprint("replica ", i))
					s.announceTo(s.owners[len(s.owners)-1], "2.4.0")
				}
				s.wait(30 * time.Minute)
				assertInvariants(t, s)
				ends[s.outcome()]++
			})
		})
	}
	if ends[watcher.RolledBack] == 0 || ends[watcher.Passed] > 0 {
		t.Errorf("outcomes: %v", ends)
	}
}

// delays draws how long an append takes, and whether its acknowledgement is lost.
func delays(random *rand.Rand) func() (before, after time.Duration, lost bool) {
	var mu sync.Mutex
	return func() (before, after time.Duration, lost bool) {
		mu.Lock()
		defer mu.Unlock()
		return time.Duration(random.IntN(1500)) * time.Millisecond, time.Duration(random.IntN(1500)) * time.Millisecond, random.IntN(10) == 0
	}
}

// announce hands a version to every replica at once, again and again until it is taken.
func (s *scene) announce(version string) {
	s.Lock()
	s.live, s.moved = version, time.Now()
	s.Unlock()
	for _, r := range s.owners {
		s.announceTo(r, version)
	}
}

// announceTo hands a version to a replica, as an event bus does: until it is taken or the replica is gone.
func (s *scene) announceTo(r *replica, version string) {
	d := rules.Deployment{
		ID: "event-" + version, Service: "checkout", Environment: "production", Version: version,
		Step: rules.Finished, Strategy: rules.Rolling, At: s.moved, By: "ana",
	}
	go func() {
		for {
			if err := r.Announce(s.t.Context(), d); err == nil || errors.Is(err, watcher.ErrStopped) {
				return
			}
			<-time.After(time.Second)
		}
	}()
}

// assertInvariants asserts what must hold of every journal, however it came about.
func assertInvariants(t *testing.T, s *scene) {
	t.Helper()
	count := map[watcher.Kind]map[uint64]int{}
	for _, e := range s.journal.entries {
		if count[e.Kind] == nil {
			count[e.Kind] = map[uint64]int{}
		}
		count[e.Kind][e.Watch]++
		if e.Kind == watcher.Intended && count[watcher.Decided][e.Watch] == 0 || e.Kind == watcher.Done && count[watcher.Intended][e.Watch] == 0 {
			t.Errorf("%s of watch %d before its time: %s", e.Kind, e.Watch, s.journal.kinds())
		}
	}
	for _, kind := range []watcher.Kind{watcher.Decided, watcher.Intended, watcher.Done, watcher.Verified, watcher.Closed} {
		for watch, n := range count[kind] {
			if n > 1 {
				t.Errorf("watch %d: %s %d times: %s", watch, kind, n, s.journal.kinds())
			}
		}
	}
	if keys := slices.Compact(slices.Sorted(slices.Values(s.calls))); len(keys) > len(count[watcher.Intended]) || len(s.calls) > len(keys) && !s.idempotent {
		t.Errorf("%d calls with %d keys for %d intents", len(s.calls), len(keys), len(count[watcher.Intended]))
	}
	if got := s.journal.kinds(); strings.Count(got, "opened") != len(s.ledger().Past) {
		t.Errorf("a watch has not ended: %s", got)
	}
}
