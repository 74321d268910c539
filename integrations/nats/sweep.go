package nats

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go/jetstream"
)

// sweep buries events that the client never hands on: one with an empty body and a
// header Status looks like a message of the server's own, and would come again for
// ever, interrupting the others.
func (i *Intake) sweep(ctx context.Context) {
	ticker := time.NewTicker(ackWait)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
		if err := i.sweepOnce(ctx); err != nil && ctx.Err() == nil {
			i.log.Warn("events that cannot be taken in were not looked for", slog.Any("error", err))
		}
	}
}

// sweepMost is how many unsettled events one sweep looks at.
const sweepMost = 512

func (i *Intake) sweepOnce(ctx context.Context) error {
	stream, err := i.js.Stream(ctx, i.stream)
	if err != nil {
		return err
	}
	consumer, err := stream.Consumer(ctx, i.cfg.Durable)
	if err != nil {
		return err
	}
	info := consumer.CachedInfo()
	if info.NumRedelivered == 0 {
		return nil // what cannot be taken in is delivered again and again
	}
	seq := info.AckFloor.Stream + 1
	for range sweepMost {
		msg, err := stream.GetMsg(ctx, seq, jetstream.WithGetMsgSubject(">"))
		if errors.Is(err, jetstream.ErrMsgNotFound) {
			return nil
		}
		if err != nil || msg.Sequence > info.Delivered.Stream {
			return err
		}
		if i.wants(msg.Subject) && disguised(msg) {
			if err := i.remove(ctx, stream, msg); err != nil {
				return err
			}
		}
		seq = msg.Sequence + 1
	}
	return nil
}

// wants says whether the subject carries events for Bakewatch: a stream of the
// operator's own may hold other things.
func (i *Intake) wants(subject string) bool {
	return slices.ContainsFunc(i.table.FilterSubjects, func(of string) bool { return server.SubjectMatchesFilter(subject, of) })
}

// disguised says whether clients take the message for one of the server's own.
func disguised(msg *jetstream.RawStreamMsg) bool {
	return len(msg.Data) == 0 && msg.Header.Get("Status") != ""
}

// remove moves the event to the dead letters. It cannot be acknowledged, since it was
// never handed on, so it leaves the stream.
func (i *Intake) remove(ctx context.Context, stream jetstream.Stream, msg *jetstream.RawStreamMsg) error {
	in := Incoming{Subject: msg.Subject, Headers: msg.Header, Data: msg.Data, Seq: msg.Sequence, At: msg.Time}
	reason := fmt.Errorf("it has no body and a header Status (%q), which clients take for a message of the server's own", headerValue(msg.Header.Get("Status"), 20))
	if err := bury(ctx, i.js, i.limit, i.stream, in, reason); err != nil {
		return err
	}
	i.log.Warn("an event was set aside", slog.String("subject", in.Subject), slog.Uint64("seq", in.Seq), slog.Any("reason", reason))
	if err := stream.DeleteMsg(ctx, msg.Sequence); err != nil {
		return fmt.Errorf("delete event %d of stream %s, which holds others up: %w", msg.Sequence, i.stream, err)
	}
	return nil
}
