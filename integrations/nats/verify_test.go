package nats_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/bakewatch/bakewatch/integrations/nats"
	"github.com/bakewatch/bakewatch/rules"
	"github.com/bakewatch/bakewatch/watcher"
)

var search = rules.LaneID{Environment: "production", Service: "search"}

// tampered returns a journal that its operator can delete from.
func tampered(t *testing.T) (*nats.Journal, jetstream.Stream) {
	t.Helper()
	s := external(t, server.Options{})
	cfg := nats.Config{URL: s.ClientURL(), Log: quiet()}
	operator, err := nats.Dial(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	defer closeConn(t, operator)
	js := operator.JetStream()
	for _, stream := range []jetstream.StreamConfig{
		{Name: nats.StreamDeployments, Subjects: nats.DefaultSubjects()},
		{Name: nats.StreamJournal, Subjects: []string{"bakewatch.journal.>"}},
		{Name: nats.StreamFacts, Subjects: []string{"bakewatch.fact.>"}, MaxMsgsPerSubject: 1, AllowMsgTTL: true},
		{Name: nats.StreamDead, Subjects: []string{"bakewatch.dead.>"}},
	} {
		if _, err := js.CreateStream(t.Context(), stream); err != nil {
			t.Fatal(err)
		}
	}
	conn := connectWith(t, cfg)
	stream, err := conn.JetStream().Stream(t.Context(), nats.StreamJournal)
	if err != nil {
		t.Fatal(err)
	}
	return journal(t, conn), stream
}

func TestVerifyFindsWhatWasDoneToTheJournal(t *testing.T) {
	cases := map[string]struct {
		tamper func(t *testing.T, j *nats.Journal, stream jetstream.Stream)
		want   string // part of the only flaws; empty: none
	}{
		"nothing at all": {func(*testing.T, *nats.Journal, jetstream.Stream) {}, ""},
		"a start that aged away is no flaw": {func(t *testing.T, _ *nats.Journal, stream jetstream.Stream) {
			if err := stream.Purge(t.Context(), jetstream.WithPurgeSequence(4)); err != nil {
				t.Fatal(err)
			}
		}, ""},
		"an entry was deleted": {func(t *testing.T, _ *nats.Journal, stream jetstream.Stream) {
			if err := stream.DeleteMsg(t.Context(), 3); err != nil {
				t.Fatal(err)
			}
		}, "entry 3: was deleted; entry 5 (production/checkout): does not follow entry 1"},
		"an entry was forged": {func(t *testing.T, j *nats.Journal, _ jetstream.Stream) {
			forged := entry(checkout, watcher.Voted, 5)
			forged.Prev = strings.Repeat("0", 64)
			if _, err := j.Append(t.Context(), forged); err != nil {
				t.Fatal(err)
			}
		}, "entry 7 (production/checkout): does not follow entry 5"},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			j, stream := tampered(t)
			a := write(t, j, checkout, 0, watcher.Opened)      // 1
			b := write(t, j, search, 0, watcher.Opened)        // 2
			a = write(t, j, checkout, a[0].Seq, watcher.Ruled) // 3
			b = write(t, j, search, b[0].Seq, watcher.Closed)  // 4
			write(t, j, checkout, a[0].Seq, watcher.Closed)    // 5
			write(t, j, search, b[0].Seq, watcher.Told)        // 6
			c.tamper(t, j, stream)
			v, err := j.Verify(t.Context(), nil)
			if err != nil {
				t.Fatal(err)
			}
			var said []string
			for _, f := range v.Flaws {
				said = append(said, f.String())
			}
			got := strings.Join(said, "; ")
			if (c.want == "") != (got == "") || !strings.Contains(got, c.want) {
				t.Errorf("flaws %q, want %q", got, c.want)
			}
		})
	}
	t.Run("an empty journal is whole", func(t *testing.T) {
		if v, err := journal(t, connect(t, t.TempDir())).Verify(t.Context(), nil); err != nil || v.Entries != 0 || len(v.Flaws) > 0 {
			t.Errorf("%+v, %v", v, err)
		}
	})
}

func TestOneDamagedLaneKeepsNoOtherFromBeingLoaded(t *testing.T) {
	conn := connect(t, t.TempDir())
	j := journal(t, conn)
	write(t, j, checkout, 0, watcher.Opened)
	write(t, j, search, 0, watcher.Opened)
	stream, err := conn.JetStream().Stream(t.Context(), nats.StreamJournal)
	if err != nil {
		t.Fatal(err)
	}
	first, err := stream.GetMsg(t.Context(), 1)
	if err != nil {
		t.Fatal(err)
	}
	subject := strings.TrimSuffix(first.Subject, "opened") + "ruled"
	damaged := publish(t, conn, subject, []byte(`{"kind":`), nil)

	var loaded []rules.LaneID
	err = j.Load(t.Context(), func(lane rules.LaneID, _ []watcher.Entry) error {
		loaded = append(loaded, lane)
		return nil
	})
	var damage *nats.DamagedError
	if !errors.As(err, &damage) || damage.Seq != damaged {
		t.Errorf("the damage is not reported: %v", err)
	}
	if len(loaded) != 1 || loaded[0] != search {
		t.Errorf("loaded %v, want the lane of search alone", loaded)
	}
	if _, err := j.Read(t.Context(), checkout); !errors.As(err, &damage) {
		t.Errorf("reading the damaged lane: %v", err)
	}
}

