package nats_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	client "github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/bakewatch/bakewatch/actions"
	"github.com/bakewatch/bakewatch/integrations/nats"
	"github.com/bakewatch/bakewatch/watcher"
)

var hurried = nats.IntakeConfig{Backoff: 60 * time.Millisecond, MaxBackoff: 200 * time.Millisecond}

// seen collects what a handler was given.
type seen struct {
	mu  sync.Mutex
	all []string
}

func (s *seen) add(what string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.all = append(s.all, what)
}

func (s *seen) list() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.all)
}

// unsettled asks the server how many events are neither acknowledged nor given up.
func unsettled(t testing.TB, conn *nats.Conn) uint64 {
	t.Helper()
	consumer, err := conn.JetStream().Consumer(t.Context(), nats.StreamDeployments, "bakewatch")
	if errors.Is(err, jetstream.ErrConsumerNotFound) {
		return 1
	}
	if err != nil {
		t.Fatal(err)
	}
	info := consumer.CachedInfo()
	if info.Delivered.Consumer == 0 {
		return 1 // it has only begun, and may not have counted yet
	}
	return info.NumPending + uint64(info.NumAckPending)
}

func TestEventsOfOneSubjectAreTakenInOrderAndOnceWhenAllIsWell(t *testing.T) {
	conn := connect(t, t.TempDir())
	const events, subjects = 200, 7
	want := map[string][]string{}
	for i := range events {
		subject := fmt.Sprintf("deployments.production.s%d", i%subjects)
		publish(t, conn, subject, fmt.Append(nil, i), client.Header{"Who": {"ci"}})
		want[subject] = append(want[subject], fmt.Sprint(i))
	}
	var mu sync.Mutex
	got := map[string][]string{}
	running(t, func(ctx context.Context) error {
		return conn.Intake(hurried).Run(ctx, func(_ context.Context, in nats.Incoming) error {
			mu.Lock()
			defer mu.Unlock()
			got[in.Subject] = append(got[in.Subject], string(in.Data))
			if in.Headers.Get("Who") != "ci" || in.Seq == 0 || in.At.IsZero() || in.Try != 1 {
				t.Errorf("incomplete: %+v", in)
			}
			return nil
		})
	})
	eventually(t, "all events are acknowledged", func() bool { return unsettled(t, conn) == 0 })
	mu.Lock()
	defer mu.Unlock()
	for subject := range want {
		if !slices.Equal(got[subject], want[subject]) {
			t.Errorf("%s: %v, want %v", subject, got[subject], want[subject])
		}
	}
}

func TestAnEventThatFailsComesAgainBeforeThoseBehindIt(t *testing.T) {
	conn := connect(t, t.TempDir())
	for _, event := range []string{"a", "b", "c"} {
		publish(t, conn, "deployments.x", []byte(event), nil)
	}
	publish(t, conn, "deployments.y", []byte("other"), nil)
	var s seen
	failed := false
	resting := make(chan struct{})
	slow := nats.IntakeConfig{Backoff: 300 * time.Millisecond}
	running(t, func(ctx context.Context) error {
		return conn.Intake(slow).Run(ctx, func(_ context.Context, in nats.Incoming) error {
			s.mu.Lock()
			defer s.mu.Unlock()
			if string(in.Data) == "a" && !failed {
				failed = true
				time.AfterFunc(0, func() { close(resting) })
				return errors.New("not now")
			}
			s.all = append(s.all, string(in.Data))
			return nil
		})
	})
	receive(t, "the failure", resting)
	eventually(t, "all events are acknowledged", func() bool { return unsettled(t, conn) == 0 })
	got := slices.DeleteFunc(s.list(), func(e string) bool { return e == "other" })
	if !slices.Equal(got, []string{"a", "b", "c"}) {
		t.Errorf("taken as %v", got)
	}
}

