package watcher_test

import (
	"strings"
	"testing"
	"time"

	"github.com/bakewatch/bakewatch/actions"
	"github.com/bakewatch/bakewatch/actions/authority"
	"github.com/bakewatch/bakewatch/rules"
	"github.com/bakewatch/bakewatch/watcher"
)

// canary is a plan whose stages bake for 10 and 20 minutes.
func canary(changes ...func(*rules.Plan)) *rules.Plan {
	p := early("errors", "latency")
	p.Stages = []rules.StageBake{{At: "5%", Bake: minutes(10)}, {At: "25%", Bake: minutes(20)}}
	for _, change := range changes {
		change(p)
	}
	return p
}

func (l *lab) stage(name string, changes ...func(*rules.Deployment)) string {
	l.t.Helper()
	changes = append([]func(*rules.Deployment){func(d *rules.Deployment) { d.Stage = name }}, changes...)
	return l.event("2.4.0", rules.Stage, changes...)
}

// advised is what a tool is told that asks about the stage.
func (l *lab) advised(stage string) string {
	l.t.Helper()
	return string(l.Watch.View(lane).Advice("2.4.0", stage).Verdict)
}

func TestStages(t *testing.T) {
	for name, play := range map[string]func(t *testing.T, l *lab){
		"one that is well when its bake is over is promoted, and said so once": func(t *testing.T, l *lab) {
			expect(
				t, "5%", l.stage("5%"), "opened",
				"too early", l.after(10*time.Minute-time.Second).answered(open, plainLimit), "",
				"then", l.advised("5%"), "hold",
				"over", l.after(time.Second).answered(open, plainLimit), "stage-passed",
				"then", l.advised("5%"), "promote",
				"again", l.after(time.Minute).answered(open, plainLimit), "",
			)
		},
		"the next one starts its own clock, and needs its own proof": func(t *testing.T, l *lab) {
			l.stage("5%")
			l.after(10*time.Minute).answered(open, open)
			expect(
				t, "25%", l.after(time.Minute).stage("25%"), "step",
				"then", l.advised("25%"), "hold",
				"of the stage before", l.advised("5%"), "hold",
				"too early", l.after(19*time.Minute).answered(open, open), "",
				"over", l.after(time.Minute).answered(open, open), "stage-passed",
				"then", l.advised("25%"), "promote",
				"finished", l.after(time.Minute).event("2.4.0", rules.Finished), "step",
				"now it bakes", l.advised(""), "hold",
				"passes", l.after(30*time.Minute).answered(open, open), "passed",
			)
		},
		"one that the plan does not name bakes as long as the plan says": func(t *testing.T, l *lab) {
			expect(
				t, "50%", l.stage("50%"), "opened",
				"too early", l.after(29*time.Minute).answered(open, open), "",
				"over", l.after(time.Minute).answered(open, open), "stage-passed",
			)
		},
		"one that is proved well is promoted early, but not before bake_min": func(t *testing.T, l *lab) {
			l.stage("25%")
			expect(
				t, "too early", l.after(5*time.Minute-time.Second).answered(proved, proved), "",
				"proved", l.after(time.Second).answered(proved, plainLimit), "stage-passed",
			)
			if text := l.noted(watcher.StagePassed).Text; !strings.HasPrefix(text, "stage 25% is proved well 15m before the end of its bake: promote: errors: ") {
				t.Error(text)
			}
		},
		"one that could not be judged is held, told once, and promoted when it can be": func(t *testing.T, l *lab) {
			l.stage("5%")
			expect(
				t, "over", l.after(10*time.Minute).answered(open, tooFew), "stage-held",
				"then", l.advised("5%"), "hold",
				"again", l.after(time.Minute).answered(open, tooFew), "",
				"enough", l.after(time.Minute).answered(open, open), "stage-passed",
				"then", l.advised("5%"), "promote",
			)
			if text := l.noted(watcher.StageHeld).Text; text != "stage 5% is held: latency: low-traffic: 2 requests" {
				t.Error(text)
			}
		},
		"missing data promotes nothing": func(t *testing.T, l *lab) {
			l.stage("5%")
			expect(
				t, "blind", l.after(10*time.Minute).answered(blind, blind), "stage-held",
				"then", l.advised("5%"), "hold",
			)
		},
		"one that was well and is breached is promoted no more": func(t *testing.T, l *lab) {
			l.stage("5%")
			l.after(10*time.Minute).answered(open, open)
			expect(
				t, "breached", l.after(time.Minute).answered(open, broken), "ruled stage-held",
				"then", l.advised("5%"), "hold",
				"healed", l.after(time.Minute).answered(open, plainLimit), "ruled stage-passed",
				"then", l.advised("5%"), "promote",
			)
		},
		"a stage of before, reported late, does not turn the clock back": func(t *testing.T, l *lab) {
			began := l.now
			l.stage("5%")
			l.after(time.Minute).stage("25%")
			l.after(time.Minute).stage("10%", at(began.Add(30*time.Second)))
			expect(
				t, "over", l.after(19*time.Minute).answered(open, open), "stage-passed",
				"then", l.advised("25%"), "promote",
			)
		},
		"the same stage again is a repeat": func(t *testing.T, l *lab) {
			l.stage("5%")
			expect(
				t, "again", l.after(5*time.Minute).stage("5%"), "",
				"over", l.after(5*time.Minute).answered(open, open), "stage-passed",
			)
		},
		"one that takes long after its bake is told": func(t *testing.T, l *lab) {
			l.stage("5%")
			l.after(10*time.Minute).answered(open, open)
			expect(
				t, "in time", l.after(30*time.Minute-time.Second).answered(open, open), "",
				"late", l.after(time.Second).answered(open, open), "still-rolling",
				"and the next", l.stage("25%"), "step",
				"well", l.after(20*time.Minute).answered(open, open), "stage-passed",
				"late again", l.after(30*time.Minute).answered(open, open), "still-rolling",
			)
		},
		"the same stage of another try starts its clock anew": func(t *testing.T, l *lab) {
			l.stage("5%")
			expect(
				t, "over", l.after(10*time.Minute).answered(open, open), "stage-passed",
				"again", l.after(time.Minute).stage("5%", id("again"), again), "step",
				"then", l.advised("5%"), "hold",
				"too early", l.after(10*time.Minute-time.Second).answered(open, open), "",
				"over again", l.after(time.Second).answered(open, open), "stage-passed",
			)
		},
		"one of which nothing is seen any more is promoted no more": func(t *testing.T, l *lab) {
			l.stage("5%")
			l.after(10*time.Minute).answered(open, open)
			unseen := func(since time.Time) string {
				look := &watcher.Look{Watch: l.Watch.Seq, Answers: []rules.Answer{blind, blind}, BlindSince: since}
				look.Answers[0].Rule, look.Answers[1].Rule = "errors", "latency"
				return strings.TrimSpace(strings.TrimSuffix(l.give(watcher.Input{Look: look}), "verdicts"))
			}
			since := l.now
			l.after(20 * time.Minute)
			expect(
				t, "blind", unseen(since), "blind",
				"then", l.advised("5%"), "hold",
				"seen", l.after(time.Minute).answered(open, open), "sees-again",
				"then", l.advised("5%"), "promote",
			)
		},
		"one that is well by turns fills neither the journal nor the chat": func(t *testing.T, l *lab) {
			l.stage("5%")
			l.after(10 * time.Minute)
			for range 12 * 60 {
				l.after(time.Minute).answered(open, open)
				l.after(time.Minute).answered(open, broken)
			}
			notes := 0
			for _, e := range l.entries {
				if e.Topic == watcher.StagePassed || e.Topic == watcher.StageHeld {
					notes++
				}
			}
			if notes < 4 || notes > 30 {
				t.Errorf("%d notes in a day", notes)
			}
			if text := l.noted(watcher.StageHeld).Text; !strings.Contains(text, "it is not called well again before ") {
				t.Error(text)
			}
			l.after(time.Hour*48).answered(open, open)
			expect(t, "in the end", l.advised("5%"), "promote")
		},
	} {
		t.Run(name, func(t *testing.T) { play(t, newLab(t, canary())) })
	}
}

