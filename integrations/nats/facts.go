package nats

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/cenkalti/backoff/v4"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

// The kinds of facts.
const (
	FactPlan   = "plan"   // a service's last good plan
	FactDisarm = "disarm" // why nothing may be rolled back
	FactLease  = "lease"  // who acts
	FactSigned = "signed" // a request that was signed: its key and id, so that it counts once
	FactLink   = "link"   // the key that signs the links for one person
	FactLogin  = "login"  // the key that seals the cookies of logins
)

// Why a fact is not as it was wished.
var (
	ErrNoFact  = errors.New("no such fact")
	ErrClaimed = errors.New("the fact is there already")
)

// Fact is the last value of one key.
type Fact struct {
	Kind    string
	Key     string
	Value   []byte
	Seq     uint64
	At      time.Time // when the server took it
	Deleted bool      // only in Watch
}

// Facts keep the last value of each kind and key on the stream BAKEWATCH_FACTS.
type Facts struct {
	js     jetstream.JetStream
	stream jetstream.Stream
	log    *slog.Logger
}

// A deletion is a message too, so that watchers hear of it; it removes itself.
const (
	deletedHeader = "Bakewatch-Deleted"
	deletedTTL    = time.Hour
)

// Facts returns the facts of this connection.
func (c *Conn) Facts(ctx context.Context) (*Facts, error) {
	stream, err := c.js.Stream(ctx, StreamFacts)
	if err != nil {
		return nil, fmt.Errorf("open the facts: %w", err)
	}
	return &Facts{js: c.js, stream: stream, log: c.log}, nil
}

func factSubject(kind, key string) (string, error) {
	if !isToken(kind) {
		return "", fmt.Errorf("%q is no kind of fact", kind)
	}
	token, err := keyToken(key)
	if err != nil {
		return "", err
	}
	return factPrefix + kind + "." + token, nil
}

// Put sets a fact. Any key will do, up to a few hundred bytes.
func (f *Facts) Put(ctx context.Context, kind, key string, value []byte) error {
	subject, err := factSubject(kind, key)
	if err == nil {
		_, err = f.publish(ctx, &nats.Msg{Subject: subject, Data: value})
	}
	if err != nil {
		return fmt.Errorf("put fact %s %q: %w", kind, key, err)
	}
	return nil
}

// Claim puts a fact that is gone after ttl (at least a second). Of all that claim the
// same, also in other processes and after a restart, one succeeds; the others get an
// error that is ErrClaimed.
func (f *Facts) Claim(ctx context.Context, kind, key string, ttl time.Duration) error {
	subject, err := factSubject(kind, key)
	if err == nil {
		_, err = f.publish(ctx, &nats.Msg{Subject: subject}, jetstream.WithExpectLastSequencePerSubject(0), jetstream.WithMsgTTL(ttl))
	}
	if isConflict(err) {
		err = ErrClaimed
	}
	if err != nil {
		return fmt.Errorf("claim fact %s %q: %w", kind, key, err)
	}
	return nil
}

// Get returns a fact, or an error that is ErrNoFact.
func (f *Facts) Get(ctx context.Context, kind, key string) (Fact, error) {
	subject, err := factSubject(kind, key)
	if err != nil {
		return Fact{}, fmt.Errorf("get fact %s %q: %w", kind, key, err)
	}
	fact, err := f.last(ctx, subject)
	if err == nil && fact.Deleted {
		err = ErrNoFact
	}
	if err != nil {
		return Fact{}, fmt.Errorf("get fact %s %q: %w", kind, key, err)
	}
	return fact, nil
}

// Delete removes a fact. It is no error if there is none.
func (f *Facts) Delete(ctx context.Context, kind, key string) error {
	subject, err := factSubject(kind, key)
	if err == nil {
		_, err = f.publish(ctx, deletion(subject), jetstream.WithMsgTTL(deletedTTL))
	}
	if err != nil {
		return fmt.Errorf("delete fact %s %q: %w", kind, key, err)
	}
	return nil
}

