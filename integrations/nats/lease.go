package nats

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

// ErrLeaseLost is the cause of the ended context when a daemon must stop acting.
var ErrLeaseLost = errors.New("the lease was not confirmed in time: another daemon may act now")

// leaseKey is the one lease of this version: the whole of Bakewatch on one NATS.
const leaseKey = "daemon"

// Lease lets one daemon act at a time. The others stand by.
//
// The lease is a fact that removes itself unless it is renewed by compare-and-set.
// Its holder stops acting well before that, by the monotonic clock, so that two
// never act at once while their clocks run at about the same speed. That is for
// thrift and quiet only: what keeps two from deciding is the journal.
type Lease struct {
	facts   *Facts
	nc      *nats.Conn
	log     *slog.Logger
	name    Tenure // what this replica writes, less the times
	subject string
	timing  Timing
}

// Timing of a lease; the zero value is that of the design.
type Timing struct {
	TTL    time.Duration // the lease removes itself after this; whole seconds, default 15 s
	Renew  time.Duration // how often it is renewed, default 5 s
	GiveUp time.Duration // after the last confirmed renewal its holder stops acting, default 10 s
	Look   time.Duration // how often a standby looks, default 1 s
}

func (t *Timing) defaults() {
	for _, each := range []struct {
		field *time.Duration
		value time.Duration
	}{{&t.TTL, 15 * time.Second}, {&t.Renew, 5 * time.Second}, {&t.GiveUp, 10 * time.Second}, {&t.Look, time.Second}} {
		if *each.field == 0 {
			*each.field = each.value
		}
	}
}

// Lease returns this replica's claim to the lease.
func (c *Conn) Lease(ctx context.Context, timing Timing) (*Lease, error) {
	timing.defaults()
	if timing.GiveUp >= timing.TTL || timing.Renew >= timing.GiveUp {
		return nil, fmt.Errorf("lease: renewing every %s, giving up after %s and expiring after %s must grow in this order",
			timing.Renew, timing.GiveUp, timing.TTL)
	}
	facts, err := c.Facts(ctx)
	if err != nil {
		return nil, err
	}
	subject, err := factSubject(FactLease, leaseKey)
	if err != nil {
		return nil, err
	}
	name := Tenure{Holder: c.cfg.Replica, Nonce: rand.Text()}
	if c.own != nil {
		name.Store = c.instance
	}
	return &Lease{facts: facts, nc: c.nc, log: c.log, name: name, subject: subject, timing: timing}, nil
}

// Tenure is what the lease's fact says.
type Tenure struct {
	Holder string    `json:"holder"`
	Epoch  uint64    `json:"epoch,omitempty"` // 0 in the first message of a tenure, whose sequence is the epoch
	Since  time.Time `json:"since"`
	Nonce  string    `json:"nonce"`           // of the claim, which a restart draws anew
	Store  string    `json:"store,omitempty"` // of the process, where it holds the store itself

	seq       uint64    // of the message last confirmed
	confirmed time.Time // when that message was sent: before the server's TTL began
}

// Holder returns who acts now, or an error that is ErrNoFact.
func (l *Lease) Holder(ctx context.Context) (Tenure, error) {
	tenure, _, err := l.look(ctx)
	return tenure, err
}

// Run stands by until the lease is free, takes it and calls act, again and again
// until the context ends. act's context ends when the context does, or with cause
// ErrLeaseLost. The epoch grows with every tenure of anyone. While act winds down
// the lease is still renewed; then it is given back, so that a standby follows at
// once. Run returns nil after the context ended, or act's own error.
func (l *Lease) Run(ctx context.Context, act func(ctx context.Context, epoch uint64) error) error {
	for {
		tenure, err := l.acquire(ctx)
		if err != nil {
			return nil // only the context's end stops the waiting
		}
		err = l.hold(ctx, tenure, act)
		switch {
		case ctx.Err() != nil && (err == nil || errors.Is(err, context.Canceled)):
			return nil
		case errors.Is(err, ErrLeaseLost):
			l.log.Warn("this daemon stopped acting and stands by", slog.Any("error", err))
		default:
			return err
		}
	}
}

