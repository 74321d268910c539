package daemon

import (
	"bytes"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/bakewatch/bakewatch/actions/authority"
	"github.com/bakewatch/bakewatch/configs"
	"github.com/bakewatch/bakewatch/integrations/exec"
	"github.com/bakewatch/bakewatch/integrations/log"
	"github.com/bakewatch/bakewatch/integrations/nats"
	"github.com/bakewatch/bakewatch/integrations/nats/events"
	"github.com/bakewatch/bakewatch/integrations/pagerduty"
	"github.com/bakewatch/bakewatch/integrations/pagerduty/pagerdutytest"
	"github.com/bakewatch/bakewatch/rules"
	"github.com/bakewatch/bakewatch/rules/kinds"
	"github.com/bakewatch/bakewatch/watcher"
)

// pager is a PagerDuty: who is on call, and the incidents of a service.
type pager struct {
	*httptest.Server
	rest *pagerdutytest.REST
	mu   sync.Mutex
	sent []pagerdutytest.Sent
}

func startPager(t *testing.T) *pager {
	t.Helper()
	p := &pager{rest: &pagerdutytest.REST{T: t}}
	mux := http.NewServeMux()
	mux.HandleFunc("/oncalls", func(w http.ResponseWriter, r *http.Request) {
		if len(p.rest.Asked()) == 0 {
			<-time.After(2 * time.Second) // longer than it takes until people are asked
		}
		p.rest.ServeHTTP(w, r)
	})
	mux.HandleFunc("/v2/enqueue", func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		event, refused := pagerdutytest.Accept(r, body)
		if err != nil || refused != nil {
			t.Error(err, refused)
		}
		p.mu.Lock()
		defer p.mu.Unlock()
		p.sent = append(p.sent, event)
		pagerdutytest.Enqueued(w, event.DedupKey)
	})
	p.Server = httptest.NewServer(mux)
	t.Cleanup(p.Close)
	return p
}

// says is what people read of the incidents.
func (p *pager) says() (text string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, event := range p.sent {
		text += event.Visible() + "\n"
	}
	return text
}

func (p *pager) did(action, key string) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.ContainsFunc(p.sent, func(e pagerdutytest.Sent) bool { return e.Action == action && e.DedupKey == key })
}

func shift(user string) pagerdutytest.Entry {
	return pagerdutytest.Entry{Schedule: "PABC123", Level: 1, User: map[string]any{"id": user, "name": user, "email": strings.ToLower(user) + "@example.com"}}
}

// lines is a log that several goroutines write and a test reads.
type lines struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (l *lines) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.Write(p)
}

func (l *lines) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.String()
}

const onCallFile = `
plans = ["plans/*.toml"]
cluster = "main"
[nats]
store = "nats"
listen = "127.0.0.1:0"
[prometheus.main]
embedded = true
store = "prometheus"
settle = "1s"
scrape = ["127.0.0.1:9"]
[http]
listen = "127.0.0.1:0"
[executor.tool]
use = "exec"
command = ["/bin/false"]
[group.duty]
schedule = "pagerduty:PABC123"
fallback = "managers"
page = ["pager"]
[group.managers]
people = ["cleo"]
[schedule.pagerduty]
token_file = "token"
url = %[1]q
[person.zoe]
pagerduty = "PZOE123"
[person.max]
pagerduty = "PMAX123"
[channel.pager]
use = "pagerduty"
routing_key_file = "key"
webhook_secret_file = "secret"
url = "%[1]s/v2/enqueue"
`

const onCallPlan = `
[[authority]]
decide = "ask"
needs = { duty = 1 }
within = "30m"
silence = "keep"
[[rollback]]
use = "tool"
reversible = true
`

