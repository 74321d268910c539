package main

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"text/template"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/bakewatch/bakewatch/actions"
	"github.com/bakewatch/bakewatch/actions/authority"
	"github.com/bakewatch/bakewatch/integrations/nats"
	"github.com/bakewatch/bakewatch/integrations/nats/events"
	"github.com/bakewatch/bakewatch/integrations/prometheus/embedded"
	"github.com/bakewatch/bakewatch/integrations/webhook"
	"github.com/bakewatch/bakewatch/rules"
	"github.com/bakewatch/bakewatch/watcher"
	"github.com/bakewatch/bakewatch/watcher/watchertest"
)

// observatory is a real Prometheus that outlives the daemons of a test, and the
// target that it scrapes: for each scene, whether the version that is live is broken.
type observatory struct {
	url string

	mu     sync.Mutex
	scenes map[string]string // folder by service
}

var broken = prometheus.NewDesc("scene_broken", "1 while the version that is live is broken.", []string{"scene", "version"}, nil)

// Describe implements prometheus.Collector.
func (o *observatory) Describe(out chan<- *prometheus.Desc) { out <- broken }

// Collect implements prometheus.Collector. Versions 2 and up are broken.
func (o *observatory) Collect(out chan<- prometheus.Metric) {
	o.mu.Lock()
	defer o.mu.Unlock()
	for service, folder := range o.scenes {
		text, err := os.ReadFile(filepath.Join(folder, "live"))
		if err != nil {
			continue
		}
		version, value := strings.TrimSpace(string(text)), 0.0
		if version >= "2" {
			value = 1
		}
		out <- prometheus.MustNewConstMetric(broken, prometheus.GaugeValue, value, service, version)
	}
}

func (o *observatory) add(service, folder string) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.scenes[service] = folder
}

// newObservatory starts Prometheus; it ends with the test.
func newObservatory(t *testing.T) *observatory {
	t.Helper()
	o := &observatory{scenes: map[string]string{}}
	registry := prometheus.NewRegistry()
	registry.MustRegister(o)
	target := httptest.NewServer(promhttp.HandlerFor(registry, promhttp.HandlerOpts{}))
	t.Cleanup(target.Close)
	server, err := embedded.Open(embedded.Config{
		Store: t.TempDir(), Scrape: []string{target.Listener.Addr().String()}, Job: "scenes", Interval: 250 * time.Millisecond,
	})
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	ran := make(chan error, 1)
	go func() { ran <- server.Run(ctx) }()
	api := httptest.NewServer(server.Handler())
	t.Cleanup(func() {
		api.Close()
		stop()
		if err := <-ran; err != nil {
			t.Error(err)
		}
		if err := server.Close(); err != nil {
			t.Error(err)
		}
	})
	o.url = api.URL + "/prometheus"
	return o
}

// variant says what a scene's executor can do, and who decides.
type variant struct {
	Idempotent bool // the executor does a key once
	Tells      bool // it says which version is live
	Asks       bool // people decide
	NATS       string
	BlindFor   string
}

func (v variant) String() string {
	words := []string{"an executor"}
	if v.Idempotent {
		words = append(words, "that may be repeated")
	} else {
		words = append(words, "that must not be repeated")
	}
	if v.Tells {
		words = append(words, "and tells what is live")
	}
	if v.Asks {
		words = append(words, "after people were asked")
	}
	return strings.Join(words, " ")
}

// scene is one service with its plan, its tool, its daemon's folder and its people.
type scene struct {
	*testing.T
	variant
	Service    string
	Dir        string
	Prometheus string
	Tool       string

	secret string
	log    *lines
	mu     sync.Mutex
	heard  []actions.Message
}

