package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/bakewatch/bakewatch/actions"
	"github.com/bakewatch/bakewatch/cmd/bakewatch/internal/shop"
	"github.com/bakewatch/bakewatch/integrations/slack/slacktest"
	"github.com/bakewatch/bakewatch/integrations/webhook"
)

// pager is a receiver of messages, as a webhook channel reaches people.
type pager struct {
	mu       sync.Mutex
	messages []actions.Message
	asked    chan actions.Message
}

func (p *pager) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	var posted webhook.Posted
	if err := json.NewDecoder(r.Body).Decode(&posted); err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.messages = append(p.messages, posted.Message)
	if posted.Question != nil {
		select {
		case p.asked <- posted.Message:
		default:
		}
	}
}

// pagerService is a PagerDuty service: what was done to each incident, in order.
type pagerService struct {
	mu   sync.Mutex
	done map[string][]string // by key
}

func (i *pagerService) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	var event struct {
		Action string `json:"event_action"`
		Key    string `json:"dedup_key"`
	}
	if err := json.NewDecoder(r.Body).Decode(&event); err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	i.mu.Lock()
	defer i.mu.Unlock()
	i.done[event.Key] = append(i.done[event.Key], event.Action)
	w.WriteHeader(http.StatusAccepted)
	_ = json.NewEncoder(w).Encode(map[string]string{"status": "success", "dedup_key": event.Key})
}

// of returns what was done to the incident that was opened.
func (i *pagerService) of() string {
	i.mu.Lock()
	defer i.mu.Unlock()
	for key, done := range i.done {
		if slices.Contains(done, "trigger") {
			return key + ": " + strings.Join(done, " ")
		}
	}
	return ""
}

func (p *pager) topics() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	var topics []string
	for _, m := range p.messages {
		topics = append(topics, m.Topic)
	}
	return strings.Join(topics, " ")
}

const askingDaemon = `
plans = ["shop.toml"]
[nats]
store  = "store"
listen = "127.0.0.1:0"
[prometheus.local]
embedded        = true
scrape          = ["%s"]
scrape_interval = "500ms"
job             = "shop"
settle          = "1s"
[http]
listen = "127.0.0.1:0"
[group.oncall]
people = ["ana", "ben"]
[channel.pager]
use = "webhook"
url = "%s"
[channel.slack]
use            = "slack"
token_file     = "slack.token"
app_token_file = "slack.app"
channel        = "C0000001"
api_url        = "%[4]s/api"
[channel.pagerduty]
use              = "pagerduty"
url              = "%[2]s/v2/enqueue"
routing_key_file = "key"
[executor.shop]
use         = "webhook"
url         = "%[3]s/rollback"
live_url    = "%[3]s/live"
secret_file = "secret"
`

const askingPlan = `
service  = "shop"
owner    = "team-shop"
mode     = "enforce"
preset   = "prometheus-http"
bake     = "6s"
warm_up  = "1s"
interval = "1s"
window   = "10s"
[select]
version = "version"
[[rule]]
kind         = "error-rate"
judge        = "threshold"
max          = "3%"
min_requests = 50
[[rollback]]
use        = "shop"
reversible = true
[[authority]]
decide  = "ask"
needs   = { oncall = 1 }
within  = "10m"
silence = "keep"
[notify]
page = ["pager", "slack", "pagerduty"]
chat = ["log"]
`

