//go:build long

package main

import (
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/bakewatch/bakewatch/integrations/nats"
	"github.com/bakewatch/bakewatch/watcher"
	"github.com/bakewatch/bakewatch/watcher/watchertest"
)

// points returns the moments before and after every append of a run.
func points(entries []watcher.Entry) (all []string) {
	seen := map[watcher.Kind]int{}
	for _, e := range entries[2:] { // the first two are how 1.0.0 passed
		seen[e.Kind]++
		for _, when := range []string{"before", "after"} {
			all = append(all, point{when, string(e.Kind), seen[e.Kind]}.String())
		}
	}
	return all
}

// outcomeOf says how a watch ends after a crash at a point: a rollback that may have
// begun is unknown where nobody can tell and nothing may be repeated.
func outcomeOf(v variant, at string) watcher.Outcome {
	switch {
	case v.Idempotent:
		return watcher.RolledBack
	case strings.Contains(at, string(watcher.Told)): // people are told beside the rollback
		return ""
	case at == "after intended 1": // nothing was done, but who would know?
		return watcher.Unknown
	case at == "before done 1" && !v.Tells:
		return watcher.Unknown
	}
	return watcher.RolledBack
}

// Every append of a whole watch is a point to die at: what a run without a crash
// writes says which there are.
func TestADaemonMayBeKilledBeforeAndAfterEveryAppend(t *testing.T) {
	for _, v := range []variant{neither, tellsLive, repeatable, conforming, afterAVote, {Idempotent: true, Asks: true}} {
		t.Run(v.String(), func(t *testing.T) {
			entries := crash{variant: v, want: watcher.RolledBack}.play(t, newObservatory(t), "whole")
			kinds := map[watcher.Kind]bool{}
			for _, e := range entries {
				kinds[e.Kind] = true
			}
			for _, kind := range kindsOf(v) {
				if !kinds[kind] {
					t.Fatalf("a run without a crash has no %q:\n%s", kind, story(entries))
				}
			}
			var crashes []crash
			for _, at := range points(entries) {
				crashes = append(crashes, crash{v, at, "", outcomeOf(v, at)})
			}
			play(t, "append", crashes)
		})
	}
}

// kindsOf lists the kinds that a run writes at least once.
func kindsOf(v variant) []watcher.Kind {
	kinds := []watcher.Kind{watcher.Opened, watcher.Decided, watcher.Intended, watcher.Done, watcher.Verified, watcher.Told, watcher.Closed, watcher.Verdicts}
	if v.Asks {
		kinds = append(kinds, watcher.Step, watcher.Ruled, watcher.Voted)
	}
	return kinds
}

func TestADaemonMayBeKilledWithinTheExecutorsCall(t *testing.T) {
	play(t, "effect", []crash{
		{neither, "", beforeEffect, watcher.Unknown},
		{neither, "", duringEffect, watcher.Unknown},
		{neither, "", afterEffect, watcher.Unknown},
		{tellsLive, "", beforeEffect, watcher.Unknown},
		{tellsLive, "", afterEffect, watcher.RolledBack},
		{repeatable, "", beforeEffect, watcher.RolledBack},
		{repeatable, "", duringEffect, watcher.RolledBack},
		{repeatable, "", afterEffect, watcher.RolledBack},
		{conforming, "", beforeEffect, watcher.RolledBack},
		{conforming, "", duringEffect, watcher.RolledBack},
		{conforming, "", afterEffect, watcher.RolledBack},
	})
}

// A daemon that never writes more than one entry still gets there.
func TestADaemonThatDiesAfterEachAppendStillEndsTheWatch(t *testing.T) {
	o := newObservatory(t)
	s := newScene(t, o, "mortal", conforming)
	s.opened(func(_ *nats.Conn, journal *nats.Journal) { s.passed(journal) })
	each := point{"after", anyKind, 1}.String()
	k := s.kept(each, each)
	s.live("2.0.0")
	d := finished(s.Service, "2.0.0")
	s.announce(d)
	s.settled(d)
	lanes := s.list()
	if k.deaths() < 7 { // six entries lead to the end, and deliveries come when they can
		t.Errorf("the daemon died %d times", k.deaths())
	}
	k.end()
	k.process().kill()
	s.ended(crash{variant: conforming, want: watcher.RolledBack}, d, lanes)
}