// newScene sets the stage: version 1.0.0 has passed and is live.
func newScene(t *testing.T, o *observatory, service string, v variant) *scene {
	t.Helper()
	tool, err := filepath.Abs("testdata/faults/tool.sh")
	if err != nil {
		t.Fatal(err)
	}
	if v.BlindFor == "" {
		v.BlindFor = "60s"
	}
	s := &scene{T: t, variant: v, Service: service, Dir: t.TempDir(), Prometheus: o.url, Tool: tool, log: &lines{}}
	s.secret = newSecret()
	phone := httptest.NewServer(http.HandlerFunc(s.ring))
	t.Cleanup(phone.Close)
	s.write("phone.secret", s.secret)
	s.write("phone.url", phone.URL+"/hook")
	for _, name := range []string{"bakewatch.toml", "plan.toml"} {
		var text strings.Builder
		if err := template.Must(template.ParseFiles("testdata/faults/"+name)).Execute(&text, s); err != nil {
			t.Fatal(err)
		}
		s.write(name, text.String())
	}
	s.live("1.0.0")
	o.add(service, s.Dir)
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("the daemon's last words:\n%s", s.log.last(60))
		}
	})
	return s
}

func newSecret() string { return "whsec_" + base64.StdEncoding.EncodeToString([]byte(rand.Text())) }

func (s *scene) write(name, text string) {
	s.Helper()
	path := filepath.Join(s.Dir, name)
	if err := os.WriteFile(path+".new", []byte(text), 0o600); err != nil {
		s.Fatal(err)
	}
	if err := os.Rename(path+".new", path); err != nil {
		s.Fatal(err)
	}
}

// live makes a version live, as a deployment does.
func (s *scene) live(version string) { s.write("live", version+"\n") }