func TestPoisonousEventsAreSetAsideWithTheirReason(t *testing.T) {
	conn := connect(t, t.TempDir())
	huge := bytes.Repeat([]byte("x"), nats.EmbeddedMaxPayload-4096)
	seq := publish(t, conn, "deployments.bad", []byte("not json"), client.Header{"X-From": {"ci"}, "Nats-Expected-Stream": {nats.StreamDeployments}})
	publish(t, conn, "deployments.panic", []byte("panic"), nil)
	publish(t, conn, "deployments.huge", huge, nil)
	publish(t, conn, "deployments.good", []byte("good"), nil)
	var s seen
	running(t, func(ctx context.Context) error {
		return conn.Intake(hurried).Run(ctx, func(_ context.Context, in nats.Incoming) error {
			s.add(in.Subject)
			switch in.Subject {
			case "deployments.bad", "deployments.huge":
				return actions.Permanent(errors.New("line 1:\nno JSON"))
			case "deployments.panic":
				panic("oh")
			}
			return nil
		})
	})
	eventually(t, "all events are settled", func() bool { return unsettled(t, conn) == 0 })
	letters := dead(t, conn)
	if len(letters) != 3 {
		t.Fatalf("%d dead letters", len(letters))
	}
	t.Run("a bad one at once, with what it came with", func(t *testing.T) {
		letter := letters["deployments.bad"]
		if letter.Header.Get(nats.HeaderReason) != "line 1: no JSON" || letter.Header.Get(nats.HeaderSequence) != fmt.Sprint(seq) ||
			string(letter.Data) != "not json" || letter.Header.Get("X-From") != "ci" {
			t.Errorf("%v %q", letter.Header, letter.Data)
		}
	})
	t.Run("one that makes its handler panic at the third time", func(t *testing.T) {
		tries := 0
		for _, subject := range s.list() {
			if subject == "deployments.panic" {
				tries++
			}
		}
		if reason := letters["deployments.panic"].Header.Get(nats.HeaderReason); tries != 3 || !strings.Contains(reason, "oh") {
			t.Errorf("after %d tries: %q", tries, reason)
		}
	})
	t.Run("a huge one cut short, which is noted", func(t *testing.T) {
		letter := letters["deployments.huge"]
		if len(letter.Data) >= len(huge) || letter.Header.Get(nats.HeaderTruncated) == "" {
			t.Errorf("%d of %d bytes, %q", len(letter.Data), len(huge), letter.Header.Get(nats.HeaderTruncated))
		}
	})
}

func dead(t testing.TB, conn *nats.Conn) map[string]*jetstream.RawStreamMsg {
	t.Helper()
	stream, err := conn.JetStream().Stream(t.Context(), nats.StreamDead)
	if err != nil {
		t.Fatal(err)
	}
	letters := map[string]*jetstream.RawStreamMsg{}
	for seq := uint64(1); seq <= stream.CachedInfo().State.LastSeq; seq++ {
		msg, err := stream.GetMsg(t.Context(), seq)
		if err != nil {
			t.Fatal(err)
		}
		letters[msg.Header.Get(nats.HeaderSubject)] = msg
	}
	return letters
}

func TestAnIntakeThatStopsHandsBackAndLosesNothing(t *testing.T) {
	nearby := external(t, server.Options{})
	conn := connectWith(t, nats.Config{URL: nearby.ClientURL(), CreateStreams: true})
	const events = 60
	for i := range events {
		publish(t, conn, fmt.Sprintf("deployments.s%d", i%5), fmt.Append(nil, i), nil)
	}
	var s seen
	several := make(chan struct{})
	stop := running(t, func(ctx context.Context) error {
		return conn.Intake(hurried).Run(ctx, func(_ context.Context, in nats.Incoming) error {
			s.add(string(in.Data))
			if len(s.list()) == 10 {
				close(several)
			}
			return nil
		})
	})
	receive(t, "several events", several)
	stop()
	closeConn(t, conn)

	conn = connectWith(t, nats.Config{URL: nearby.ClientURL()})
	running(t, func(ctx context.Context) error {
		return conn.Intake(hurried).Run(ctx, func(_ context.Context, in nats.Incoming) error {
			s.add(string(in.Data))
			return nil
		})
	})
	eventually(t, "all events are acknowledged", func() bool { return unsettled(t, conn) == 0 })
	got := s.list()
	slices.Sort(got)
	if got = slices.Compact(got); len(got) != events {
		t.Errorf("%d of %d events were taken", len(got), events)
	}
}

