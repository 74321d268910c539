package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"os"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"

	"github.com/bakewatch/bakewatch/actions"
	"github.com/bakewatch/bakewatch/integrations/nats"
	"github.com/bakewatch/bakewatch/integrations/nats/events"
	"github.com/bakewatch/bakewatch/watcher"
	"github.com/bakewatch/bakewatch/watcher/watchertest"
)

// external starts an operator's NATS in this process; the daemons reach it by TCP.
func external(t *testing.T, options server.Options) string {
	t.Helper()
	options.Host, options.Port, options.NoSigs, options.NoLog = "127.0.0.1", server.RANDOM_PORT, true, true
	options.JetStream, options.DisableJetStreamBanner, options.SyncAlways = true, true, true
	options.StoreDir = t.TempDir()
	s, err := server.NewServer(&options)
	if err != nil {
		t.Fatal(err)
	}
	go s.Start()
	t.Cleanup(func() { s.Shutdown(); s.WaitForShutdown() })
	if !s.ReadyForConnections(30 * time.Second) {
		t.Fatal("the NATS server does not start")
	}
	return s.ClientURL()
}

// garbage is what no deployment tool should publish, by what is wrong with it.
func garbage() map[string][]byte {
	return map[string][]byte{
		"ten megabytes in one field": fmt.Appendf(nil, `{"id":"big","service":"rubbish","environment":"production","version":"1","notes":%q}`, strings.Repeat("x", 10<<20)),
		"ten megabytes of nothing":   make([]byte, 10<<20),
		"deeply nested":              []byte(strings.Repeat(`{"a":`, 200_000)),
		"deeply nested lists":        []byte(`{"id":"x","labels":` + strings.Repeat("[", 500_000) + strings.Repeat("]", 500_000) + "}"),
		"invalid UTF-8":              []byte("{\"id\":\"\xff\xfe\",\"service\":\"rubbish\",\"version\":\"1\"}"),
		"wrong types":                []byte(`{"id":7,"service":["rubbish"],"version":{},"at":"yesterday"}`),
		"a step that is none":        []byte(`{"id":"x","service":"rubbish","environment":"production","version":"1","step":"begun"}`),
		"a name that is a command":   []byte(`{"id":"x","service":"rubbish; rm -rf /","environment":"production","version":"1"}`),
		"nothing at all":             {},
		"no JSON":                    []byte("deployed!"),
		"JSON with a tail":           []byte(`{"id":"x","service":"rubbish","environment":"production","version":"1"} {}`),
	}
}

func TestGarbageBecomesADeadLetterAndHarmsNothing(t *testing.T) {
	if testing.Short() {
		t.Skip("starts a real process")
	}
	t.Parallel()
	v := conforming
	v.NATS = external(t, server.Options{MaxPayload: 16 << 20})
	s := newScene(t, newObservatory(t), "tidy", v)
	p := s.start("")
	var conn *nats.Conn
	within(t, time.Minute, "the daemon runs", func() bool {
		conn = s.dial(t.Context())
		if conn == nil {
			return false
		}
		_, err := conn.JetStream().Stream(t.Context(), nats.StreamDead)
		return err == nil
	})
	defer conn.NATS().Close()
	sent := 0
	for what, data := range garbage() {
		for _, subject := range []string{"deployments.production.rubbish", "dev.cdevents.service.deployed.0.2.0"} {
			if _, err := conn.JetStream().Publish(t.Context(), subject, data); err != nil {
				t.Fatalf("%s: %v", what, err)
			}
			sent++
		}
	}
	d := finished(s.Service, "1.0.0")
	s.announce(d)
	within(t, time.Minute, "the good event after them is watched", func() bool { return len(s.journaled()) > 0 })
	s.digested(conn)
	letters := s.letters(conn)
	if len(letters) != sent {
		t.Errorf("%d dead letters for %d pieces of garbage", len(letters), sent)
	}
	for seq, reason := range letters {
		if reason == "" {
			t.Errorf("dead letter %d has no reason", seq)
		}
	}
	// What is held at once is bounded: 4 of these are 10 MB, and have copies on their way.
	peak := memoryOf(t, p.cmd.Process.Pid)
	t.Logf("%d pieces of garbage; the daemon took at most %d MB", sent, peak>>20)
	if peak > 700<<20 {
		t.Errorf("the daemon took %d MB", peak>>20)
	}
	p.drained()
}

// digested waits until every event has been dealt with.
func (s *scene) digested(conn *nats.Conn) {
	s.Helper()
	within(s.T, time.Minute, "every event is dealt with", func() bool {
		c, err := conn.JetStream().Consumer(s.Context(), nats.StreamDeployments, "bakewatch")
		if err != nil {
			return false
		}
		info := c.CachedInfo()
		return info.NumPending == 0 && info.NumAckPending == 0
	})
}

// letters returns the reasons of all dead letters.
func (s *scene) letters(conn *nats.Conn) map[uint64]string {
	s.Helper()
	stream, err := conn.JetStream().Stream(s.Context(), nats.StreamDead)
	if err != nil {
		s.Fatal(err)
	}
	letters := map[uint64]string{}
	for seq := uint64(1); seq <= stream.CachedInfo().State.LastSeq; seq++ {
		msg, err := stream.GetMsg(s.Context(), seq)
		if err != nil {
			s.Fatal(err)
		}
		letters[seq] = msg.Header.Get(nats.HeaderReason)
	}
	return letters
}

