package nats_test

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"

	"github.com/bakewatch/bakewatch/integrations/nats"
)

// short is a lease in a hurry. A TTL counts whole seconds.
var short = nats.Timing{TTL: 2 * time.Second, Renew: 200 * time.Millisecond, GiveUp: time.Second, Look: 50 * time.Millisecond}

func lease(t testing.TB, conn *nats.Conn) *nats.Lease {
	t.Helper()
	l, err := conn.Lease(t.Context(), short)
	if err != nil {
		t.Fatal(err)
	}
	return l
}

// daemon acts under a lease and says so.
type daemon struct {
	began  chan uint64 // epochs
	ended  chan error  // why acting ended
	acting atomic.Bool
}

func newDaemon() *daemon { return &daemon{began: make(chan uint64, 8), ended: make(chan error, 8)} }

func (d *daemon) act(ctx context.Context, epoch uint64) error {
	d.acting.Store(true)
	d.began <- epoch
	<-ctx.Done()
	d.acting.Store(false)
	d.ended <- context.Cause(ctx)
	return ctx.Err()
}

func TestOneDaemonActsAndTheOtherFollowsWhenItStops(t *testing.T) {
	s := external(t, server.Options{})
	one := connectWith(t, nats.Config{Replica: "one", URL: s.ClientURL(), CreateStreams: true})
	two := connectWith(t, nats.Config{Replica: "two", URL: s.ClientURL()})
	first, second := newDaemon(), newDaemon()
	holder := lease(t, one)
	stop := running(t, func(ctx context.Context) error { return holder.Run(ctx, first.act) })
	epoch := receive(t, "the first acts", first.began)
	running(t, func(ctx context.Context) error { return lease(t, two).Run(ctx, second.act) })

	// Longer than the TTL: the lease is renewed while somebody waits for it.
	renewed := time.NewTimer(short.TTL + time.Second)
	defer renewed.Stop()
	select {
	case <-second.began:
		t.Fatal("both act")
	case cause := <-first.ended:
		t.Fatalf("the first stopped: %v", cause)
	case <-renewed.C:
	}
	if tenure, err := holder.Holder(t.Context()); err != nil || tenure.Holder != "one" || tenure.Epoch != epoch {
		t.Errorf("the holder is %+v, %v", tenure, err)
	}
	stop()
	if first.acting.Load() {
		t.Error("the first still acts after it stopped")
	}
	if next := receive(t, "the second acts", second.began); next <= epoch {
		t.Errorf("epoch %d follows %d", next, epoch)
	}
}

func TestADaemonCutOffStopsActingBeforeAnotherBegins(t *testing.T) {
	s := external(t, server.Options{})
	p := newProxy(t, s.Addr().String())
	near := connectWith(t, nats.Config{Replica: "near", URL: s.ClientURL(), CreateStreams: true})
	far := connectWith(t, nats.Config{Replica: "far", URL: p.url(), Timeout: 2 * time.Second})
	first, second := newDaemon(), newDaemon()
	running(t, func(ctx context.Context) error { return lease(t, far).Run(ctx, first.act) })
	epoch := receive(t, "the first acts", first.began)

	running(t, func(ctx context.Context) error {
		return lease(t, near).Run(ctx, func(ctx context.Context, epoch uint64) error {
			if first.acting.Load() {
				t.Error("two act at once")
			}
			return second.act(ctx, epoch)
		})
	})
	p.close()
	if cause := receive(t, "the first stops", first.ended); !errors.Is(cause, nats.ErrLeaseLost) {
		t.Errorf("it stopped for another reason: %v", cause)
	}
	if next := receive(t, "the second acts", second.began); next <= epoch {
		t.Errorf("epoch %d follows %d", next, epoch)
	}
}

func TestARestartedEmbeddedDaemonNeedNotWaitForItsOwnGhost(t *testing.T) {
	store := t.TempDir()
	conn := connect(t, store)
	// As after kill -9: the lease is there, and nobody renews it.
	long := nats.Timing{TTL: time.Hour, Renew: 10 * time.Minute, GiveUp: 20 * time.Minute, Look: 20 * time.Millisecond}
	ghost, err := conn.Lease(t.Context(), long)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	acted := make(chan error, 1)
	done := make(chan struct{})
	go func() {
		defer close(done)
		_ = ghost.Run(ctx, func(ctx context.Context, _ uint64) error {
			acted <- nil
			<-ctx.Done()
			closeConn(t, conn) // before the lease can be given back
			return nil
		})
	}()
	receive(t, "it acts", acted)
	cancel()
	<-done

	again := newDaemon()
	l, err := connect(t, store).Lease(t.Context(), long)
	if err != nil {
		t.Fatal(err)
	}
	running(t, func(ctx context.Context) error { return l.Run(ctx, again.act) })
	receive(t, "it acts again", again.began)
}

func TestALeaseWhoseTimesDoNotFitIsRefused(t *testing.T) {
	conn := connect(t, t.TempDir())
	if _, err := conn.Lease(t.Context(), nats.Timing{GiveUp: time.Minute}); err == nil {
		t.Error("giving up after the lease expires was accepted")
	}
}

func TestAnErrorOfTheDaemonEndsItsTenure(t *testing.T) {
	conn := connect(t, t.TempDir())
	l := lease(t, conn)
	broken := errors.New("broken")
	if err := l.Run(t.Context(), func(context.Context, uint64) error { return broken }); !errors.Is(err, broken) {
		t.Errorf("got %v", err)
	}
	if _, err := l.Holder(t.Context()); !errors.Is(err, nats.ErrNoFact) {
		t.Errorf("the lease was not given back: %v", err)
	}
}