func TestWhileAStageIsDecidedAboutItIsHeld(t *testing.T) {
	t.Run("while people are asked, and after they kept it, until it is well", func(t *testing.T) {
		l := newLab(t, canary(asks(rules.SilenceKeeps)))
		l.event("2.3.9", rules.Finished)
		l.after(31*time.Minute).answered(open, open)
		expect(
			t, "5%", l.after(time.Minute).stage("5%"), "opened",
			"well", l.after(10*time.Minute).answered(open, open), "stage-passed",
			"breached", l.after(time.Minute).answered(open, broken), "ruled",
			"asked", l.advised("5%"), "hold",
		)
		l.told()
		expect(
			t, "kept", l.vote("ben", authority.Keep), "voted kept",
			"not looked at since", l.advised("5%"), "hold",
			"still breached", l.after(time.Minute).answered(open, broken), "stage-held",
			"then", l.advised("5%"), "hold",
			"well again", l.after(time.Minute).answered(open, open), "stage-passed",
			"then", l.advised("5%"), "promote",
		)
	})
	t.Run("what cannot be undone is not rolled back, although something is done about it", func(t *testing.T) {
		for result, want := range map[actions.Result]watcher.Outcome{actions.ResultDone: watcher.Left, actions.ResultFailed: watcher.RollbackFailed} {
			l := newLab(t, plan(named("errors", "latency"), asks(rules.SilenceKeeps), contingent))
			l.pass("2.3.9").stage("5%", reversible(false))
			l.after(time.Minute).answered(open, broken)
			l.told()
			expect(
				t, "decided", l.vote("ben", authority.RollBack), "voted decided intended",
				"then", l.advised("5%"), "hold",
			)
			l.done(result)
			if l.Watch != nil {
				expect(t, "done", l.advised("5%"), "hold")
				l.after(time.Minute).look(rules.Healthy)
			}
			past := l.Ledger.Past[len(l.Ledger.Past)-1]
			if advice := past.View(lane).Advice("2.4.0", "5%"); past.Outcome != want || advice.Verdict != watcher.Hold {
				t.Errorf("%s: outcome %s, %+v", result, past.Outcome, advice)
			}
		}
	})
	t.Run("once it is decided it is rolled back", func(t *testing.T) {
		l := newLab(t, plan(named("errors", "latency"), func(p *rules.Plan) { p.Stages = canary().Stages }))
		l.pass("2.3.9").stage("5%")
		expect(
			t, "breached", l.after(time.Minute).answered(open, broken), "decided intended",
			"then", l.advised("5%"), "roll-back",
		)
	})
}

