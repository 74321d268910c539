package record_test

import (
	"testing"
	"time"

	"github.com/bakewatch/bakewatch/actions"
	"github.com/bakewatch/bakewatch/actions/authority"
	"github.com/bakewatch/bakewatch/rules"
	"github.com/bakewatch/bakewatch/watcher"
	"github.com/bakewatch/bakewatch/watcher/record"
)

// lab is the real lane of one service, whose entries go to a keeper.
type lab struct {
	t *testing.T
	watcher.Lane
	*record.Keeper
	plan rules.Plan
	now  time.Time
	seq  uint64
}

var (
	lane  = rules.LaneID{Environment: "production", Service: "checkout"}
	began = time.Date(2026, 1, 2, 3, 0, 0, 0, time.UTC)
)

// newLab returns a lab whose one rule has the mode, in a plan that grants it the power, in
// which 1 has passed.
func newLab(t *testing.T, mode rules.Mode, decide rules.Power) *lab {
	t.Helper()
	yes := true
	l := &lab{
		t: t, Lane: watcher.Lane{ID: lane}, Keeper: record.New(began.Add(time.Hour)), now: began,
		plan: rules.Plan{
			Service: "checkout", Bake: minutes(30), RollOut: minutes(30), BlindFor: minutes(5), Hash: mode.String(),
			Rules:     []rules.Spec{{Name: "errors", Kind: "query", Mode: mode, Severity: rules.Critical}},
			Rollbacks: []rules.Rollback{{Use: "tool", Target: rules.LastPassed, Timeout: minutes(5), Verify: minutes(10), Reversible: &yes}},
			Groups:    map[string][]string{"oncall": {"ben", "eve"}},
			Authorities: []rules.Authority{{
				Decide: decide, Needs: map[string]int{"oncall": 1}, Within: minutes(10), Silence: rules.SilenceKeeps, Withdraw: true, Snooze: minutes(120),
			}},
		},
	}
	if decide == rules.Auto {
		l.plan.Authorities[0].Needs = nil
	}
	l.passes("1") // before anything counts
	return l.after(2 * time.Hour)
}

func minutes(n int) rules.Duration { return rules.Duration(time.Duration(n) * time.Minute) }

func (l *lab) after(d time.Duration) *lab { l.now = l.now.Add(d); return l }

// give hands in one input, and what is written because of it to the keeper.
func (l *lab) give(in watcher.Input) *lab {
	l.t.Helper()
	in.Now = l.now
	for range 20 {
		e, ok := l.Next(in)
		if !ok {
			return l
		}
		l.seq++
		e.Seq = l.seq
		l.Lane = l.Apply(e)
		if l.Aside != "" {
			l.t.Fatal(l.Aside)
		}
		l.See(e)
	}
	l.t.Fatal("it does not end")
	return l
}

func (l *lab) event(version string, step rules.Step) *lab {
	l.t.Helper()
	plan := l.plan
	return l.announce(version, step, &plan)
}

// retry deploys the version that is live once more.
func (l *lab) retry(version string) *lab {
	l.t.Helper()
	d := rules.Deployment{
		ID: version + l.now.String(), Service: "checkout", Environment: "production", Version: version,
		Step: rules.Finished, Strategy: rules.Rolling, At: l.now, By: "ana", Retry: true,
	}
	plan := l.plan
	return l.give(watcher.Input{Event: &watcher.Announced{Deployment: d, Plan: &plan}}).after(time.Minute)
}

// unwatched announces a version that has no plan.
func (l *lab) unwatched(version string, step rules.Step) *lab {
	l.t.Helper()
	return l.announce(version, step, nil)
}

func (l *lab) announce(version string, step rules.Step, plan *rules.Plan) *lab {
	l.t.Helper()
	d := rules.Deployment{
		ID: version + l.now.String(), Service: "checkout", Environment: "production", Version: version,
		Step: step, Strategy: rules.Rolling, At: l.now, By: "ana",
	}
	return l.give(watcher.Input{Event: &watcher.Announced{Deployment: d, Plan: plan}})
}

func (l *lab) deploy(version string) *lab {
	l.t.Helper()
	return l.event(version, rules.Finished).after(time.Minute)
}

// look hands in what the plan's rules say, in their order.
func (l *lab) look(verdicts ...rules.Verdict) *lab {
	l.t.Helper()
	if l.Watch == nil {
		l.t.Fatal("nothing is watched")
	}
	look := &watcher.Look{Watch: l.Watch.Seq, Verify: l.Watch.Done != nil}
	for i, spec := range l.plan.Rules {
		v := verdicts[min(i, len(verdicts)-1)]
		look.Answers = append(look.Answers, rules.Answer{Rule: spec.Name, Verdict: v, Ceiling: rules.Auto, Why: v.String(), At: l.now})
	}
	if look.Verify {
		look.Calm = 4
	}
	return l.give(watcher.Input{Look: look}).after(time.Minute)
}

// ends lets the bake of the open watch end.
func (l *lab) ends(v rules.Verdict) *lab {
	l.t.Helper()
	l.after(time.Hour).look(v)
	if l.Watch != nil {
		l.t.Fatalf("the watch is %s", l.Watch.Phase())
	}
	return l
}

func (l *lab) passes(version string) *lab { l.t.Helper(); return l.deploy(version).ends(rules.Healthy) }

// works ends the rollback that is under way.
func (l *lab) works() *lab {
	l.t.Helper()
	if l.Watch == nil || l.Watch.Intent == nil {
		l.t.Fatal("nothing is rolled back")
	}
	l.give(watcher.Input{Done: &actions.Outcome{Key: l.Watch.Intent.Key, Result: actions.ResultDone, Live: l.Watch.Intent.Subject.To}})
	return l.after(time.Minute).look(rules.Healthy)
}

func (l *lab) vote(choice authority.Choice) *lab {
	l.t.Helper()
	if l.Watch == nil || l.Watch.Question == nil {
		l.t.Fatal("nobody is asked")
	}
	return l.give(watcher.Input{Vote: &authority.Vote{Question: l.Watch.Question.Seq, Person: "ben", Choice: choice, At: l.now}})
}

// wrong says that the last watch was a false alarm.
func (l *lab) wrong() *lab {
	l.t.Helper()
	past := l.Ledger.Past
	return l.give(watcher.Input{Wrong: &watcher.Request{By: "ben", Watch: past[len(past)-1].Watch}})
}

func (l *lab) begin() *lab {
	l.t.Helper()
	return l.give(watcher.Input{Begin: &watcher.Request{By: "ben", Reason: "it is slow"}})
}

// records returns the records so long after now, by rule.
func (l *lab) records(later time.Duration) map[string]record.Record {
	byName := map[string]record.Record{}
	for _, r := range l.Result(l.now.Add(later)) {
		byName[r.Rule] = r
	}
	return byName
}