// acquire waits until the lease is this replica's. It looks by the clock; messages
// on the lease's subject only make it look sooner.
func (l *Lease) acquire(ctx context.Context) (Tenure, error) {
	hints := make(chan *nats.Msg, 1)
	if sub, err := l.nc.ChanSubscribe(l.subject, hints); err == nil {
		defer func() { _ = sub.Unsubscribe() }()
	}
	ticker := time.NewTicker(l.timing.Look)
	defer ticker.Stop()
	var told string
	for {
		tenure, other, err := l.try(ctx)
		if err == nil {
			l.log.Info("this daemon acts", slog.Uint64("epoch", tenure.Epoch))
			return tenure, nil
		}
		// Each reason is said once, not every second.
		if reason := standbyReason(other, err); reason != told && ctx.Err() == nil {
			l.log.Info("standing by", slog.String("reason", reason))
			told = reason
		}
		select {
		case <-ctx.Done():
			return Tenure{}, ctx.Err()
		case <-ticker.C:
		case <-hints:
		}
	}
}

var errTaken = errors.New("another daemon acts")

func standbyReason(other Tenure, err error) string {
	if errors.Is(err, errTaken) && other.Holder != "" {
		return fmt.Sprintf("%s acts since %s", other.Holder, other.Since.Format(time.RFC3339))
	}
	return err.Error()
}

// try takes the lease if it is free; else it says who holds it.
func (l *Lease) try(ctx context.Context) (mine, other Tenure, err error) {
	ctx, cancel := context.WithTimeout(ctx, l.timing.Renew)
	defer cancel()
	other, last, err := l.look(ctx)
	switch {
	case err == nil && !l.free(other):
		return Tenure{}, other, errTaken
	case err != nil && !errors.Is(err, ErrNoFact):
		return Tenure{}, Tenure{}, err
	}
	mine = l.name
	mine.Since, mine.seq = time.Now().UTC().Truncate(time.Second), last
	if err := l.write(ctx, &mine); err != nil {
		if isConflict(err) {
			err = errTaken
		}
		return Tenure{}, Tenure{}, err
	}
	mine.Epoch = mine.seq
	return mine, Tenure{}, nil
}

// free says whether a lease that is there binds nobody: it is this claim's own, whose
// answer got lost; or its holder ran the embedded server of this store, which only
// one process can, and now that is this one.
func (l *Lease) free(other Tenure) bool {
	return other.Nonce == l.name.Nonce || other.Store != "" && l.name.Store != "" && other.Store != l.name.Store
}

// look reads the lease: who holds it, or ErrNoFact; and the sequence after which it would be written.
func (l *Lease) look(ctx context.Context) (Tenure, uint64, error) {
	fact, err := l.facts.last(ctx, l.subject)
	if err != nil {
		return Tenure{}, 0, err
	}
	if fact.Deleted {
		return Tenure{}, fact.Seq, ErrNoFact
	}
	var tenure Tenure
	if err := json.Unmarshal(fact.Value, &tenure); err != nil {
		// It goes away by itself; until then somebody seems to hold it.
		return Tenure{}, fact.Seq, fmt.Errorf("the lease cannot be read: %w", err)
	}
	if tenure.Epoch == 0 {
		tenure.Epoch = fact.Seq
	}
	tenure.seq = fact.Seq
	return tenure, fact.Seq, nil
}

// write publishes the lease under the condition that nobody else did, and notes when.
func (l *Lease) write(ctx context.Context, t *Tenure) error {
	body, err := json.Marshal(t)
	if err != nil {
		return err
	}
	sent := time.Now()
	seq, err := l.facts.publish(ctx, &nats.Msg{Subject: l.subject, Data: body},
		jetstream.WithMsgTTL(l.timing.TTL), jetstream.WithExpectLastSequencePerSubject(t.seq))
	if err != nil {
		return err
	}
	t.seq, t.confirmed = seq, sent
	return nil
}
