package prometheus

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"time"

	"github.com/cenkalti/backoff/v4"

	"github.com/bakewatch/bakewatch/rules"
)

// tolerated is how many outages in a row put the server to the test.
const tolerated = 5

// breaker keeps a server that is down from being asked thousands of times. After
// so many failures a probe decides for all: only if it fails, too, are queries
// refused for a while, and then the next probe decides. The probe is no rule's
// query, so that neither one bad query nor one plan's slow ones blind the others.
type breaker struct {
	log *slog.Logger

	mu       sync.Mutex
	pause    backoff.BackOff
	failures int
	last     *rules.SampleError
	retryAt  time.Time     // when a probe may decide; zero: closed
	down     bool          // the last probe failed
	probing  chan struct{} // closed when the probe under way ends; nil: none is
}

func newBreaker(log *slog.Logger) *breaker {
	return &breaker{log: log, pause: backoff.NewExponentialBackOff(
		backoff.WithInitialInterval(time.Second),
		backoff.WithMaxInterval(30*time.Second),
		backoff.WithMaxElapsedTime(0),
	)}
}

// pass returns nil if the server may be asked.
func (b *breaker) pass(ctx context.Context, probe func(context.Context) *rules.SampleError) *rules.SampleError {
	for ctx.Err() == nil { // a probe that was given up decides nothing: whoever sent it must not go round for ever
		now, ended, refusal := b.enter()
		switch now {
		case ask:
			return nil
		case refuse:
			return refusal
		case try:
			b.settle(probe(ctx))
		case wait:
			select {
			case <-ended:
			case <-ctx.Done():
			}
		}
	}
	return gaveUp(ctx)
}

// move is what a query does next at the breaker.
type move uint8

const (
	ask    move = iota // the breaker is closed
	refuse             // it is open: a probe failed
	wait               // another query's probe is under way
	try                // probe
)

func (b *breaker) enter() (now move, ended <-chan struct{}, refusal *rules.SampleError) {
	b.mu.Lock()
	defer b.mu.Unlock()
	switch {
	case b.retryAt.IsZero():
		return ask, nil, nil
	case b.probing != nil:
		return wait, b.probing, nil
	case time.Now().Before(b.retryAt):
		return refuse, nil, rules.Failed(rules.Unreachable, "not asked: %d failures in a row, the last: %w; next try at %s",
			b.failures, b.last, b.retryAt.UTC().Format(time.RFC3339))
	}
	b.probing = make(chan struct{})
	return try, nil, nil
}

// isOpen says whether queries are refused.
func (b *breaker) isOpen() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.down
}

// settle takes the probe's answer. A probe that was given up says nothing: the
// next query probes again.
func (b *breaker) settle(failed *rules.SampleError) {
	b.mu.Lock()
	defer b.mu.Unlock()
	close(b.probing)
	b.probing = nil
	switch {
	case failed == nil || !isOutage(failed.Reason):
		b.close()
	case !errors.Is(failed, context.Canceled):
		b.failures++
		b.open(failed)
	}
}

// report takes the answer to a query that was let through.
func (b *breaker) report(failed *rules.SampleError) {
	b.mu.Lock()
	defer b.mu.Unlock()
	switch {
	case failed == nil || !isOutage(failed.Reason):
		b.close()
	case errors.Is(failed, context.Canceled) || !b.retryAt.IsZero():
		// says nothing, or nothing new
	default:
		if b.failures++; b.failures >= tolerated {
			b.retryAt = time.Now()
		}
	}
}

func (b *breaker) open(failed *rules.SampleError) {
	b.last, b.retryAt = failed, time.Now().Add(b.pause.NextBackOff())
	if !b.down {
		b.log.Warn("prometheus is given up for now", "failures", b.failures, "err", failed, "retry_at", b.retryAt)
	}
	b.down = true
}

func (b *breaker) close() {
	if b.down {
		b.log.Info("prometheus answers again", "failures", b.failures)
	}
	b.failures, b.last, b.retryAt, b.down = 0, nil, time.Time{}, false
	b.pause.Reset()
}

// gaveUp is the failure of a query that was not asked in time.
func gaveUp(ctx context.Context) *rules.SampleError {
	if errors.Is(ctx.Err(), context.Canceled) {
		return rules.Failed(rules.TimedOut, "the look was given up: %w", context.Canceled)
	}
	return rules.Failed(rules.TimedOut, "not asked before the look's deadline: the server's budget was used up")
}
