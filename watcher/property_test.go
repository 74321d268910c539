package watcher_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"pgregory.net/rapid"

	"github.com/bakewatch/bakewatch/actions"
	"github.com/bakewatch/bakewatch/actions/authority"
	"github.com/bakewatch/bakewatch/rules"
	"github.com/bakewatch/bakewatch/watcher"
)

// drawPlan draws one of the ways in which plans differ for the state machine.
func drawPlan(t *rapid.T) *rules.Plan {
	return plan(twoRules, asks(rapid.SampledFrom([]rules.Silence{rules.SilenceKeeps, rules.SilenceRollsBack}).Draw(t, "silence")), func(p *rules.Plan) {
		if rapid.Bool().Draw(t, "auto") {
			p.Authorities = append([]rules.Authority{{Decide: rules.Auto}}, p.Authorities...)
		}
		p.Rollbacks[0].Target = rapid.SampledFrom([]rules.TargetChoice{rules.LastPassed, rules.PreviousVersion}).Draw(t, "target")
		p.Rules[0].OnNoData = rapid.SampledFrom([]rules.OnNoData{rules.Wait, rules.NotifyOnNoData, rules.AskOnNoData}).Draw(t, "on no data")
		p.BakeMin = minutes(rapid.IntRange(0, 20).Draw(t, "bake_min"))
		p.Stages = []rules.StageBake{{At: "5%", Bake: minutes(rapid.IntRange(1, 20).Draw(t, "bake of 5%"))}}
		p.Rules[1].Mode = rapid.SampledFrom([]rules.Mode{rules.Shadow, rules.ModeNotify, rules.Enforce}).Draw(t, "mode")
	})
}

// drawInput draws anything that may arrive for the lane as it stands.
func drawInput(t *rapid.T, l watcher.Lane, now time.Time, p *rules.Plan) (in watcher.Input) {
	in.Guards = rapid.SampledFrom([]watcher.Guards{{}, {}, {}, {Disarmed: "freeze"}, {Skewed: "clock"}}).Draw(t, "guards")
	what := rapid.SampledFrom([]string{"event", "event", "look", "look", "look", "vote", "told", "done", "cancel", "time"}).Draw(t, "what")
	w := l.Watch
	switch {
	case what == "event":
		in.Event = &watcher.Announced{Deployment: rules.Deployment{
			ID:      fmt.Sprint("id", rapid.IntRange(0, 9).Draw(t, "id")),
			Service: "checkout", Environment: "production", By: rapid.SampledFrom([]string{"ana", "zoe", ""}).Draw(t, "by"),
			Version:  rapid.SampledFrom([]string{"1", "2", "3", "4"}).Draw(t, "version"),
			Previous: rapid.SampledFrom([]string{"", "", "1", "9"}).Draw(t, "previous"),
			Step:     rapid.SampledFrom(append(rules.Steps(), rules.Finished, rules.Finished)).Draw(t, "step"),
			Stage:    rapid.SampledFrom([]string{"", "5%", "25%"}).Draw(t, "stage"),
			At:       now.Add(time.Duration(rapid.IntRange(-90, 5).Draw(t, "at")) * time.Minute),
			Retry:    rapid.IntRange(0, 5).Draw(t, "retry") == 0, Strategy: rules.Rolling,
		}, Plan: p}
		if rapid.IntRange(0, 9).Draw(t, "no plan") == 0 {
			in.Event.Plan = nil
		}
	case w == nil:
	case what == "look":
		look := &watcher.Look{Watch: w.Seq, Verify: w.Done != nil, Calm: rapid.IntRange(0, 5).Draw(t, "calm")}
		if rapid.IntRange(0, 9).Draw(t, "stale") == 0 {
			look.Watch, look.Verify = rapid.Uint64Range(0, 9).Draw(t, "watch"), rapid.Bool().Draw(t, "verify")
		}
		for _, spec := range w.Plan.Rules {
			verdict := rapid.SampledFrom([]rules.Verdict{rules.Healthy, rules.Healthy, rules.Breached, rules.Breached, rules.NoData, rules.Blind, rules.LowTraffic, rules.Inconclusive}).Draw(t, spec.Name)
			look.Answers = append(look.Answers, drawTest(t, rules.Answer{Rule: spec.Name, Verdict: verdict, Ceiling: rules.Auto, Why: "because"}))
		}
		if rapid.Bool().Draw(t, "blind") {
			look.BlindSince = now.Add(-10 * time.Minute)
		}
		in.Look = look
	case what == "vote":
		in.Vote = &authority.Vote{
			Question: rapid.Uint64Range(0, 3).Draw(t, "other question"), At: now,
			Person: rapid.SampledFrom([]string{"ben", "eve", "ana", "mallory"}).Draw(t, "person"),
			Choice: rapid.SampledFrom([]authority.Choice{authority.RollBack, authority.Keep}).Draw(t, "choice"),
		}
		if w.Question != nil && in.Vote.Question > 0 {
			in.Vote.Question = w.Question.Seq
		}
	case what == "told":
		in.Told = &watcher.Delivery{Channel: "pager", About: rapid.Uint64Range(0, 3).Draw(t, "about"), Receipt: "1"}
		if w.Question != nil && in.Told.About > 0 {
			in.Told.About = w.Question.Seq
		}
	case what == "done" && w.Intent != nil:
		in.Done = &actions.Outcome{
			Key: w.Intent.Key, Reason: "because",
			Result: rapid.SampledFrom([]actions.Result{actions.ResultDone, actions.ResultDone, actions.ResultFailed, actions.ResultUnknown}).Draw(t, "result"),
		}
	case what == "cancel":
		in.Cancel = &watcher.Request{By: "ben", Reason: "test"}
	}
	return in
}

