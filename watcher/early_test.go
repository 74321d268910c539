package watcher_test

import (
	"strings"
	"testing"
	"time"

	"github.com/bakewatch/bakewatch/actions/authority"
	"github.com/bakewatch/bakewatch/rules"
	"github.com/bakewatch/bakewatch/watcher"
)

// answered hands in a look with these answers, one for each of the plan's rules.
func (l *lab) answered(answers ...rules.Answer) string {
	l.t.Helper()
	if l.Watch == nil {
		return ""
	}
	look := &watcher.Look{Watch: l.Watch.Seq, Answers: answers}
	for i, spec := range l.Watch.Plan.Rules {
		answers[i].Rule, answers[i].At = spec.Name, l.now
	}
	return strings.TrimSpace(strings.TrimSuffix(l.give(watcher.Input{Look: look}), "verdicts"))
}

var (
	proved     = rules.Answer{Verdict: rules.Healthy, Proved: true, Ceiling: rules.Auto, Why: "errors 0.1 %, proved below 1 %", Test: &rules.Test{Wealth: .1}}
	notProved  = rules.Answer{Verdict: rules.Healthy, Ceiling: rules.Auto, Why: "errors 0.1 %", Test: &rules.Test{Wealth: .1}}
	plainLimit = rules.Answer{Verdict: rules.Healthy, Ceiling: rules.Auto, Why: "2 of 2 up"}
	open       = rules.Answer{Verdict: rules.Inconclusive, AtEnd: rules.Healthy, Ceiling: rules.Auto, Why: "not yet proved", Test: &rules.Test{Wealth: 1}}
	tooFew     = rules.Answer{Verdict: rules.Inconclusive, AtEnd: rules.LowTraffic, Ceiling: rules.Auto, Why: "2 requests", Test: &rules.Test{Wealth: 1}}
	unknown    = rules.Answer{Verdict: rules.Inconclusive, Ceiling: rules.Auto, Why: "catching up"}
	blind      = rules.Answer{Verdict: rules.Blind, AtEnd: rules.Healthy, Proved: true, Why: "503"}
	broken     = rules.Answer{Verdict: rules.Breached, AtEnd: rules.Healthy, Proved: true, Ceiling: rules.Auto, Why: "errors 4 %", Test: &rules.Test{Wealth: 1e4}}
	claims     = rules.Answer{Verdict: rules.Inconclusive, AtEnd: rules.Breached, Ceiling: rules.Auto, Why: "odd"}
)

// catchingUp hands in a look at which every rule has yet to catch up.
func (l *lab) catchingUp() string {
	l.t.Helper()
	look := &watcher.Look{Watch: l.Watch.Seq, Behind: true}
	for _, spec := range l.Watch.Plan.Rules {
		look.Answers = append(look.Answers, rules.Answer{Rule: spec.Name, Verdict: rules.Inconclusive, Why: "catching up", At: l.now})
	}
	return strings.TrimSpace(strings.ReplaceAll(l.give(watcher.Input{Look: look}), "verdicts", ""))
}

func TestAfterARestartTheEndOfABakeWaitsForRulesToCatchUp(t *testing.T) {
	t.Run("but no longer than for answers", func(t *testing.T) {
		l := newLab(t, early("errors"))
		l.event("1", rules.Finished)
		expect(
			t, "over", l.after(30*time.Minute).catchingUp(), "",
			"still", l.after(5*time.Minute-time.Second).catchingUp(), "",
			"too long", l.after(time.Second).catchingUp(), "extended",
		)
	})
	t.Run("and is what it would have been", func(t *testing.T) {
		l := newLab(t, early("errors"))
		l.event("1", rules.Finished)
		expect(
			t, "over", l.after(30*time.Minute).catchingUp(), "",
			"caught up", l.after(time.Minute).answered(open), "passed",
		)
	})
	t.Run("that of a stage as well", func(t *testing.T) {
		l := newLab(t, canary())
		l.stage("5%")
		expect(
			t, "over", l.after(10*time.Minute).catchingUp(), "",
			"caught up", l.after(time.Minute).answered(open, open), "stage-passed",
		)
		l.stage("25%")
		expect(
			t, "over", l.after(20*time.Minute).catchingUp(), "",
			"too long", l.after(5*time.Minute).catchingUp(), "stage-held",
		)
	})
}

func early(names ...string) *rules.Plan {
	return plan(named(names...), func(p *rules.Plan) { p.BakeMin, p.Authorities = minutes(5), nil })
}