// question is a daemon that asks people about checkout, and its log.
func question(t *testing.T, p *pager) (*Daemon, *lines, watcher.WatchView) {
	t.Helper()
	folder, now := t.TempDir(), time.Now().Truncate(scraped)
	recorded(t, filepath.Join(folder, "prometheus"), now)
	plans(t, folder, "")
	plan, err := os.OpenFile(filepath.Join(folder, "plans", "checkout.toml"), os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	_, _ = plan.WriteString(onCallPlan)
	_ = plan.Close()
	for name, text := range map[string]string{
		"bakewatch.toml": fmt.Sprintf(onCallFile, p.URL), "token": pagerdutytest.Token, "key": pagerdutytest.RoutingKey, "secret": pagerdutytest.Secret,
	} {
		if err := os.WriteFile(filepath.Join(folder, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	catalog := configs.Catalog{
		Rules: kinds.All(), Build: kinds.Build, Channels: []rules.Kind{log.Kind(), pagerduty.Kind()},
		Executors: []rules.Kind{exec.Kind()}, Schedules: []rules.Kind{pagerduty.ScheduleKind()},
	}
	file, said := filepath.Join(folder, "bakewatch.toml"), &lines{}
	loaded, problems := configs.Load(file, catalog)
	if loaded == nil {
		t.Fatal(problems)
	}
	d, _ := start(t, Config{
		File: file, Daemon: loaded, Catalog: catalog, Replica: "test", Version: "test", Log: slog.New(slog.NewTextHandler(said, nil)),
	})
	subject, event, err := events.Encode(rules.Deployment{
		ID: "one", Service: "checkout", Environment: "production", Version: "2", Previous: "1", Step: rules.Finished, Strategy: rules.Rolling, At: now.Add(-20 * time.Minute), By: "ana",
	})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := d.Conn().JetStream().Publish(t.Context(), subject, event); err != nil {
		t.Fatal(err)
	}
	var view watcher.WatchView
	until(t, "people are asked and reached", func() bool {
		view, _ = checkout(t, d)
		return view.Question != nil && !view.Question.Deadline.IsZero()
	})
	return d, said, view
}

func checkout(t *testing.T, d *Daemon) (watcher.WatchView, error) {
	return nats.DeskClient(d.Conn().NATS()).Show(t.Context(), watcher.Ref{Name: "checkout"})
}

// acknowledge lets PagerDuty say that a user acknowledged the incident.
func acknowledge(t *testing.T, d *Daemon, secret, key, user string) int {
	t.Helper()
	return acknowledgedAt(t, d, secret, key, user, time.Now())
}

func acknowledgedAt(t *testing.T, d *Daemon, secret, key, user string, at time.Time) int {
	t.Helper()
	body := pagerdutytest.Acknowledged(key, user, at)
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "http://"+d.Addr()+pagerduty.WebhookPath, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("X-PagerDuty-Signature", pagerdutytest.Sign(secret, body))
	response, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	_ = response.Body.Close()
	return response.StatusCode
}

// The whole way: the schedule, the question, the shift's end, the acknowledgement.
func TestWhoeverIsOnCallIsAskedAndAnAcknowledgementGivesTenMinutesMore(t *testing.T) {
	p := startPager(t)
	p.rest.Set(shift("PZOE123"))
	d, said, view := question(t, p)
	if got := view.Ruling.Groups["duty"]; !slices.Equal(got, []string{"zoe"}) || len(view.Ruling.StandIns) > 0 || strings.Contains(p.says(), "fallback") {
		t.Errorf("asked are %q, stand-ins %q:\n%s", got, view.Ruling.StandIns, p.says())
	}
	key := fmt.Sprintf("bakewatch/main/%d", view.Watch)
	if !p.did("trigger", key) {
		t.Errorf("nobody was woken: %+v", p.sent)
	}
	p.rest.Set(shift("PMAX123"))
	if err := d.Reload(t.Context()); err != nil { // which asks again
		t.Fatal(err)
	}
	until(t, "max is on call", func() bool {
		return slices.Equal(d.rota.of(*view.Plan, time.Now()).Groups["duty"], []string{"max"})
	})
	if code := acknowledge(t, d, pagerdutytest.Secret, key, "PMAX123"); code != http.StatusAccepted || !strings.Contains(said.String(), "max is not one of the people asked") {
		t.Errorf("who came on call later is heard: %d", code)
	}
	if code := acknowledge(t, d, "another secret", key, "PZOE123"); code != http.StatusUnauthorized {
		t.Errorf("what is not signed is heard: %d", code)
	}
	if code := acknowledge(t, d, pagerdutytest.Secret, key, "PNOBODY"); code != http.StatusAccepted || !strings.Contains(said.String(), "see [person.NAME]") {
		t.Errorf("who has no [person.NAME] is heard: %d", code)
	}
	// PagerDuty may deliver what was acknowledged while an older question was open.
	if code := acknowledgedAt(t, d, pagerdutytest.Secret, key, "PZOE123", view.Question.Asked.Add(-time.Second)); code != http.StatusAccepted || !strings.Contains(said.String(), "before this question was asked") {
		t.Errorf("what was said before the question is heard: %d", code)
	}
	before := view.Question.Deadline
	if now, err := checkout(t, d); err != nil || !now.Question.Deadline.Equal(before) {
		t.Fatalf("%+v, %v", now.Question, err)
	}
	if code := acknowledge(t, d, pagerdutytest.Secret, key, "PZOE123"); code != http.StatusAccepted {
		t.Errorf("who was asked is not heard: %d\n%s", code, said)
	}
	now, err := checkout(t, d)
	if err != nil || !now.Question.Deadline.Equal(before.Add(authority.Grace)) {
		t.Errorf("the deadline was %s and is %s, %v", before, now.Question.Deadline, err)
	}
	until(t, "the incident is acknowledged", func() bool { return p.did("acknowledge", key) })
	if acknowledge(t, d, pagerdutytest.Secret, key, "PZOE123"); !strings.Contains(said.String(), authority.ErrLooked.Error()) {
		t.Errorf("a second time is not refused:\n%s", said)
	}
}

func TestWhenPagerDutyIsDownTheFallbackIsAskedAndTheMessageSaysWhy(t *testing.T) {
	p := startPager(t)
	p.rest.Down(true)
	d, said, view := question(t, p)
	why := view.Ruling.StandIns["duty"]
	if got := view.Ruling.Groups["duty"]; !slices.Equal(got, []string{"cleo"}) || !strings.Contains(why, "could never be asked who is on call") || !strings.Contains(why, "500") {
		t.Errorf("asked are %q, since %q", got, why)
	}
	if !strings.Contains(p.says(), "The fallback of duty is asked: "+why) {
		t.Errorf("the message does not say why:\n%s", p.says())
	}
	if got := measured(t, d.rota)["pagerduty:PABC123"]; got != 1 {
		t.Errorf("the metric says %v", got)
	}
	if !strings.Contains(said.String(), "it cannot be asked who is on call") || strings.Contains(said.String(), pagerdutytest.Token) {
		t.Errorf("the log:\n%s", said)
	}
}
