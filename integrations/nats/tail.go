package nats

import (
	"context"
	"errors"
	"log/slog"

	"github.com/cenkalti/backoff/v4"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/bakewatch/bakewatch/watcher"
)

// Tail calls each for every entry of every lane from the sequence on (0: only
// those still to come), in order, until the context ends; then it returns nil. It
// goes on by itself after interruptions. An error of each ends it.
//
// A tail is a hint that comes early: whoever depends on it reads again now and then.
func (j *Journal) Tail(ctx context.Context, from uint64, each func(watcher.Entry) error) error {
	var refused error
	pace := quick()
	follow := func() error {
		err := j.follow(ctx, &from, func(e watcher.Entry) error {
			pace.Reset()
			if refused = each(e); refused != nil {
				return backoff.Permanent(refused)
			}
			return nil
		})
		if ctx.Err() == nil && refused == nil {
			j.log.Warn("the journal's tail was interrupted", slog.Any("error", err))
		}
		return err
	}
	err := backoff.Retry(follow, backoff.WithContext(pace, ctx))
	if ctx.Err() != nil {
		return nil
	}
	return err
}

// follow is one attempt; it moves from to the next sequence that is wanted.
func (j *Journal) follow(ctx context.Context, from *uint64, each func(watcher.Entry) error) error {
	cfg := jetstream.OrderedConsumerConfig{
		FilterSubjects: []string{journalPrefix + ">"},
		DeliverPolicy:  jetstream.DeliverByStartSequencePolicy, OptStartSeq: *from,
	}
	if *from == 0 {
		info, err := j.stream.Info(ctx)
		if err != nil {
			return err
		}
		*from = info.State.LastSeq + 1
		cfg.OptStartSeq = *from
	}
	consumer, discard, err := temporary(ctx, j.stream, cfg)
	if err != nil {
		return err
	}
	defer discard()
	messages, err := consumer.Messages(jetstream.PullMaxMessages(scanBatch),
		jetstream.PullExpiry(pullExpiry), jetstream.PullHeartbeat(pullHeartbeat))
	if err != nil {
		return err
	}
	defer messages.Stop()
	for {
		msg, err := messages.Next(jetstream.NextContext(ctx))
		if err != nil {
			return err
		}
		if err := j.pass(msg, from, each); err != nil {
			return err
		}
	}
}

func (j *Journal) pass(msg jetstream.Msg, from *uint64, each func(watcher.Entry) error) error {
	meta, err := msg.Metadata()
	if err != nil {
		return err
	}
	seq := meta.Sequence.Stream
	e, err := decode(msg.Subject(), seq, msg.Data())
	var damage *DamagedError
	switch {
	case errors.As(err, &damage):
		j.log.Error("the tail skips an entry", slog.Any("error", err))
	case err != nil:
		return err
	default:
		if err := each(e); err != nil {
			return err
		}
	}
	*from = seq + 1
	return nil
}
