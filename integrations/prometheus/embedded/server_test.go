package embedded

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/prometheus/model/labels"
)

// nobody is a target that is never scraped, in tests that do not Run.
var nobody = []string{"127.0.0.1:1"}

func open(t *testing.T, cfg Config) *Server {
	t.Helper()
	s, err := Open(cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

// seed appends one sample a second, counting from 1, that end at the instant.
func seed(t *testing.T, s *Server, end time.Time, n int, series ...string) {
	t.Helper()
	app := s.db.Appender(t.Context())
	for i := range n {
		at := end.Add(time.Duration(i-n+1) * time.Second)
		if _, err := app.Append(0, labels.FromStrings(series...), at.UnixMilli(), float64(i+1)); err != nil {
			t.Fatal(err)
		}
	}
	if err := app.Commit(); err != nil {
		t.Fatal(err)
	}
}

// get asks the API within the process and returns the status and the body.
func get(t *testing.T, s *Server, call string, form url.Values) (int, string) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, s.URL()+"/api/v1/"+call+"?"+form.Encode(), nil)
	if err != nil {
		t.Fatal(err)
	}
	response, err := (&http.Client{Transport: s.Transport()}).Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return response.StatusCode, string(body)
}

// value asks for one number; ok is false while there is none.
func value(t *testing.T, s *Server, query string, at time.Time) (v float64, ok bool) {
	t.Helper()
	_, body := get(t, s, "query", url.Values{"query": {query}, "time": {strconv.FormatFloat(float64(at.UnixMilli())/1000, 'f', 3, 64)}})
	var reply struct {
		Data struct {
			Result []struct{ Value [2]any }
		}
	}
	if err := json.Unmarshal([]byte(body), &reply); err != nil {
		t.Fatalf("%v in %s", err, body)
	}
	if len(reply.Data.Result) != 1 {
		return 0, false
	}
	v, err := strconv.ParseFloat(reply.Data.Result[0].Value[1].(string), 64)
	return v, err == nil
}

func TestSamplesSurviveARestart(t *testing.T) {
	store, now := t.TempDir(), time.Now()
	first, err := Open(Config{Store: store, Scrape: nobody})
	if err != nil {
		t.Fatal(err)
	}
	seed(t, first, now, 30, "__name__", "kept_total")
	if err := first.Close(); err != nil {
		t.Fatal(err)
	}
	second := open(t, Config{Store: store, Scrape: nobody})
	if got, ok := value(t, second, "kept_total", now); !ok || got != 30 {
		t.Fatalf("after the restart kept_total is %v, %v; want 30", got, ok)
	}
	if got, ok := value(t, second, "count_over_time(kept_total[1m])", now); !ok || got != 30 {
		t.Fatalf("after the restart there are %v samples, %v; want 30", got, ok)
	}
}

func TestAStoreThatIsHeldIsRefusedAndTheHolderNamed(t *testing.T) {
	store := t.TempDir()
	open(t, Config{Store: store, Scrape: nobody})
	_, err := Open(Config{Store: store, Scrape: nobody})
	if err == nil || !strings.Contains(err.Error(), fmt.Sprintf("in use by process %d", os.Getpid())) {
		t.Fatalf("a second server on the same store: %v", err)
	}
}

func TestTwoServersOfOneProcessShareARegistry(t *testing.T) {
	registry := prometheus.NewPedanticRegistry()
	for _, name := range []string{"one", "two"} {
		open(t, Config{Name: name, Store: t.TempDir(), Scrape: nobody, Registerer: registry})
	}
	families, err := registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	seen := map[string]bool{}
	for _, family := range families {
		if family.GetName() == "prometheus_tsdb_head_series" {
			for _, m := range family.GetMetric() {
				seen[m.GetLabel()[0].GetValue()] = true
			}
		}
	}
	if !seen["one"] || !seen["two"] || len(seen) != 2 {
		t.Fatalf("prometheus_tsdb_head_series is there for %v, want one and two", seen)
	}
	if _, err := Open(Config{Name: "two", Store: t.TempDir(), Scrape: nobody, Registerer: registry}); err == nil ||
		!strings.Contains(err.Error(), `another server named "two"`) {
		t.Fatalf("a third server that is named two: %v", err)
	}
	if left, err := registry.Gather(); err != nil || len(left) != len(families) {
		t.Fatalf("the refused server took %d metric families away, %v", len(families)-len(left), err)
	}
}

func TestAClosedServerLeavesNoMetricsAndClosesAgain(t *testing.T) {
	registry := prometheus.NewRegistry()
	s := open(t, Config{Store: t.TempDir(), Scrape: nobody, Registerer: registry})
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if families, err := registry.Gather(); err != nil || len(families) != 0 {
		t.Fatalf("%d metric families are left, %v", len(families), err)
	}
	if err := s.Run(t.Context()); err == nil {
		t.Fatal("a closed server ran")
	}
}

func TestAServerThatRanAnswersUntilItIsClosed(t *testing.T) {
	s, now := open(t, Config{Store: t.TempDir(), Scrape: nobody}), time.Now()
	seed(t, s, now, 30, "__name__", "kept_total")
	ctx, stop := context.WithCancel(t.Context())
	stop()
	if err := s.Run(ctx); err != nil {
		t.Fatal(err)
	}
	if got, ok := value(t, s, "kept_total", now); !ok || got != 30 {
		t.Fatalf("kept_total is %v, %v; want 30", got, ok)
	}
}

