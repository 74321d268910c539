package daemon

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/bakewatch/bakewatch/actions"
	"github.com/bakewatch/bakewatch/actions/authority"
	"github.com/bakewatch/bakewatch/configs"
	"github.com/bakewatch/bakewatch/integrations/log"
	"github.com/bakewatch/bakewatch/integrations/slack"
	"github.com/bakewatch/bakewatch/rules"
	"github.com/bakewatch/bakewatch/rules/kinds"
	"github.com/bakewatch/bakewatch/watcher"
)

// workspace is a Slack that remembers what is posted and edited, and where.
type workspace struct {
	*httptest.Server
	mu    sync.Mutex
	posts []posted
	edits []posted
	full  bool // nothing may be edited now
}

func startSlack(t *testing.T) *workspace {
	t.Helper()
	w := &workspace{}
	w.Server = httptest.NewServer(w)
	t.Cleanup(w.Close)
	return w
}

// over checks that the question does not look open any more.
func (w *workspace) over(t *testing.T) {
	t.Helper()
	if len(w.edits) == 0 {
		t.Fatal("nothing was amended")
	}
	edit := w.edits[len(w.edits)-1]
	if edit.TS != w.posts[0].TS || strings.Contains(edit.text(), "actions:") || !strings.Contains(edit.text(), "The question is over") {
		t.Errorf("the question still looks open:\n%s", edit.text())
	}
}

type posted struct {
	Channel string
	TS      string
	Thread  string `json:"thread_ts"`
	Blocks  []struct {
		Type string
		Text struct{ Text string }
	}
}

// text is what stands in the message; buttons are a line of their own.
func (p posted) text() (text string) {
	for _, b := range p.Blocks {
		text += b.Type + ": " + b.Text.Text + "\n"
	}
	return text
}

func (w *workspace) ServeHTTP(out http.ResponseWriter, r *http.Request) {
	var p posted
	err := json.NewDecoder(r.Body).Decode(&p)
	w.mu.Lock()
	defer w.mu.Unlock()
	switch method := strings.TrimPrefix(r.URL.Path, "/api/"); {
	case err != nil:
		http.Error(out, err.Error(), http.StatusBadRequest)
		return
	case method == "chat.update" && w.full:
		_, _ = fmt.Fprint(out, `{"ok":false,"error":"ratelimited"}`)
		return
	case method == "chat.update":
		w.edits = append(w.edits, p)
	default:
		p.TS = fmt.Sprintf("1700000000.%06d", len(w.posts)+1)
		w.posts = append(w.posts, p)
	}
	_, _ = fmt.Fprintf(out, `{"ok":true,"channel":"C0000001","ts":%q}`, p.TS)
}

