package main

import (
	"cmp"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/bakewatch/bakewatch/actions"
	"github.com/bakewatch/bakewatch/integrations/nats"
	"github.com/bakewatch/bakewatch/rules"
	"github.com/bakewatch/bakewatch/watcher"
	"github.com/bakewatch/bakewatch/watcher/watchertest"
)

// crash is one way for the daemon to die while it rolls a bad version back.
type crash struct {
	variant
	at     string          // a point of the journal
	effect string          // or a moment within the executor's call: the file that the tool looks for
	want   watcher.Outcome // empty: rolled back, or unknown where it may be
}

// play lets the daemon roll 2.0.0 back and die on the way, starts it again until the
// watch has ended, and checks every promise. It returns the whole journal.
func (c crash) play(t *testing.T, o *observatory, service string) []watcher.Entry {
	t.Helper()
	s := newScene(t, o, service, c.variant)
	s.opened(func(_ *nats.Conn, journal *nats.Journal) { s.passed(journal) })
	if c.effect != "" {
		touch(t, s.Dir, c.effect)
	}
	k := s.kept(c.at, "")
	d := finished(s.Service, "2.0.0")
	if c.Asks { // the longer way: a step before, and a vote after
		d.Step = rules.Started
		s.announce(d)
		within(t, time.Minute, "the first step is in the journal", func() bool { return len(s.journaled()) > 2 })
		d.Step = rules.Finished
	}
	s.announce(d)
	within(t, time.Minute, "there is a first look, which finds nothing yet", func() bool {
		return slices.ContainsFunc(s.journaled(), func(e watcher.Entry) bool { return e.Kind == watcher.Verdicts })
	})
	s.live("2.0.0")
	s.settled(d)
	lanes := s.list()
	if died := k.deaths() > 0; died != (c.at != "" || c.effect != "") {
		t.Errorf("the daemon died %d times, and should have at %q %s", k.deaths(), c.at, c.effect)
	}
	k.drained()
	return s.ended(c, d, lanes)
}

// ended checks what is left in the end.
func (s *scene) ended(c crash, d rules.Deployment, lanes []watcher.LaneView) (entries []watcher.Entry) {
	s.Helper()
	s.opened(func(conn *nats.Conn, journal *nats.Journal) {
		entries = s.audit(conn, journal, watchertest.Record{Lanes: lanes, Events: []string{d.ID}})
	})
	var outcome watcher.Outcome
	for _, e := range entries {
		if e.Kind == watcher.Closed {
			outcome = e.Outcome
		}
	}
	if outcome != c.want && (c.want != "" || outcome != watcher.RolledBack && (outcome != watcher.Unknown || c.Idempotent)) {
		s.Errorf("the watch ended as %s, want %s", outcome, c.want)
	}
	if outcome == watcher.Unknown && !s.told(actions.Page, "done") {
		s.Error("nobody was paged about an unknown outcome")
	}
	effects, calls := s.effects(), linesOf(s.T, s.Dir, "calls")
	switch {
	case outcome == watcher.RolledBack && len(effects) != 1:
		s.Errorf("rolled back with %d effects", len(effects))
	case !c.Idempotent && len(calls) > 1:
		s.Errorf("the executor must not be called twice, and was called %d times", len(calls))
	}
	return entries
}

var (
	repeatable   = variant{Idempotent: true}
	tellsLive    = variant{Tells: true}
	conforming   = variant{Idempotent: true, Tells: true}
	neither      = variant{}
	afterAVote   = variant{Tells: true, Asks: true}
	beforeEffect = "die-before-effect"
	duringEffect = "die-during-effect"
	afterEffect  = "die-after-effect"
)

func TestADaemonThatIsKilledGoesOnWhereItStood(t *testing.T) {
	if testing.Short() {
		t.Skip("starts and kills real processes")
	}
	t.Parallel()
	play(t, "quick", []crash{
		{neither, "before decided 1", "", watcher.RolledBack},
		{afterAVote, "after decided 1", "", watcher.RolledBack},
		{conforming, "after intended 1", "", watcher.RolledBack},
		{neither, "after intended 1", "", watcher.Unknown},
		{tellsLive, "", afterEffect, watcher.RolledBack},
		{repeatable, "", beforeEffect, watcher.RolledBack},
		{neither, "before done 1", "", watcher.Unknown},
	})
}

// play plays all crashes, several at a time: they mostly wait.
func play(t *testing.T, name string, crashes []crash) {
	t.Helper()
	o := newObservatory(t)
	var wait sync.WaitGroup
	defer wait.Wait()
	places := make(chan struct{}, 8)
	for i, c := range crashes {
		places <- struct{}{}
		wait.Go(func() {
			defer func() { <-places }()
			t.Run(cmp.Or(c.at, c.effect)+" with "+c.String(), func(t *testing.T) {
				c.play(t, o, fmt.Sprintf("%s-%d", name, i))
			})
		})
	}
}
