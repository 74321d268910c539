package watcher_test

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/bakewatch/bakewatch/actions"
	"github.com/bakewatch/bakewatch/actions/authority"
	"github.com/bakewatch/bakewatch/rules"
	"github.com/bakewatch/bakewatch/watcher"
)

// lab is a lane without a loop: inputs go in, acknowledged entries come out.
type lab struct {
	t interface {
		Helper()
		Fatalf(string, ...any)
	}
	watcher.Lane
	now     time.Time
	plan    *rules.Plan
	guards  watcher.Guards
	entries []watcher.Entry
	change  func(*rules.Deployment) // of every event
	last    watcher.Kind            // see only
	since   int
}

func newLab(t *testing.T, p *rules.Plan) *lab {
	return &lab{t: t, Lane: watcher.Lane{ID: lane}, now: time.Date(2026, 1, 2, 3, 0, 0, 0, time.UTC), plan: p}
}

// mostEntries is how many entries one input may lead to.
const mostEntries = 10

// give hands in one input and returns what was written because of it, in words.
func (l *lab) give(in watcher.Input) string {
	l.t.Helper()
	in.Now, in.Guards = l.now, l.guards
	var words []string
	for {
		e, ok := l.Next(in)
		if !ok {
			return strings.Join(words, " ")
		}
		if len(words) == mostEntries {
			l.t.Fatalf("one input leads to more than %d entries: %q", mostEntries, words)
		}
		l.Lane = l.Apply(l.acknowledge(e))
		words = append(words, inWords(e))
	}
}

// acknowledge does to an entry what a journal does.
func (l *lab) acknowledge(e watcher.Entry) watcher.Entry {
	l.t.Helper()
	text, err := json.Marshal(e)
	if err != nil {
		l.t.Fatalf("entry %s: %v", e.Kind, err)
	}
	var back watcher.Entry
	if err := json.Unmarshal(text, &back); err != nil {
		l.t.Fatalf("entry %s: %v", e.Kind, err)
	}
	back.Seq = uint64(len(l.entries) + 1)
	l.entries = append(l.entries, back)
	return back
}

func inWords(e watcher.Entry) string {
	switch e.Kind {
	case watcher.Noted:
		return string(e.Topic)
	case watcher.Closed:
		return string(e.Outcome)
	default:
		return string(e.Kind)
	}
}

func (l *lab) after(d time.Duration) *lab { l.now = l.now.Add(d); return l }

// event hands in an event of a version; its id is that of version and step unless it is changed.
func (l *lab) event(version string, step rules.Step, changes ...func(*rules.Deployment)) string {
	l.t.Helper()
	d := rules.Deployment{
		ID: version + "/" + string(step), Service: "checkout", Environment: "production", Version: version,
		Step: step, Strategy: rules.Rolling, At: l.now, By: "ana",
	}
	if l.change != nil {
		l.change(&d)
	}
	for _, change := range changes {
		change(&d)
	}
	return l.give(watcher.Input{Event: &watcher.Announced{Deployment: d, Plan: l.plan}})
}

func id(id string) func(*rules.Deployment) { return func(d *rules.Deployment) { d.ID = id } }

func at(at time.Time) func(*rules.Deployment) { return func(d *rules.Deployment) { d.At = at } }

func by(person string) func(*rules.Deployment) { return func(d *rules.Deployment) { d.By = person } }

func previous(v string) func(*rules.Deployment) { return func(d *rules.Deployment) { d.Previous = v } }
func again(d *rules.Deployment)                 { d.Retry = true }
func finished(l *lab, version string, id_ string) string {
	return l.event(version, rules.Finished, id(id_))
}

// look hands in what the plan's rules say, in their order; verdicts that are left out are the last one's.
func (l *lab) look(verdicts ...rules.Verdict) string {
	l.t.Helper()
	look := &watcher.Look{Verify: l.Watch != nil && l.Watch.Done != nil}
	if l.Watch == nil {
		return ""
	}
	look.Watch = l.Watch.Seq
	for i, spec := range l.Watch.Plan.Rules {
		v := verdicts[min(i, len(verdicts)-1)]
		look.Answers = append(look.Answers, rules.Answer{Rule: spec.Name, Verdict: v, Ceiling: rules.Auto, Why: v.String()})
		if look.Verify && v == rules.Healthy {
			look.Calm = 4
		}
	}
	return strings.TrimSpace(strings.TrimPrefix(strings.TrimSuffix(l.give(watcher.Input{Look: look}), "verdicts"), "verdicts"))
}

func (l *lab) done(result actions.Result) string {
	l.t.Helper()
	return l.give(watcher.Input{Done: &actions.Outcome{Key: l.Watch.Intent.Key, Result: result, Reason: "because"}})
}

func (l *lab) vote(person string, choice authority.Choice) string {
	l.t.Helper()
	v := authority.Vote{Person: person, Choice: choice, At: l.now}
	if l.Watch.Question != nil {
		v.Question = l.Watch.Question.Seq
	}
	return l.give(watcher.Input{Vote: &v})
}

// noted returns the last note about a topic.
func (l *lab) noted(topic watcher.Topic) watcher.Entry {
	for _, e := range slices.Backward(l.entries) {
		if e.Topic == topic {
			return e
		}
	}
	return watcher.Entry{}
}

func (l *lab) told() string {
	l.t.Helper()
	return l.give(watcher.Input{Told: &watcher.Delivery{Channel: "pager", Audience: actions.Page, About: l.Watch.Question.Seq, Receipt: "1"}})
}

// pass lets a version pass.
func (l *lab) pass(version string) *lab {
	l.t.Helper()
	l.event(version, rules.Finished)
	if got := l.after(31 * time.Minute).look(rules.Healthy); !strings.HasSuffix(got, "passed") {
		l.t.Fatalf("%s: %q", version, got)
	}
	l.after(time.Minute)
	return l
}

// acts brings the lane to where a rollback of 2.4.0 to 2.3.9 is under way.
func (l *lab) acts() *lab {
	l.t.Helper()
	l.pass("2.3.9").event("2.4.0", rules.Finished)
	if got := l.after(time.Minute).look(rules.Breached); !strings.HasSuffix(got, "decided intended") {
		l.t.Fatalf("%q", got)
	}
	l.after(time.Second)
	return l
}

// asks brings the lane to where people are asked about 2.4.0.
func (l *lab) asks() *lab {
	l.t.Helper()
	l.pass("2.3.9").event("2.4.0", rules.Finished)
	if got := l.after(time.Minute).look(rules.Breached); got != "ruled" || l.Watch.Question == nil {
		l.t.Fatalf("%q", got)
	}
	l.after(time.Second)
	return l
}