// List returns all facts of a kind, in the order in which they were put.
func (f *Facts) List(ctx context.Context, kind string) ([]Fact, error) {
	cfg, err := factsOf(kind)
	if err != nil {
		return nil, err
	}
	facts := map[string]Fact{}
	end, err := lastSeq(ctx, f.stream, factPrefix+kind+".*")
	if err != nil {
		return nil, fmt.Errorf("list facts of kind %s: %w", kind, err)
	}
	if end == 0 {
		return nil, nil
	}
	err = scan(ctx, f.stream, cfg, end, func(msg jetstream.Msg, _ uint64) error {
		fact, err := factOf(msg)
		if err != nil {
			f.log.Warn("a fact cannot be read", slog.String("subject", msg.Subject()), slog.Any("error", err))
			return nil
		}
		facts[fact.Key] = fact
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("list facts of kind %s: %w", kind, err)
	}
	return present(facts), nil
}

// Watch calls each for all facts of a kind as they are now and then for every
// change, until the context ends; then it returns nil. It goes on by itself after
// interruptions, and may then repeat what it said. It is a hint that comes early:
// whoever depends on a fact reads it again now and then.
func (f *Facts) Watch(ctx context.Context, kind string, each func(Fact)) error {
	pace := quick()
	err := backoff.Retry(func() error {
		err := f.follow(ctx, kind, func(fact Fact) { pace.Reset(); each(fact) })
		if ctx.Err() == nil {
			f.log.Warn("watching facts was interrupted", slog.String("kind", kind), slog.Any("error", err))
		}
		return err
	}, backoff.WithContext(pace, ctx))
	if ctx.Err() != nil {
		return nil
	}
	return err
}

func (f *Facts) follow(ctx context.Context, kind string, each func(Fact)) error {
	cfg, err := factsOf(kind)
	if err != nil {
		return backoff.Permanent(err)
	}
	consumer, discard, err := temporary(ctx, f.stream, cfg)
	if err != nil {
		return err
	}
	defer discard()
	messages, err := consumer.Messages(jetstream.PullExpiry(pullExpiry), jetstream.PullHeartbeat(pullHeartbeat))
	if err != nil {
		return err
	}
	defer messages.Stop()
	for {
		msg, err := messages.Next(jetstream.NextContext(ctx))
		if err != nil {
			return err
		}
		fact, err := factOf(msg)
		if err != nil {
			f.log.Warn("a fact cannot be read", slog.String("subject", msg.Subject()), slog.Any("error", err))
			continue
		}
		each(fact)
	}
}

func (f *Facts) publish(ctx context.Context, msg *nats.Msg, options ...jetstream.PublishOpt) (uint64, error) {
	ack, err := f.js.PublishMsg(ctx, msg, append(options, jetstream.WithExpectStream(StreamFacts))...)
	if err != nil {
		return 0, err
	}
	return ack.Sequence, nil
}

// last reads a subject's message, a deletion too, from the stream's leader.
func (f *Facts) last(ctx context.Context, subject string) (Fact, error) {
	msg, err := f.stream.GetLastMsgForSubject(ctx, subject)
	if errors.Is(err, jetstream.ErrMsgNotFound) {
		return Fact{}, ErrNoFact
	}
	if err != nil {
		return Fact{}, err
	}
	fact, err := named(msg.Subject)
	fact.Value, fact.Seq, fact.At = msg.Data, msg.Sequence, msg.Time
	fact.Deleted = msg.Header.Get(deletedHeader) != ""
	return fact, err
}

func present(facts map[string]Fact) []Fact {
	maps.DeleteFunc(facts, func(_ string, f Fact) bool { return f.Deleted })
	return slices.SortedFunc(maps.Values(facts), func(a, b Fact) int { return cmp.Compare(a.Seq, b.Seq) })
}

func deletion(subject string) *nats.Msg {
	return &nats.Msg{Subject: subject, Header: nats.Header{deletedHeader: {"1"}}}
}

func factsOf(kind string) (jetstream.OrderedConsumerConfig, error) {
	if !isToken(kind) {
		return jetstream.OrderedConsumerConfig{}, fmt.Errorf("%q is no kind of fact", kind)
	}
	return jetstream.OrderedConsumerConfig{
		FilterSubjects: []string{factPrefix + kind + ".*"},
		DeliverPolicy:  jetstream.DeliverLastPerSubjectPolicy,
	}, nil
}

func factOf(msg jetstream.Msg) (Fact, error) {
	fact, err := named(msg.Subject())
	if err != nil {
		return Fact{}, err
	}
	meta, err := msg.Metadata()
	if err != nil {
		return Fact{}, err
	}
	fact.Value, fact.Seq, fact.At = msg.Data(), meta.Sequence.Stream, meta.Timestamp
	fact.Deleted = msg.Headers().Get(deletedHeader) != ""
	return fact, nil
}

// named reads kind and key from a subject.
func named(subject string) (Fact, error) {
	kind, token, ok := strings.Cut(strings.TrimPrefix(subject, factPrefix), ".")
	if !ok {
		return Fact{}, fmt.Errorf("subject %q names no fact", subject)
	}
	key, err := tokenKey(token)
	return Fact{Kind: kind, Key: key}, err
}
