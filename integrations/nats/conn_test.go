package nats_test

import (
	"bytes"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/bakewatch/bakewatch/integrations/nats"
	"github.com/bakewatch/bakewatch/watcher"
)

func TestASecondProcessOnTheSameStoreIsRefusedAndTheHolderNamed(t *testing.T) {
	store := t.TempDir()
	connect(t, store)
	_, err := nats.Connect(t.Context(), nats.Config{Store: store})
	var held *nats.HeldError
	if !errors.As(err, &held) {
		t.Fatalf("got %v, want a HeldError", err)
	}
	if held.PID != os.Getpid() || held.Since.IsZero() || !strings.Contains(err.Error(), fmt.Sprint(os.Getpid())) {
		t.Errorf("the holder is not named: %v", err)
	}
}

func TestARestartedServerKeepsAllThatWasAcknowledged(t *testing.T) {
	store := t.TempDir()
	first := connect(t, store)
	written := write(t, journal(t, first), checkout, 0, watcher.Opened, watcher.Ruled, watcher.Decided)
	closeConn(t, first)

	again := journal(t, connect(t, store))
	got, err := again.Read(t.Context(), checkout)
	if err != nil || len(got) != len(written) {
		t.Fatalf("read %d of %d entries: %v", len(got), len(written), err)
	}
	for i := range got {
		if got[i].Seq != written[i].Seq || got[i].Hash != written[i].Hash || got[i].Nonce != written[i].Nonce {
			t.Errorf("entry %d differs: %+v, was %+v", i, got[i], written[i])
		}
	}
	t.Run("and goes on with the chain", func(t *testing.T) {
		write(t, again, checkout, got[2].Seq, watcher.Closed)
		if v, err := again.Verify(t.Context(), nil); err != nil || len(v.Flaws) > 0 || v.Entries != 4 {
			t.Errorf("verify: %+v, %v", v, err)
		}
	})
}

func TestARestartLeavesStreamsThatAreAsTheyShouldBeAlone(t *testing.T) {
	var log bytes.Buffer
	cfg := nats.Config{Store: t.TempDir(), Log: slog.New(slog.NewTextHandler(&log, nil))}
	for range 2 {
		conn, err := nats.Connect(t.Context(), cfg)
		if err != nil {
			t.Fatal(err)
		}
		closeConn(t, conn)
	}
	if strings.Contains(log.String(), "brought up to date") {
		t.Errorf("streams were changed:\n%s", &log)
	}
}