// memoryOf returns the most memory that a process has had resident, in bytes; 0
// where the system does not say.
func memoryOf(t testing.TB, pid int) (peak int64) {
	t.Helper()
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return 0
	}
	for line := range strings.Lines(string(text)) {
		if _, err := fmt.Sscanf(line, "VmHWM: %d kB", &peak); err == nil {
			return peak << 10
		}
	}
	return 0
}

func TestARepeatedEventIsOneWatchAlsoAcrossARestart(t *testing.T) {
	if testing.Short() {
		t.Skip("starts a real process")
	}
	t.Parallel()
	s := newScene(t, newObservatory(t), "echo", conforming)
	d := finished(s.Service, "1.0.0")
	subject, event, err := events.Encode(d)
	if err != nil {
		t.Fatal(err)
	}
	// The first one waits before there ever was a daemon.
	s.opened(func(conn *nats.Conn, _ *nats.Journal) {
		if _, err := conn.JetStream().Publish(t.Context(), subject, event); err != nil {
			t.Fatal(err)
		}
	})
	for range 2 {
		p := s.start("")
		for range 5 {
			s.announce(d)
		}
		within(t, time.Minute, "all are dealt with", func() bool {
			return s.tried(func(ctx context.Context, conn *nats.Conn) error { s.digested(conn); return nil })
		})
		p.kill()
	}
	p := s.start("")
	within(t, time.Minute, "people are told that it is watched", func() bool { return s.told(actions.Chat, "opened") })
	var lanes []watcher.LaneView
	within(t, time.Minute, "the daemon answers", func() bool { lanes = s.list(); return lanes != nil })
	p.drained()
	s.opened(func(conn *nats.Conn, journal *nats.Journal) {
		opened := 0
		for _, e := range s.audit(conn, journal, watchertest.Record{Lanes: lanes, Events: []string{d.ID}}) {
			if e.Kind == watcher.Opened || e.Kind == watcher.Step || e.Kind == watcher.Noted {
				opened++
			}
		}
		if opened != 1 {
			t.Errorf("11 times the same event made %d entries", opened)
		}
	})
}

var address = regexp.MustCompile(`msg="bakewatch runs" http=(\S+)`)

// http returns where the daemon serves.
func (p *process) http() (url string) {
	p.t.Helper()
	within(p.t, time.Minute, "the daemon runs", func() bool {
		found := address.FindAllStringSubmatch(p.log.String(), -1)
		select {
		case <-p.gone:
			p.t.Fatalf("it does not start:\n%s", p.log.last(5))
		default:
		}
		if len(found) > 0 {
			url = "http://" + found[len(found)-1][1]
		}
		return url != ""
	})
	return url
}

func (p *process) reload() (status int, said string) {
	p.t.Helper()
	req, err := http.NewRequestWithContext(p.t.Context(), http.MethodPost, p.http()+"/-/reload", http.NoBody)
	if err != nil {
		p.t.Fatal(err)
	}
	reply, err := http.DefaultClient.Do(req)
	if err != nil {
		p.t.Fatal(err)
	}
	defer reply.Body.Close()
	body, err := io.ReadAll(reply.Body)
	if err != nil {
		p.t.Fatal(err)
	}
	return reply.StatusCode, string(body)
}

func TestAPlanThatBreaksWhileTheDaemonRunsStaysAsItWasLastGood(t *testing.T) {
	if testing.Short() {
		t.Skip("starts a real process")
	}
	t.Parallel()
	s := newScene(t, newObservatory(t), "steady", conforming)
	s.opened(func(_ *nats.Conn, journal *nats.Journal) { s.passed(journal) })
	p := s.start("")
	if status, said := p.reload(); status != http.StatusOK {
		t.Fatalf("a reload of good plans: %d %s", status, said)
	}
	good, err := os.ReadFile(s.Dir + "/plan.toml")
	if err != nil {
		t.Fatal(err)
	}
	s.write("plan.toml", string(bytes.Replace(good, []byte("max   = 0"), []byte("maks  = 0"), 1)))
	status, said := p.reload()
	if status == http.StatusOK || !strings.Contains(said, "plan.toml:") || !strings.Contains(said, "maks") {
		t.Errorf("a reload of a broken plan: %d %s", status, said)
	}
	within(t, time.Minute, "its owner is told", func() bool { return s.told(actions.Chat, "plan-broken") })
	before := strings.Count(p.log.String(), "not everything could be used")
	p.signal(syscall.SIGHUP)
	within(t, time.Minute, "a hangup reads it again", func() bool {
		return strings.Count(p.log.String(), "not everything could be used") > before
	})
	p.kill() // also what starts now finds the last good version
	p = s.start("")
	s.live("2.0.0")
	d := finished(s.Service, "2.0.0")
	s.announce(d)
	s.settled(d)
	lanes := s.list()
	if past := lanes[0].Past; past[len(past)-1].Outcome != watcher.RolledBack {
		t.Errorf("2.0.0 ended as %s", past[len(past)-1].Outcome)
	}
	p.drained()
}