func TestABakeEndsEarlyWhenEveryTestHasProvedTheVersionWell(t *testing.T) {
	for name, test := range map[string]struct {
		answers []rules.Answer
		want    string
	}{
		"proved":                       {[]rules.Answer{proved, proved}, "passed"},
		"proved, beside a plain limit": {[]rules.Answer{proved, plainLimit}, "passed"},
		"one is not proved":            {[]rules.Answer{proved, notProved}, ""},
		"one is open":                  {[]rules.Answer{proved, open}, ""},
		"one has too little traffic":   {[]rules.Answer{proved, {Verdict: rules.LowTraffic}}, ""},
		"one is blind":                 {[]rules.Answer{proved, blind}, ""},
		"one is breached":              {[]rules.Answer{proved, broken}, "ruled"},
		"plain limits alone":           {[]rules.Answer{plainLimit, plainLimit}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			l := newLab(t, early("errors", "latency"))
			l.event("1", rules.Finished)
			if got := l.after(5*time.Minute - time.Second).answered(test.answers...); got == "passed" {
				t.Fatal("passed before bake_min")
			}
			if got := l.after(time.Second).answered(test.answers...); got != test.want && test.want != "ruled" || test.want == "ruled" && l.Watch == nil {
				t.Errorf("wrote %q, want %q", got, test.want)
			}
		})
	}
}

func TestAnEarlyPassSaysWhy(t *testing.T) {
	l := newLab(t, early("errors"))
	l.event("1", rules.Finished)
	l.after(12 * time.Minute).answered(proved)
	const want = "proved well 18m before the end of the bake: errors: errors 0.1 %, proved below 1 %"
	if got := l.entries[len(l.entries)-1]; got.Outcome != watcher.Passed || got.Text != want || l.Ledger.Past[0].Reason != want {
		t.Errorf("%s: %q", got.Outcome, got.Text)
	}
}

func TestNothingPassesEarlyWhileItRollsOut(t *testing.T) {
	l := newLab(t, early("errors"))
	l.event("1", rules.Started)
	if got := l.after(20 * time.Minute).answered(proved); got != "" {
		t.Errorf("wrote %q", got)
	}
	l.event("1", rules.Finished)
	if got := l.after(4 * time.Minute).answered(proved); got != "" {
		t.Errorf("wrote %q four minutes after it had finished", got)
	}
	if got := l.after(time.Minute).answered(proved); got != "passed" {
		t.Errorf("wrote %q", got)
	}
}

func TestWhatPeopleKeptDoesNotPassEarly(t *testing.T) {
	p := early("errors")
	asks(rules.SilenceKeeps)(p)
	l := newLab(t, p)
	l.pass("2.3.9").event("2.4.0", rules.Finished)
	l.after(time.Minute).answered(broken)
	l.told()
	l.vote("ben", authority.Keep)
	if got := l.after(10 * time.Minute).answered(proved); got != "" {
		t.Errorf("wrote %q", got)
	}
	if got := l.after(20 * time.Minute).answered(proved); !strings.HasSuffix(got, "kept") {
		t.Errorf("wrote %q at the end", got)
	}
}

func TestAShadowRuleNeitherProvesNorHinders(t *testing.T) {
	for name, test := range map[string]struct {
		counts, shadow rules.Answer
		want           string
	}{
		"it hinders nothing": {proved, notProved, "passed"},
		"it proves nothing":  {plainLimit, proved, ""},
	} {
		t.Run(name, func(t *testing.T) {
			p := early("errors", "latency")
			mode("latency", rules.Shadow)(p)
			l := newLab(t, p)
			l.event("1", rules.Finished)
			if got := l.after(5*time.Minute).answered(test.counts, test.shadow); got != test.want {
				t.Errorf("wrote %q, want %q", got, test.want)
			}
		})
	}
}

func TestAtTheEndOfTheBakeATestThatFoundNothingIsSatisfied(t *testing.T) {
	for name, test := range map[string]struct {
		answers []rules.Answer
		want    string
	}{
		"nothing found":              {[]rules.Answer{open, plainLimit}, "passed"},
		"could not have found it":    {[]rules.Answer{open, tooFew}, "extended"},
		"not judged":                 {[]rules.Answer{open, unknown}, "extended"},
		"blind, whatever else":       {[]rules.Answer{open, blind}, "extended"},
		"breached, whatever else":    {[]rules.Answer{open, broken}, "ruled left"},
		"a breach needs its own":     {[]rules.Answer{open, claims}, "extended"},
		"before the end: none of it": {[]rules.Answer{open, open}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			l := newLab(t, early("errors", "latency"))
			l.event("1", rules.Finished)
			l.after(30 * time.Minute)
			if test.want == "" {
				l.after(-time.Second)
			}
			if got := l.answered(test.answers...); got != test.want {
				t.Errorf("wrote %q, want %q", got, test.want)
			}
		})
	}
}

func TestTooLittleTrafficExtendsTheBakeTwiceAndIsThenUndecided(t *testing.T) {
	l := newLab(t, early("errors"))
	l.event("1", rules.Finished)
	for _, want := range []string{"extended", "extended", "undecided"} {
		if got := l.after(30 * time.Minute).answered(tooFew); got != want {
			t.Fatalf("wrote %q, want %q", got, want)
		}
	}
	if reason := l.Ledger.Past[0].Reason; reason != "errors: low-traffic: 2 requests" {
		t.Errorf("reason: %q", reason)
	}
}
