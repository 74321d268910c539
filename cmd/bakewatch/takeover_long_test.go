//go:build long

package main

import (
	"context"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"

	"github.com/bakewatch/bakewatch/integrations/nats"
	"github.com/bakewatch/bakewatch/rules"
	"github.com/bakewatch/bakewatch/watcher"
	"github.com/bakewatch/bakewatch/watcher/watchertest"
)

// What is promised to whoever runs two.
const (
	takenOverAfterAKill = 20 * time.Second
	takenOverAfterAStop = 2 * time.Second
)

// pair is two daemons on one NATS: a acts, b stands by.
type pair struct {
	*scene
	a, b       *process
	aLog, bLog *lines
}

func newPair(t *testing.T, v variant) *pair {
	t.Helper()
	v.NATS = external(t, server.Options{})
	p := &pair{scene: newScene(t, newObservatory(t), "paired", v), aLog: &lines{}, bLog: &lines{}}
	conn, err := nats.Connect(t.Context(), nats.Config{URL: v.NATS, CreateStreams: true})
	if err != nil {
		t.Fatal(err)
	}
	journal, err := conn.Journal(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	p.passed(journal)
	conn.NATS().Close()
	p.a = bakewatch(t, p.Dir, p.aLog, nil, "run", "--config", "bakewatch.toml", "--replica", "a")
	within(t, time.Minute, "a acts", func() bool { return acts(p.aLog) })
	p.b = bakewatch(t, p.Dir, p.bLog, nil, "run", "--config", "bakewatch.toml", "--replica", "b")
	within(t, time.Minute, "b stands by", func() bool { return strings.Contains(p.bLog.String(), "standing by") })
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("a's last words:\n%s\nb's last words:\n%s", p.aLog.last(30), p.bLog.last(30))
		}
	})
	return p
}

func acts(log *lines) bool { return strings.Contains(log.String(), "events are taken in") }

// deploy makes the broken version live and waits until it is watched.
func (p *pair) deploy() rules.Deployment {
	p.Helper()
	d := finished(p.Service, "2.0.0")
	p.announce(d)
	within(p.T, time.Minute, "it is watched", func() bool { return len(p.journaled()) > 2 })
	return d
}

// sound checks everything in the end; the watch ended as want.
func (p *pair) sound(d rules.Deployment, want watcher.Outcome) (entries []watcher.Entry) {
	p.Helper()
	lanes := p.list()
	ctx, cancel := context.WithTimeout(p.Context(), time.Minute)
	defer cancel()
	conn := p.dial(ctx)
	if conn == nil {
		p.Fatal("NATS is gone")
	}
	defer conn.NATS().Close()
	journal, err := conn.Journal(ctx)
	if err != nil {
		p.Fatal(err)
	}
	entries = p.audit(conn, journal, watchertest.Record{Lanes: lanes, Events: []string{d.ID}})
	i := slices.IndexFunc(entries, func(e watcher.Entry) bool { return e.Kind == watcher.Closed && e.Seq > 2 })
	if i < 0 || entries[i].Outcome != want {
		p.Errorf("the watch should have ended as %s:\n%s", want, story(entries))
	}
	return entries
}

func TestTheStandbyTakesOverWhenTheActiveOneIsKilled(t *testing.T) {
	p := newPair(t, neither)
	d := p.deploy()
	p.a.kill()
	within(t, takenOverAfterAKill, "b acts", func() bool { return acts(p.bLog) })
	p.live("2.0.0") // only now is there anything to see
	p.settled(d)
	for _, e := range p.sound(d, watcher.RolledBack) {
		if e.Kind == watcher.Decided && e.Owner != "b" {
			t.Errorf("decided by %s", e.Owner)
		}
	}
	p.b.drained()
}

func TestTheStandbyTakesOverAtOnceWhenTheActiveOneIsStopped(t *testing.T) {
	p := newPair(t, neither)
	d := p.deploy()
	p.a.stop()
	within(t, takenOverAfterAStop, "b acts", func() bool { return acts(p.bLog) })
	p.a.drained()
	p.live("2.0.0")
	p.settled(d)
	p.sound(d, watcher.RolledBack)
	p.b.drained()
}

