package nats

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/bakewatch/bakewatch/rules"
	"github.com/bakewatch/bakewatch/watcher"
)

// Settings of every pull: a dead connection shows within seconds, not minutes.
const (
	pullExpiry    = 10 * time.Second
	pullHeartbeat = 2 * time.Second
	scanBatch     = 256
)

// Read returns one lane's entries in order, from its last opened or closed,
// whichever is later; if it has neither, all. Its error may be a *DamagedError.
func (j *Journal) Read(ctx context.Context, lane rules.LaneID) ([]watcher.Entry, error) {
	entries, err := j.read(ctx, laneToken(lane))
	if err != nil {
		return nil, fmt.Errorf("journal: read lane %s: %w", lane, err)
	}
	return entries, nil
}

func (j *Journal) read(ctx context.Context, token string) ([]watcher.Entry, error) {
	end, err := lastSeq(ctx, j.stream, laneSubjects(token))
	if end == 0 || err != nil {
		return nil, err
	}
	begin := uint64(1)
	for _, kind := range []watcher.Kind{watcher.Opened, watcher.Closed} {
		last, err := lastSeq(ctx, j.stream, entrySubject(token, kind))
		if err != nil {
			return nil, err
		}
		begin = max(begin, last)
	}
	// What was opened or closed since the first question lies after end.
	entries, err := j.lane(ctx, token, begin, max(begin, end))
	if err != nil {
		return nil, err
	}
	if n := len(entries); n > 0 {
		j.remember(token, entries[n-1])
	}
	return recent(entries), nil
}

// History returns the entries of one watch, from its opened (whose sequence names
// the watch) up to and including the one with sequence upTo. For entries without
// a watch, watch 0, it returns that one alone.
func (j *Journal) History(ctx context.Context, lane rules.LaneID, watch, upTo uint64) ([]watcher.Entry, error) {
	if watch == 0 {
		watch = upTo
	}
	entries, err := j.lane(ctx, laneToken(lane), watch, upTo)
	if err != nil {
		return nil, fmt.Errorf("journal: history of watch %d in lane %s: %w", watch, lane, err)
	}
	kept := entries[:0]
	for _, e := range entries {
		if e.Watch == watch || e.Seq == watch || e.Seq == upTo {
			kept = append(kept, e)
		}
	}
	return kept, nil
}

// Since returns a lane's entries from the one with a sequence up to now.
func (j *Journal) Since(ctx context.Context, lane rules.LaneID, seq uint64) (entries []watcher.Entry, err error) {
	token := laneToken(lane)
	end, err := lastSeq(ctx, j.stream, laneSubjects(token))
	if err == nil && end >= seq {
		entries, err = j.lane(ctx, token, seq, end)
	}
	if err != nil {
		return nil, fmt.Errorf("journal: lane %s since %d: %w", lane, seq, err)
	}
	return entries, nil
}

// lane reads a lane from one sequence to another, which must be one of its entries.
func (j *Journal) lane(ctx context.Context, token string, from, to uint64) ([]watcher.Entry, error) {
	var entries []watcher.Entry
	err := j.scan(ctx, from, to, []string{laneSubjects(token)}, func(msg jetstream.Msg, seq uint64) error {
		e, err := decode(msg.Subject(), seq, msg.Data())
		if err != nil {
			return err
		}
		entries = append(entries, e)
		return nil
	})
	return entries, err
}

// recent cuts a lane's entries to its last opened or closed and what follows.
func recent(entries []watcher.Entry) []watcher.Entry {
	for i := len(entries) - 1; i >= 0; i-- {
		if entries[i].Kind == watcher.Opened || entries[i].Kind == watcher.Closed {
			return entries[i:]
		}
	}
	return entries
}

// scan calls each for all messages on the subjects between two sequences. The
// second is that of a message on them.
func (j *Journal) scan(ctx context.Context, from, to uint64, subjects []string, each func(jetstream.Msg, uint64) error) error {
	return scan(ctx, j.stream, jetstream.OrderedConsumerConfig{
		FilterSubjects: subjects, DeliverPolicy: jetstream.DeliverByStartSequencePolicy, OptStartSeq: max(from, 1),
	}, to, each)
}

// lastSeq asks the stream's leader for the last message on a subject; 0: none.
func lastSeq(ctx context.Context, stream jetstream.Stream, subject string) (uint64, error) {
	last, err := stream.GetLastMsgForSubject(ctx, subject)
	if errors.Is(err, jetstream.ErrMsgNotFound) {
		return 0, nil
	}
	if err != nil {
		return 0, err
	}
	return last.Sequence, nil
}

// errStalled says that a message which the leader has did not come.
var errStalled = errors.New("the stream's messages do not come")

// scan reads until it has passed message to. A consumer may be served by a replica
// that lags behind the leader: what it has to give now is not all there is, so the
// end is named by the caller, who asked the leader.
func scan(ctx context.Context, stream jetstream.Stream, cfg jetstream.OrderedConsumerConfig, to uint64, each func(jetstream.Msg, uint64) error) error {
	consumer, discard, err := temporary(ctx, stream, cfg)
	if err != nil {
		return err
	}
	defer discard()
	ahead := min(max(consumer.CachedInfo().NumPending, 1), scanBatch)
	messages, err := consumer.Messages(jetstream.PullMaxMessages(int(ahead)),
		jetstream.PullExpiry(pullExpiry), jetstream.PullHeartbeat(pullHeartbeat))
	if err != nil {
		return err
	}
	defer messages.Stop()
	for {
		msg, seq, err := nextOf(ctx, messages)
		if err != nil {
			return err
		}
		// Later messages count as well: of a fact that was put again meanwhile, the later is all there is.
		if seq <= to || cfg.DeliverPolicy == jetstream.DeliverLastPerSubjectPolicy {
			if err := each(msg, seq); err != nil {
				return err
			}
		}
		if seq >= to {
			return nil
		}
	}
}

// temporary makes an ordered consumer. The server would keep it for a while after
// its last use, and takes only so many: discard removes it.
func temporary(ctx context.Context, stream jetstream.Stream, cfg jetstream.OrderedConsumerConfig) (_ jetstream.Consumer, discard func(), err error) {
	cfg.InactiveThreshold = time.Minute
	// Trying on is ours: by itself the client would for ever, deaf to the context's end.
	cfg.MaxResetAttempts = 3
	consumer, err := stream.OrderedConsumer(ctx, cfg)
	if err != nil {
		return nil, nil, err
	}
	return consumer, func() {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Second)
		defer cancel()
		_ = stream.DeleteConsumer(ctx, consumer.CachedInfo().Name) // else it goes by itself
	}, nil
}

func nextOf(ctx context.Context, messages jetstream.MessagesContext) (jetstream.Msg, uint64, error) {
	patient, cancel := context.WithTimeout(ctx, 2*pullExpiry)
	defer cancel()
	msg, err := messages.Next(jetstream.NextContext(patient))
	if err != nil {
		if patient.Err() != nil && ctx.Err() == nil {
			err = errStalled
		}
		return nil, 0, err
	}
	meta, err := msg.Metadata()
	if err != nil {
		return nil, 0, err
	}
	return msg, meta.Sequence.Stream, nil
}
