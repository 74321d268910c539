package nats

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/cenkalti/backoff/v4"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/bakewatch/bakewatch/watcher"
)

// Journal is the append-only record of all lanes on the stream BAKEWATCH_JOURNAL.
// It is a watcher.Journal, and safe for concurrent use.
type Journal struct {
	js     jetstream.JetStream
	stream jetstream.Stream
	log    *slog.Logger
	max    int // of one entry, in bytes
	tries  tries

	mu    sync.Mutex
	heads map[string]head // by lane token: the last entry seen, to chain the next one
}

// tries bounds how long an unanswered append is followed up.
type tries struct {
	publish time.Duration // for one acknowledgement, or one read of a message
	total   time.Duration // for following up a write that was not answered
}

type head struct {
	seq  uint64
	hash string
}

var _ watcher.Journal = (*Journal)(nil)

// errTooLarge says that an entry cannot be written at all.
var errTooLarge = errors.New("the entry is larger than NATS takes")

// Journal returns the journal of this connection.
func (c *Conn) Journal(ctx context.Context) (*Journal, error) {
	stream, err := c.js.Stream(ctx, StreamJournal)
	if err != nil {
		return nil, fmt.Errorf("open the journal: %w", err)
	}
	return &Journal{
		js: c.js, stream: stream, log: c.log, max: int(c.nc.MaxPayload()),
		tries: tries{publish: c.cfg.Timeout * 2 / 5, total: c.cfg.Timeout * 3 / 5},
		heads: map[string]head{},
	}, nil
}

// Append writes the entry if the lane's last sequence is still e.Seq. An empty
// Nonce is drawn, and an empty Prev looked up.
//
// The answer may get lost with the connection. Append then reads back from the
// stream's leader whether the lane's entry after e.Seq is its own, and otherwise
// tries again under the same condition, so that it is written once at most.
func (j *Journal) Append(ctx context.Context, e watcher.Entry) (watcher.Entry, error) {
	token := laneToken(e.Lane)
	body, err := j.prepare(ctx, token, &e)
	if err != nil {
		return watcher.Entry{}, fmt.Errorf("journal: append %s to lane %s: %w", e.Kind, e.Lane, err)
	}
	seq, err := j.write(ctx, token, e, body)
	if err != nil {
		return watcher.Entry{}, fmt.Errorf("journal: append %s to lane %s: %w", e.Kind, e.Lane, err)
	}
	e.Seq, e.Hash = seq, hashOf(body)
	j.remember(token, e)
	return e, nil
}

// prepare completes the entry and encodes it.
func (j *Journal) prepare(ctx context.Context, token string, e *watcher.Entry) ([]byte, error) {
	if !isToken(string(e.Kind)) {
		return nil, fmt.Errorf("%q is no kind of entry", e.Kind)
	}
	if e.Schema == 0 {
		e.Schema = watcher.Schema
	}
	if e.Nonce == "" {
		e.Nonce = rand.Text()
	}
	if e.Prev == "" && e.Seq > 0 {
		prev, err := j.hashAt(ctx, token, e.Seq)
		if err != nil {
			return nil, err
		}
		e.Prev = prev
	}
	body, err := json.Marshal(e)
	if err != nil {
		return nil, err
	}
	if j.max > 0 && len(body) > j.max-1024 { // room for the headers
		return nil, fmt.Errorf("%w: %d bytes of at most %d", errTooLarge, len(body), j.max)
	}
	return body, nil
}

func (j *Journal) write(ctx context.Context, token string, e watcher.Entry, body []byte) (uint64, error) {
	seq, err := j.publish(ctx, token, e, body)
	if err == nil {
		return seq, nil
	}
	ctx, cancel := context.WithTimeoutCause(ctx, j.tries.total, errors.New("no answer from the journal"))
	defer cancel()
	return backoff.RetryWithData(func() (uint64, error) {
		found, readErr := j.readBack(ctx, token, e)
		switch {
		case readErr == nil && found > 0:
			return found, nil
		case errors.Is(readErr, watcher.ErrConflict):
			return 0, backoff.Permanent(readErr)
		case readErr == nil && isConflict(err):
			// Refused, though nobody wrote: the condition itself does not hold (an
			// entry that has aged away), or another write is under way.
			return 0, backoff.Permanent(watcher.ErrConflict)
		case readErr != nil:
			return 0, fmt.Errorf("%w (and reading back: %w)", err, readErr)
		}
		// Not there now. It may still arrive, but then the next try is refused.
		if seq, err = j.publish(ctx, token, e, body); err == nil {
			return seq, nil
		}
		return 0, err
	}, backoff.WithContext(quick(), ctx))
}

