package nats

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"github.com/cenkalti/backoff/v4"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

// gathering is how long a start waits for a cluster whose servers have not all
// met: its machines often start in the same minute as Bakewatch does.
const gathering = 30 * time.Second

// What JetStream answers while a cluster gathers.
const (
	codeNoPeers     jetstream.ErrorCode = 10005 // fewer servers are seen than the stream has replicas
	codeUnavailable jetstream.ErrorCode = 10008 // no leader yet
	codeNotLeader   jetstream.ErrorCode = 10009 // the leader is changing
)

// patiently is ensure, asked again while the answer only says that the cluster
// is not whole yet. Its error is the last answer, not that time ran out.
func (c *Conn) patiently(ctx context.Context, want wanted) error {
	var answer error
	err := backoff.RetryNotify(func() error {
		once, cancel := context.WithTimeout(ctx, c.cfg.Timeout)
		defer cancel()
		if answer = c.ensure(once, want); answer != nil && !isGathering(answer) {
			return backoff.Permanent(answer)
		}
		return answer
	}, backoff.WithContext(quick(), ctx), func(err error, _ time.Duration) {
		c.log.Warn("NATS is not ready for the stream, trying again",
			slog.String("stream", want.Name), slog.Any("error", err))
	})
	if err == nil {
		return nil
	}
	return answer
}

func isGathering(err error) bool {
	if errors.Is(err, context.DeadlineExceeded) || errors.Is(err, nats.ErrTimeout) {
		return true // without a leader nobody answers
	}
	var refused *jetstream.APIError
	return errors.As(err, &refused) && (refused.ErrorCode == codeNoPeers ||
		refused.ErrorCode == codeUnavailable || refused.ErrorCode == codeNotLeader)
}