// expect compares step by step: what was handed in, what was written.
func expect(t *testing.T, steps ...string) {
	t.Helper()
	for i := 0; i < len(steps); i += 3 {
		if steps[i+1] != steps[i+2] {
			t.Errorf("%s: wrote %q, want %q", steps[i], steps[i+1], steps[i+2])
		}
	}
}

func TestDeploymentsThatMeet(t *testing.T) {
	for name, play := range map[string]func(t *testing.T, l *lab){
		"a cancellation does not end a watch whose rollback is under way": func(t *testing.T, l *lab) {
			l.acts()
			expect(
				t, "cancelled", l.event("2.4.0", rules.Cancelled), "step",
				"done", l.done(actions.ResultDone), "done",
				"recovered", l.look(rules.Healthy), "verified rolled-back",
			)
			if l.Ledger.Live != "2.3.9" || !slices.Contains(l.Ledger.Bad, "2.4.0") {
				t.Errorf("ledger: %+v", l.Ledger)
			}
		},
		"a cancelled deployment is watched when it comes again": func(t *testing.T, l *lab) {
			l.pass("2.3.9")
			expect(
				t, "started", l.event("2.4.0", rules.Started), "opened",
				"cancelled", l.event("2.4.0", rules.Cancelled), "cancelled",
				"cancelled twice", l.event("2.4.0", rules.Cancelled, id("twice")), "",
			)
			if l.Ledger.Live != "2.3.9" {
				t.Errorf("%s is live, want what was live before", l.Ledger.Live)
			}
			expect(t, "started again", l.event("2.4.0", rules.Started, id("second try")), "opened")
		},
		"a retry is watched, and its own repeat is not": func(t *testing.T, l *lab) {
			l.pass("2.3.9")
			expect(
				t, "the same version", finished(l, "2.3.9", "b"), "",
				"retried", l.event("2.3.9", rules.Finished, id("c"), again), "opened",
				"passes", l.after(time.Hour).look(rules.Healthy), "passed",
				"repeated", l.event("2.3.9", rules.Finished, id("c"), again, at(l.now.Add(-time.Hour))), "",
			)
		},
		"a retry of the version that is rolled back is watched right after": func(t *testing.T, l *lab) {
			l.acts()
			expect(
				t, "a late step", l.event("2.4.0", rules.Finished, id("late")), "",
				"a retry", l.event("2.4.0", rules.Finished, id("retry"), again), "newer-waits",
				"done", l.done(actions.ResultDone), "done opened",
				"breached", l.after(time.Minute).look(rules.Breached), "ruled",
			)
			if !l.Watch.SameAgain {
				t.Error("nobody notices that it was rolled back here")
			}
		},
		"a version that comes back while its rollback is verified is watched again, and only told": func(t *testing.T, l *lab) {
			l.acts().done(actions.ResultDone)
			expect(
				t, "a repeat", l.event("2.4.0", rules.Finished, at(l.now.Add(-time.Minute))), "",
				"a late event of before", l.event("2.4.0", rules.Finished, id("late"), at(l.now.Add(-time.Minute))), "older-event",
				"a new one", l.after(time.Minute).event("2.4.0", rules.Finished, id("new")), "opened",
				"breached", l.after(time.Minute).look(rules.Breached), "ruled",
			)
			if !l.Watch.SameAgain || l.Watch.Phase() != watcher.Baking {
				t.Errorf("same again: %v, phase %s", l.Watch.SameAgain, l.Watch.Phase())
			}
			if past := l.Ledger.Past; past[len(past)-1].Outcome != watcher.RolledBack {
				t.Errorf("its first watch ended as %q", past[len(past)-1].Outcome)
			}
		},
		"steps that share one id are told apart": func(t *testing.T, l *lab) {
			l.acts()
			expect(
				t, "started", l.event("2.5.0", rules.Started, id("x")), "newer-waits",
				"repeated", l.event("2.5.0", rules.Started, id("x")), "",
				"finished", l.event("2.5.0", rules.Finished, id("x")), "newer-waits",
				"older than the one that waits", l.event("2.4.5", rules.Finished, at(l.now.Add(-time.Second))), "older-event",
				"done", l.done(actions.ResultDone), "done opened",
			)
			if l.Watch.Deployment.Version != "2.5.0" || l.Watch.Phase() != watcher.Baking {
				t.Errorf("watched: %s, %s", l.Watch.Deployment.Version, l.Watch.Phase())
			}
		},
		"stages and steps of the watched version supersede nothing": func(t *testing.T, l *lab) {
			stage := func(s string) func(*rules.Deployment) { return func(d *rules.Deployment) { d.Stage = s } }
			l.pass("2.3.9")
			expect(
				t, "started", l.event("2.4.0", rules.Started), "opened",
				"5 %", l.event("2.4.0", rules.Stage, id("5"), stage("5%")), "step",
				"5 % again", l.event("2.4.0", rules.Stage, id("5 again"), stage("5%")), "",
				"50 %", l.event("2.4.0", rules.Stage, id("50"), stage("50%")), "step",
			)
			if l.Watch.Phase() != watcher.Rolling || !l.Watch.BakeEnds().IsZero() {
				t.Error("the bake's clock runs")
			}
			live := l.now
			expect(t, "finished, told late", l.after(5*time.Minute).event("2.4.0", rules.Finished, at(live)), "step")
			if want := live.Add(30 * time.Minute); !l.Watch.BakeEnds().Equal(want) {
				t.Errorf("the bake ends at %s, want %s", l.Watch.BakeEnds(), want)
			}
		},
		"an old retry of the live version is watched": func(t *testing.T, l *lab) {
			l.pass("2.3.9")
			expect(t, "retried", l.event("2.3.9", rules.Finished, id("new"), again, at(l.now.Add(-2*time.Hour))), "opened")
		},
		"a look at the target decides nothing about the deployment, and the other way round": func(t *testing.T, l *lab) {
			look := func(watch uint64, verify bool, v rules.Verdict) string {
				return l.give(watcher.Input{Look: &watcher.Look{Watch: watch, Verify: verify, Calm: 9, Answers: []rules.Answer{{Rule: "errors", Verdict: v, Ceiling: rules.Auto}}}})
			}
			l.pass("2.3.9").event("2.4.0", rules.Finished)
			watch := l.Watch.Seq
			expect(
				t, "at the target", look(watch, true, rules.Breached), "",
				"at another watch", look(watch-1, false, rules.Breached), "",
				"at this one", look(watch, false, rules.Breached), "decided intended",
				"done", l.done(actions.ResultDone), "done",
				"a late look at the bad version", look(watch, false, rules.Healthy), "",
				"at another's target", look(watch-1, true, rules.Healthy), "",
				"at the target", look(watch, true, rules.Healthy), "verified rolled-back",
			)
		},
		"what a later step says of the deployment counts": func(t *testing.T, l *lab) {
			no := false
			l.pass("2.3.9").event("2.4.0", rules.Started, func(d *rules.Deployment) { d.By = "" })
			l.event("2.4.0", rules.Finished, func(d *rules.Deployment) { d.By, d.Reversible = "zoe", &no })
			expect(t, "breached", l.after(time.Minute).look(rules.Breached), "ruled")
			if d := l.Watch.Deployment; d.By != "zoe" || d.Reversible == nil || *d.Reversible {
				t.Errorf("%+v", d)
			}
		},
		"after a rollback the target is judged, from then on, in its own slot": func(t *testing.T, l *lab) {
			l.plan.Select.Slots = map[string]map[string]string{"blue": {}, "green": {}}
			l.pass("2.3.9").event("2.4.0", rules.Finished, func(d *rules.Deployment) { d.Slot = "blue" })
			if d := l.Watch.Subject(); d.Version != "2.4.0" || d.Previous != "2.3.9" || d.Slot != "blue" {
				t.Errorf("before: %+v", d)
			}
			l.after(time.Minute).look(rules.Breached)
			l.after(time.Minute).done(actions.ResultDone)
			if d := l.Watch.Subject(); d.Version != "2.3.9" || d.Previous != "2.4.0" || d.Slot != "green" || !d.At.Equal(l.now) {
				t.Errorf("after: %+v", d)
			}
		},
		"a clock that is ahead does not make all that follows old": func(t *testing.T, l *lab) {
			expect(
				t, "from the future", l.event("2.3.9", rules.Finished, at(l.now.Add(time.Hour))), "opened",
				"the next", l.after(time.Minute).event("2.4.0", rules.Finished), "opened",
			)
		},
		"A → B → A → B is watched each time": func(t *testing.T, l *lab) {
			l.pass("2.3.9").pass("2.4.0")
			expect(
				t, "A", finished(l, "2.3.9", "A2"), "opened",
				"B", finished(l.after(time.Minute), "2.4.0", "B2"), "opened",
				"the first B again", l.event("2.4.0", rules.Finished, at(l.now.Add(-time.Hour))), "",
			)
		},
		"the first event of a past watch, redelivered, is still a repeat": func(t *testing.T, l *lab) {
			l.pass("2.3.9").pass("2.4.0")
			expect(t, "redelivered", l.event("2.3.9", rules.Finished), "")
		},
		"a version without a plan ends the watch of the one it replaces": func(t *testing.T, l *lab) {
			l.pass("2.3.9").event("2.4.0", rules.Finished)
			p := l.plan
			l.plan = nil
			expect(
				t, "no plan", l.after(time.Minute).event("2.5.0", rules.Finished), "superseded no-plan",
				"again", l.event("2.5.0", rules.Finished), "",
			)
			if l.Ledger.Live != "2.5.0" {
				t.Errorf("%s is live", l.Ledger.Live)
			}
			l.plan = p
			expect(t, "announced anew, with a plan", finished(l.after(time.Minute), "2.5.0", "anew"), "opened")
			if l.Watch.Target.Version != "2.3.9" {
				t.Errorf("target %+v", l.Watch.Target)
			}
		},
		"a version without a plan, while a rollback is under way, is noted": func(t *testing.T, l *lab) {
			l.acts()
			l.plan = nil
			expect(
				t, "no plan", l.event("2.5.0", rules.Finished), "no-plan",
				"done", l.done(actions.ResultDone), "done",
			)
		},
		"a newer one while it is verified ends the watch as rolled back": func(t *testing.T, l *lab) {
			l.acts().done(actions.ResultDone)
			expect(t, "newer", l.after(time.Second).event("2.5.0", rules.Finished), "opened")
			if past := l.Ledger.Past; past[len(past)-1].Outcome != watcher.RolledBack || l.Watch.Target.Version != "2.3.9" {
				t.Errorf("past %+v, target %+v", past, l.Watch.Target)
			}
		},
		"an event of the target that only began proves nothing": func(t *testing.T, l *lab) {
			l.acts()
			expect(
				t, "started", l.event("2.3.9", rules.Started), "step",
				"unknown", l.done(actions.ResultUnknown), "done unknown",
			)
		},
		"an event that shows the target live settles what nobody knew": func(t *testing.T, l *lab) {
			l.acts()
			expect(
				t, "rolled back", l.event("2.3.9", rules.RolledBack), "step",
				"unknown", l.done(actions.ResultUnknown), "done",
				"recovered", l.look(rules.Healthy), "verified rolled-back",
			)
			if !slices.Contains(l.Ledger.Bad, "2.4.0") || l.Ledger.Live != "2.3.9" {
				t.Errorf("ledger %+v", l.Ledger)
			}
			expect(t, "the event, later", l.event("2.3.9", rules.RolledBack, id("later")), "")
		},
		"a failed rollback leaves the version live and out of quarantine": func(t *testing.T, l *lab) {
			l.acts()
			expect(t, "failed", l.done(actions.ResultFailed), "done rollback-failed")
			if len(l.Ledger.Bad) > 0 || l.Ledger.Live != "2.4.0" {
				t.Errorf("ledger %+v", l.Ledger)
			}
		},
		"the outcome of another rollback is not taken for this one's": func(t *testing.T, l *lab) {
			l.acts()
			expect(t, "another's", l.give(watcher.Input{Done: &actions.Outcome{Key: "other", Result: actions.ResultDone}}), "")
		},
		"a step that says the deployment is a rollback makes it one": func(t *testing.T, l *lab) {
			l.pass("2.3.8").pass("2.3.9").event("2.4.0", rules.Finished)
			expect(
				t, "started", l.after(time.Minute).event("2.3.9", rules.Started, id("back")), "opened",
				"rolled back", l.event("2.3.9", rules.RolledBack, id("back")), "step",
				"breached", l.after(time.Minute).look(rules.Breached), "ruled",
			)
			if !l.Watch.Rollback || !slices.Contains(l.Ledger.Bad, "2.4.0") {
				t.Errorf("rollback: %v, quarantine: %v", l.Watch.Rollback, l.Ledger.Bad)
			}
		},
		"a version that passed and replaces one that did not is a rollback, whoever made it": func(t *testing.T, l *lab) {
			l.pass("2.3.8").pass("2.3.9").event("2.4.0", rules.Finished)
			expect(
				t, "by hand", l.after(time.Minute).event("2.3.9", rules.Finished, id("by hand")), "opened",
				"breached", l.after(time.Minute).look(rules.Breached), "ruled",
			)
			if !l.Watch.Rollback || len(l.Ledger.Bad) > 0 {
				t.Errorf("rollback: %v, quarantine: %v", l.Watch.Rollback, l.Ledger.Bad)
			}
		},
		"what shows, later, that a rollback of unknown end has worked is no ordinary deployment": func(t *testing.T, l *lab) {
			l.pass("2.3.8").acts().done(actions.ResultUnknown)
			expect(
				t, "the target", l.after(time.Minute).event("2.3.9", rules.Finished, id("late")), "opened",
				"breached", l.after(time.Minute).look(rules.Breached), "ruled",
			)
			if !l.Watch.Rollback || !slices.Contains(l.Ledger.Bad, "2.4.0") {
				t.Errorf("rollback: %v, quarantine: %v", l.Watch.Rollback, l.Ledger.Bad)
			}
		},
		"a version that somebody else rolled back is known when it comes again": func(t *testing.T, l *lab) {
			l.pass("2.3.9").event("2.4.0", rules.Finished)
			expect(
				t, "rolled back by a person", l.after(time.Minute).event("2.3.9", rules.RolledBack), "opened",
				"again", l.after(time.Minute).event("2.4.0", rules.Finished, id("again")), "opened",
				"breached", l.after(time.Minute).look(rules.Breached), "ruled",
			)
		},
		"an event that shows the target live outweighs an executor that says it failed": func(t *testing.T, l *lab) {
			l.acts()
			expect(
				t, "rolled back", l.event("2.3.9", rules.RolledBack), "step",
				"failed", l.done(actions.ResultFailed), "done",
				"recovered", l.look(rules.Healthy), "verified rolled-back",
			)
		},
		"an event from before does not outweigh an executor that sees another version": func(t *testing.T, l *lab) {
			l.acts()
			l.event("2.3.9", rules.RolledBack)
			failed := &actions.Outcome{Key: l.Watch.Intent.Key, Result: actions.ResultFailed, Live: "2.4.0"}
			expect(t, "failed", l.give(watcher.Input{Done: failed}), "done rollback-failed")
		},
		"after a rollback that failed, a deployment of the same version is watched": func(t *testing.T, l *lab) {
			l.acts().done(actions.ResultFailed)
			expect(
				t, "the first event again", l.event("2.4.0", rules.Finished), "",
				"a new one", l.after(time.Hour).event("2.4.0", rules.Finished, id("new")), "opened",
			)
		},
		"a newer deployment that was cancelled while it waited is not watched": func(t *testing.T, l *lab) {
			l.acts()
			expect(
				t, "started", l.event("2.5.0", rules.Started), "newer-waits",
				"cancelled", l.event("2.5.0", rules.Cancelled), "newer-cancelled",
				"done", l.done(actions.ResultDone), "done",
			)
			if l.Ledger.Live != "2.3.9" || l.Watch.Phase() != watcher.Verifying {
				t.Errorf("live %s, phase %s", l.Ledger.Live, l.Watch.Phase())
			}
		},
		"who began a deployment that waits is not forgotten when another ends it": func(t *testing.T, l *lab) {
			l.acts()
			l.event("2.5.0", rules.Started, by("ana"))
			l.event("2.5.0", rules.Finished, by("robot"))
			l.done(actions.ResultDone)
			if d := l.Watch.Deployment; d.By != "ana" || !slices.Contains(d.Authors, "robot") || d.Step != rules.Finished {
				t.Errorf("%+v", d)
			}
		},
		"what went live during a rollback and is told after it is watched": func(t *testing.T, l *lab) {
			l.acts()
			live := l.after(3 * time.Second).now
			l.after(7 * time.Second).done(actions.ResultDone)
			expect(t, "told late", l.after(time.Second).event("2.5.0", rules.Finished, at(live)), "opened")
		},
		"the late end of an earlier attempt neither starts the bake nor ends the watch": func(t *testing.T, l *lab) {
			l.pass("2.3.9").event("2.4.0", rules.Started, id("first"))
			before := l.now
			l.after(10*time.Minute).event("2.3.9", rules.Finished, id("back"))
			expect(
				t, "second attempt", l.after(2*time.Hour).event("2.4.0", rules.Started, id("second")), "opened",
				"the first's finish", l.event("2.4.0", rules.Finished, id("first end"), at(before.Add(5*time.Minute))), "older-event",
				"the first's cancellation", l.event("2.4.0", rules.Cancelled, id("first stop"), at(before.Add(6*time.Minute))), "older-event",
				"healthy", l.after(15*time.Second).look(rules.Healthy), "",
				"its own finish", l.event("2.4.0", rules.Finished, id("second end"), at(l.now.Add(-2*time.Second))), "step",
			)
		},
		"tools whose clocks differ a little still tell of one deployment": func(t *testing.T, l *lab) {
			l.pass("2.3.9").event("2.4.0", rules.Started)
			opened := l.now
			expect(t, "finished", l.after(time.Second).event("2.4.0", rules.Finished, at(l.now.Add(-4*time.Second))), "step")
			if want := opened.Add(30 * time.Minute); !l.Watch.BakeEnds().Equal(want) {
				t.Errorf("the bake ends at %s, want %s", l.Watch.BakeEnds(), want)
			}
		},
		"a redelivered event of a past watch is a repeat also beside an open one": func(t *testing.T, l *lab) {
			ahead := at(l.now.Add(5 * time.Minute)) // the sender's clock
			l.event("2.3.9", rules.Finished, ahead)
			expect(
				t, "the next", l.after(time.Minute).event("2.4.0", rules.Finished), "opened",
				"the first again", l.after(time.Second).event("2.3.9", rules.Finished, ahead), "",
			)
		},
		"a version without a plan ends a watch that has decided and not yet begun": func(t *testing.T, l *lab) {
			l.pass("2.3.9").event("2.4.0", rules.Finished)
			breached := watcher.Look{Watch: l.Watch.Seq, Answers: []rules.Answer{{Rule: "errors", Verdict: rules.Breached, Ceiling: rules.Auto}}}
			decided, _ := l.Next(watcher.Input{Now: l.after(time.Minute).now, Look: &breached})
			l.Lane, l.plan = l.Apply(l.acknowledge(decided)), nil
			expect(t, "no plan", l.event("2.5.0", rules.Finished), "superseded no-plan")
		},
		"people cannot cancel a rollback that is decided": func(t *testing.T, l *lab) {
			l.acts()
			expect(t, "cancel", l.give(watcher.Input{Cancel: &watcher.Request{By: "ben"}}), "")
			l.done(actions.ResultDone)
			expect(t, "cancel", l.give(watcher.Input{Cancel: &watcher.Request{By: "ben"}}), "")
		},
		"people can cancel a watch, and its version stays live": func(t *testing.T, l *lab) {
			l.pass("2.3.9").event("2.4.0", rules.Finished)
			expect(t, "cancel", l.give(watcher.Input{Cancel: &watcher.Request{By: "ben", Reason: "load test"}}), "cancelled")
			if l.Ledger.Live != "2.4.0" {
				t.Errorf("%s is live", l.Ledger.Live)
			}
		},
	} {
		t.Run(name, func(t *testing.T) { play(t, newLab(t, plan())) })
	}
}

