package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	client "github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/bakewatch/bakewatch/integrations/nats"
	"github.com/bakewatch/bakewatch/integrations/nats/signing"
	"github.com/bakewatch/bakewatch/watcher"
)

// dialNATS connects to the daemon over NATS.
func dialNATS(ctx context.Context, to reach) (*remote, error) {
	cfg := nats.Config{URL: to.url, CredsFile: to.creds, NKeyFile: to.nkey, TLS: to.tls}
	if to.store != "" {
		local, err := nats.LocalConfig(to.store)
		if err != nil {
			return nil, err
		}
		cfg = local
	}
	cfg.Timeout = callTimeout
	conn, err := nats.Dial(ctx, cfg)
	if err != nil {
		return nil, err
	}
	return &remote{
		desk:     deskOver(conn, to),
		announce: announceOver(conn, to.key),
		tail:     tailOver(conn),
		verify:   verifyOver(conn),
		about:    func(ctx context.Context) (nats.About, error) { return nats.AskAbout(ctx, conn.NATS()) },
		close:    func() { conn.NATS().Close() },
	}, nil
}

func deskOver(conn *nats.Conn, to reach) watcher.Desk {
	if to.key == nil {
		return nats.DeskClient(conn.NATS())
	}
	return nats.SigningDeskClient(conn.NATS(), *to.key, to.cluster)
}

func announceOver(conn *nats.Conn, key *signing.Key) announcer {
	return func(ctx context.Context, subject string, event []byte) error {
		msg := &client.Msg{Subject: subject, Data: event}
		if key != nil {
			headers, err := key.Sign(signing.Message{Subject: subject, Body: event}, time.Now())
			if err != nil {
				return err
			}
			msg.Header = headers
		}
		_, err := conn.JetStream().PublishMsg(ctx, msg)
		switch {
		case errors.Is(err, jetstream.ErrNoStreamResponse):
			return &exit{
				code: exitFailed, err: fmt.Errorf("announce on %s: no stream takes it, nothing was stored", subject),
				hint: "is this the NATS that the daemon uses, and has the daemon run on it?",
			}
		case err != nil:
			return fmt.Errorf("announce on %s: %w", subject, err)
		}
		return nil
	}
}

func verifyOver(conn *nats.Conn) verifier {
	return func(ctx context.Context, each func(watcher.Entry)) (nats.Verified, error) {
		journal, err := conn.Journal(ctx)
		if err != nil {
			return nats.Verified{}, err
		}
		return journal.Verify(ctx, each)
	}
}

func tailOver(conn *nats.Conn) tailer {
	return func(ctx context.Context, since time.Time, each func(watcher.Entry) error) error {
		journal, err := conn.Journal(ctx)
		if err != nil {
			return err
		}
		from := uint64(0) // only new ones
		if !since.IsZero() {
			if from, err = firstSince(ctx, conn, since); err != nil {
				return fmt.Errorf("find the first entry since %s: %w", since.Format(time.DateTime), err)
			}
		}
		return journal.Tail(ctx, from, each)
	}
}

// firstSince asks the server which sequence was the first since then: a consumer
// that begins there stands just before it.
func firstSince(ctx context.Context, conn *nats.Conn, since time.Time) (uint64, error) {
	consumer, err := conn.JetStream().CreateConsumer(ctx, nats.StreamJournal, jetstream.ConsumerConfig{
		DeliverPolicy:     jetstream.DeliverByStartTimePolicy,
		OptStartTime:      &since,
		AckPolicy:         jetstream.AckNonePolicy,
		MemoryStorage:     true,
		InactiveThreshold: callTimeout,
	})
	if err != nil {
		return 0, err
	}
	return consumer.CachedInfo().Delivered.Stream + 1, nil
}
