package main

import (
	"bytes"
	"context"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/bakewatch/bakewatch/integrations/nats"
	"github.com/bakewatch/bakewatch/rules"
	"github.com/bakewatch/bakewatch/watcher"
)

// standIn is a real embedded NATS in a store, with a desk in memory behind it.
type standIn struct {
	*desk
	store string
	conn  *nats.Conn
}

func startDaemon(t *testing.T) *standIn {
	t.Helper()
	d := &standIn{desk: &desk{}, store: t.TempDir()}
	conn, err := nats.Connect(t.Context(), nats.Config{Store: d.store})
	if err != nil {
		t.Fatal(err)
	}
	facts, err := conn.Facts(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	stop, err := conn.ServeDesk(nats.DeskConfig{Desk: d.desk, Facts: facts, Cluster: "main", Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
		defer cancel()
		if err := stop(); err != nil {
			t.Error(err)
		}
		if err := conn.Close(ctx); err != nil {
			t.Error(err)
		}
	})
	d.conn = conn
	return d
}

// bakewatch runs the whole program on the daemon's store.
func (d *standIn) bakewatch(ctx context.Context, args ...string) (code int, stdout, stderr string) {
	var out, err bytes.Buffer
	code = run(ctx, append(args, "--store", d.store), strings.NewReader(""), &out, &err)
	return code, out.String(), err.String()
}

func TestTheProgramSpeaksWithARealDaemon(t *testing.T) {
	d := startDaemon(t)
	question := asked()
	d.watches = []watcher.WatchView{question}
	d.lanes = []watcher.LaneView{{Lane: question.Lane, Live: "2.4.0", Watch: &question}}
	began := time.Now()

	tests := map[string]struct {
		args   []string
		code   int
		stdout string
		stderr string
	}{
		"list":                    {[]string{"list"}, 0, "production/checkout", ""},
		"show":                    {[]string{"show", "checkout"}, 0, "ask, because 5xx is breached", ""},
		"explain":                 {[]string{"explain", "checkout"}, 0, "because 5xx is breached: the least of authority and ceilings", ""},
		"show of nothing":         {[]string{"show", "nobody"}, exitFailed, "", "see bakewatch list"},
		"answer":                  {[]string{"answer", "checkout", "roll-back", "--as", "bea"}, 0, "Roll checkout back?", ""},
		"cancel":                  {[]string{"cancel", "checkout", "--as", "bea"}, 0, "checkout 2.4.0", ""},
		"disarm":                  {[]string{"disarm", "--reason", "moving", "--as", "bea"}, 0, "disarmed everywhere", ""},
		"arm":                     {[]string{"arm", "--as", "bea"}, 0, "armed everywhere", ""},
		"wait while people asked": {[]string{"wait", "checkout", "--until-asked"}, exitAsking, "asking", ""},
		"an empty journal":        {[]string{"journal", "verify"}, 0, "entries: 0, lanes: 0, flaws: 0", ""},
		"rules without a record":  {[]string{"rules", "--output", "json"}, 0, "[]", ""},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			code, stdout, stderr := d.bakewatch(t.Context(), test.args...)
			if code != test.code || !strings.Contains(stdout, test.stdout) || !strings.Contains(stderr, test.stderr) {
				t.Errorf("exit %d, want %d\n%s%s", code, test.code, stdout, stderr)
			}
		})
	}
	if !slices.ContainsFunc(d.made(), func(call string) bool { return strings.HasPrefix(call, "answer checkout 23 roll-back") }) {
		t.Errorf("the vote did not arrive: %q", d.made())
	}

	t.Run("an announced deployment is in the stream of deployments", func(t *testing.T) {
		code, stdout, stderr := d.bakewatch(t.Context(), "announce", "--service", "checkout", "--version", "2.4.1")
		if code != 0 {
			t.Fatalf("exit %d\n%s", code, stderr)
		}
		stream, err := d.conn.JetStream().Stream(t.Context(), "DEPLOYMENTS")
		if err != nil {
			t.Fatal(err)
		}
		msg, err := stream.GetLastMsgForSubject(t.Context(), "deployments.production.checkout")
		if err != nil {
			t.Fatal(err)
		}
		if id := strings.TrimSpace(stdout); id == "" || !strings.Contains(string(msg.Data), id) {
			t.Errorf("stored %s, printed %q", msg.Data, stdout)
		}
	})

	t.Run("tail tells what was written since, and what is written from now on", func(t *testing.T) {
		journal, err := d.conn.Journal(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		first := note(t, journal, watcher.Entry{Text: "the first"})
		ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
		defer cancel()
		told := make(chan watcher.Entry)
		tailed := make(chan error, 1)
		go func() {
			daemon, err := dialNATS(ctx, reach{store: d.store})
			if err != nil {
				tailed <- err
				return
			}
			defer daemon.close()
			tailed <- daemon.tail(ctx, began, func(e watcher.Entry) error { told <- e; return nil })
		}()
		expectEntry(t, told, "the first")
		note(t, journal, watcher.Entry{Text: "the second", Seq: first.Seq})
		expectEntry(t, told, "the second")
		cancel()
		if err := <-tailed; err != nil && ctx.Err() == nil {
			t.Error(err)
		}
	})

	t.Run("what is older than asked for is not told", func(t *testing.T) {
		for since, want := range map[time.Duration]uint64{-time.Hour: 1, time.Hour: 3} {
			if got, err := firstSince(t.Context(), d.conn, time.Now().Add(since)); err != nil || got != want {
				t.Errorf("since %s: sequence %d (%v), want %d", since, got, err, want)
			}
		}
	})

	t.Run("an event that no stream takes is told as not stored", func(t *testing.T) {
		if err := d.conn.JetStream().DeleteStream(t.Context(), "DEPLOYMENTS"); err != nil {
			t.Fatal(err)
		}
		code, _, stderr := d.bakewatch(t.Context(), "announce", "--service", "checkout", "--version", "2.4.1")
		if code != exitFailed || !strings.Contains(stderr, "nothing was stored") || strings.Contains(stderr, "--id") {
			t.Errorf("exit %d\n%s", code, stderr)
		}
	})
}

func TestAStoreWithoutADaemonSaysSo(t *testing.T) {
	d := &standIn{store: t.TempDir()}
	code, _, stderr := d.bakewatch(t.Context(), "list")
	if code != exitFailed || !strings.Contains(stderr, "no bakewatch daemon runs here") || !strings.Contains(stderr, d.store) {
		t.Errorf("exit %d\n%s", code, stderr)
	}
}

func note(t *testing.T, journal *nats.Journal, e watcher.Entry) watcher.Entry {
	t.Helper()
	e.Schema, e.Kind, e.Topic, e.At = watcher.Schema, watcher.Noted, watcher.OlderEvent, time.Now()
	e.Lane = rules.LaneID{Environment: "production", Service: "checkout"}
	written, err := journal.Append(t.Context(), e)
	if err != nil {
		t.Fatal(err)
	}
	return written
}

func expectEntry(t *testing.T, told <-chan watcher.Entry, text string) {
	t.Helper()
	select {
	case e := <-told:
		if e.Text != text {
			t.Errorf("told %q, want %q", e.Text, text)
		}
	case <-time.After(20 * time.Second):
		t.Fatalf("%q is not told", text)
	}
}