// ring is the phone: every message is heard.
func (s *scene) ring(w http.ResponseWriter, r *http.Request) {
	var posted webhook.Posted
	if err := json.NewDecoder(r.Body).Decode(&posted); err != nil {
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.heard = append(s.heard, posted.Message)
}

// told says whether somebody was told about the topic.
func (s *scene) told(audience actions.Audience, topic string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.ContainsFunc(s.heard, func(m actions.Message) bool { return m.Topic == topic && m.Audience == audience })
}

// passed writes into the journal that version 1.0.0 was deployed an hour ago, and
// passed: what the core itself says then.
func (s *scene) passed(journal watcher.Journal) {
	s.Helper()
	d := finished(s.Service, "1.0.0")
	d.At = time.Now().Add(-time.Hour).UTC()
	plan := &rules.Plan{Service: s.Service, Bake: rules.Duration(time.Minute), Rules: []rules.Spec{{Name: "broken", Kind: "query"}}}
	l := watcher.Lane{ID: d.Lane()}
	drive := func(in watcher.Input) {
		for {
			e, ok := l.Next(in)
			if !ok {
				return
			}
			written, err := journal.Append(s.Context(), e)
			if err != nil {
				s.Fatal(err)
			}
			l = l.Apply(written)
		}
	}
	drive(watcher.Input{Now: d.At, Event: &watcher.Announced{Deployment: d, Plan: plan}})
	drive(watcher.Input{Now: d.At.Add(2 * time.Minute), Look: &watcher.Look{
		Watch: l.Watch.Seq, Answers: []rules.Answer{{Rule: "broken", Verdict: rules.Healthy, Why: "0"}},
	}})
	if past := l.Ledger.Past; len(past) != 1 || past[0].Outcome != watcher.Passed {
		s.Fatalf("1.0.0 did not pass: %+v", past)
	}
}

func (s *scene) store() string { return filepath.Join(s.Dir, "nats") }

// opened opens the store of a daemon that does not run.
func (s *scene) opened(use func(conn *nats.Conn, journal *nats.Journal)) {
	s.Helper()
	conn, err := nats.Connect(s.Context(), nats.Config{Store: s.store()})
	if err != nil {
		s.Fatal(err)
	}
	defer func() {
		if err := conn.Close(context.WithoutCancel(s.Context())); err != nil {
			s.Error(err)
		}
	}()
	journal, err := conn.Journal(s.Context())
	if err != nil {
		s.Fatal(err)
	}
	use(conn, journal)
}

// start starts the daemon; at a point it kills itself.
func (s *scene) start(at string, args ...string) *process {
	s.Helper()
	env := []string{dieAt + "=" + at}
	return bakewatch(s.T, s.Dir, s.log, env, append([]string{"run", "--config", "bakewatch.toml"}, args...)...)
}

// keeper starts a daemon again whenever it has died, as an init system does.
type keeper struct {
	s    *scene
	mu   sync.Mutex
	now  *process
	stop chan struct{}
	done chan struct{}
	died int
}

// kept starts a daemon and its keeper. At a point it dies: the first time, or
// however often it gets there.
func (s *scene) kept(first, later string) *keeper {
	s.Helper()
	k := &keeper{s: s, now: s.start(first), stop: make(chan struct{}), done: make(chan struct{})}
	s.Cleanup(k.end)
	go func() {
		defer close(k.done)
		for {
			select {
			case <-k.stop:
				return
			case <-k.process().gone:
			}
			k.mu.Lock()
			k.died++
			k.now = s.start(later)
			k.mu.Unlock()
		}
	}()
	return k
}

func (k *keeper) process() *process {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.now
}

// deaths is how often the daemon has died.
func (k *keeper) deaths() int {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.died
}

// end ends the keeping, not the daemon.
func (k *keeper) end() {
	select {
	case <-k.stop:
	default:
		close(k.stop)
	}
	<-k.done
}

// drained ends both as an init system does.
func (k *keeper) drained() {
	k.s.Helper()
	k.end()
	k.process().drained()
}

// dial connects to the scene's NATS as a tool on this machine does; nil: not now.
func (s *scene) dial(ctx context.Context) *nats.Conn {
	cfg := nats.Config{URL: s.NATS}
	if s.NATS == "" {
		var err error
		if cfg, err = nats.LocalConfig(s.store()); err != nil {
			return nil
		}
	}
	cfg.Timeout = 5 * time.Second
	conn, err := nats.Dial(ctx, cfg)
	if err != nil {
		return nil
	}
	return conn
}

// announce publishes an event, over whatever daemon runs by then.
func (s *scene) announce(d rules.Deployment) {
	s.Helper()
	subject, event, err := events.Encode(d)
	if err != nil {
		s.Fatal(err)
	}
	within(s.T, time.Minute, "the event "+d.ID+" is stored", func() bool {
		return s.tried(func(ctx context.Context, conn *nats.Conn) error {
			_, err := conn.JetStream().Publish(ctx, subject, event)
			return err
		})
	})
}

// tried connects and does something, and says whether that worked.
func (s *scene) tried(do func(context.Context, *nats.Conn) error) bool {
	ctx, cancel := context.WithTimeout(s.Context(), 5*time.Second)
	defer cancel()
	conn := s.dial(ctx)
	if conn == nil {
		return false
	}
	defer conn.NATS().Close()
	return do(ctx, conn) == nil
}

// list asks the Desk for all lanes; nil: it did not answer.
func (s *scene) list() (lanes []watcher.LaneView) {
	s.tried(func(ctx context.Context, conn *nats.Conn) (err error) {
		lanes, err = nats.DeskClient(conn.NATS()).List(ctx)
		return err
	})
	return lanes
}

// journaled reads the whole journal of the daemon that runs.
func (s *scene) journaled() (entries []watcher.Entry) {
	s.tried(func(ctx context.Context, conn *nats.Conn) error {
		journal, err := conn.Journal(ctx)
		if err == nil {
			entries, err = all(ctx, conn, journal)
		}
		return err
	})
	return entries
}

// settled waits until a watch has ended, and people were told so. It answers what is
// asked meanwhile.
func (s *scene) settled(d rules.Deployment) {
	s.Helper()
	within(s.T, 100*time.Second, "the watch of "+d.ID+" ends, and that is told", func() bool {
		var opened, closed uint64
		for _, e := range s.journaled() {
			switch {
			case e.Kind == watcher.Opened && e.Deployment.ID == d.ID:
				opened = e.Seq
			case e.Kind == watcher.Closed && e.Watch == opened:
				closed = e.Seq
			case e.Kind == watcher.Ruled && e.Ruling.Power == rules.Ask && closed == 0:
				s.answer(d)
			case e.Kind == watcher.Told && e.Told.About == closed && closed != 0:
				return true
			}
		}
		return false
	})
}

// answer votes as a person does: again, if nobody answered.
func (s *scene) answer(d rules.Deployment) {
	s.tried(func(ctx context.Context, conn *nats.Conn) error {
		_, err := nats.DeskClient(conn.NATS()).Answer(ctx, watcher.Ref{Name: d.ID}, authority.Vote{
			Proof: authority.LocalProof("ben"), Choice: authority.RollBack, Reason: "it is broken",
		})
		return err
	})
}

// effects reads what the tool has done.
func (s *scene) effects() (effects []watchertest.Effect) {
	s.Helper()
	for _, line := range linesOf(s.T, s.Dir, "effects") {
		words := strings.Fields(line)
		nanos, err := strconv.ParseInt(words[2], 10, 64)
		if err != nil {
			s.Fatal(err)
		}
		effects = append(effects, watchertest.Effect{Key: words[0], To: words[1], At: time.Unix(0, nanos)})
	}
	return effects
}

// audit checks the whole journal, and what is left of the run, against the invariants.
func (s *scene) audit(conn *nats.Conn, journal *nats.Journal, r watchertest.Record) []watcher.Entry {
	s.Helper()
	entries, err := all(s.Context(), conn, journal)
	if err != nil {
		s.Fatal(err)
	}
	r.Entries, r.Effects = entries, s.effects()
	for _, err := range watchertest.Check(r) {
		s.Error(err)
	}
	verified, err := journal.Verify(s.Context(), nil)
	if err != nil || len(verified.Flaws) > 0 {
		s.Errorf("the journal is flawed: %v %v", verified.Flaws, err)
	}
	text, err := json.Marshal(r.Entries)
	if err != nil {
		s.Fatal(err)
	}
	for where, said := range map[string]string{"log": s.log.String(), "journal": string(text)} {
		if strings.Contains(said, s.secret) || strings.Contains(said, strings.TrimPrefix(s.secret, "whsec_")) {
			s.Errorf("I8: the secret stands in the %s", where)
		}
	}
	if s.Failed() {
		s.Log(story(r.Entries))
	}
	return r.Entries
}

// all reads the whole journal.
func all(ctx context.Context, conn *nats.Conn, journal *nats.Journal) (entries []watcher.Entry, err error) {
	stream, err := conn.JetStream().Stream(ctx, nats.StreamJournal)
	if err != nil || stream.CachedInfo().State.LastSeq == 0 {
		return nil, err
	}
	last := stream.CachedInfo().State.LastSeq
	enough := errors.New("that is all")
	err = journal.Tail(ctx, 1, func(e watcher.Entry) error {
		entries = append(entries, e)
		if e.Seq >= last {
			return enough
		}
		return nil
	})
	if errors.Is(err, enough) {
		return entries, nil
	}
	return entries, errors.Join(err, ctx.Err())
}

// story tells the entries, a line each.
func story(entries []watcher.Entry) string {
	var out strings.Builder
	for _, e := range entries {
		fmt.Fprintf(&out, "%4d %s epoch %d %-8s %s %s %s %+v\n", e.Seq, e.At.Format("15:04:05.000"), e.Epoch, e.Kind, e.Topic, e.Outcome, e.Text, e.Told)
	}
	return out.String()
}