// channel makes a channel of it, as every process does anew.
func (w *workspace) channel(t *testing.T, set configs.Set) *force {
	t.Helper()
	t.Setenv("SLACK_TOKEN", "xoxb-1")
	t.Setenv("SLACK_SECRET", "secret")
	o := slack.Kind().New().(*slack.Options)
	o.TokenEnv, o.SigningSecretEnv, o.Channel, o.APIURL = "SLACK_TOKEN", "SLACK_SECRET", "C0000001", w.URL+"/api"
	notifier, err := o.Notifier("chat", slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	return &force{set: set, channels: map[string]actions.Notifier{"chat": notifier}, over: make(chan struct{})}
}

// process is one daemon with its owner.
type process struct {
	*Daemon
	owner *watcher.Owner
	now   *force
	end   func()
}

func startProcess(t *testing.T, cfg Config, w *workspace) *process {
	t.Helper()
	d, err := New(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	owner, err := d.owner(1)
	if err != nil {
		t.Fatal(err)
	}
	if err := d.load(t.Context(), owner); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	ran := make(chan error, 1)
	go func() { ran <- owner.Run(ctx, time.Second) }()
	return &process{d, owner, w.channel(t, d.force.Load().set), sync.OnceFunc(func() {
		cancel()
		if err := <-ran; err != nil {
			t.Error(err)
		}
		d.close()
	})}
}

// deliver hands the channel every entry since a sequence, and returns the last.
func (p *process) deliver(t *testing.T, lane rules.LaneID, after uint64) (last uint64, err error) {
	t.Helper()
	entries, err := p.journal.Since(t.Context(), lane, 1)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		last = e.Seq
		if e.Seq <= after {
			continue
		}
		history, historyErr := p.journal.History(t.Context(), lane, e.Of(), e.Seq)
		if historyErr != nil {
			t.Fatal(historyErr)
		}
		err = errors.Join(err, p.Daemon.deliver(t.Context(), p.owner, p.now, "chat", e, history))
	}
	return last, err
}

// scene is a lane in a journal, driven by the core itself.
type scene struct {
	*testing.T
	watcher.Lane
	plan *rules.Plan
}

// newScene is one in which 1.0.0 has passed and people are asked about 2.0.0.
func newScene(t *testing.T, journal watcher.Journal) *scene {
	t.Helper()
	yes := true
	s := &scene{t, watcher.Lane{ID: rules.LaneID{Environment: "test", Service: "shop"}}, &rules.Plan{
		Service: "shop", Owner: "team", Source: "main", Interval: rules.Duration(time.Hour), Bake: rules.Duration(time.Hour), BlindFor: rules.Duration(time.Hour),
		Rules:       []rules.Spec{{Name: "errors", Kind: "query", Severity: rules.Critical, Mode: rules.Enforce, Options: json.RawMessage(`{"expr":"vector(1)","max":2}`)}},
		Rollbacks:   []rules.Rollback{{Use: "tool", Timeout: rules.Duration(time.Minute), Verify: rules.Duration(time.Minute), Reversible: &yes}},
		Authorities: []rules.Authority{{Decide: rules.Ask, Needs: map[string]int{"oncall": 1}, Within: rules.Duration(time.Hour), Silence: rules.SilenceKeeps}},
		Groups:      map[string][]string{"oncall": {"ben"}},
		Notify:      rules.Notification{Page: []string{"chat"}},
	}}
	now := time.Now().UTC()
	s.deploy(journal, "1.0.0", now.Add(-3*time.Hour))
	s.look(journal, rules.Healthy, now.Add(-time.Hour))
	s.deploy(journal, "2.0.0", now)
	s.look(journal, rules.Breached, now)
	if s.Watch == nil || s.Watch.Question == nil {
		t.Fatalf("nobody is asked: %+v", s.Watch)
	}
	return s
}

func (s *scene) deploy(journal watcher.Journal, version string, at time.Time) {
	s.give(journal, watcher.Input{Now: at, Event: &watcher.Announced{Deployment: deployment(version, at), Plan: s.plan}})
}

func (s *scene) look(journal watcher.Journal, verdict rules.Verdict, at time.Time) {
	s.give(journal, watcher.Input{Now: at, Look: &watcher.Look{
		Watch: s.Watch.Seq, Answers: []rules.Answer{{Rule: "errors", Verdict: verdict, Ceiling: rules.Auto, Why: "3 > 2"}},
	}})
}

// give writes what follows from an input.
func (s *scene) give(journal watcher.Journal, in watcher.Input) {
	s.Helper()
	entries, err := journal.Read(s.Context(), s.ID)
	if err != nil {
		s.Fatal(err)
	}
	s.Lane = watcher.Fold(s.ID, entries)
	for e, ok := s.Next(in); ok; e, ok = s.Next(in) {
		written, err := journal.Append(s.Context(), e)
		if err != nil {
			s.Fatal(err)
		}
		s.Lane = s.Apply(written)
	}
}

func deployment(version string, at time.Time) rules.Deployment {
	return rules.Deployment{ID: "event-" + version, Service: "shop", Environment: "test", Version: version, Step: rules.Finished, At: at, By: "ana"}
}

func threadSettings(t *testing.T) Config {
	t.Helper()
	cfg := settings(t, "127.0.0.1:0", log.Kind())
	cfg.Catalog = configs.Catalog{Rules: kinds.All(), Build: kinds.Build}
	return cfg
}

func TestAThreadGoesOnAfterARestartAndIsAmended(t *testing.T) {
	w := startSlack(t)
	cfg := threadSettings(t)
	p := startProcess(t, cfg, w)
	lane := newScene(t, p.journal).ID
	p.end()
	p = startProcess(t, cfg, w) // has read it
	told, err := p.deliver(t, lane, 0)
	if err != nil || len(w.posts) != 1 || len(w.edits) != 0 || !strings.Contains(w.posts[0].text(), "actions:") {
		t.Fatalf("a channel that is only paged hears of the question alone: %+v, edited %+v, %v", w.posts, w.edits, err)
	}
	if _, err := p.deliver(t, lane, 0); err != nil || len(w.posts) != 1 {
		t.Errorf("what was told is told again: %d messages, %v", len(w.posts), err)
	}
	p.end()

	p = startProcess(t, cfg, w)
	if _, err := p.owner.Answer(t.Context(), watcher.Ref{Name: "shop"}, authority.Vote{Proof: authority.LocalProof("ben"), Choice: authority.Keep}); err != nil {
		t.Fatal(err)
	}
	w.full = true
	if _, err := p.deliver(t, lane, told); actions.Classify(err) != actions.ClassRetryable {
		t.Errorf("what could not be amended does not come again: %v", err)
	}
	w.full = false
	if _, err := p.deliver(t, lane, told); err != nil || len(w.posts) != 1 {
		t.Fatalf("that people said keep is not for who is paged: %+v, %v", w.posts, err)
	}
	w.over(t)
	p.end()
}

func TestAQuestionThatANewerDeploymentEndsLosesItsButtons(t *testing.T) {
	w := startSlack(t)
	cfg := threadSettings(t)
	p := startProcess(t, cfg, w)
	s := newScene(t, p.journal)
	p.end()
	p = startProcess(t, cfg, w)
	told, err := p.deliver(t, s.ID, 0)
	if err != nil || len(w.posts) != 1 {
		t.Fatalf("%+v, %v", w.posts, err)
	}
	s.plan.Notify = rules.Notification{Page: []string{"another"}}
	s.deploy(p.journal, "3.0.0", time.Now().UTC())
	if _, err := p.deliver(t, s.ID, told); err != nil || len(w.posts) != 1 {
		t.Fatalf("%+v, %v", w.posts, err)
	}
	w.over(t)
	p.end()
}

func TestMessagesOfOneWatchAreOneThread(t *testing.T) {
	w := startSlack(t)
	cfg := threadSettings(t)
	p := startProcess(t, cfg, w)
	s := newScene(t, p.journal)
	p.end()
	s.plan.Notify = rules.Notification{Chat: []string{"chat"}}
	p = startProcess(t, cfg, w)
	s.deploy(p.journal, "3.0.0", time.Now().UTC())
	s.look(p.journal, rules.Breached, time.Now().UTC())
	p.end()
	p = startProcess(t, cfg, w)
	if _, err := p.deliver(t, s.ID, 0); err != nil {
		t.Fatal(err)
	}
	var threads []string
	for _, post := range w.posts {
		threads = append(threads, post.Thread)
	}
	// One of 2.0.0, whose question has lapsed by then; one of 3.0.0, and a reply to it.
	if want := []string{"", "", "1700000000.000002"}; !slices.Equal(threads, want) {
		t.Errorf("threads %q, want %q", threads, want)
	}
	if strings.Contains(w.posts[0].text(), "actions:") || !strings.Contains(w.posts[2].text(), "actions:") {
		t.Errorf("the lapsed and the open question:\n%s\n%s", w.posts[0].text(), w.posts[2].text())
	}
	if last := w.edits[len(w.edits)-1]; last.TS != "1700000000.000002" || !strings.Contains(last.text(), "3.0.0 → 1.0.0 (test)?") {
		t.Errorf("the first message does not say that people are asked:\n%s", last.text())
	}
	p.end()
}