func TestLoadFindsManyLanesWhereverTheyLie(t *testing.T) {
	j := journal(t, connect(t, t.TempDir()))
	const lanes = 600 // more than two chunks
	want := map[rules.LaneID]string{}
	var wg sync.WaitGroup
	var mu sync.Mutex
	few := make(chan struct{}, 8)
	for i := range lanes {
		few <- struct{}{}
		wg.Go(func() {
			defer func() { <-few }()
			lane := rules.LaneID{Environment: "production", Service: fmt.Sprint("service ", i)}
			kinds := []watcher.Kind{watcher.Opened, watcher.Closed, watcher.Told}
			if i%3 == 0 {
				kinds = append(kinds, watcher.Opened, watcher.Ruled)
			}
			write(t, j, lane, 0, kinds...)
			mu.Lock()
			defer mu.Unlock()
			want[lane] = "[closed told]"
			if i%3 == 0 {
				want[lane] = "[opened ruled]"
			}
		})
	}
	wg.Wait()
	err := j.Load(t.Context(), func(lane rules.LaneID, entries []watcher.Entry) error {
		if got := kindsOf(entries); got != want[lane] {
			t.Errorf("%s: %s, want %s", lane, got, want[lane])
		}
		delete(want, lane)
		return nil
	})
	if err != nil || len(want) > 0 {
		t.Errorf("%d lanes were not loaded: %v", len(want), err)
	}
}

func TestTailTellsWhatIsWrittenInOrder(t *testing.T) {
	j := journal(t, connect(t, t.TempDir()))
	before := write(t, j, checkout, 0, watcher.Opened)[0]
	for name, from := range map[string]uint64{"from the first": 1, "from now on": 0} {
		t.Run(name, func(t *testing.T) {
			lane := rules.LaneID{Environment: "production", Service: name}
			heard := make(chan watcher.Entry, 100)
			running(t, func(ctx context.Context) error {
				return j.Tail(ctx, from, func(e watcher.Entry) error { heard <- e; return nil })
			})
			if from == 1 {
				if e := receive(t, "the first entry", heard); e.Seq != before.Seq || e.Hash != before.Hash {
					t.Errorf("heard %+v first", e)
				}
			}
			after := uint64(0)
			var last uint64
			eventually(t, "an entry is heard", func() bool {
				after = write(t, j, lane, after, watcher.Noted)[0].Seq
				for len(heard) > 0 {
					e := <-heard
					if e.Seq <= last || from == 0 && e.Seq <= before.Seq {
						t.Errorf("heard %d after %d", e.Seq, last)
					}
					last = e.Seq
				}
				return last > before.Seq
			})
		})
	}
}

func TestReadingLeavesNothingBehindOnTheServer(t *testing.T) {
	conn := connect(t, t.TempDir())
	j, f := journal(t, conn), facts(t, conn)
	e := write(t, j, checkout, 0, watcher.Opened)[0]
	if err := f.Put(t.Context(), nats.FactPlan, "checkout", nil); err != nil {
		t.Fatal(err)
	}
	stop := running(t, func(ctx context.Context) error {
		return j.Tail(ctx, 0, func(watcher.Entry) error { return nil })
	})
	_, readErr := j.Read(t.Context(), checkout)
	_, historyErr := j.History(t.Context(), checkout, e.Seq, e.Seq)
	_, verifyErr := j.Verify(t.Context(), nil)
	_, listErr := f.List(t.Context(), nats.FactPlan)
	loadErr := j.Load(t.Context(), func(rules.LaneID, []watcher.Entry) error { return nil })
	stop()
	if err := errors.Join(readErr, historyErr, verifyErr, listErr, loadErr); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{nats.StreamJournal, nats.StreamFacts} {
		stream, err := conn.JetStream().Stream(t.Context(), name)
		if err != nil {
			t.Fatal(err)
		}
		if n := stream.CachedInfo().State.Consumers; n != 0 {
			t.Errorf("%d consumers are left on %s", n, name)
		}
	}
}

func TestHistoryIsTheWatchUpToTheEntry(t *testing.T) {
	j := journal(t, connect(t, t.TempDir()))
	noted := write(t, j, checkout, 0, watcher.Noted)[0]
	opened := write(t, j, checkout, noted.Seq, watcher.Opened)[0]
	watch, after := opened.Seq, opened.Seq
	for _, kind := range []watcher.Kind{watcher.Ruled, watcher.Decided, watcher.Closed} {
		e := entry(checkout, kind, after)
		e.Watch = watch
		e, err := j.Append(t.Context(), e)
		if err != nil {
			t.Fatal(err)
		}
		after = e.Seq
	}
	for name, c := range map[string]struct {
		watch, upTo uint64
		want        string
	}{
		"of an opened is itself":      {watch, watch, "[opened]"},
		"of an entry ends with it":    {watch, watch + 2, "[opened ruled decided]"},
		"without a watch is the note": {0, noted.Seq, "[noted]"},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := j.History(t.Context(), checkout, c.watch, c.upTo)
			if err != nil || kindsOf(got) != c.want {
				t.Errorf("got %s, want %s: %v", kindsOf(got), c.want, err)
			}
		})
	}
}

func TestWhatWasWrittenSinceAnEntryIsAllOfTheLane(t *testing.T) {
	j := journal(t, connect(t, t.TempDir()))
	seq := write(t, j, checkout, 0, watcher.Opened, watcher.Closed, watcher.Told, watcher.Opened)[1].Seq
	write(t, j, rules.LaneID{Service: "other", Environment: "test"}, 0, watcher.Opened)
	for from, want := range map[uint64]string{1: "[opened closed told opened]", seq: "[closed told opened]", seq + 100: "[]"} {
		got, err := j.Since(t.Context(), checkout, from)
		if err != nil || kindsOf(got) != want {
			t.Errorf("since %d: got %s, want %s: %v", from, kindsOf(got), want, err)
		}
	}
}
