package nats_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"testing"
	"time"

	"github.com/bakewatch/bakewatch/integrations/nats"
	"github.com/bakewatch/bakewatch/rules"
	"github.com/bakewatch/bakewatch/watcher"
)

var checkout = rules.LaneID{Environment: "production", Service: "checkout"}

// connect starts an embedded NATS for one test.
func connect(t testing.TB, store string) *nats.Conn {
	t.Helper()
	return connectWith(t, nats.Config{Store: store})
}

func connectWith(t testing.TB, cfg nats.Config) *nats.Conn {
	t.Helper()
	cfg.Log = slog.New(slog.NewTextHandler(testWriter{t}, &slog.HandlerOptions{Level: slog.LevelWarn}))
	conn, err := nats.Connect(t.Context(), cfg)
	if err != nil {
		t.Fatalf("connect: %v", err)
	}
	t.Cleanup(func() { closeConn(t, conn) })
	return conn
}

func closeConn(t testing.TB, conn *nats.Conn) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	if err := conn.Close(ctx); err != nil {
		t.Errorf("close: %v", err)
	}
}

func journal(t testing.TB, conn *nats.Conn) *nats.Journal {
	t.Helper()
	j, err := conn.Journal(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return j
}

// testWriter sends a log to the test; what comes after the test's end is dropped.
type testWriter struct{ t testing.TB }

func (w testWriter) Write(p []byte) (int, error) {
	if w.t.Context().Err() == nil {
		w.t.Log(string(p))
	}
	return len(p), nil
}

func entry(lane rules.LaneID, kind watcher.Kind, after uint64) watcher.Entry {
	return watcher.Entry{Lane: lane, Kind: kind, Seq: after, At: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)}
}

// write appends entries of these kinds to a lane that ends at after.
func write(t testing.TB, j *nats.Journal, lane rules.LaneID, after uint64, kinds ...watcher.Kind) []watcher.Entry {
	t.Helper()
	var written []watcher.Entry
	for _, kind := range kinds {
		e, err := j.Append(t.Context(), entry(lane, kind, after))
		if err != nil {
			t.Fatalf("append %s: %v", kind, err)
		}
		after = e.Seq
		written = append(written, e)
	}
	return written
}

func kindsOf(entries []watcher.Entry) string {
	var kinds []watcher.Kind
	for _, e := range entries {
		kinds = append(kinds, e.Kind)
	}
	return fmt.Sprint(kinds)
}

func TestJournalReadsFromTheLastOpenedOrClosed(t *testing.T) {
	cases := map[string]struct {
		kinds []watcher.Kind
		want  string
	}{
		"an empty lane has no entries":           {nil, "[]"},
		"an open watch is read from its opened":  {[]watcher.Kind{"opened", "closed", "opened", "ruled"}, "[opened ruled]"},
		"a closed watch is read from its closed": {[]watcher.Kind{"opened", "ruled", "closed", "told", "told"}, "[closed told told]"},
		"a lane without a watch is read whole":   {[]watcher.Kind{"noted", "noted"}, "[noted noted]"},
		"a kind of the future is kept":           {[]watcher.Kind{"opened", "foreseen"}, "[opened foreseen]"},
	}
	j := journal(t, connect(t, t.TempDir()))
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			lane := rules.LaneID{Environment: "production", Service: name}
			write(t, j, lane, 0, c.kinds...)
			got, err := j.Read(t.Context(), lane)
			if err != nil {
				t.Fatal(err)
			}
			if kindsOf(got) != c.want {
				t.Errorf("read %s, want %s", kindsOf(got), c.want)
			}
		})
	}
	t.Run("loading finds the same for every lane", func(t *testing.T) {
		seen := 0
		err := j.Load(t.Context(), func(lane rules.LaneID, got []watcher.Entry) error {
			seen++
			if want := cases[lane.Service].want; kindsOf(got) != want {
				t.Errorf("%s: loaded %s, want %s", lane, kindsOf(got), want)
			}
			return nil
		})
		if err != nil || seen != len(cases)-1 {
			t.Errorf("loaded %d lanes: %v", seen, err)
		}
	})
}

func TestJournalRefusesAWriterThatHasNotReadTheLast(t *testing.T) {
	j := journal(t, connect(t, t.TempDir()))
	written := write(t, j, checkout, 0, watcher.Opened, watcher.Ruled)
	for name, after := range map[string]uint64{"an empty lane": 0, "an older entry": written[0].Seq, "an entry to come": 99} {
		t.Run("thinking of "+name, func(t *testing.T) {
			_, err := j.Append(t.Context(), entry(checkout, watcher.Decided, after))
			if !errors.Is(err, watcher.ErrConflict) {
				t.Errorf("got %v, want a conflict", err)
			}
		})
	}
	other := rules.LaneID{Environment: "production", Service: "search"}
	t.Run("but another lane is free", func(t *testing.T) { write(t, j, other, 0, watcher.Opened) })
}

func TestOfManyWritersOfOneLaneExactlyOneWinsEachRound(t *testing.T) {
	conn := connect(t, t.TempDir())
	j := journal(t, conn)
	const rounds, writers = 20, 4
	after := uint64(0)
	for range rounds {
		var mu sync.Mutex
		var won []watcher.Entry
		var wg sync.WaitGroup
		for range writers {
			wg.Go(func() {
				e, err := j.Append(t.Context(), entry(checkout, watcher.Decided, after))
				if errors.Is(err, watcher.ErrConflict) {
					return
				}
				if err != nil {
					t.Errorf("append: %v", err)
					return
				}
				mu.Lock()
				defer mu.Unlock()
				won = append(won, e)
			})
		}
		wg.Wait()
		if len(won) != 1 {
			t.Fatalf("%d writers won", len(won))
		}
		after = won[0].Seq
	}
	if v, err := j.Verify(t.Context(), nil); err != nil || len(v.Flaws) > 0 || v.Entries != rounds {
		t.Errorf("verify: %+v, %v", v, err)
	}
}