// No point is named here: the process is killed whenever the dice say so.
func TestADaemonMayBeKilledAtAnyTime(t *testing.T) {
	o := newObservatory(t)
	var wait sync.WaitGroup
	defer wait.Wait()
	places := make(chan struct{}, 8)
	for i, v := range []variant{neither, tellsLive, repeatable, conforming, afterAVote, neither, tellsLive, repeatable, conforming, afterAVote} {
		places <- struct{}{}
		wait.Go(func() {
			defer func() { <-places }()
			seed := uint64(time.Now().UnixNano())
			t.Run(fmt.Sprintf("seed %d, %s", seed, v), func(t *testing.T) {
				s := newScene(t, o, fmt.Sprintf("dice-%d", i), v)
				s.opened(func(_ *nats.Conn, journal *nats.Journal) { s.passed(journal) })
				dice := rand.New(rand.NewPCG(seed, seed))
				k := s.kept("", "")
				s.live("2.0.0")
				d := finished(s.Service, "2.0.0")
				s.announce(d)
				for range 6 {
					select {
					case <-time.After(time.Duration(dice.Int64N(int64(2 * time.Second)))):
					case <-t.Context().Done():
					}
					k.process().signal(syscall.SIGKILL)
				}
				s.settled(d)
				lanes := s.list()
				k.drained()
				s.ended(crash{variant: v}, d, lanes)
			})
		})
	}
}

// A newer deployment that comes while a rollback is under way is watched right after
// it, whenever the daemon dies. A rollback that was interrupted is not tried again then:
// it might put an older version over the newer one.
func TestANewerDeploymentOutlivesAKill(t *testing.T) {
	o := newObservatory(t)
	interrupted := []string{"after noted 1", "before done 1"}
	for i, at := range []string{"", "before noted 1", "after noted 1", "before done 1", "after done 1", "before opened 2", "after opened 2"} {
		t.Run("killed "+at, func(t *testing.T) {
			s := newScene(t, o, fmt.Sprintf("newer-%d", i), repeatable)
			s.opened(func(_ *nats.Conn, journal *nats.Journal) { s.passed(journal) })
			touch(t, s.Dir, "slow")
			k := s.kept(at, "")
			s.live("2.0.0")
			bad, good := finished(s.Service, "2.0.0"), finished(s.Service, "1.1.0")
			s.announce(bad)
			within(t, time.Minute, "the rollback is under way", func() bool { return len(linesOf(t, s.Dir, "calls")) > 0 })
			good.At = time.Now().UTC()
			s.announce(good)
			within(t, time.Minute, "the newer deployment is noted", func() bool {
				return slices.ContainsFunc(s.journaled(), func(e watcher.Entry) bool { return e.Topic == watcher.NewerWaits })
			})
			if err := os.Remove(filepath.Join(s.Dir, "slow")); err != nil {
				t.Fatal(err)
			}
			var lanes []watcher.LaneView
			within(t, time.Minute, "the newer deployment is watched", func() bool {
				lanes = s.list()
				return len(lanes) == 1 && lanes[0].Watch != nil && lanes[0].Watch.Version == good.Version
			})
			if died := k.deaths() > 0; died != (at != "") {
				t.Errorf("the daemon died %d times", k.deaths())
			}
			k.drained()
			s.opened(func(conn *nats.Conn, journal *nats.Journal) {
				s.audit(conn, journal, watchertest.Record{Lanes: lanes, Events: []string{bad.ID, good.ID}})
			})
			want := watcher.RolledBack
			if slices.Contains(interrupted, at) {
				want = watcher.Unknown
			}
			if past := lanes[0].Past; past[len(past)-1].Outcome != want {
				t.Errorf("2.0.0 ended as %s, want %s", past[len(past)-1].Outcome, want)
			}
		})
	}
}
