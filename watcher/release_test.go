package watcher_test

import (
	"strings"
	"testing"
	"time"

	"github.com/bakewatch/bakewatch/actions/authority"
	"github.com/bakewatch/bakewatch/rules"
	"github.com/bakewatch/bakewatch/watcher"
)

// release deploys a version of services as one release.
func (s *scene) release(version string, by map[string]string) {
	for _, service := range []string{"checkout", "payment", "search"} {
		s.deploy(version, func(d *rules.Deployment) {
			d.Service, d.Release, d.ID, d.By = service, "2026-47", service+version, by[service]
		})
	}
}

func TestOneAnswerIsForAllLanesOfARelease(t *testing.T) {
	plans := plan(asks(rules.SilenceKeeps), func(p *rules.Plan) { p.Notify.Chat = []string{"chat"} })
	stage(t, &world{bad: []string{"2.4.0"}}, plans, func(s *scene) {
		s.release("2.3.9", map[string]string{"checkout": "ana", "payment": "ana", "search": "ana"})
		s.wait(31 * time.Minute)
		from := s.journal.length()
		s.release("2.4.0", map[string]string{"checkout": "ana", "payment": "ana", "search": "ben"})
		s.wait(2 * time.Minute)
		var leader, lone watcher.Entry
		joined := 0
		for i, e := range s.journal.entries[from:] {
			switch {
			case e.Kind != watcher.Ruled:
			case e.Joins == nil && leader.Seq == 0:
				leader = e
			case e.Joins == nil:
				lone = e
			case e.Joins.Question == leader.Seq:
				joined++
				m, audiences := watcher.Render(ofItsWatch(s.journal.entries[:from+i+1]))
				if len(audiences) != 1 || m.Question.Question != leader.Seq || !strings.Contains(m.Text(), "of the same release") {
					t.Errorf("told to %v: %s", audiences, m.Text())
				}
			}
		}
		if joined != 2 || lone.Seq != 0 {
			t.Fatalf("%d questions stand behind %d; journal: %s", joined, leader.Seq, s.journal.kinds())
		}
		_, err := s.owners[0].Answer(s.t.Context(), watcher.Ref{Name: leader.Lane.Service}, authority.Vote{Proof: authority.LocalProof("eve"), Choice: authority.RollBack})
		if err != nil {
			t.Fatal(err)
		}
		s.wait(10 * time.Minute)
		if len(s.calls) != 3 {
			t.Errorf("%d rollbacks; journal: %s", len(s.calls), s.journal.kinds())
		}
	})
}

func TestAVoteForAReleaseDoesNotCountWhereTheVoterDeployed(t *testing.T) {
	stage(t, &world{bad: []string{"2.4.0"}}, plan(asks(rules.SilenceKeeps)), func(s *scene) {
		s.release("2.3.9", map[string]string{"checkout": "ana", "payment": "ana", "search": "ana"})
		s.wait(31 * time.Minute)
		from := s.journal.length()
		s.release("2.4.0", map[string]string{"checkout": "ana", "payment": "ana", "search": "ana"})
		s.wait(2 * time.Minute)
		var leader watcher.Entry
		for _, e := range s.journal.entries[from:] {
			if e.Kind == watcher.Ruled && e.Joins == nil {
				leader = e
			}
		}
		var other rules.LaneID // in which ben turns out to have had a hand
		for _, service := range []string{"checkout", "payment", "search"} {
			if service != leader.Lane.Service {
				other = rules.LaneID{Environment: "production", Service: service}
			}
		}
		s.deploy("2.4.0", func(d *rules.Deployment) {
			d.Service, d.ID, d.By, d.Step, d.Stage = other.Service, "late", "ben", rules.Stage, "50%"
		})
		if _, err := s.owners[0].Answer(s.t.Context(), watcher.Ref{Name: leader.Lane.Service}, authority.Vote{Proof: authority.LocalProof("ben"), Choice: authority.RollBack}); err != nil {
			t.Fatal(err)
		}
		s.wait(5 * time.Minute)
		if len(s.calls) != 2 {
			t.Errorf("%d rollbacks; journal: %s", len(s.calls), s.journal.kinds())
		}
	})
}