// drawTest draws what an answer says besides if it comes of a test.
func drawTest(t *rapid.T, a rules.Answer) rules.Answer {
	if rapid.Bool().Draw(t, "test") {
		a.Test = &rules.Test{Wealth: 1}
		a.Proved = rapid.Bool().Draw(t, "proved")
	}
	a.AtEnd = rapid.SampledFrom([]rules.Verdict{rules.Inconclusive, rules.Healthy, rules.LowTraffic, rules.Breached, rules.NoData, rules.Blind}).Draw(t, "at the end")
	return a
}

// history is what the invariants say about a lane's journal so far.
type history struct {
	open               uint64 // the open watch, by the journal alone
	decided, intended  map[uint64]bool
	done               map[uint64]bool
	rolledBack, passed map[string]bool
	watched            rules.Deployment // of the open watch, as it was opened
	hands              []string         // everybody who is named in an event about it
	back               bool             // its tool said that it is a rollback
	stage              string           // the stage that it reached last
	reached            time.Time        // and when, at the latest
}

// check asserts the invariants for one more entry, written on the lane as it was.
func (h *history) check(t *rapid.T, before watcher.Lane, e watcher.Entry, look *watcher.Look) {
	switch {
	case e.Kind != watcher.Opened && e.Watch != h.open:
		t.Fatalf("%s of watch %d, but %d is open", e.Kind, e.Watch, h.open)
	case h.open == 0 && e.Kind != watcher.Opened && e.Kind != watcher.Noted && e.Kind != watcher.Told:
		t.Fatalf("%s, and no watch is open", e.Kind)
	}
	switch e.Kind {
	case watcher.Opened:
		h.open, h.watched, h.hands, h.back, h.reached = e.Seq, *e.Deployment, nil, false, time.Time{}
		h.named(*e.Deployment)
		h.reaches(*e.Deployment, e.At)
	case watcher.Step:
		if e.Deployment.Version == h.watched.Version {
			h.named(*e.Deployment)
			h.reaches(*e.Deployment, e.At)
		}
	case watcher.Voted:
		if slices.Contains(h.hands, e.Vote.Person) {
			t.Fatalf("%s votes, and had a hand in it: %v", e.Vote.Person, h.hands)
		}
	case watcher.Closed:
		if e.Outcome == watcher.Passed {
			w := before.Watch
			h.checkWell(t, w, e.At.Sub(h.watched.At), w.Plan.Bake, look)
		}
		h.passed[before.Watch.Deployment.Version] = h.passed[before.Watch.Deployment.Version] || e.Outcome == watcher.Passed
		h.open = 0
	case watcher.Decided:
		h.checkDecision(t, before, e)
		h.decided[e.Watch] = true
	case watcher.Intended:
		s := e.Intent.Subject
		switch {
		case !h.decided[e.Watch] || h.intended[e.Watch]:
			t.Fatalf("watch %d: intended, decided %v, intended before %v", e.Watch, h.decided[e.Watch], h.intended[e.Watch])
		case s.To == "" || s.To == s.From || s.From != before.Watch.Deployment.Version || h.rolledBack[s.To]:
			t.Fatalf("from %q to %q, rolled back before: %v", s.From, s.To, h.rolledBack)
		}
		h.intended[e.Watch] = true
	case watcher.Done:
		if !h.intended[e.Watch] || h.done[e.Watch] {
			t.Fatalf("watch %d: done, intended %v, done before %v", e.Watch, h.intended[e.Watch], h.done[e.Watch])
		}
		h.done[e.Watch] = true
		if e.Done.Result == actions.ResultDone {
			h.rolledBack[before.Watch.Deployment.Version] = true
		}
	case watcher.Verdicts, watcher.Ruled, watcher.Reminded, watcher.Spent, watcher.Verified, watcher.Told:
	case watcher.Noted:
		if w := before.Watch; e.Topic == watcher.StagePassed {
			if w.Question != nil || h.decided[w.Seq] {
				t.Fatalf("stage %q is promoted while people are asked, or after a decision", h.stage)
			}
			h.checkWell(t, w, e.At.Sub(h.reached), w.Plan.BakeAt(h.stage), look)
		}
	}
}

