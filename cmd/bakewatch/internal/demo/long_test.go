//go:build long

package demo_test

import (
	"strings"
	"testing"

	"github.com/bakewatch/bakewatch/actions/authority"
	"github.com/bakewatch/bakewatch/cmd/bakewatch/internal/demo"
	"github.com/bakewatch/bakewatch/cmd/bakewatch/internal/shop"
	"github.com/bakewatch/bakewatch/rules"
	"github.com/bakewatch/bakewatch/watcher"
)

func TestErrorsAreRolledBackAndVerified(t *testing.T) {
	compared(t, shows(t, shop.Errors, "error-rate"))
}

func TestSlownessIsRolledBackAndVerified(t *testing.T) {
	compared(t, shows(t, shop.Latency, "latency"))
}

func TestCrashesAreRolledBackAndVerified(t *testing.T) { shows(t, shop.Crash, "crash") }
func TestTwoGoodVersionsPass(t *testing.T)             { shows(t, shop.Good, "") }

// compared checks that the breach names what the version was compared with, and blames it.
func compared(t *testing.T, d demo.Deployment) {
	t.Helper()
	if !strings.Contains(d.Reason, "on 1.1.0 at the same time") || d.Blame != string(rules.ThisDeployment) {
		t.Errorf("%+v", d)
	}
}

func TestAnOutageOfAllVersionsRollsNothingBack(t *testing.T) {
	t.Parallel()
	report, story := run(t, demo.Config{Bad: shop.Good, Outage: true})
	last := report.Deployments[1]
	if last.Ruling != "notify" || last.Blame != string(rules.Ambient) || last.Detected != nil || strings.Contains(story, "DECIDED") {
		t.Errorf("%+v\n%s", last, story)
	}
}

func TestItGoesAsTheAnswerSays(t *testing.T) {
	for name, test := range map[string]struct {
		ask  demo.Ask
		want watcher.Outcome
	}{
		"roll-back, by itself":                 {demo.Ask{Answer: authority.RollBack}, watcher.RolledBack},
		"keep, by itself":                      {demo.Ask{Answer: authority.Keep}, watcher.Kept},
		"nobody answers":                       {demo.Ask{Answer: demo.NoAnswer}, watcher.Left},
		"keep, typed by its first letter":      {demo.Ask{In: strings.NewReader("k")}, watcher.Kept},
		"an input that has ended is no answer": {demo.Ask{In: strings.NewReader("")}, watcher.Left},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			report, story := run(t, demo.Config{Bad: shop.Errors, Ask: &test.ask})
			last := report.Deployments[1]
			if last.Outcome != string(test.want) || (last.Answer == "") != (test.want == watcher.Left) {
				t.Errorf("%+v, want %s\n%s", last, test.want, story)
			}
			// Silence counts only because the channel confirms that the question was shown.
			if !strings.Contains(story, `channel "terminal" confirms`) {
				t.Errorf("nothing was confirmed:\n%s", story)
			}
		})
	}
}
