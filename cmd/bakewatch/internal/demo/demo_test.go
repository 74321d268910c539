package demo_test

import (
	"bytes"
	"context"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/bakewatch/bakewatch/cmd/bakewatch/internal/demo"
	"github.com/bakewatch/bakewatch/cmd/bakewatch/internal/shop"
	"github.com/bakewatch/bakewatch/configs"
	"github.com/bakewatch/bakewatch/integrations/log"
	"github.com/bakewatch/bakewatch/integrations/webhook"
	"github.com/bakewatch/bakewatch/rules"
	"github.com/bakewatch/bakewatch/rules/kinds"
)

func TestTheScannersFindingIsRolledBackAndVerified(t *testing.T) {
	shows(t, shop.Scan, "security-scan")
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