func TestAStageThatIsReachedWhileAnOlderVersionIsRolledBackBakesAsLongAsAnyOther(t *testing.T) {
	waits := func(t *testing.T) *lab {
		l := newLab(t, plan(named("errors", "latency"), func(p *rules.Plan) { p.Stages = canary().Stages }))
		l.pass("2.3.9").event("2.4.0", rules.Finished)
		l.after(time.Minute).answered(broken, broken)
		l.event("2.5.0", rules.Started, id("x"))
		return l
	}
	newer := func(l *lab, stage string) string { return string(l.Watch.View(lane).Advice("2.5.0", stage).Verdict) }
	t.Run("its clock starts when it is reached, not when the deployment began", func(t *testing.T) {
		l := waits(t)
		l.after(15*time.Minute).event("2.5.0", rules.Stage, id("x"), func(d *rules.Deployment) { d.Stage = "5%" })
		expect(
			t, "done", l.after(time.Minute).done(actions.ResultDone), "done opened",
			"too early", l.after(9*time.Minute-time.Second).answered(open, open), "",
			"then", newer(l, "5%"), "hold",
			"over", l.after(time.Second).answered(open, open), "stage-passed",
			"then", newer(l, "5%"), "promote",
		)
	})
	t.Run("and so does the bake", func(t *testing.T) {
		l := waits(t)
		live := l.after(15 * time.Minute).now
		l.event("2.5.0", rules.Finished, id("x"))
		l.after(time.Minute).done(actions.ResultDone)
		if ends, want := l.Watch.BakeEnds(), live.Add(30*time.Minute); !ends.Equal(want) {
			t.Errorf("the bake ends at %s, want %s", ends, want)
		}
	})
	t.Run("a beginning that is told late takes nothing back", func(t *testing.T) {
		l := waits(t)
		live := l.after(time.Minute).now
		l.event("2.5.0", rules.Finished, id("x"))
		l.after(time.Minute).event("2.5.0", rules.Stage, id("x"), at(live.Add(-30*time.Second)), func(d *rules.Deployment) { d.Stage = "5%" })
		l.done(actions.ResultDone)
		if l.Watch.Phase() != watcher.Baking || !l.Watch.BakeEnds().Equal(live.Add(30*time.Minute)) {
			t.Errorf("%s, the bake ends at %s", l.Watch.Phase(), l.Watch.BakeEnds())
		}
	})
}