// named keeps what an event says of the watched deployment.
func (h *history) named(d rules.Deployment) {
	h.hands = append(append(h.hands, d.Authors...), d.By)
	h.back = h.back || d.Step == rules.RolledBack
}

// reaches keeps which stage an event says was reached, unless it is one of before.
func (h *history) reaches(d rules.Deployment, at time.Time) {
	if !d.At.IsZero() && d.At.Before(at) {
		at = d.At
	}
	if at.Before(h.watched.At) {
		at = h.watched.At
	}
	if d.Step == rules.Stage && (h.reached.IsZero() || d.Stage != h.stage && !at.Before(h.reached)) {
		h.stage, h.reached = d.Stage, at
	}
}

// checkWell asserts that what passes, a watch or a stage, was judged for as long as it
// must be: to the end of the bake, or at least for bake_min where every rule that counts
// is healthy, and every test has proved it.
func (h *history) checkWell(t *rapid.T, w *watcher.Watch, baked time.Duration, bake rules.Duration, look *watcher.Look) {
	early, proved := baked < time.Duration(bake), false
	if baked < time.Duration(min(bake, w.Plan.BakeMin)) {
		t.Fatalf("passed %s after its deployment", baked)
	}
	for _, a := range look.Answers {
		spec, _ := w.Plan.Rule(a.Rule)
		healthy := a.Verdict == rules.Healthy || !early && a.Verdict == rules.Inconclusive && a.AtEnd == rules.Healthy
		if spec.Mode != rules.Shadow && (!healthy || early && a.Test != nil && !a.Proved) {
			t.Fatalf("passed %s after its deployment, with %+v", baked, a)
		}
		proved = proved || spec.Mode != rules.Shadow && a.Test != nil && a.Proved
	}
	if early && !proved {
		t.Fatalf("passed %s after its deployment, and nothing is proved", baked)
	}
}

func (h *history) checkDecision(t *rapid.T, before watcher.Lane, e watcher.Entry) {
	w := before.Watch
	switch {
	case h.decided[e.Watch]:
		t.Fatalf("watch %d is decided twice", e.Watch)
	case h.back:
		t.Fatalf("decided to roll back what the tool calls a rollback")
	case e.Decision.By == "silence" && slices.ContainsFunc(w.Question.Votes, func(v authority.Vote) bool { return v.Choice == authority.Keep }):
		t.Fatalf("silence outvotes %+v", w.Question.Votes)
	case w.Rollback || w.SameAgain:
		t.Fatalf("a rollback (%v) or a version that was rolled back (%v) is rolled back", w.Rollback, w.SameAgain)
	case e.Decision.By == "votes" && (len(e.Decision.Votes) == 0 || w.Question == nil):
		t.Fatalf("decided by votes without any")
	case e.Decision.By == "votes":
		return
	}
	for _, a := range e.Ruling.Answers {
		if a.Rule == e.Ruling.Rule && a.Verdict == rules.Breached {
			return
		}
	}
	t.Fatalf("decided by %s, and %q is not breached: %+v", e.Decision.By, e.Ruling.Rule, e.Ruling.Answers)
}