func (j *Journal) publish(ctx context.Context, token string, e watcher.Entry, body []byte) (uint64, error) {
	ctx, cancel := context.WithTimeout(ctx, j.tries.publish)
	defer cancel()
	ack, err := j.js.PublishMsg(ctx, &nats.Msg{Subject: entrySubject(token, e.Kind), Data: body},
		jetstream.WithExpectStream(StreamJournal),
		jetstream.WithExpectLastSequenceForSubject(e.Seq, laneSubjects(token)))
	if err != nil {
		return 0, err
	}
	return ack.Sequence, nil
}

// readBack looks at the lane's first entry after e.Seq: the only place where this
// write can be. It returns its sequence, 0 if there is none, or ErrConflict if it
// is someone else's.
func (j *Journal) readBack(ctx context.Context, token string, e watcher.Entry) (uint64, error) {
	ctx, cancel := context.WithTimeout(ctx, j.tries.publish)
	defer cancel()
	msg, err := j.stream.GetMsg(ctx, e.Seq+1, jetstream.WithGetMsgSubject(laneSubjects(token)))
	if errors.Is(err, jetstream.ErrMsgNotFound) {
		return 0, nil
	}
	if err != nil {
		return 0, err
	}
	var written watcher.Entry
	if json.Unmarshal(msg.Data, &written) != nil || written.Nonce != e.Nonce {
		return 0, watcher.ErrConflict
	}
	return msg.Sequence, nil
}

// hashAt returns the hash of the lane's entry with that sequence.
func (j *Journal) hashAt(ctx context.Context, token string, seq uint64) (string, error) {
	j.mu.Lock()
	last := j.heads[token]
	j.mu.Unlock()
	if last.seq == seq {
		return last.hash, nil
	}
	ctx, cancel := context.WithTimeout(ctx, j.tries.publish)
	defer cancel()
	msg, err := j.stream.GetMsg(ctx, seq)
	if errors.Is(err, jetstream.ErrMsgNotFound) {
		return "", watcher.ErrConflict
	}
	if err != nil {
		return "", fmt.Errorf("read entry %d: %w", seq, err)
	}
	if of, _, ok := splitEntrySubject(msg.Subject); !ok || of != token {
		return "", fmt.Errorf("entry %d is of another lane: %w", seq, watcher.ErrConflict)
	}
	return hashOf(msg.Data), nil
}

func (j *Journal) remember(token string, e watcher.Entry) {
	j.mu.Lock()
	defer j.mu.Unlock()
	if e.Seq >= j.heads[token].seq {
		j.heads[token] = head{seq: e.Seq, hash: e.Hash}
	}
}

// isConflict knows both codes by which the server refuses a compare-and-set: the
// second one comes from replicated streams.
func isConflict(err error) bool {
	var refused *jetstream.APIError
	return errors.As(err, &refused) &&
		(refused.ErrorCode == jetstream.JSErrCodeStreamWrongLastSequence ||
			refused.ErrorCode == jetstream.JSErrCodeStreamWrongLastSequenceConstant)
}

func hashOf(body []byte) string {
	sum := sha256.Sum256(body)
	return hex.EncodeToString(sum[:])
}

// quick is the pace of retries within one call.
func quick() backoff.BackOff {
	return backoff.NewExponentialBackOff(
		backoff.WithInitialInterval(50*time.Millisecond),
		backoff.WithMaxInterval(time.Second),
		backoff.WithMaxElapsedTime(0))
}

// decode makes an entry of what the stream holds, or a *DamagedError.
func decode(subject string, seq uint64, body []byte) (watcher.Entry, error) {
	damaged := func(what error) error { return &DamagedError{Seq: seq, Subject: subject, Err: what} }
	token, kind, ok := splitEntrySubject(subject)
	if !ok {
		return watcher.Entry{}, damaged(errors.New("no subject of an entry"))
	}
	var e watcher.Entry
	if err := json.Unmarshal(body, &e); err != nil {
		return watcher.Entry{}, damaged(err)
	}
	switch {
	case laneToken(e.Lane) != token:
		return watcher.Entry{}, damaged(fmt.Errorf("speaks of lane %s, to which the subject does not belong", e.Lane))
	case e.Kind != kind:
		return watcher.Entry{}, damaged(fmt.Errorf("is %q by its subject and %q by its text", kind, e.Kind))
	}
	e.Seq, e.Hash = seq, hashOf(body)
	return e, nil
}

// DamagedError says that a message in the journal is no entry of ours.
type DamagedError struct {
	Seq     uint64
	Subject string
	Err     error
}

func (e *DamagedError) Error() string {
	return fmt.Sprintf("journal: entry %d (%s) is damaged: %v", e.Seq, e.Subject, e.Err)
}
func (e *DamagedError) Unwrap() error { return e.Err }
