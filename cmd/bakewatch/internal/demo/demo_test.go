package demo_test

import (
	"bytes"
	"context"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/bakewatch/bakewatch/actions/authority"
	"github.com/bakewatch/bakewatch/cmd/bakewatch/internal/demo"
	"github.com/bakewatch/bakewatch/cmd/bakewatch/internal/shop"
	"github.com/bakewatch/bakewatch/configs"
	"github.com/bakewatch/bakewatch/integrations/log"
	"github.com/bakewatch/bakewatch/integrations/webhook"
	"github.com/bakewatch/bakewatch/rules"
	"github.com/bakewatch/bakewatch/rules/kinds"
	"github.com/bakewatch/bakewatch/watcher"
)

func TestTheScannersFindingIsRolledBackAndVerified(t *testing.T) {
	shows(t, shop.Scan, "security-scan")
}

func TestAPersonIsAskedAtTheTerminalAndAnswersThere(t *testing.T) {
	t.Parallel()
	report, story := run(t, demo.Config{Bad: shop.Scan, Ask: &demo.Ask{In: strings.NewReader("\nperhaps\nl\nL\n ROLL-BACK \nk\n")}})
	last := report.Deployments[1]
	if last.Outcome != string(watcher.RolledBack) || last.Answer != authority.RollBack || last.Ruling != "ask" {
		t.Errorf("%+v", last)
	}
	decided := inOrder(t, story,
		"ASKED: shop 1.2.0 → 1.1.0 (demo)? Answer within 1m. Silence: nothing is rolled back.",
		"security-scan: findings 2 > limit 0",
		"0 of 1 votes. demo deployed or wrote it and cannot vote.",
		"You answer: looking.", "You answer: roll-back.", "DECIDED by votes")
	// The terminal's replies and the journal's story are told by two writers, each in its order.
	inOrder(t, story, "Type one of r (roll-back), k (keep), l (looking), and Enter.", "Not understood.",
		"left to answer.", "Not counted: refused: more time was asked for already", "left to answer.")
	if strings.Contains(story[decided:], "Not counted") {
		t.Errorf("what is typed when the question is over is an answer to nothing:\n%s", story[decided:])
	}
}

// inOrder wants every part in the text, each after the one before, and returns where the
// last one begins.
func inOrder(t *testing.T, text string, parts ...string) (from int) {
	t.Helper()
	for _, part := range parts {
		at := strings.Index(text[from:], part)
		if at < 0 {
			t.Fatalf("after what came before there is no %q in\n%s", part, text)
		}
		from += at
	}
	return from
}

// run runs the demo to its end, which must be as it should.
func run(t *testing.T, cfg demo.Config) (report demo.Report, told string) {
	t.Helper()
	var story, logged bytes.Buffer
	ctx, cancel := context.WithTimeout(t.Context(), 3*time.Minute)
	defer cancel()
	cfg.Once, cfg.Story, cfg.Version, cfg.Log = true, &story, "test", slog.New(slog.NewTextHandler(&logged, nil))
	cfg.Catalog = configs.Catalog{
		Rules: kinds.All(), Build: kinds.Build,
		Executors: []rules.Kind{webhook.ExecutorKind()}, Channels: []rules.Kind{log.Kind()},
	}
	report, err := demo.Run(ctx, cfg)
	if err != nil || !report.OK {
		t.Fatalf("%v, %+v\n%s\n%s", err, report, &story, &logged)
	}
	return report, story.String()
}

// shows runs the demo and checks that the bad version, if it is bad, was found by
// the rule that is there to find it. It returns what came of that version.
func shows(t *testing.T, bad shop.Behaviour, rule string) demo.Deployment {
	t.Helper()
	t.Parallel()
	report, story := run(t, demo.Config{Bad: bad})
	last := report.Deployments[1]
	if last.Rule != rule || (rule != "") != (last.Detected != nil && last.Recovered != nil) {
		t.Errorf("found by %q, want %q: %+v", last.Rule, rule, last)
	}
	if bad != shop.Good && !strings.Contains(story, "DECIDED") {
		t.Errorf("the story does not tell of the decision:\n%s", story)
	}
	return last
}
