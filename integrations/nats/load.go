package nats

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/bakewatch/bakewatch/rules"
	"github.com/bakewatch/bakewatch/watcher"
)

// loadChunk is how many lanes are read together: each chunk is one pass of the
// server over the part of the journal between its first and last entry.
const loadChunk = 256

// span is where a lane's recent entries lie.
type span struct {
	token      string
	begin, end uint64 // sequences; begin 0: neither opened nor closed
}

// Load calls fold for every lane with its recent entries, as Read returns them.
// Its cost grows with the lanes and their open watches, not with history. A lane
// with a damaged entry is left out and logged, and the others are loaded all the
// same: then the error is a *DamagedLanesError. An error of fold ends the load at once.
func (j *Journal) Load(ctx context.Context, fold func(rules.LaneID, []watcher.Entry) error) error {
	spans, err := j.spans(ctx)
	if err != nil {
		return fmt.Errorf("journal: load: %w", err)
	}
	var damages []error
	for chunk := range slices.Chunk(spans, loadChunk) {
		lanes, err := j.chunk(ctx, chunk)
		if err != nil {
			return fmt.Errorf("journal: load: %w", err)
		}
		for _, s := range chunk {
			if damage := lanes[s.token].damage; damage != nil {
				j.log.Error("a lane cannot be loaded", slog.String("token", s.token), slog.Any("error", damage))
				damages = append(damages, damage)
				continue
			}
			if err := j.foldLane(s.token, lanes[s.token].entries, fold); err != nil {
				return err
			}
		}
	}
	if len(damages) > 0 {
		return &DamagedLanesError{damages}
	}
	return nil
}

// DamagedLanesError says that some lanes could not be loaded, and all others were.
type DamagedLanesError struct{ Lanes []error }

func (e *DamagedLanesError) Error() string   { return errors.Join(e.Lanes...).Error() }
func (e *DamagedLanesError) Unwrap() []error { return e.Lanes }

func (j *Journal) foldLane(token string, entries []watcher.Entry, fold func(rules.LaneID, []watcher.Entry) error) error {
	if len(entries) == 0 {
		return nil // aged away since
	}
	last := entries[len(entries)-1]
	j.remember(token, last)
	return fold(last.Lane, recent(entries))
}

// spans finds every lane, by the last message of each subject, without bodies.
func (j *Journal) spans(ctx context.Context) ([]span, error) {
	found := map[string]*span{}
	end, err := lastSeq(ctx, j.stream, journalPrefix+">")
	if end == 0 || err != nil {
		return nil, err
	}
	err = scan(ctx, j.stream, jetstream.OrderedConsumerConfig{
		FilterSubjects: []string{journalPrefix + ">"},
		DeliverPolicy:  jetstream.DeliverLastPerSubjectPolicy, HeadersOnly: true,
	}, end, func(msg jetstream.Msg, seq uint64) error {
		token, kind, ok := splitEntrySubject(msg.Subject())
		if !ok {
			return nil // not of our making; Verify reports it
		}
		s := found[token]
		if s == nil {
			s = &span{token: token}
			found[token] = s
		}
		s.end = max(s.end, seq)
		if kind == watcher.Opened || kind == watcher.Closed {
			s.begin = max(s.begin, seq)
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	spans := make([]span, 0, len(found))
	for _, s := range found {
		spans = append(spans, *s)
	}
	// Neighbours in the journal are read together, so that little is read twice.
	slices.SortFunc(spans, func(a, b span) int {
		return cmp.Or(cmp.Compare(a.begin, b.begin), cmp.Compare(a.end, b.end))
	})
	return spans, nil
}

// loaded is what was read of one lane.
type loaded struct {
	begin   uint64
	entries []watcher.Entry
	damage  error
}

func (j *Journal) chunk(ctx context.Context, chunk []span) (map[string]*loaded, error) {
	lanes := make(map[string]*loaded, len(chunk))
	subjects := make([]string, len(chunk))
	var end uint64
	for i, s := range chunk {
		lanes[s.token] = &loaded{begin: s.begin}
		subjects[i] = laneSubjects(s.token)
		end = max(end, s.end)
	}
	err := j.scan(ctx, chunk[0].begin, end, subjects, func(msg jetstream.Msg, seq uint64) error {
		token, _, _ := splitEntrySubject(msg.Subject())
		lane := lanes[token]
		if lane == nil || seq < lane.begin || lane.damage != nil {
			return nil
		}
		e, err := decode(msg.Subject(), seq, msg.Data())
		if err != nil {
			lane.damage = err
			return nil
		}
		lane.entries = append(lane.entries, e)
		return nil
	})
	return lanes, err
}
