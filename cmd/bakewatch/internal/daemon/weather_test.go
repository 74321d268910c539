package daemon

import (
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/tsdb"

	"github.com/bakewatch/bakewatch/configs"
	"github.com/bakewatch/bakewatch/integrations/log"
	"github.com/bakewatch/bakewatch/integrations/nats"
	"github.com/bakewatch/bakewatch/integrations/nats/events"
	"github.com/bakewatch/bakewatch/rules"
	"github.com/bakewatch/bakewatch/rules/kinds"
	"github.com/bakewatch/bakewatch/watcher"
)

// scraped is how often what was counted was scraped.
const scraped = 15 * time.Second

// recorded stores three hours of two services, for the embedded Prometheus to find: a
// request in 500 fails, and from ten minutes ago on one in ten, at both.
func recorded(t *testing.T, folder string, now time.Time) {
	t.Helper()
	db, err := tsdb.Open(filepath.Join(folder, "tsdb"), slog.New(slog.DiscardHandler), nil, tsdb.DefaultOptions(), nil)
	if err != nil {
		t.Fatal(err)
	}
	app := db.Appender(t.Context())
	good, bad := 0.0, 0.0
	for at := now.Add(-3 * time.Hour); !at.After(now); at = at.Add(scraped) {
		fails := 0.6
		if at.After(now.Add(-10 * time.Minute)) {
			fails = 30
		}
		good, bad = good+300-fails, bad+fails
		for _, service := range []string{"checkout", "search"} {
			for code, count := range map[string]float64{"200": good, "500": float64(int(bad))} {
				series := labels.FromStrings("__name__", "http_requests_total", "app", service, "code", code)
				if _, err := app.Append(0, series, at.UnixMilli(), count); err != nil {
					t.Fatal(err)
				}
			}
		}
	}
	if err := app.Commit(); err != nil {
		t.Fatal(err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
}

// plans are those of both services; versions cannot be told apart, so there is no control beside them.
func plans(t *testing.T, folder, checkout string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Join(folder, "plans"), 0o750); err != nil {
		t.Fatal(err)
	}
	for service, more := range map[string]string{"checkout": checkout, "search": ""} {
		text := fmt.Sprintf(`service = %q
owner = "team"
mode = "enforce"
%s
[select]
match = { app = "$service" }

[[rule]]
kind = "error-rate"
errors = 'http_requests_total{code=~"5.."}'
requests = 'http_requests_total'

[notify]
chat = ["log"]
`, service, more)
		if err := os.WriteFile(filepath.Join(folder, "plans", service+".toml"), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

// caughtUp runs a daemon over what is recorded, announces that checkout was deployed
// twenty minutes ago, and returns what its watch says once it has seen all of it.
func caughtUp(t *testing.T, plan string) watcher.WatchView {
	t.Helper()
	folder, now := t.TempDir(), time.Now().Truncate(scraped)
	recorded(t, filepath.Join(folder, "prometheus"), now)
	plans(t, folder, plan)
	file := filepath.Join(folder, "bakewatch.toml")
	text := "plans = ['plans/*.toml']\n[nats]\nstore = 'nats'\nlisten = '127.0.0.1:0'\n[prometheus.main]\nembedded = true\nstore = 'prometheus'\nsettle = '1s'\nscrape = ['127.0.0.1:9']\n[http]\nlisten = '127.0.0.1:0'\n"
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	catalog := configs.Catalog{Rules: kinds.All(), Build: kinds.Build, Channels: []rules.Kind{log.Kind()}}
	loaded, problems := configs.Load(file, catalog)
	if loaded == nil {
		t.Fatal(problems)
	}
	d, err := New(t.Context(), Config{File: file, Daemon: loaded, Catalog: catalog, Replica: "test", Version: "test", Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- d.Run(t.Context()) }()
	t.Cleanup(func() {
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
	subject, event, err := events.Encode(rules.Deployment{
		ID: "one", Service: "checkout", Environment: "production", Version: "2", Previous: "1", Step: rules.Finished, Strategy: rules.Rolling, At: now.Add(-20 * time.Minute),
	})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := d.Conn().JetStream().Publish(t.Context(), subject, event); err != nil {
		t.Fatal(err)
	}
	return seen(t, d, now)
}

// seen waits until the watch has seen the trouble, up to half a minute ago.
func seen(t *testing.T, d *Daemon, now time.Time) watcher.WatchView {
	t.Helper()
	desk, deadline := nats.DeskClient(d.Conn().NATS()), time.Now().Add(time.Minute)
	for {
		view, err := desk.Show(t.Context(), watcher.Ref{Name: "checkout"})
		if err == nil && len(view.Answers) == 1 && !view.Answers[0].At.Before(now.Add(-30*time.Second)) && view.Answers[0].Test != nil && view.Answers[0].Test.Held == "" {
			return view
		}
		if time.Now().After(deadline) {
			t.Fatalf("it has not seen it all: %+v, %v", view.Answers, err)
		}
		<-time.After(50 * time.Millisecond)
	}
}

// The whole way: the key of the plan, the other service's plan, Prometheus, the verdict.
func TestASharedOutageIsNoBreachWhereThePlanNamesAServiceThatSharesIt(t *testing.T) {
	t.Run("without", func(t *testing.T) {
		view := caughtUp(t, "")
		if a := view.Answers[0]; a.Verdict != rules.Breached || view.Rule != "error-rate" {
			t.Errorf("%s: %s; ruled %q", a.Verdict, a.Why, view.Rule)
		}
	})
	t.Run("with", func(t *testing.T) {
		view := caughtUp(t, `weather = ["search"]`)
		a := view.Answers[0]
		if a.Verdict != rules.Inconclusive || view.Rule != "" {
			t.Errorf("%s: %s; ruled %q", a.Verdict, a.Why, view.Rule)
		}
		for _, want := range []string{"held back: other services suffer as well; errors of search rose by 9.", " points in the same minutes: not held against it"} {
			if !strings.Contains(a.Why, want) {
				t.Errorf("%q is not said: %s", want, a.Why)
			}
		}
	})
}