func TestWhatQuestionsAndRulingsDo(t *testing.T) {
	for name, c := range map[string]struct {
		plan *rules.Plan
		play func(t *testing.T, l *lab)
	}{
		"a question is not withdrawn because nobody can see": {plan(asks(rules.SilenceKeeps)), func(t *testing.T, l *lab) {
			l.asks()
			for _, v := range []rules.Verdict{rules.Blind, rules.Inconclusive, rules.NoData, rules.LowTraffic} {
				expect(t, v.String(), l.after(15*time.Second).look(v), "")
			}
			expect(t, "healed", l.after(15*time.Second).look(rules.Healthy), "ruled")
			if l.Watch.Question != nil {
				t.Error("the question is still open")
			}
		}},
		"a breach that was told is not called healed because nobody can see": {plan(func(p *rules.Plan) { p.Rules[0].Mode = rules.ModeNotify }), func(t *testing.T, l *lab) {
			l.pass("2.3.9").event("2.4.0", rules.Finished)
			expect(
				t, "breached", l.after(time.Minute).look(rules.Breached), "ruled",
				"blind", l.after(time.Minute).look(rules.Blind), "",
				"breached", l.after(time.Minute).look(rules.Breached), "",
				"healed", l.after(time.Minute).look(rules.Healthy), "ruled",
			)
		}},
		"silence rolls back only what is seen to be bad": {plan(asks(rules.SilenceRollsBack)), func(t *testing.T, l *lab) {
			l.asks()
			expect(t, "heard", l.told(), "told")
			expect(
				t, "before the deadline", l.after(9*time.Minute).look(rules.Breached), "reminded",
				"time passes", l.after(2*time.Minute).give(watcher.Input{}), "",
				"blind", l.look(rules.Blind), "",
				"seen", l.after(time.Minute).look(rules.Breached), "decided intended",
			)
		}},
		"silence does not outvote a person who said keep": {plan(asks(rules.SilenceRollsBack)), func(t *testing.T, l *lab) {
			l.pass("2.3.9").event("2.4.0", rules.Finished, by("")) // so it takes two
			l.after(time.Minute).look(rules.Breached)
			expect(
				t, "heard", l.told(), "told",
				"one of two", l.vote("ben", authority.Keep), "voted",
				"the deadline", l.after(11*time.Minute).look(rules.Breached), "silence",
			)
			if text := l.noted(watcher.LeftBySilence).Text; !strings.Contains(text, "ben said keep") {
				t.Errorf("it says %q", text)
			}
		}},
		"silence does not count after a delivery without a receipt": {plan(asks(rules.SilenceRollsBack)), func(t *testing.T, l *lab) {
			l.asks()
			l.give(watcher.Input{Told: &watcher.Delivery{Channel: "pager", Audience: actions.Page, About: l.Watch.Question.Seq}})
			expect(t, "the deadline", l.after(11*time.Minute).look(rules.Breached), "")
		}},
		"nobody is asked where everybody who could be is barred": {plan(asks(rules.SilenceRollsBack)), func(t *testing.T, l *lab) {
			l.plan.Groups["oncall"] = []string{"Ana"}
			l.pass("2.3.9").event("2.4.0", rules.Finished)
			expect(t, "breached", l.after(time.Minute).look(rules.Breached), "ruled")
			if l.Watch.Question != nil || l.Watch.Ruling.Power != rules.Notify || !l.Watch.Ruling.Thwarted() {
				t.Errorf("ruling %+v", l.Watch.Ruling)
			}
		}},
		"whoever had a hand in any step does not vote": {plan(asks(rules.SilenceKeeps)), func(t *testing.T, l *lab) {
			l.pass("2.3.9").event("2.4.0", rules.Started)
			l.after(time.Second).event("2.4.0", rules.Finished, by("robot"))
			l.after(time.Minute).look(rules.Breached)
			expect(t, "the one who began it", l.vote("ana", authority.RollBack), "refused", "another", l.vote("ben", authority.RollBack), "voted decided intended")
		}},
		"votes that waited do not roll back what turns out to be a rollback": {plan(asks(rules.SilenceKeeps)), func(t *testing.T, l *lab) {
			l.asks()
			l.guards.Disarmed = "freeze"
			expect(t, "a vote", l.vote("ben", authority.RollBack), "voted")
			l.guards.Disarmed = ""
			expect(
				t, "it is a rollback", l.event("2.4.0", rules.RolledBack), "step",
				"the next look", l.after(15*time.Second).look(rules.Breached), "ruled",
			)
			if l.Watch.Question != nil || l.Watch.Ruling.Power != rules.Notify {
				t.Errorf("ruling %+v", l.Watch.Ruling)
			}
		}},
		"a vote lapses when its person turns out to have deployed": {plan(asks(rules.SilenceKeeps)), func(t *testing.T, l *lab) {
			l.pass("2.3.9").event("2.4.0", rules.Started, by(""))
			l.after(time.Minute).look(rules.Breached)
			expect(
				t, "one of two", l.vote("eve", authority.RollBack), "voted",
				"it was eve", l.event("2.4.0", rules.Finished, by("eve")), "step",
				"nothing follows", l.after(time.Second).look(rules.Breached), "",
				"another", l.vote("ben", authority.RollBack), "voted decided intended",
			)
		}},
		"people are told that a question lapses with a newer deployment": {plan(asks(rules.SilenceKeeps)), func(t *testing.T, l *lab) {
			l.asks()
			l.event("2.5.0", rules.Finished)
			opened := l.entries[len(l.entries)-1]
			m, audiences := watcher.Render([]watcher.Entry{opened})
			if !strings.Contains(m.Text(), "The question whether to roll 2.4.0 back lapses.") || !slices.Contains(audiences, actions.Page) {
				t.Errorf("%v hear %q", audiences, m.Text())
			}
		}},
		"a rollback is not called verified when nobody saw the target": {plan(), func(t *testing.T, l *lab) {
			l.acts().done(actions.ResultDone)
			calm := func() string {
				return l.give(watcher.Input{Look: &watcher.Look{Watch: l.Watch.Seq, Verify: true, Calm: 4, Answers: []rules.Answer{{Rule: "errors", Verdict: rules.LowTraffic}}}})
			}
			expect(t, "no traffic", calm(), "")
			l.after(11 * time.Minute)
			expect(t, "to the end", calm(), "verified rolled-back")
			if e := l.entries[len(l.entries)-2]; e.OK || !strings.Contains(e.Text, "could not be verified") {
				t.Errorf("verified: %+v", e)
			}
		}},
		"a watch does not pass while a rule is being asked": {plan(), func(t *testing.T, l *lab) {
			l.event("2.3.9", rules.Finished)
			l.after(31 * time.Minute)
			healthy := []rules.Answer{{Rule: "errors", Verdict: rules.Healthy}}
			expect(
				t, "being asked", l.give(watcher.Input{Look: &watcher.Look{Watch: l.Watch.Seq, Answers: healthy, Partly: true}}), "verdicts",
				"answered", l.give(watcher.Input{Look: &watcher.Look{Watch: l.Watch.Seq, Answers: healthy}}), "passed",
			)
		}},
		"silence that waits to see ends with the bake": {plan(asks(rules.SilenceRollsBack)), func(t *testing.T, l *lab) {
			l.asks()
			expect(
				t, "heard", l.told(), "told",
				"blind", l.after(11*time.Minute).look(rules.Blind), "",
				"blind at the end", l.after(20*time.Minute).look(rules.Blind), "silence left",
			)
		}},
		"silence about missing data rolls nothing back": {plan(asks(rules.SilenceRollsBack), func(p *rules.Plan) { p.Rules[0].OnNoData = rules.AskOnNoData }), func(t *testing.T, l *lab) {
			l.pass("2.3.9").event("2.4.0", rules.Finished)
			expect(t, "no data", l.after(time.Minute).look(rules.NoData), "ruled", "heard", l.told(), "told")
			expect(t, "no answer", l.after(11*time.Minute).look(rules.NoData), "silence")
		}},
		"a breach where data was missing is asked anew": {plan(asks(rules.SilenceRollsBack), func(p *rules.Plan) { p.Rules[0].OnNoData = rules.AskOnNoData }), func(t *testing.T, l *lab) {
			l.pass("2.3.9").event("2.4.0", rules.Finished)
			expect(
				t, "no data", l.after(time.Minute).look(rules.NoData), "ruled",
				"breached", l.after(time.Minute).look(rules.Breached), "ruled",
				"no data again", l.after(time.Minute).look(rules.NoData), "",
			)
		}},
		"people may roll back on missing data": {plan(asks(rules.SilenceKeeps), func(p *rules.Plan) { p.Rules[0].OnNoData = rules.AskOnNoData }), func(t *testing.T, l *lab) {
			l.pass("2.3.9").event("2.4.0", rules.Finished)
			l.after(time.Minute).look(rules.NoData)
			expect(t, "vote", l.vote("ben", authority.RollBack), "voted decided intended")
		}},
		"what people kept is not decided over their heads": {plan(asks(rules.SilenceKeeps)), func(t *testing.T, l *lab) {
			l.plan.Authorities = append([]rules.Authority{{Decide: rules.Auto}}, l.plan.Authorities...)
			l.guards.Skewed = "the clock jumped"
			l.asks()
			expect(t, "kept", l.vote("ben", authority.Keep), "voted kept")
			l.guards = watcher.Guards{}
			expect(
				t, "the clocks agree again", l.after(time.Minute).look(rules.Breached), "",
				"healed", l.after(time.Minute).look(rules.Healthy), "",
				"at the end", l.after(20*time.Minute).look(rules.Breached), "",
				"end", l.after(7*time.Minute+30*time.Second).look(rules.Breached), "kept",
			)
		}},
		"after the snooze the same is asked again": {plan(asks(rules.SilenceKeeps), func(p *rules.Plan) { p.Bake = minutes(120) }), func(t *testing.T, l *lab) {
			l.event("2.3.9", rules.Finished)
			l.after(3 * time.Hour).look(rules.Healthy)
			l.event("2.4.0", rules.Finished)
			l.after(time.Minute).look(rules.Breached)
			first := l.Watch.Question.Seq
			expect(
				t, "kept", l.vote("ben", authority.Keep), "voted kept",
				"still breached", l.after(29*time.Minute).look(rules.Breached), "",
				"and after the snooze", l.after(2*time.Minute).look(rules.Breached), "ruled",
			)
			old := authority.Vote{Question: first, Person: "eve", Choice: authority.RollBack}
			expect(t, "a vote for the old question", l.give(watcher.Input{Vote: &old}), "refused", "again", l.give(watcher.Input{Vote: &old}), "")
		}},
		"a new breach is asked about although people said keep": {plan(asks(rules.SilenceKeeps), twoRules), func(t *testing.T, l *lab) {
			l.pass("2.3.9").event("2.4.0", rules.Finished)
			expect(
				t, "the second is breached", l.after(time.Minute).look(rules.Healthy, rules.Breached), "ruled",
				"kept", l.vote("ben", authority.Keep), "voted kept",
				"the same", l.after(time.Minute).look(rules.Healthy, rules.Breached), "",
				"the first as well", l.after(time.Minute).look(rules.Breached, rules.Breached), "ruled",
			)
			if l.Watch.Question == nil {
				t.Error("nobody is asked")
			}
		}},
		"a worse breach is asked about although the first cannot be judged any more": {plan(asks(rules.SilenceKeeps), twoRules, func(p *rules.Plan) { p.Rules[0].Severity = rules.Info }), func(t *testing.T, l *lab) {
			l.pass("2.3.9").event("2.4.0", rules.Finished)
			expect(
				t, "told", l.after(time.Minute).look(rules.Breached, rules.Healthy), "ruled",
				"blind, and the other is breached", l.after(time.Minute).look(rules.Blind, rules.Breached), "ruled",
			)
			if l.Watch.Question == nil {
				t.Error("nobody is asked")
			}
		}},
		"a breach that healed is not asked about only because other data is missing": {plan(asks(rules.SilenceKeeps), twoRules, func(p *rules.Plan) { p.Rules[1].OnNoData = rules.AskOnNoData }), func(t *testing.T, l *lab) {
			l.pass("2.3.9").event("2.4.0", rules.Finished)
			expect(
				t, "both", l.after(time.Minute).look(rules.Breached, rules.NoData), "ruled",
				"the breach heals", l.after(time.Minute).look(rules.Healthy, rules.NoData), "ruled",
			)
			if !l.Watch.Ruling.NoData {
				t.Errorf("ruling %+v", l.Watch.Ruling)
			}
		}},
		"what is asked after a keep is withdrawn when it heals": {plan(asks(rules.SilenceKeeps), twoRules), func(t *testing.T, l *lab) {
			l.pass("2.3.9").event("2.4.0", rules.Finished)
			l.after(time.Minute).look(rules.Breached, rules.Healthy)
			expect(
				t, "kept", l.vote("ben", authority.Keep), "voted kept",
				"another", l.after(time.Minute).look(rules.Healthy, rules.Breached), "ruled",
				"heals", l.after(time.Minute).look(rules.Healthy, rules.Healthy), "ruled",
			)
			if l.Watch.Question != nil {
				t.Error("people are still asked")
			}
		}},
		"the bake does not end while people are asked": {plan(asks(rules.SilenceKeeps), func(p *rules.Plan) { p.Authorities[0].Within = minutes(60) }), func(t *testing.T, l *lab) {
			l.asks().told()
			expect(
				t, "the bake is over", l.after(40*time.Minute).look(rules.Breached), "reminded",
				"and nobody answers", l.after(30*time.Minute).look(rules.Breached), "silence left",
			)
		}},
		"people are told that it is blind once, after a while": {plan(), func(t *testing.T, l *lab) {
			blind := func(since time.Duration) string {
				answers := []rules.Answer{{Rule: "errors", Verdict: rules.Blind}}
				look := &watcher.Look{Watch: l.Watch.Seq, Answers: answers}
				if since > 0 {
					look.BlindSince = l.now.Add(-since)
				}
				return strings.TrimSpace(strings.TrimSuffix(l.give(watcher.Input{Look: look}), "verdicts"))
			}
			l.event("2.4.0", rules.Finished)
			expect(
				t, "not for long", blind(4*time.Minute), "",
				"for long", blind(5*time.Minute), "blind",
				"longer", blind(6*time.Minute), "",
				"not any more", blind(0), "sees-again",
				"still not", blind(0), "",
			)
		}},
		"a watch without an answer never passes": {plan(), func(t *testing.T, l *lab) {
			l.event("2.4.0", rules.Finished)
			expect(t, "the end", l.after(time.Hour).give(watcher.Input{Look: &watcher.Look{Watch: l.Watch.Seq}}), "extended")
		}},
		"verdicts are journaled when they change, at most once a minute, and now and then": {plan(), func(t *testing.T, l *lab) {
			look := func(v rules.Verdict) string {
				return l.give(watcher.Input{Look: &watcher.Look{Watch: l.Watch.Seq, Answers: []rules.Answer{{Rule: "errors", Verdict: v, At: l.now}}}})
			}
			l.event("2.4.0", rules.Finished)
			expect(
				t, "the first", look(rules.Inconclusive), "verdicts",
				"changed too soon", l.after(30*time.Second).let(look, rules.Healthy), "",
				"changed", l.after(30*time.Second).let(look, rules.Healthy), "verdicts",
				"the same", l.after(2*time.Minute).let(look, rules.Healthy), "",
				"the same for long", l.after(3*time.Minute).let(look, rules.Healthy), "verdicts",
			)
		}},
		"votes lapse when other rules are blamed": {plan(asks(rules.SilenceKeeps), twoRules), func(t *testing.T, l *lab) {
			l.plan.Groups["oncall"] = []string{"ben", "eve", "zoe"}
			l.plan.Authorities[0].Needs["oncall"] = 2
			l.pass("2.3.9").event("2.4.0", rules.Finished)
			expect(
				t, "breached", l.after(time.Minute).look(rules.Breached, rules.Healthy), "ruled",
				"one vote", l.vote("ben", authority.RollBack), "voted",
				"the same person again", l.vote("ben", authority.RollBack), "",
				"another is blamed as well", l.after(time.Minute).look(rules.Breached, rules.Breached), "ruled",
				"another's vote", l.vote("eve", authority.RollBack), "voted",
				"and the first again", l.vote("ben", authority.RollBack), "voted decided intended",
			)
		}},
		"a shadow rule that flaps lets no votes lapse": {plan(asks(rules.SilenceKeeps), twoRules, func(p *rules.Plan) { p.Rules[1].Mode = rules.Shadow }), func(t *testing.T, l *lab) {
			l.pass("2.3.9").event("2.4.0", rules.Finished)
			expect(
				t, "breached", l.after(time.Minute).look(rules.Breached, rules.Healthy), "ruled",
				"the shadow, too", l.after(time.Minute).look(rules.Breached, rules.Breached), "",
				"not any more", l.after(time.Minute).look(rules.Breached, rules.Healthy), "",
			)
		}},
		"votes wait while it is disarmed": {plan(asks(rules.SilenceKeeps)), func(t *testing.T, l *lab) {
			l.asks()
			l.guards.Disarmed = "freeze"
			expect(t, "vote", l.vote("ben", authority.RollBack), "voted", "time", l.after(time.Minute).give(watcher.Input{}), "")
			l.guards = watcher.Guards{}
			expect(t, "armed", l.give(watcher.Input{}), "decided intended")
		}},
		"silence counts for nothing while a guard holds": {plan(asks(rules.SilenceRollsBack)), func(t *testing.T, l *lab) {
			l.asks().told()
			l.guards.Skewed = "the clock jumped"
			expect(t, "deadline", l.after(11*time.Minute).look(rules.Breached), "silence")
		}},
		"a worse breach is decided while people are asked": {plan(asks(rules.SilenceKeeps), twoRules, func(p *rules.Plan) {
			p.Rules[0].Severity = rules.Warning
			p.Authorities = append([]rules.Authority{{Decide: rules.Auto, Severity: []rules.Severity{rules.Critical}}}, p.Authorities...)
		}), func(t *testing.T, l *lab) {
			l.pass("2.3.9").event("2.4.0", rules.Finished)
			expect(
				t, "a warning", l.after(time.Minute).look(rules.Breached, rules.Healthy), "ruled",
				"critical", l.after(time.Minute).look(rules.Breached, rules.Breached), "decided intended",
			)
		}},
		"the bake is extended from when it could not be judged": {plan(), func(t *testing.T, l *lab) {
			l.pass("2.3.9").event("2.4.0", rules.Finished)
			expect(
				t, "hours later, as after an outage", l.after(5*time.Hour).look(rules.Inconclusive), "extended",
				"a minute later", l.after(time.Minute).look(rules.Healthy), "",
				"at the end", l.after(30*time.Minute).look(rules.Healthy), "passed",
			)
		}},
		"what cannot be judged is extended twice and then undecided": {plan(), func(t *testing.T, l *lab) {
			l.pass("2.3.9").event("2.4.0", rules.Finished)
			expect(
				t, "end", l.after(30*time.Minute).look(rules.LowTraffic), "extended",
				"end", l.after(30*time.Minute).look(rules.LowTraffic), "extended",
				"before the end", l.after(29*time.Minute).look(rules.LowTraffic), "",
				"end", l.after(time.Minute).look(rules.LowTraffic), "undecided",
			)
		}},
		"a delivery is recorded once, and starts the countdown of its own question only": {plan(asks(rules.SilenceRollsBack)), func(t *testing.T, l *lab) {
			l.asks()
			other := watcher.Delivery{Channel: "pager", About: l.Watch.Seq, Receipt: "1"}
			failed := watcher.Delivery{Channel: "pager", About: l.Watch.Question.Seq, Failed: "503"}
			expect(t, "of another message", l.give(watcher.Input{Told: &other}), "told", "failed", l.give(watcher.Input{Told: &failed}), "told")
			if !l.Watch.Question.Heard.IsZero() {
				t.Error("the countdown began")
			}
			expect(t, "delivered", l.told(), "told", "again", l.told(), "")
			heard := l.Watch.Question.Heard
			second := watcher.Delivery{Channel: "chat", About: l.Watch.Question.Seq, Receipt: "2"}
			l.after(time.Minute).give(watcher.Input{Told: &second})
			if !l.Watch.Question.Heard.Equal(heard) || heard.IsZero() {
				t.Errorf("the countdown began at %s, and then at %s", heard, l.Watch.Question.Heard)
			}
		}},
	} {
		t.Run(name, func(t *testing.T) { c.play(t, newLab(t, c.plan)) })
	}
}

