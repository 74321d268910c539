package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/bakewatch/bakewatch/configs"
	"github.com/bakewatch/bakewatch/integrations/nats"
	"github.com/bakewatch/bakewatch/integrations/nats/events"
	"github.com/bakewatch/bakewatch/rules"
	"github.com/bakewatch/bakewatch/watcher"
)

// How much BenchmarkIntake does.
const (
	intakeEvents  = 5000
	intakeWatches = 1000 // whose memory is measured
	intakeLooks   = 2000
)

// BenchmarkIntake measures a daemon as it runs: a process of its own with an
// embedded store that syncs every write. It prints one line, `intake: …`.
func BenchmarkIntake(b *testing.B) {
	for range b.N {
		raw := rawPublishes(b)
		perSecond, lost := eventsIn(b)
		fmt.Printf("intake: events_per_second=%.0f raw_synced_publishes_per_second=%.0f lost=%d ns_per_verdict=%.0f rss_mb_1000_watches=%d\n",
			perSecond, raw, lost, verdict(b), memoryOfWatches(b)>>20)
		b.ReportMetric(perSecond/raw, "share-of-raw")
	}
}

// payloads are events of distinct lanes: one service in many environments.
func payloads(b *testing.B, n int) (subjects []string, data [][]byte) {
	b.Helper()
	for i := range n {
		d := finished("intake", "1.0.0")
		d.Environment, d.ID = fmt.Sprintf("e%d", i), fmt.Sprintf("intake-%d", i)
		subject, event, err := events.Encode(d)
		if err != nil {
			b.Fatal(err)
		}
		subjects, data = append(subjects, subject), append(data, event)
	}
	return subjects, data
}

// rawPublishes is what this machine stores in a second at most: the same payloads,
// into a plain stream of the same server, by as many publishers as are of use.
func rawPublishes(b *testing.B) (best float64) {
	b.Helper()
	subjects, data := payloads(b, intakeEvents)
	for _, publishers := range []int{1, 4, 16} {
		conn, err := nats.Connect(b.Context(), nats.Config{Store: b.TempDir()})
		if err != nil {
			b.Fatal(err)
		}
		took := pipelined(b, conn, publishers, subjects, data)
		best = max(best, float64(len(data))/took.Seconds())
		if err := conn.Close(b.Context()); err != nil {
			b.Fatal(err)
		}
	}
	return best
}

// pipelined publishes everything without waiting for one after the other, and
// returns when all is acknowledged.
func pipelined(b *testing.B, conn *nats.Conn, publishers int, subjects []string, data [][]byte) time.Duration {
	b.Helper()
	began := time.Now()
	var wait sync.WaitGroup
	for p := range publishers {
		js, err := jetstream.New(conn.NATS(), jetstream.WithPublishAsyncMaxPending(1000))
		if err != nil {
			b.Fatal(err)
		}
		wait.Go(func() {
			var acks []jetstream.PubAckFuture
			for i := p; i < len(data); i += publishers {
				ack, err := js.PublishAsync(subjects[i], data[i], jetstream.WithStallWait(30*time.Second))
				if err != nil {
					b.Error(err)
					return
				}
				acks = append(acks, ack)
			}
			for _, ack := range acks {
				select {
				case <-ack.Ok():
				case err := <-ack.Err():
					b.Error(err)
				}
			}
		})
	}
	wait.Wait()
	return time.Since(began)
}

// mill is a daemon's folder whose one plan is for the service of all events.
type mill struct {
	*process
	folder string
	conn   *nats.Conn
}

// newMill starts a daemon whose rules ask a real Prometheus in its own process,
// which scrapes the daemon itself.
func newMill(b *testing.B, interval string) *mill {
	b.Helper()
	h := &mill{folder: b.TempDir()}
	furnish(b, h.folder, interval)
	h.process = bakewatch(b, h.folder, &lines{}, nil, "run", "--config", "bakewatch.toml", "--log-level", "warn")
	within(b, time.Minute, "the daemon runs", func() bool {
		cfg, err := nats.LocalConfig(filepath.Join(h.folder, "nats"))
		if err != nil {
			return false
		}
		h.conn, err = nats.Dial(b.Context(), cfg)
		if err != nil {
			return false
		}
		_, err = h.conn.JetStream().Consumer(b.Context(), nats.StreamDeployments, "bakewatch")
		return err == nil
	})
	b.Cleanup(func() { h.conn.NATS().Close() })
	return h
}

// furnish writes the daemon's file and the plan, with three rules.
func furnish(b *testing.B, folder, interval string) {
	b.Helper()
	for name, text := range map[string]string{
		"bakewatch.toml": `
plans = ["plan.toml"]
[nats]
store  = "nats"
listen = "127.0.0.1:0"
[prometheus.local]
embedded = true
scrape   = ["127.0.0.1:9"]
[http]
listen = "127.0.0.1:0"
[executor.tool]
use     = "exec"
command = ["/bin/true"]
`,
		"plan.toml": fmt.Sprintf(`
service  = "intake"
owner    = "team-intake"
mode     = "enforce"
preset   = "prometheus-http"
bake     = "1h"
interval = %q
[select]
version = "version"
[[rule]]
kind  = "error-rate"
judge = "threshold"
max   = "1%%"
[[rule]]
kind  = "latency"
judge = "threshold"
max   = "500ms"
[[rule]]
kind = "up"
[[rollback]]
use        = "tool"
reversible = true
[[authority]]
decide = "auto"
[notify]
chat = ["log"]
`, interval),
	} {
		if err := os.WriteFile(filepath.Join(folder, name), []byte(text), 0o600); err != nil {
			b.Fatal(err)
		}
	}
}

