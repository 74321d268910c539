//go:build long

package nats_test

import (
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"

	"github.com/bakewatch/bakewatch/integrations/nats"
	"github.com/bakewatch/bakewatch/watcher"
)

// cluster starts three servers that replicate.
func cluster(t *testing.T) []*server.Server {
	t.Helper()
	start := member(t)
	servers := make([]*server.Server, 3)
	var wait sync.WaitGroup
	for i := range servers {
		wait.Go(func() { servers[i] = start(i) })
	}
	wait.Wait()
	return servers
}

// member returns what starts the i-th of three servers that replicate.
func member(t *testing.T) func(i int) *server.Server {
	t.Helper()
	var ports [3]int
	var routes []*url.URL
	for i := range ports {
		listener, err := net.Listen("tcp", "127.0.0.1:0") //nolint:noctx // closed at once
		if err != nil {
			t.Fatal(err)
		}
		ports[i] = listener.Addr().(*net.TCPAddr).Port
		_ = listener.Close()
		routes = append(routes, &url.URL{Scheme: "nats", Host: fmt.Sprintf("127.0.0.1:%d", ports[i])})
	}
	return func(i int) *server.Server {
		return external(t, server.Options{
			ServerName: fmt.Sprintf("n%d", i), SyncAlways: true, Routes: routes,
			Cluster: server.ClusterOpts{Name: "three", Host: "127.0.0.1", Port: ports[i]},
		})
	}
}

func TestAStartBesideAClusterThatIsStillGatheringWaitsForIt(t *testing.T) {
	start := member(t)
	first := start(0)
	start(1)

	refused := make(chan string, 100)
	connected := make(chan error, 1)
	cfg := nats.Config{
		URL: first.ClientURL(), CreateStreams: true, Replicas: 3, Timeout: time.Second,
		Log: slog.New(slog.NewTextHandler(lines(refused), nil)),
	}
	go func() {
		conn, err := nats.Connect(t.Context(), cfg)
		if err == nil {
			err = conn.Close(t.Context())
		}
		connected <- err
	}()
	for !strings.Contains(receive(t, "a refusal of the stream", refused), "not ready for the stream") {
		continue
	}
	start(2)
	if err := receive(t, "the connection", connected); err != nil {
		t.Errorf("connect: %v", err)
	}
}

// lines hands on what is written to it, and drops what nobody takes.
type lines chan<- string

func (l lines) Write(line []byte) (int, error) {
	select {
	case l <- string(line):
	default:
	}
	return len(line), nil
}

func TestOnAClusterOneOfManyWritersWinsAndALostServerLosesNothing(t *testing.T) {
	servers := cluster(t)
	var all string
	for _, s := range servers {
		all += "," + s.ClientURL()
	}
	var journals []*nats.Journal
	for range 4 {
		conn := connectWith(t, nats.Config{URL: all[1:], CreateStreams: true, Replicas: 3, Timeout: 20 * time.Second})
		journals = append(journals, journal(t, conn))
	}
	const rounds = 60
	written := map[uint64]string{}
	after := uint64(0)
	for round := range rounds {
		if round == rounds/2 {
			stopLeader(t, servers)
		}
		var mu sync.Mutex
		var won []watcher.Entry
		var wait sync.WaitGroup
		for _, j := range journals {
			wait.Go(func() {
				e, err := j.Append(t.Context(), entry(checkout, watcher.Decided, after))
				mu.Lock()
				defer mu.Unlock()
				if err == nil {
					won = append(won, e)
				} else if !errors.Is(err, watcher.ErrConflict) {
					t.Logf("round %d: %v", round, err)
				}
			})
		}
		wait.Wait()
		if len(won) > 1 {
			t.Fatalf("round %d: %d writers won", round, len(won))
		}
		for _, e := range won {
			written[e.Seq] = e.Hash
		}
		entries, err := journals[0].Read(t.Context(), checkout)
		if err != nil {
			t.Fatalf("round %d: %v", round, err)
		}
		if n := len(entries); n > 0 {
			after = entries[n-1].Seq
		}
	}
	entries, err := journals[1].Read(t.Context(), checkout)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		if hash, ok := written[e.Seq]; ok && hash == e.Hash {
			delete(written, e.Seq)
		}
	}
	if len(written) > 0 {
		t.Errorf("%d acknowledged entries are gone", len(written))
	}
	if v, err := journals[2].Verify(t.Context(), nil); err != nil || len(v.Flaws) > 0 {
		t.Errorf("verify: %+v, %v", v, err)
	}
}

func stopLeader(t *testing.T, servers []*server.Server) {
	t.Helper()
	for _, s := range servers {
		if s.JetStreamIsStreamLeader("$G", nats.StreamJournal) {
			s.Shutdown()
			s.WaitForShutdown()
			return
		}
	}
	t.Fatal("the journal has no leader")
}
