//go:build long

package demo_test

import (
	"strings"
	"testing"

	"github.com/bakewatch/bakewatch/cmd/bakewatch/internal/demo"
	"github.com/bakewatch/bakewatch/cmd/bakewatch/internal/shop"
	"github.com/bakewatch/bakewatch/rules"
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
