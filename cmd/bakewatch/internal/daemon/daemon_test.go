package daemon

import (
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/bakewatch/bakewatch/configs"
	"github.com/bakewatch/bakewatch/integrations/log"
	"github.com/bakewatch/bakewatch/integrations/nats"
	"github.com/bakewatch/bakewatch/rules"
	"github.com/bakewatch/bakewatch/rules/kinds"
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