func TestTheCommandLineFindsAndEntersTheDaemonByItsStore(t *testing.T) {
	store := t.TempDir()
	conn := connect(t, store)
	cfg, err := nats.LocalConfig(store)
	if err != nil {
		t.Fatal(err)
	}
	local, err := nats.Dial(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	defer closeConn(t, local)
	write(t, journal(t, local), checkout, 0, watcher.Opened)

	t.Run("whose key nobody else can read", func(t *testing.T) {
		for _, name := range []string{"nats.nk", "nats.json", "bakewatch.lock"} {
			info, err := os.Stat(filepath.Join(store, name))
			if err != nil || info.Mode().Perm() != 0o600 {
				t.Errorf("%s: mode %v, %v", name, info.Mode(), err)
			}
		}
	})
	t.Run("and nobody enters without it", func(t *testing.T) {
		if _, err := nats.Dial(t.Context(), nats.Config{URL: cfg.URL}); err == nil {
			t.Error("a connection without the key was let in")
		}
	})
	t.Run("and is told when none runs", func(t *testing.T) {
		closeConn(t, conn)
		if _, err := nats.LocalConfig(store); !errors.Is(err, nats.ErrNoDaemon) {
			t.Errorf("got %v, want ErrNoDaemon", err)
		}
	})
}

func TestAConfigurationThatSaysTooLittleOrTooMuchIsRefused(t *testing.T) {
	for name, cfg := range map[string]nats.Config{
		"neither store nor url":         {},
		"both store and url":            {Store: t.TempDir(), URL: "nats://127.0.0.1:1"},
		"credentials and an nkey":       {URL: "nats://127.0.0.1:1", CredsFile: "a", NKeyFile: "b"},
		"a certificate without its key": {URL: "nats://127.0.0.1:1", TLS: nats.TLS{Cert: "a"}},
		"our journal as event stream":   {Store: t.TempDir(), Stream: nats.StreamJournal},
		"a listen address without port": {Store: t.TempDir(), Listen: "127.0.0.1"},
		"a key file that is not there":  {URL: "nats://127.0.0.1:1", NKeyFile: "/nowhere"},
	} {
		t.Run(name, func(t *testing.T) {
			if conn, err := nats.Connect(t.Context(), cfg); err == nil {
				closeConn(t, conn)
				t.Error("it was accepted")
			}
		})
	}
	t.Run("and an unreachable server is named without its password", func(t *testing.T) {
		_, err := nats.Connect(t.Context(), nats.Config{URL: "nats://ana:sesame@127.0.0.1:1"})
		if err == nil || strings.Contains(err.Error(), "sesame") || !strings.Contains(err.Error(), "127.0.0.1:1") {
			t.Errorf("got %v", err)
		}
	})
}

func TestStreamsOfAnExternalServerBelongToItsOperator(t *testing.T) {
	s := external(t, server.Options{})
	cfg := nats.Config{URL: s.ClientURL(), Log: quiet()}
	t.Run("they are not created unasked", func(t *testing.T) {
		_, err := nats.Connect(t.Context(), cfg)
		for _, want := range []string{"DEPLOYMENTS", "BAKEWATCH_JOURNAL", "BAKEWATCH_FACTS", "BAKEWATCH_DEAD", "create_streams = true"} {
			if err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("the error does not speak of %s: %v", want, err)
			}
		}
	})
	operator, err := nats.Dial(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	defer closeConn(t, operator)
	js := operator.JetStream()
	ensure := func(c jetstream.StreamConfig) {
		t.Helper()
		if _, err := js.CreateOrUpdateStream(t.Context(), c); err != nil {
			t.Fatal(err)
		}
	}
	ensure(jetstream.StreamConfig{Name: "CI", Subjects: []string{"deployments.>", "dev.cdevents.>"}})
	creating := cfg
	creating.CreateStreams = true
	t.Run("and one that has our subjects is pointed to", func(t *testing.T) {
		_, err := nats.Connect(t.Context(), creating)
		if err == nil || !strings.Contains(err.Error(), `stream = "CI"`) {
			t.Errorf("got %v", err)
		}
	})
	creating.Stream, cfg.Stream = "CI", "CI"
	t.Run("and are created when asked", func(t *testing.T) {
		conn, err := nats.Connect(t.Context(), creating)
		if err != nil {
			t.Fatal(err)
		}
		closeConn(t, conn)
		again, err := nats.Connect(t.Context(), cfg)
		if err != nil {
			t.Fatalf("they are not found as they were made: %v", err)
		}
		closeConn(t, again)
	})
	t.Run("and refused where they could lose what counts", func(t *testing.T) {
		facts, err := js.Stream(t.Context(), nats.StreamFacts)
		if err != nil {
			t.Fatal(err)
		}
		changed := facts.CachedInfo().Config
		changed.MaxMsgsPerSubject, changed.AllowDirect = 5, true
		ensure(changed)
		_, err = nats.Connect(t.Context(), cfg)
		if err == nil || !strings.Contains(err.Error(), "max_msgs_per_subject") || !strings.Contains(err.Error(), "allow_direct") {
			t.Errorf("got %v", err)
		}
		conn, err := nats.Connect(t.Context(), creating)
		if err != nil {
			t.Fatalf("it is not brought back when asked: %v", err)
		}
		closeConn(t, conn)
	})
	t.Run("and an event stream that lacks a subject is refused", func(t *testing.T) {
		other := cfg
		other.Subjects = []string{"ci.deployed"}
		_, err := nats.Connect(t.Context(), other)
		if err == nil || !strings.Contains(err.Error(), "ci.deployed") {
			t.Errorf("got %v", err)
		}
	})
}

func TestAConnectionIsReadyOnlyWhileItsServerIsThere(t *testing.T) {
	s := external(t, server.Options{})
	conn := connectWith(t, nats.Config{URL: s.ClientURL(), CreateStreams: true})
	if err := conn.Ready(); err != nil {
		t.Fatalf("not ready: %v", err)
	}
	s.Shutdown()
	eventually(t, "not ready", func() bool { return conn.Ready() != nil })
	s.WaitForShutdown()
}
