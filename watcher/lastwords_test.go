package watcher_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/bakewatch/bakewatch/rules"
	"github.com/bakewatch/bakewatch/watcher"
)

func TestTheEntryThatEndsAWatchKeepsWhatItsRulesSaidLast(t *testing.T) {
	said := []rules.Answer{{Rule: "errors", Verdict: rules.LowTraffic, Why: "said at the last look"}}
	next := func(l *lab, version string) watcher.Input {
		return watcher.Input{Said: said, Event: &watcher.Announced{Plan: l.plan, Deployment: rules.Deployment{
			ID: "next", Service: "checkout", Environment: "production", Version: version, Step: rules.Finished, At: l.now,
		}}}
	}
	for name, test := range map[string]struct {
		play func(*lab)
		want string // the verdict, and why; empty: nothing is kept
	}{
		"passed": {func(l *lab) { l.pass("2.4.0") }, "healthy: healthy"},
		"passed, since nothing was proved by the end": {func(l *lab) {
			l.event("2.4.0", rules.Finished)
			a := rules.Answer{Rule: "errors", Verdict: rules.Inconclusive, AtEnd: rules.Healthy, Why: "nothing yet"}
			l.after(time.Hour).give(watcher.Input{Look: &watcher.Look{Watch: l.Watch.Seq, Answers: []rules.Answer{a}}})
		}, "healthy: nothing yet"},
		"replaced": {func(l *lab) {
			l.event("2.4.0", rules.Finished)
			l.after(time.Minute).give(next(l, "2.5.0"))
		}, "low-traffic: said at the last look"},
		"cancelled by a person": {func(l *lab) {
			l.event("2.4.0", rules.Finished)
			l.after(time.Minute).give(watcher.Input{Said: said, Cancel: &watcher.Request{By: "ben"}})
		}, "low-traffic: said at the last look"},
		"cancelled right after a restart": {func(l *lab) {
			l.event("2.4.0", rules.Finished)
			l.after(2 * time.Minute).look(rules.Healthy)
			l.after(time.Minute).give(watcher.Input{Cancel: &watcher.Request{By: "ben"}})
		}, "healthy: healthy"},
		"before the first look": {func(l *lab) {
			l.event("2.4.0", rules.Started)
			l.after(time.Minute).event("2.4.0", rules.Cancelled)
		}, ""},
		"rolled back": {func(l *lab) {
			l.acts().done("done")
			l.after(time.Minute).look(rules.Healthy)
		}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			l := newLab(t, plan())
			test.play(l)
			last, got := l.entries[len(l.entries)-1], ""
			if last.Outcome == "" {
				t.Fatalf("the last entry is %s", inWords(last))
			}
			for _, a := range last.Answers {
				got += a.Verdict.String() + ": " + a.Why
			}
			if got != test.want {
				t.Errorf("%q is kept, want %q", got, test.want)
			}
		})
	}
}

func TestWhatIsKeptOfTheRulesIsBounded(t *testing.T) {
	for name, test := range map[string]struct {
		rules, query, against int
		keeps                 func(rules.Answer) bool // the first of them
		whole                 bool                    // all of them are there
	}{
		"little is kept whole":                  {3, 500, 2, func(a rules.Answer) bool { return a.Query != "" && len(a.Compared) == 2 }, true},
		"queries go first, the last ones first": {10, 1000, 2, func(a rules.Answer) bool { return a.Query != "" && len(a.Compared) == 2 }, true},
		"then what was held against":            {10, 5000, 50, func(a rules.Answer) bool { return a.Query == "" && a.Why != "" }, true},
		"and at last whole rules":               {500, 10, 1, func(a rules.Answer) bool { return a.Query == "" && len(a.Compared) == 0 && a.Why != "" }, false},
	} {
		t.Run(name, func(t *testing.T) {
			l := newLab(t, plan())
			var answers []rules.Answer
			for i := range test.rules {
				answers = append(answers, rules.Answer{
					Rule: fmt.Sprint("rule ", i), Why: "errors 1 %", Query: strings.Repeat("q", test.query), Curve: &rules.Curve{},
					Compared: make([]rules.Compared, test.against),
				})
			}
			l.event("2.4.0", rules.Finished)
			l.give(watcher.Input{Said: answers, Cancel: &watcher.Request{By: "ben"}})
			kept := l.entries[len(l.entries)-1].Answers
			text, _ := json.Marshal(kept)
			if len(text) > 8<<10 || len(kept) == 0 || !test.keeps(kept[0]) || kept[0].Curve != nil || (len(kept) == test.rules) != test.whole {
				t.Errorf("%d bytes of %d rules: %.500s", len(text), len(kept), text)
			}
			if answers[0].Query == "" || answers[0].Curve == nil {
				t.Error("what the rules say was changed")
			}
		})
	}
}
