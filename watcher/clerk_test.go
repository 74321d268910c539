package watcher_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/bakewatch/bakewatch/actions/authority"
	"github.com/bakewatch/bakewatch/rules"
	"github.com/bakewatch/bakewatch/watcher"
)

func TestWhatHasNoWatchSaysWhy(t *testing.T) {
	stage(t, &world{}, nil, func(s *scene) {
		s.deploy("1")
		for ref, want := range map[watcher.Ref]string{
			{Name: "checkout"}:                         "production/checkout has no watch; 1 went live there without a plan",
			{Name: "checkout", Environment: "staging"}: "checkout was never deployed in staging, but in production",
			{Name: "nobody"}:                           "no service of that name was deployed",
		} {
			if _, err := s.owners[0].Show(s.t.Context(), ref); err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("%+v: got %v, want %q", ref, err, want)
			}
		}
	})
}

// remembering is a journal that also knows a watch's history.
type remembering struct{ *memory }

func (m remembering) History(_ context.Context, lane rules.LaneID, watch, upTo uint64) ([]watcher.Entry, error) {
	m.Lock()
	defer m.Unlock()
	var of []watcher.Entry
	for _, e := range m.entries {
		if e.Lane == lane && e.Seq >= watch && e.Seq <= upTo {
			of = append(of, e)
		}
	}
	return of, nil
}

func TestAWatchThatEndedIsShownWhole(t *testing.T) {
	w := &world{tells: true, bad: []string{"2"}}
	s := &scene{world: w, plan: plan(asks(rules.SilenceKeeps))}
	s.config = func(c *watcher.Config) { c.Journal = remembering{s.journal} }
	stageWith(t, s, func(s *scene) {
		s.passed("1")
		s.deploy("1.5")
		s.wait(5 * time.Minute)
		replaced := time.Now()
		s.deploy("2")
		s.wait(5 * time.Minute)
		desk, ref := s.owners[0], watcher.Ref{Name: "checkout"}
		if _, err := desk.Answer(s.t.Context(), ref, authority.Vote{Proof: authority.LocalProof("ben"), Choice: authority.RollBack, Reason: "ours"}); err != nil {
			t.Fatal(err)
		}
		s.wait(20 * time.Minute)
		s.deploy("3")
		if got, err := desk.Show(s.t.Context(), watcher.Ref{Name: "event-1"}); err != nil || got.Outcome != watcher.Passed || len(got.Answers) != 1 || got.Answers[0].Verdict != rules.Healthy || got.Ruling != nil || got.Plan == nil {
			t.Errorf("what passed: outcome %q, answers %+v, %v", got.Outcome, got.Answers, err)
		}
		if got, err := desk.Show(s.t.Context(), watcher.Ref{Name: "event-1.5"}); err != nil || got.Outcome != watcher.Superseded || len(got.Answers) != 1 || replaced.Sub(got.Answers[0].At) > time.Minute {
			t.Errorf("what was replaced: outcome %q, answers %+v, %v", got.Outcome, got.Answers, err)
		}
		got, err := desk.Show(s.t.Context(), watcher.Ref{Name: "event-2"})
		if err != nil || got.Outcome != watcher.RolledBack || got.Phase != watcher.Ended || got.Target != "1" {
			t.Fatalf("%+v, %v", got, err)
		}
		if got.Decision == nil || got.Decision.Votes[0].Reason != "ours" || got.Done == nil || got.Verified == "" {
			t.Errorf("decision %+v, done %+v, verified %q", got.Decision, got.Done, got.Verified)
		}
		if got.Question != nil || len(got.Answers) == 0 || got.Answers[0].Verdict != rules.Breached || got.Plan == nil {
			t.Errorf("question %+v, answers %+v", got.Question, got.Answers)
		}
	})
}