// The whole way of a question: a real service gets worse, a person is paged, answers
// on the command line, and the pipeline that waits hears of the rollback.
func TestAPersonIsAskedAndAnswers(t *testing.T) {
	t.Parallel()
	ctx, stop := context.WithTimeout(t.Context(), 2*time.Minute)
	defer stop()
	paged := &pager{asked: make(chan actions.Message, 1)}
	woken := &pagerService{done: map[string][]string{}}
	receivers := http.NewServeMux()
	receivers.Handle("/", paged)
	receivers.Handle("/v2/enqueue", woken)
	web := httptest.NewServer(receivers)
	defer web.Close()
	chat := slacktest.Start(t)
	s, folder := openShop(ctx, t, web.URL, chat.URL)
	store := filepath.Join(folder, "store")

	var log bytes.Buffer
	ended := make(chan int, 1)
	running, end := context.WithCancel(ctx)
	go func() {
		ended <- run(running, []string{"run", "--config", filepath.Join(folder, "bakewatch.toml")}, strings.NewReader(""), &log, &log)
	}()
	bakewatch := func(args ...string) (int, string) {
		var out bytes.Buffer
		code := run(ctx, append(args, "--store", store), strings.NewReader(""), &out, &out)
		return code, out.String()
	}
	eventually(ctx, t, "the daemon answers", func() bool { code, _ := bakewatch("list"); return code == 0 })

	deploy := func(version string, behaviour shop.Behaviour) {
		t.Helper()
		if err := s.Deploy(version, behaviour); err != nil {
			t.Fatal(err)
		}
		code, out := bakewatch("announce", "--service", "shop", "--environment", "test", "--version", version, "--id", "event-"+version, "--by", "ana")
		if code != 0 {
			t.Fatalf("announce: %d\n%s", code, out)
		}
	}
	deploy("1.1.0", shop.Good)
	if code, out := bakewatch("wait", "event-1.1.0", "--timeout", "1m"); code != 0 {
		t.Fatalf("1.1.0 ended with %d\n%s\n%s", code, out, &log)
	}
	deploy("1.2.0", shop.Errors)
	select {
	case m := <-paged.asked:
		if !strings.Contains(m.Title, "shop 1.2.0 → 1.1.0 (test)?") || !strings.Contains(m.Text(), "error-rate") {
			t.Errorf("the question is\n%s", m.Text())
		}
	case <-ctx.Done():
		t.Fatalf("nobody was asked\n%s", &log)
	}
	if code, out := bakewatch("wait", "event-1.2.0", "--until-asked"); code != exitAsking {
		t.Errorf("wait while a person is asked: %d\n%s", code, out)
	}
	eventually(ctx, t, "there is a button in Slack, and it is pressed", func() bool { return chat.PressFirst(t, "U_EVE") })
	eventually(ctx, t, "who pressed is told why that does not count", func() bool {
		told := strings.Join(chat.Told(), "\n")
		return strings.Contains(told, "Not counted: ") && strings.Contains(told, "U_EVE")
	})
	if code, out := bakewatch("answer", "shop", "roll-back", "--as", "ana"); code == 0 || !strings.Contains(out, "does not vote") {
		t.Errorf("who deployed could vote: %d\n%s", code, out)
	}
	if code, out := bakewatch("answer", "shop", "roll-back", "--as", "ben", "--reason", "customers complain"); code != 0 {
		t.Errorf("answer: %d\n%s", code, out)
	}
	if code, out := bakewatch("wait", "event-1.2.0", "--timeout", "1m"); code != 1 {
		t.Errorf("1.2.0 ended with %d\n%s", code, out)
	}
	if s.Live() != "1.1.0" {
		t.Errorf("%s is live", s.Live())
	}
	if code, out := bakewatch("journal", "verify"); code != 0 {
		t.Errorf("journal verify: %d\n%s", code, out)
	}
	if code, out := bakewatch("rules", "shop", "--output", "json"); code != 0 || !strings.Contains(out, `"agreed": 1`) || !strings.Contains(out, `"acted": 1`) {
		t.Errorf("the record of the rules: %d\n%s", code, out)
	}
	eventually(ctx, t, "the pager hears of question and decision", func() bool {
		return strings.Contains(paged.topics(), "ruled") && strings.Contains(paged.topics(), "decided")
	})
	eventually(ctx, t, "the question in Slack has no buttons any more, and says what came of it", func() bool {
		return strings.Contains(chat.Messages(), "The question is over") && !strings.Contains(chat.Messages(), `"button"`)
	})
	// That it has recovered and that the watch has ended is not for pagers; an incident is.
	eventually(ctx, t, "the incident is opened and ended", func() bool {
		key, done, _ := strings.Cut(woken.of(), ": ")
		return strings.HasPrefix(key, "bakewatch/bakewatch/") && strings.HasPrefix(done, "trigger") && strings.HasSuffix(done, "resolve resolve resolve")
	})
	end()
	if code := <-ended; code != 0 {
		t.Errorf("the daemon ended with %d\n%s", code, &log)
	}
}

// openShop opens the shop with 1.0.0 and customers, and writes the daemon's files.
func openShop(ctx context.Context, t *testing.T, pagerURL, slackURL string) (s *shop.Shop, folder string) {
	t.Helper()
	ctx, stop := context.WithCancel(ctx)
	s, err := shop.Open(ctx, shop.Config{Service: "shop", Instances: 2})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { stop(); s.Wait() })
	if err := s.Deploy("1.0.0", shop.Good); err != nil {
		t.Fatal(err)
	}
	customers, err := s.Traffic(100)
	if err != nil {
		t.Fatal(err)
	}
	go customers.Run(ctx)
	folder = t.TempDir()
	files := map[string]string{
		"bakewatch.toml": fmt.Sprintf(askingDaemon, strings.Join(s.Targets(), `", "`), pagerURL, s.ControlURL(), slackURL),
		"shop.toml":      askingPlan,
		"slack.token":    "xoxb-1",
		"slack.app":      "xapp-1",
		"secret":         "whsec_ZGVtbyBkZW1vIGRlbW8gZGVtbyBkZW1v",
		"key":            strings.Repeat("k", 32),
	}
	for name, text := range files {
		if err := os.WriteFile(filepath.Join(folder, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return s, folder
}

// eventually waits for a condition until the context ends.
func eventually(ctx context.Context, t *testing.T, what string, is func() bool) {
	t.Helper()
	again := time.NewTicker(100 * time.Millisecond)
	defer again.Stop()
	for !is() {
		select {
		case <-again.C:
		case <-ctx.Done():
			t.Fatalf("not in time: %s", what)
		}
	}
}
