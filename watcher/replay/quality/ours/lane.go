package ours

import (
	"strconv"
	"time"

	"github.com/bakewatch/bakewatch/rules"
	"github.com/bakewatch/bakewatch/watcher"
	"github.com/bakewatch/bakewatch/watcher/replay/quality/sim"
)

// Watch is one deployment in the hands of Bakewatch.
type Watch struct {
	rules   []*rule
	answers []rules.Answer
	lane    lane
}

// See folds one look at each rule's counts, in the order of the histories, and says
// whether it is accused now: decided to be rolled back, or people are asked.
func (w *Watch) See(looks ...sim.Look) (accused bool) {
	for i, r := range w.rules {
		r.see(looks[i])
		r.answer(&w.answers[i])
		w.answers[i].Rule = name(i)
	}
	rules.Combine(w.answers, 0)
	return w.lane.drive(looks[0].At, w.answers)
}

// Ended is how the watch ended, if it has.
type Ended struct {
	Passed  bool          // and nothing was wrong
	Early   bool          // before the end of the bake
	Verdict rules.Verdict // why it did not pass: of the first rule that was not satisfied
	Decided bool          // rolled back without asking
}

// End returns how the watch ended; after an alarm, how that was.
func (w *Watch) End() Ended { return w.lane.ended }

// single is a Watch of one rule.
type single struct{ *Watch }

func (s single) See(l sim.Look) bool { return s.Watch.See(l) }

// began is when all simulated deployments are made.
var began = time.Date(2026, 1, 5, 12, 0, 0, 0, time.UTC)

// lane drives the state machine. Looks at which nothing has changed do not move it, so
// it is asked only at those that do, and at the end of the bake.
type lane struct {
	watcher.Lane
	said  []rules.Verdict
	ended Ended
	over  bool
}

func name(rule int) string { return "rule" + strconv.Itoa(rule) }

// templates are lanes with an open watch, by the number of rules.
var templates = [...]watcher.Lane{open(1), open(2), open(3), open(4), open(5)}

func newLane(rules_ int) lane {
	return lane{Lane: templates[rules_-1], said: make([]rules.Verdict, rules_)}
}

// open returns a lane in which one version has passed and another has just been deployed.
func open(rules_ int) watcher.Lane {
	yes := true
	minutes := func(n int) rules.Duration { return rules.Duration(time.Duration(n) * time.Minute) }
	plan := rules.Plan{
		Service: "shop", Interval: rules.Duration(sim.Step * time.Second),
		Bake: rules.Duration(sim.Bake * time.Second), BakeMin: minutes(5), RollOut: minutes(30), BlindFor: minutes(5),
		Rollbacks: []rules.Rollback{{Use: "tool", Target: rules.LastPassed, Timeout: minutes(5), Verify: minutes(10), Reversible: &yes}},
		Authorities: []rules.Authority{
			{Decide: rules.Auto},
			{Decide: rules.Ask, Needs: map[string]int{"oncall": 1}, Within: minutes(60), Silence: rules.SilenceKeeps},
		},
		Groups: map[string][]string{"oncall": {"ben"}},
	}
	for i := range rules_ {
		plan.Rules = append(plan.Rules, rules.Spec{Name: name(i), Kind: "error-rate", Severity: rules.Critical, Mode: rules.Enforce})
	}
	l := lane{Lane: watcher.Lane{ID: rules.LaneID{Service: "shop", Environment: "production"}}}
	for i, version := range []string{"1", "2"} {
		at := began.Add(time.Duration(i-1) * time.Hour)
		l.give(watcher.Input{Now: at, Event: &watcher.Announced{Plan: &plan, Deployment: rules.Deployment{
			ID: version, Service: "shop", Environment: "production", Version: version, Step: rules.Finished, Strategy: rules.Rolling, At: at, By: "ana",
		}}})
		if version == "1" { // which passes
			healthy := make([]rules.Answer, rules_)
			for j := range healthy {
				healthy[j] = rules.Answer{Rule: name(j), Verdict: rules.Healthy}
			}
			l.look(at.Add(sim.Bake*time.Second), healthy)
		}
	}
	return l.Lane
}

// drive hands the answers of the look at so many seconds to the state machine.
func (l *lane) drive(seconds int, answers []rules.Answer) (accused bool) {
	if l.over {
		return false
	}
	changed := seconds >= sim.Bake
	for i, a := range answers {
		early := a.Verdict == rules.Healthy && seconds >= 5*60 // it may pass
		changed = changed || a.Verdict != l.said[i] || early || a.Verdict == rules.Breached
		l.said[i] = a.Verdict
	}
	if !changed {
		return false
	}
	accused = l.look(began.Add(time.Duration(seconds)*time.Second), answers)
	l.ended.Early = l.ended.Passed && seconds < sim.Bake
	if seconds >= sim.Bake && !l.ended.Passed {
		for _, a := range answers {
			if v := atEnd(a); v != rules.Healthy && l.ended.Verdict == rules.Inconclusive {
				l.ended.Verdict = v
			}
		}
	}
	return accused
}

// atEnd is what an answer comes to when the bake is over.
func atEnd(a rules.Answer) rules.Verdict {
	if a.Verdict == rules.Inconclusive {
		return a.AtEnd
	}
	return a.Verdict
}

func (l *lane) look(at time.Time, answers []rules.Answer) (accused bool) {
	return l.give(watcher.Input{Now: at, Look: &watcher.Look{Watch: l.Watch.Seq, Answers: answers}})
}

// give hands in an input and folds what the state machine writes, as a journal would.
func (l *lane) give(in watcher.Input) (accused bool) {
	for range 10 {
		e, ok := l.Next(in)
		if !ok {
			break
		}
		e.Seq = l.Last + 1
		l.Lane = l.Apply(e)
		switch e.Kind {
		case watcher.Decided:
			l.ended.Decided, accused = true, true
		case watcher.Ruled:
			accused = accused || e.Ruling.Power >= rules.Ask
		case watcher.Closed:
			l.over, l.ended.Passed = true, e.Outcome == watcher.Passed
		default:
		}
	}
	return accused
}