func TestADeadChannelHoldsUpNoOther(t *testing.T) {
	conn := connect(t, t.TempDir())
	j := journal(t, conn)
	early := write(t, j, checkout, 0, watcher.Opened)[0] // before the channels were there

	var good, bad, panicking, gaveUp seen
	kinds := []watcher.Kind{watcher.Opened, watcher.Ruled}
	d, err := conn.Deliveries(t.Context(), nats.DeliveriesConfig{Tries: 3, Backoff: 10 * time.Millisecond},
		nats.Channel{Name: "good", Kinds: kinds, Deliver: func(_ context.Context, e watcher.Entry, history []watcher.Entry, try int) error {
			good.add(fmt.Sprint(e.Kind, try, kindsOf(history)))
			return nil
		}},
		nats.Channel{
			Name: "bad", Kinds: kinds,
			Deliver: func(_ context.Context, _ watcher.Entry, _ []watcher.Entry, try int) error {
				bad.add(fmt.Sprint(try))
				return actions.Retryable(errors.New("503"))
			},
			GaveUp: func(_ context.Context, e watcher.Entry, err error) { gaveUp.add(fmt.Sprint(e.Kind, err)) },
		},
		nats.Channel{
			Name: "permanently.wrong *", Kinds: kinds,
			Deliver: func(context.Context, watcher.Entry, []watcher.Entry, int) error {
				panicking.add("x")
				return actions.Permanent(errors.New("404"))
			},
			GaveUp: func(context.Context, watcher.Entry, error) { panic("even here") },
		},
		nats.Channel{Name: "panics", Kinds: kinds, Deliver: func(_ context.Context, e watcher.Entry, _ []watcher.Entry, try int) error {
			if try == 1 {
				panic("oh")
			}
			panicking.add("recovered")
			return nil
		}},
	)
	if err != nil {
		t.Fatal(err)
	}
	running(t, d.Run)
	closed := write(t, j, checkout, early.Seq, watcher.Closed)[0] // nobody asked for it
	opened := write(t, j, checkout, closed.Seq, watcher.Opened)[0]

	eventually(t, "the good channel was told", func() bool { return len(good.list()) > 0 })
	eventually(t, "the bad channel was given up", func() bool { return len(gaveUp.list()) > 0 })
	eventually(t, "the others were tried", func() bool { return len(panicking.list()) == 2 })
	ruled := entry(checkout, watcher.Ruled, opened.Seq)
	ruled.Watch = opened.Seq
	if _, err := j.Append(t.Context(), ruled); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the good channel was told again", func() bool { return len(good.list()) > 1 })
	if got, want := fmt.Sprint(good.list()), "[opened1[opened] ruled1[opened ruled]]"; got != want {
		t.Errorf("the good channel was told %s, want %s", got, want)
	}
	if got := fmt.Sprint(bad.list()[:3]); got != "[1 2 3]" {
		t.Errorf("the bad channel was tried %s", got)
	}
	if got := gaveUp.list()[0]; got != "opened503" {
		t.Errorf("given up: %s", got)
	}
}

func TestAKnownChannelGoesOnWhereItStopped(t *testing.T) {
	store := t.TempDir()
	conn := connect(t, store)
	var s seen
	channel := nats.Channel{
		Name: "chat", Kinds: []watcher.Kind{watcher.Opened, watcher.Closed},
		Deliver: func(_ context.Context, e watcher.Entry, _ []watcher.Entry, _ int) error {
			s.add(string(e.Kind))
			return nil
		},
	}
	open := func() *nats.Deliveries {
		d, err := conn.Deliveries(t.Context(), nats.DeliveriesConfig{}, channel)
		if err != nil {
			t.Fatal(err)
		}
		return d
	}
	d := open()
	written := write(t, journal(t, conn), checkout, 0, watcher.Opened)
	stop := running(t, d.Run)
	eventually(t, "the first entry was told", func() bool { return len(s.list()) == 1 })
	stop()
	write(t, journal(t, conn), checkout, written[0].Seq, watcher.Closed)
	closeConn(t, conn)

	conn = connect(t, store)
	running(t, open().Run)
	eventually(t, "the second entry was told", func() bool { return len(s.list()) == 2 })
	if got := fmt.Sprint(s.list()); got != "[opened closed]" {
		t.Errorf("told %s", got)
	}
}