// take announces events and returns when each has its entry in the journal, or when
// nothing has come for long.
func (h *mill) take(b *testing.B, n int) (took time.Duration, opened int) {
	b.Helper()
	subjects, data := payloads(b, n)
	journal, err := h.conn.Journal(b.Context())
	if err != nil {
		b.Fatal(err)
	}
	entries, lanes := make(chan watcher.Entry, n), map[rules.LaneID]bool{}
	go func() {
		_ = journal.Tail(b.Context(), 1, func(e watcher.Entry) error { entries <- e; return nil })
	}()
	began := time.Now()
	pipelined(b, h.conn, 4, subjects, data)
	for len(lanes) < n {
		select {
		case e := <-entries:
			if e.Kind == watcher.Opened {
				lanes[e.Lane] = true
			}
		case <-time.After(30 * time.Second):
			b.Errorf("%d of %d events were watched:\n%s", len(lanes), n, h.log.last(10))
			return time.Since(began), len(lanes)
		}
	}
	return time.Since(began), len(lanes)
}

// eventsIn is how many events a second become watches, from the first one published
// to the last one in the journal. The rules are not asked meanwhile.
func eventsIn(b *testing.B) (perSecond float64, lost int) {
	b.Helper()
	h := newMill(b, "5m")
	took, opened := h.take(b, intakeEvents)
	h.kill()
	return float64(opened) / took.Seconds(), intakeEvents - opened
}

// memoryOfWatches is the resident memory of a daemon with many watches that are
// being looked at, in bytes.
func memoryOfWatches(b *testing.B) int64 {
	b.Helper()
	h := newMill(b, "5s")
	h.take(b, intakeWatches)
	journal, err := h.conn.Journal(b.Context())
	if err != nil {
		b.Fatal(err)
	}
	looked := 0
	within(b, 5*time.Minute, "every watch has been looked at", func() bool {
		entries, err := all(b.Context(), h.conn, journal)
		if err != nil {
			b.Fatal(err)
		}
		looked = 0
		for _, e := range entries {
			if e.Kind == watcher.Verdicts {
				looked++
			}
		}
		return looked >= intakeWatches
	})
	resident := residentOf(b, h.cmd.Process.Pid)
	h.kill()
	return resident
}

// residentOf returns the memory that a process has resident now, in bytes.
func residentOf(t testing.TB, pid int) (resident int64) {
	t.Helper()
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return 0
	}
	for line := range strings.Lines(string(text)) {
		if _, err := fmt.Sscanf(line, "VmRSS: %d kB", &resident); err == nil {
			return resident << 10
		}
	}
	return 0
}

// verdict is what one look at one rule costs the core, in nanoseconds: judging what
// came, and ruling on it.
func verdict(b *testing.B) float64 {
	b.Helper()
	folder := b.TempDir()
	furnish(b, folder, "15s")
	daemon, problems := configs.Load(filepath.Join(folder, "bakewatch.toml"), catalog())
	if daemon == nil {
		b.Fatal(problems)
	}
	plan, ok := configs.LoadSet(b.Context(), daemon, catalog(), configs.Set{}, nil).Plan("intake", "production")
	if !ok {
		b.Fatal("the plan cannot be used")
	}
	built, err := catalog().Build(plan)
	if err != nil {
		b.Fatal(err)
	}
	d := finished("intake", "1.0.0")
	lane := watcher.Lane{ID: d.Lane()}
	apply := func(in watcher.Input) {
		for e, ok := lane.Next(in); ok; e, ok = lane.Next(in) {
			e.Seq = lane.Last + 1
			lane = lane.Apply(e)
		}
	}
	apply(watcher.Input{Now: d.At, Event: &watcher.Announced{Deployment: d, Plan: &plan}})
	var evidences []rules.Evidence
	var results [][]rules.Result
	for _, rule := range built {
		evidences = append(evidences, rule.Begin(d))
		result := make([]rules.Result, len(rule.Queries(d)))
		for i := range result { // a sample as it comes: one number
			result[i].Samples = []rules.Sample{{Value: 0.5}}
		}
		results = append(results, result)
	}
	began := time.Now()
	for i := range intakeLooks {
		at := d.At.Add(time.Duration(i) * time.Second / 10)
		look := watcher.Look{Watch: lane.Watch.Seq}
		for j, evidence := range evidences {
			answer := evidence.See(at, results[j])
			answer.Rule, answer.At = plan.Rules[j].Name, at
			look.Answers = append(look.Answers, answer)
		}
		apply(watcher.Input{Now: at, Look: &look})
	}
	return float64(time.Since(began).Nanoseconds()) / float64(intakeLooks*len(evidences))
}
