package daemon

import (
	"fmt"
	"testing"
	"time"

	"github.com/bakewatch/bakewatch/actions"
	"github.com/bakewatch/bakewatch/actions/authority"
	"github.com/bakewatch/bakewatch/rules"
	"github.com/bakewatch/bakewatch/watcher"
)

// votingPlan asks three of those on call, for two hours. It looks at nothing while the test runs.
const votingPlan = `
service   = "cell"
owner     = "team-cell"
mode      = "enforce"
bake      = "24h"
interval  = "1h"
window    = "2h"
blind_for = "12h"
[[rule]]
name  = "first"
kind  = "query"
judge = "threshold"
expr  = 'first{version="$version"}'
max   = 0
[[rule]]
name  = "second"
kind  = "query"
judge = "threshold"
expr  = 'second{version="$version"}'
max   = 0
[[rollback]]
use        = "tool"
verify     = "12h"
reversible = true
[[authority]]
decide  = "ask"
needs   = { oncall = 3 }
within  = "2h"
silence = "keep"
snooze  = "12h"
[notify]
chat = ["log"]
`

// stager brings one lane to where a question is in some state, by what the machine
// itself says to what happens.
type stager struct {
	*testing.T
	watcher.Lane
	journal watcher.Journal
	now     time.Time
	first   uint64 // the question that was asked first
}

func (s *stager) give(in watcher.Input) {
	s.Helper()
	in.Now = s.now
	for {
		e, ok := s.Next(in)
		if !ok {
			return
		}
		e.Owner = "stager"
		written, err := s.journal.Append(s.Context(), e)
		if err != nil {
			s.Fatal(err)
		}
		s.Lane = s.Apply(written)
	}
}

// deploys opens a watch of the plan.
func (s *stager) deploys(plan rules.Plan) {
	s.Helper()
	d := rules.Deployment{
		ID: "event-" + s.ID.Service, Service: s.ID.Service, Environment: s.ID.Environment, Version: "2", Previous: "1",
		Step: rules.Finished, Strategy: rules.Rolling, At: s.now, By: voters[deployer], Authors: []string{voters[author]},
	}
	s.give(watcher.Input{Event: &watcher.Announced{Deployment: d, Plan: &plan}})
}

// asks lets the first rule be breached, and people hear the question.
func (s *stager) asks() {
	s.Helper()
	s.look(rules.Breached, rules.Healthy)
	if s.Watch.Question == nil {
		s.Fatalf("nobody is asked: %+v", s.Watch.Ruling)
	}
	s.first = s.Watch.Question.Seq
	s.give(watcher.Input{Told: &watcher.Delivery{Channel: "log", Audience: actions.Chat, About: s.first, Receipt: "1"}})
}

func (s *stager) look(first, second rules.Verdict) {
	s.Helper()
	s.give(watcher.Input{Look: &watcher.Look{Watch: s.Watch.Seq, Answers: []rules.Answer{
		{Rule: "first", Verdict: first, Ceiling: rules.Auto, Why: "first"},
		{Rule: "second", Verdict: second, Ceiling: rules.Auto, Why: "second"},
	}}})
}

func (s *stager) vote(choice authority.Choice, people ...string) {
	s.Helper()
	for _, person := range people {
		v := authority.Vote{Question: s.first, Person: person, Choice: choice, At: s.now, Proof: authority.LocalProof(person)}
		s.give(watcher.Input{Vote: &v})
	}
}

// become makes of the question what it is to be.
func (s *stager) become(what state) {
	s.Helper()
	switch what {
	case unasked, open:
	case restated:
		s.look(rules.Breached, rules.Breached)
	case decided:
		s.vote(authority.RollBack, voters[asked], voters[disabled], "pia")
		s.give(watcher.Input{Done: &actions.Outcome{Key: s.Watch.Intent.Key, Result: actions.ResultDone, Live: "1"}})
	case kept:
		s.vote(authority.Keep, voters[asked], voters[disabled], "pia")
	case withdrawn:
		s.look(rules.Healthy, rules.Healthy)
	case expired:
		s.now = s.now.Add(3 * time.Hour)
		s.give(watcher.Input{})
	case closed:
		s.give(watcher.Input{Cancel: &watcher.Request{By: voters[other], Reason: "over"}})
	case doubled:
		s.vote(authority.Looking, voters[asked])
		s.vote(authority.RollBack, voters[asked])
	}
	s.is(what)
}

// is checks that the question has become what it is to be.
func (s *stager) is(what state) {
	s.Helper()
	w := s.Watch
	fine := map[state]func() bool{
		unasked:   func() bool { return w.Question == nil },
		open:      func() bool { return w.Question.Seq == s.first },
		restated:  func() bool { return w.Question != nil && w.Question.Seq != s.first },
		decided:   func() bool { return w.Phase() == watcher.Verifying },
		kept:      func() bool { return w.Question == nil && !w.Kept.IsZero() },
		withdrawn: func() bool { return w.Question == nil && w.Ruling.Power == rules.None },
		expired:   func() bool { return w.Question == nil && w.Silent },
		closed:    func() bool { return w == nil },
		doubled:   func() bool { return w.Question.Looked != nil && len(w.Question.Votes) == 1 },
	}
	if !fine[what]() {
		s.Fatalf("the question is not %s: %+v", what, w)
	}
}

// stage gives every cell a lane of its own, in which its question is as it is to be.
func stage(t *testing.T, journal watcher.Journal, plan rules.Plan, cells []cell) {
	t.Helper()
	for i := range cells {
		plan.Service = fmt.Sprint("cell-", i)
		began := time.Now().Add(-5 * time.Minute)
		if cells[i].state == expired {
			began = began.Add(-3 * time.Hour)
		}
		s := &stager{T: t, journal: journal, now: began.UTC(), Lane: watcher.Lane{ID: rules.LaneID{Environment: "test", Service: plan.Service}}}
		s.deploys(plan)
		cells[i].watch, cells[i].question = s.Watch.Seq, 1
		if cells[i].state != unasked {
			s.asks()
			cells[i].question = s.first
		}
		s.become(cells[i].state)
		cells[i].staged = s.Last
	}
}
