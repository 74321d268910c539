package watcher_test

import (
	"strings"
	"testing"
	"time"

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
			)
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
			"still breached", l.after(time.Minute).answered(open, broken), "stage-held",
			"then", l.advised("5%"), "hold",
			"well again", l.after(time.Minute).answered(open, open), "stage-passed",
			"then", l.advised("5%"), "promote",
		)
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
