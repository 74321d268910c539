package nats

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/nats-io/nats.go/jetstream"
)

// hold runs act while the lease is renewed, and gives the lease back at the end.
func (l *Lease) hold(ctx context.Context, tenure Tenure, act func(context.Context, uint64) error) error {
	acting, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	// Renewing outlives ctx: until act has wound down, nobody else shall begin.
	renewing, stopRenewing := context.WithCancel(context.WithoutCancel(ctx))
	defer stopRenewing()
	renewed := make(chan Tenure, 1)
	go func() {
		last, err := l.renew(renewing, tenure)
		if err != nil {
			stop(err)
		}
		renewed <- last
	}()
	err := act(acting, tenure.Epoch)
	stopRenewing()
	last := <-renewed
	if lost := context.Cause(acting); errors.Is(lost, ErrLeaseLost) {
		return lost
	}
	l.giveBack(context.WithoutCancel(ctx), last)
	return err
}

// renew keeps the lease until the context ends (nil) or it is lost (ErrLeaseLost),
// at the latest GiveUp after the last confirmed renewal.
func (l *Lease) renew(ctx context.Context, t Tenure) (Tenure, error) {
	next := time.NewTimer(l.timing.Renew)
	defer next.Stop()
	for {
		select {
		case <-ctx.Done():
			return t, nil
		case <-next.C:
		}
		deadline := t.confirmed.Add(l.timing.GiveUp) // monotonic
		err := l.renewOnce(ctx, &t, deadline)
		switch {
		case ctx.Err() != nil:
			return t, nil
		case errors.Is(err, ErrLeaseLost):
			return t, err
		case err != nil && !time.Now().Before(deadline):
			return t, fmt.Errorf("%w: %w", ErrLeaseLost, err)
		case err != nil:
			l.log.Warn("the lease was not renewed", slog.Any("error", err), slog.Duration("left", time.Until(deadline)))
			next.Reset(min(time.Until(deadline), l.timing.Renew/5))
		default:
			next.Reset(l.timing.Renew)
		}
	}
}

// renewOnce writes the lease again. Where the answer stays out, the lease itself
// is read: the write may have arrived.
func (l *Lease) renewOnce(ctx context.Context, t *Tenure, deadline time.Time) error {
	ctx, cancel := context.WithDeadline(ctx, deadline)
	defer cancel()
	one, cancelOne := context.WithTimeout(ctx, l.timing.Renew/2)
	defer cancelOne()
	err := l.write(one, t)
	if err == nil || !isConflict(err) {
		return err
	}
	found, _, readErr := l.look(ctx)
	switch {
	case errors.Is(readErr, ErrNoFact):
		return fmt.Errorf("%w: it has expired", ErrLeaseLost)
	case readErr != nil:
		return errors.Join(err, readErr)
	case found.Nonce != t.Nonce || found.Epoch != t.Epoch:
		return fmt.Errorf("%w: %s took it over", ErrLeaseLost, found.Holder)
	}
	// An earlier renewal of ours arrived unanswered. Only a new one proves when.
	t.seq = found.seq
	return l.write(ctx, t)
}

// partingTimeout bounds what a stop waits for a server that does not answer.
const partingTimeout = 2 * time.Second

// giveBack removes the lease if it is still this replica's, so that a standby need not wait.
func (l *Lease) giveBack(ctx context.Context, t Tenure) {
	ctx, cancel := context.WithTimeout(ctx, min(l.timing.Renew, partingTimeout))
	defer cancel()
	give := func(after uint64) error {
		_, err := l.facts.publish(ctx, deletion(l.subject),
			jetstream.WithMsgTTL(deletedTTL), jetstream.WithExpectLastSequencePerSubject(after))
		return err
	}
	err := give(t.seq)
	if isConflict(err) {
		// A renewal that was cut short may have arrived after all.
		if found, _, readErr := l.look(ctx); readErr == nil && found.Nonce == t.Nonce && found.Epoch == t.Epoch {
			err = give(found.seq)
		}
	}
	if err != nil {
		l.log.Warn("the lease was not given back; it expires by itself", slog.Any("error", err))
	}
}