func TestARollbackUnderWayIsEndedBeforeTheDaemonStops(t *testing.T) {
	for name, c := range map[string]struct {
		ends bool
		want watcher.Outcome
	}{
		"in time: it is written down, and not done again":                 {true, watcher.RolledBack},
		"too late: the next one finds out that nobody knows, and says so": {false, watcher.Unknown},
	} {
		t.Run(name, func(t *testing.T) {
			p := newPair(t, neither)
			touch(t, p.Dir, "slow")
			p.live("2.0.0")
			d := p.deploy()
			within(t, time.Minute, "the rollback is under way", func() bool { return len(linesOf(t, p.Dir, "calls")) > 0 })
			p.a.stop()
			if c.ends {
				within(t, 5*time.Second, "a stops taking events in", func() bool { return strings.Contains(p.aLog.String(), "stop") || p.list() == nil })
				if err := os.Remove(filepath.Join(p.Dir, "slow")); err != nil {
					t.Fatal(err)
				}
			}
			p.a.drained()
			within(t, takenOverAfterAStop, "b acts", func() bool { return acts(p.bLog) })
			p.settled(d)
			p.sound(d, c.want)
			if calls := linesOf(t, p.Dir, "calls"); len(calls) != 1 {
				t.Errorf("the executor was called %d times", len(calls))
			}
			p.b.drained()
		})
	}
}

func TestAnOwnerThatSleptThroughItsLeaseWritesNothingAnyMore(t *testing.T) {
	for name, c := range map[string]struct {
		variant
		want  watcher.Outcome
		calls int
	}{
		"an executor that may be repeated is": {conforming, watcher.RolledBack, 2},
		"one that must not be is not":         {tellsLive, watcher.Unknown, 1},
	} {
		t.Run(name, func(t *testing.T) {
			p := newPair(t, c.variant)
			touch(t, p.Dir, "slow")
			p.live("2.0.0")
			d := p.deploy()
			within(t, time.Minute, "the rollback is under way", func() bool { return len(linesOf(t, p.Dir, "calls")) > 0 })
			p.a.signal(syscall.SIGSTOP)
			within(t, takenOverAfterAKill, "b acts", func() bool { return acts(p.bLog) })
			if c.want == watcher.Unknown {
				within(t, time.Minute, "b settles the rollback", func() bool { return p.ends(d) })
			}
			if err := os.Remove(filepath.Join(p.Dir, "slow")); err != nil {
				t.Fatal(err)
			}
			// On one machine b waits until the tool that a has started ends, and only then calls it again.
			within(t, time.Minute, "the tool is done", func() bool {
				return len(p.effects()) == 1 && len(linesOf(t, p.Dir, "calls")) == c.calls
			})
			p.settled(d)
			p.a.signal(syscall.SIGCONT)
			within(t, time.Minute, "a stands by", func() bool { return strings.Contains(p.aLog.String(), "stands by") })
			entries := p.sound(d, c.want)
			after := entries[len(entries)-1].Seq
			p.b.drained()
			within(t, time.Minute, "a acts again", func() bool { return strings.Count(p.aLog.String(), "events are taken in") == 2 })
			p.a.drained()
			if calls := linesOf(t, p.Dir, "calls"); len(calls) != c.calls {
				t.Errorf("the executor was called %d times, want %d", len(calls), c.calls)
			}
			if entries := p.sound(d, c.want); entries[len(entries)-1].Seq != after && entries[len(entries)-1].Kind != watcher.Told {
				t.Errorf("something was written after the end:\n%s", story(entries))
			}
		})
	}
}

// ends says whether the watch of a deployment has ended.
func (s *scene) ends(d rules.Deployment) bool {
	var opened uint64
	for _, e := range s.journaled() {
		if e.Kind == watcher.Opened && e.Deployment.ID == d.ID {
			opened = e.Seq
		}
		if e.Kind == watcher.Closed && e.Watch == opened {
			return true
		}
	}
	return false
}