// let calls do after the receiver's time was changed.
func (l *lab) let(do func(rules.Verdict) string, v rules.Verdict) string { return do(v) }

// twoRules adds a second rule to a plan.
func twoRules(p *rules.Plan) {
	p.Rules = append(p.Rules, rules.Spec{Name: "latency", Kind: "query", Severity: rules.Critical, Mode: rules.Enforce})
}

func TestTheTargetOfARollback(t *testing.T) {
	previousChoice := func(p *rules.Plan) { p.Rollbacks[0].Target = rules.PreviousVersion }
	for name, c := range map[string]struct {
		plan *rules.Plan
		play func(l *lab) // opens 3.0.0
		want string
		why  string // why it is doubted or missing
	}{
		"is the last that passed": {plan(), func(l *lab) { l.pass("1.0.0").pass("2.0.0").event("3.0.0", rules.Finished) }, "2.0.0", ""},
		"is not the version itself": {plan(), func(l *lab) {
			l.pass("1.0.0").pass("3.0.0").event("3.0.0", rules.Finished, id("again"), again)
		}, "1.0.0", ""},
		"is not one that did not pass": {plan(), func(l *lab) {
			l.pass("1.0.0").event("2.0.0", rules.Finished)
			l.after(time.Minute).event("3.0.0", rules.Finished)
		}, "1.0.0", ""},
		"is not one that passed and was rolled back later": {plan(), func(l *lab) {
			l.pass("1.0.0").pass("2.0.0").event("2.0.0", rules.Finished, id("again"), again)
			l.after(time.Minute).look(rules.Breached)
			l.done(actions.ResultDone)
			l.look(rules.Healthy)
			l.after(time.Minute).event("3.0.0", rules.Finished)
		}, "1.0.0", ""},
		"is asked about where only the event names it": {plan(), func(l *lab) { l.event("3.0.0", rules.Finished, previous("2.0.0")) }, "2.0.0", "never watched here"},
		"is asked about where it never passed": {plan(), func(l *lab) {
			l.event("2.0.0", rules.Finished)
			l.after(time.Minute).event("3.0.0", rules.Finished)
		}, "2.0.0", "never passed"},
		"is unknown at first":     {plan(), func(l *lab) { l.event("3.0.0", rules.Finished) }, "", "no version is known"},
		"is not the same version": {plan(), func(l *lab) { l.event("3.0.0", rules.Finished, previous("3.0.0")) }, "", "the same one"},
		"is the one before, on wish": {plan(previousChoice), func(l *lab) {
			l.pass("1.0.0").pass("2.0.0").event("3.0.0", rules.Finished, previous("1.0.0"))
		}, "1.0.0", ""},
		"is the one before on wish, and asked about where it never passed": {plan(previousChoice), func(l *lab) {
			l.pass("1.0.0").event("2.0.0", rules.Finished)
			l.after(time.Minute).event("3.0.0", rules.Finished)
		}, "2.0.0", "never passed"},
		"is not the one before if that is in quarantine": {plan(previousChoice), func(l *lab) {
			l.pass("1.0.0").event("2.0.0", rules.Finished)
			l.after(time.Minute).look(rules.Breached)
			l.done(actions.ResultDone)
			l.look(rules.Healthy)
			l.after(time.Minute).event("3.0.0", rules.Finished, previous("2.0.0"))
		}, "", "in quarantine"},
	} {
		t.Run(name, func(t *testing.T) {
			l := newLab(t, c.plan)
			c.play(l)
			if l.Watch == nil || l.Watch.Deployment.Version != "3.0.0" {
				t.Fatalf("3.0.0 is not watched: %+v", l.Watch)
			}
			got := l.Watch.Target
			if got.Version != c.want || (got.Doubt+got.Missing == "") != (c.why == "") || !strings.Contains(got.Doubt+got.Missing, c.why) {
				t.Errorf("got %+v, want %q because %q", got, c.want, c.why)
			}
		})
	}
}
