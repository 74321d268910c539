package daemon

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus/testutil"

	"github.com/bakewatch/bakewatch/configs"
	"github.com/bakewatch/bakewatch/integrations/log"
	"github.com/bakewatch/bakewatch/integrations/nats"
	"github.com/bakewatch/bakewatch/rules"
	"github.com/bakewatch/bakewatch/rules/kinds"
	"github.com/bakewatch/bakewatch/watcher"
)

// settings are those of a daemon with a store of its own that listens where it is told to.
func settings(t *testing.T, listen string, channels ...rules.Kind) Config {
	t.Helper()
	folder := t.TempDir()
	file := filepath.Join(folder, "bakewatch.toml")
	text := "plans = ['plans/*.toml']\n[nats]\nstore = 'nats'\nlisten = '127.0.0.1:0'\n[prometheus.main]\nurl = 'http://127.0.0.1:9'\n[http]\nlisten = '" + listen + "'\n"
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	loaded, problems := configs.Load(file, configs.Catalog{Rules: kinds.All(), Build: kinds.Build, Channels: channels})
	if loaded == nil {
		t.Fatal(problems)
	}
	return Config{File: file, Daemon: loaded, Replica: "test", Version: "test", Log: slog.New(slog.DiscardHandler)}
}

func TestWhatCannotBeSetUpIsSaidAndTheRestIsUndone(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0") //nolint:noctx // a test's own listener
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	cfg := settings(t, taken.Addr().String())

	d, err := New(t.Context(), cfg)
	if d != nil || err == nil || !strings.Contains(err.Error(), "address already in use") {
		t.Fatalf("daemon %v, error %v", d, err)
	}
	conn, err := nats.Connect(t.Context(), nats.Config{Store: cfg.Daemon.NATS.Store})
	if err != nil {
		t.Fatalf("the store is still held: %v", err)
	}
	if err := conn.Close(t.Context()); err != nil {
		t.Error(err)
	}
}

func TestTheLogIsToldThoughNoFileNamesIt(t *testing.T) {
	d, err := New(t.Context(), settings(t, "127.0.0.1:0", log.Kind()))
	if err != nil {
		t.Fatal(err)
	}
	defer d.close()
	if d.force.Load().channels["log"] == nil {
		t.Errorf("channels that are served: %v", d.force.Load().channels)
	}
}

func TestADaemonWithoutChannelsWaitsForOthersToComeIntoForce(t *testing.T) {
	d, err := New(t.Context(), settings(t, "127.0.0.1:0"))
	if err != nil {
		t.Fatal(err)
	}
	defer d.close()
	channels, err := d.telling(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	returned := make(chan error, 1)
	go func() { returned <- channels.untilOthers(t.Context()) }()
	select {
	case err := <-returned:
		t.Fatalf("returned at once (%v), to be called again and again", err)
	case <-time.After(200 * time.Millisecond):
	}
	close(channels.now.over)
	if err := <-returned; err != nil {
		t.Error(err)
	}
}

// failing cannot be loaded for the first times.
type failing struct {
	watcher.Journal
	left atomic.Int32
}

func (f *failing) Load(ctx context.Context, fold func(rules.LaneID, []watcher.Entry) error) error {
	if f.left.Add(-1) >= 0 {
		return errors.New("journal: load: nats: no response")
	}
	return f.Journal.Load(ctx, fold)
}

func TestADaemonThatCannotReadTheJournalReadsItAgainBeforeItActs(t *testing.T) {
	cfg := settings(t, "127.0.0.1:0", log.Kind())
	cfg.Catalog = configs.Catalog{Rules: kinds.All(), Build: kinds.Build}
	journal := &failing{}
	journal.left.Store(2)
	cfg.Journal = func(j watcher.Journal) watcher.Journal { journal.Journal = j; return journal }
	d, err := New(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- d.Run(ctx) }()
	deadline := time.After(30 * time.Second)
	for testutil.ToFloat64(d.metrics.active) != 1 {
		select {
		case err := <-ended:
			t.Fatalf("it ended: %v", err)
		case <-deadline:
			t.Fatal("it never acts")
		case <-time.After(10 * time.Millisecond):
		}
	}
	if left := journal.left.Load(); left >= 0 {
		t.Errorf("it acts although nothing was read; %d failures were left", left)
	}
	stop()
	if err := <-ended; err != nil {
		t.Error(err)
	}
}

// board is a switchboard over a store of its own, and the file that disarms.
func board(t *testing.T) (s *switchboard, file string) {
	t.Helper()
	conn, err := nats.Connect(t.Context(), nats.Config{Store: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close(context.Background()) })
	facts, err := conn.Facts(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	file = filepath.Join(t.TempDir(), "disarm")
	s = newSwitchboard(facts, file, slog.New(slog.DiscardHandler))
	if err := s.refresh(t.Context()); err != nil {
		t.Fatal(err)
	}
	return s, file
}

func TestTheFileDisarmsAndArmsWhileTheOrdersCannotBeRead(t *testing.T) {
	s, file := board(t)
	if err := s.Disarm(t.Context(), "search", "ben", "migration"); err != nil {
		t.Fatal(err)
	}
	away, cancel := context.WithCancel(t.Context())
	cancel() // from now on no order can be read
	if err := os.WriteFile(file, []byte("NATS is down"), 0o600); err != nil {
		t.Fatal(err)
	}
	reading := make(chan struct{})
	go func() { // the owner asks all the time
		defer close(reading)
		for range 2000 {
			_ = s.disarmed("shop")
		}
	}()
	for range 2000 {
		_ = s.refresh(away)
	}
	<-reading
	if why := s.disarmed("shop"); !strings.Contains(why, "NATS is down") {
		t.Errorf("the file does not disarm: %q", why)
	}
	if err := os.Remove(file); err != nil {
		t.Fatal(err)
	}
	_ = s.refresh(away)
	if s.disarmed("shop") != "" || !strings.Contains(s.disarmed("search"), "migration") {
		t.Errorf("without the file: shop %q, search %q", s.disarmed("shop"), s.disarmed("search"))
	}
}

func TestADisarmThatWasAcknowledgedIsNotTakenBackByALookThatBeganBefore(t *testing.T) {
	s, _ := board(t)
	ctx, stop := context.WithCancel(t.Context())
	looking := make(chan struct{})
	go func() {
		defer close(looking)
		for ctx.Err() == nil {
			_ = s.refresh(ctx)
		}
	}()
	for i := range 50 {
		if err := s.Disarm(t.Context(), "", "ben", "test"); err != nil {
			t.Fatal(err)
		}
		for range 100 {
			if s.disarmed("shop") == "" {
				t.Fatalf("order %d was taken back", i)
			}
			runtime.Gosched()
		}
		if err := s.Arm(t.Context(), "", "ben"); err != nil {
			t.Fatal(err)
		}
	}
	stop()
	<-looking
}