func TestWhateverArrivesTheLaneKeepsItsInvariants(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		l := &lab{t: t, Lane: watcher.Lane{ID: lane}, now: time.Date(2026, 1, 2, 3, 0, 0, 0, time.UTC)}
		h := &history{decided: map[uint64]bool{}, intended: map[uint64]bool{}, done: map[uint64]bool{}, rolledBack: map[string]bool{}, passed: map[string]bool{}}
		raw := watcher.Lane{ID: lane} // folds what was never written and read back
		p := drawPlan(t)
		for range rapid.IntRange(1, 80).Draw(t, "inputs") {
			l.now = l.now.Add(time.Duration(rapid.SampledFrom([]int{0, 1, 15, 60, 601, 1900}).Draw(t, "seconds")) * time.Second)
			in := drawInput(t, l.Lane, l.now, p)
			in.Now = l.now
			for written := 0; ; written++ {
				e, ok := l.Next(in)
				if !ok {
					break
				}
				if written == mostEntries {
					t.Fatalf("the input leads to more than %d entries", mostEntries)
				}
				before := l.Lane
				back := l.acknowledge(e)
				h.check(t, before, back, in.Look)
				l.Lane = l.Apply(back)
				e.Seq = back.Seq
				raw = raw.Apply(e)
			}
			checkLane(t, l)
		}
		same(t, "fold of what was written and read back", l.Lane, raw)
		same(t, "fold of the whole journal", l.Lane, watcher.Fold(lane, l.entries))
	})
}

// checkLane asserts what holds for a lane between two inputs.
func checkLane(t *rapid.T, l *lab) {
	if l.Aside != "" {
		t.Fatalf("set aside: %s", l.Aside)
	}
	if len(l.Ledger.Past) > 20 || len(l.Ledger.Bad) > 100 || len(l.Events) > 100 {
		t.Fatalf("memory without bounds: %d past, %d bad, %d events", len(l.Ledger.Past), len(l.Ledger.Bad), len(l.Events))
	}
	_, owed := l.Todo()
	if w := l.Watch; owed != (w != nil && w.Intent != nil && w.Done == nil) {
		t.Fatalf("a rollback is owed: %v", owed)
	}
	same(t, "fold of what a start reads", l.Lane, watcher.Fold(lane, recent(l.entries)))
}

// recent returns what a journal reads of a lane.
func recent(entries []watcher.Entry) []watcher.Entry {
	for i, e := range slices.Backward(entries) {
		if e.Kind == watcher.Opened || e.Kind == watcher.Closed {
			return entries[i:]
		}
	}
	return entries
}

func same(t *rapid.T, what string, a, b watcher.Lane) {
	one, err := json.Marshal(a)
	if err != nil {
		t.Fatalf("%v", err)
	}
	other, err := json.Marshal(b)
	if err != nil {
		t.Fatalf("%v", err)
	}
	if string(one) != string(other) {
		t.Fatalf("%s differs:\n%s\n%s", what, one, other)
	}
}

func TestALaneRemembersOnlySoMuchButAlwaysTheLastThatPassed(t *testing.T) {
	l := newLab(t, plan())
	l.pass("older").pass("good")
	for i := range 150 {
		l.after(time.Hour).event(fmt.Sprint("bad", i), rules.Finished)
		if got := l.after(time.Minute).look(rules.Breached); got != "decided intended" || l.Watch.Intent.Subject.To != "good" {
			t.Fatalf("bad version %d: %q", i, got)
		}
		l.done(actions.ResultDone)
		l.look(rules.Healthy)
	}
	if len(l.Ledger.Past) != 20 || len(l.Ledger.Bad) != 100 || l.Ledger.Bad[99] != "bad149" {
		t.Errorf("%d past, %d bad: %v", len(l.Ledger.Past), len(l.Ledger.Bad), l.Ledger.Bad)
	}
}

func TestALongReasonIsCut(t *testing.T) {
	l := newLab(t, plan())
	l.event("1", rules.Finished)
	l.give(watcher.Input{Cancel: &watcher.Request{By: "ben", Reason: strings.Repeat("é", 10000)}})
	if got := l.Ledger.Past[0].Reason; len(got) > 600 || !utf8.ValidString(got) {
		t.Errorf("%d bytes", len(got))
	}
}