func TestBlocksGrowToATenthOfTheRetention(t *testing.T) {
	for retention, want := range map[time.Duration]time.Duration{
		15 * 24 * time.Hour: 36 * time.Hour, time.Hour: 2 * time.Hour, 3650 * 24 * time.Hour: 31 * 24 * time.Hour,
	} {
		opts := (&Config{Retention: retention, MaxBytes: 7}).storeOptions()
		if got := time.Duration(opts.MaxBlockDuration) * time.Millisecond; got != want || opts.MaxBytes != 7 {
			t.Errorf("for %v a block is at most %v and all are %d bytes, want %v and 7", retention, got, opts.MaxBytes, want)
		}
	}
}

func TestAClosedServerSaysSo(t *testing.T) {
	s := open(t, Config{Store: t.TempDir(), Scrape: nobody})
	seed(t, s, time.Now(), 30, "__name__", "kept_total")
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	for _, call := range []string{"query?query=kept_total", "query_range?query=kept_total&start=0&end=9&step=1", "series?match[]=kept_total", "labels", "label/a/values"} {
		w := httptest.NewRecorder()
		s.Handler().ServeHTTP(w, httptest.NewRequest(http.MethodGet, prefix+call, nil))
		if w.Code != http.StatusServiceUnavailable || !strings.Contains(w.Body.String(), `"errorType":"unavailable"`) {
			t.Errorf("%s: %d %s", call, w.Code, w.Body)
		}
	}
}

func TestAScrapeFileIsFollowed(t *testing.T) {
	target := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/numbers" {
			w.Header().Set("Content-Type", "text/plain; version=0.0.4")
			_, _ = io.WriteString(w, "answer 42\n")
		}
	}))
	t.Cleanup(target.Close)
	text, err := os.ReadFile("testdata/scrape.yaml")
	if err != nil {
		t.Fatal(err)
	}
	s := open(t, Config{Store: t.TempDir(), ScrapeFile: write(t, strings.Replace(string(text), "TARGET", strings.TrimPrefix(target.URL, "http://"), 1))})
	ctx, stop := context.WithCancel(t.Context())
	ran := make(chan error, 1)
	go func() { ran <- s.Run(ctx) }()
	until(t, func() bool {
		got, ok := value(t, s, `answer{job="shop",zone="a"}`, time.Now())
		return ok && got == 42
	})
	stop()
	if err := <-ran; err != nil {
		t.Fatalf("a stopped server: %v", err)
	}
}

func TestTheFirstScrapeDoesNotWaitForTheInterval(t *testing.T) {
	scraped := make(chan struct{}, 100)
	target := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { scraped <- struct{}{} }))
	t.Cleanup(target.Close)
	s := open(t, Config{Store: t.TempDir(), Scrape: []string{strings.TrimPrefix(target.URL, "http://")}, Interval: time.Hour})
	ran := make(chan error, 1)
	go func() { ran <- s.Run(t.Context()) }()
	select {
	case <-scraped:
	case <-time.After(20 * time.Second):
		t.Fatal("no scrape in 20 s, and the next one would be in an hour")
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if err := <-ran; err != nil {
		t.Fatalf("closed while it ran: %v", err)
	}
}

func TestAConfigurationThatCannotWorkIsRefused(t *testing.T) {
	for name, test := range map[string]struct {
		cfg  Config
		want string
	}{
		"no store":                  {Config{Scrape: nobody}, "no store"},
		"nothing to scrape":         {Config{Store: "x"}, "either a list of targets"},
		"two lists of targets":      {Config{Store: "x", Scrape: nobody, ScrapeFile: "y"}, "either a list of targets"},
		"too short an interval":     {Config{Store: "x", Scrape: nobody, Interval: time.Millisecond}, "below 100ms"},
		"a target that is a URL":    {Config{Store: "x", Scrape: []string{"http://a/metrics"}}, "not a valid hostname"},
		"a label that cannot be":    {Config{Store: "x", Scrape: nobody, Labels: map[string]string{"\xff": "b"}}, "no name of a label"},
		"a missing scrape file":     {Config{Store: "x", ScrapeFile: "testdata/none.yaml"}, "none.yaml"},
		"an empty scrape file":      {Config{Store: "x", ScrapeFile: write(t, "global: {}")}, "no scrape_configs"},
		"a scrape file with rules":  {Config{Store: "x", ScrapeFile: write(t, "rule_files: [a.yaml]\nscrape_configs: [{job_name: a}]")}, "evaluates no rules"},
		"a scrape file with a typo": {Config{Store: "x", ScrapeFile: write(t, "scrape_config: []")}, "scrape_config"},
		"an unknown discovery":      {Config{Store: "x", ScrapeFile: write(t, "scrape_configs: [{job_name: a, consul_sd_configs: []}]")}, "http_sd_configs are known"},
	} {
		t.Run(name, func(t *testing.T) {
			if test.cfg.Store != "" {
				test.cfg.Store = filepath.Join(t.TempDir(), "store")
			}
			s, err := Open(test.cfg)
			if err == nil {
				t.Cleanup(func() { _ = s.Close() })
			}
			if err == nil || !strings.Contains(err.Error(), test.want) {
				t.Fatalf("want an error with %q, got %v", test.want, err)
			}
		})
	}
}

func write(t *testing.T, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "scrape.yaml")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// until waits for a condition, at most 20 s.
func until(t *testing.T, holds func() bool) {
	t.Helper()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	deadline := time.Now().Add(20 * time.Second)
	for !holds() {
		if time.Now().After(deadline) {
			t.Fatal("the condition did not hold within 20 s")
		}
		<-tick.C
	}
}
