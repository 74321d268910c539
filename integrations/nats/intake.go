package nats

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/bakewatch/bakewatch/actions"
)

// Incoming is one event as it was received. Nothing in it is trusted.
type Incoming struct {
	Subject string
	Headers nats.Header
	Data    []byte
	Seq     uint64    // in its stream
	At      time.Time // when the server took it
	Try     int       // from 1; counts deliveries, also such that were handed back unseen
}

// IntakeConfig says how events are taken in; its zero value will do.
type IntakeConfig struct {
	Durable string // the consumer's name; default "bakewatch"
	// Key tells which events must keep their order among each other; default: by subject.
	Key func(Incoming) string
	// Backoff is the pause after a first failed try, which doubles up to MaxBackoff;
	// default 1 s, 30 s.
	Backoff, MaxBackoff time.Duration
	// Since is how far back an intake begins that is new on this NATS; default 1 h.
	Since time.Duration
}

// maxPanics is how often an event may make its handler panic before it is set aside.
const maxPanics = 3

// maxUnsettled leaves room for events that wait for their next try, so that a lane
// in trouble does not hold up the others.
const maxUnsettled = 20_000

// How long one try of an event may take, and its acknowledging after that.
const (
	handleTimeout = 30 * time.Second
	settleTimeout = 5 * time.Second
)

// Intake takes events from the stream of deployments, each at least once.
type Intake struct {
	js     jetstream.JetStream
	cfg    IntakeConfig
	table  jetstream.ConsumerConfig
	stream string
	limit  int
	log    *slog.Logger

	mu     sync.Mutex
	panics map[uint64]int // by sequence
}

// Intake returns the intake of this connection.
func (c *Conn) Intake(cfg IntakeConfig) *Intake {
	if cfg.Durable == "" {
		cfg.Durable = "bakewatch"
	}
	if cfg.Key == nil {
		cfg.Key = func(in Incoming) string { return in.Subject }
	}
	if cfg.Backoff == 0 {
		cfg.Backoff = time.Second
	}
	if cfg.MaxBackoff == 0 {
		cfg.MaxBackoff = 30 * time.Second
	}
	if cfg.Since == 0 {
		cfg.Since = time.Hour
	}
	return &Intake{
		js: c.js, cfg: cfg, stream: c.cfg.eventStream(), limit: int(c.nc.MaxPayload()), log: c.log, panics: map[uint64]int{},
		table: jetstream.ConsumerConfig{
			Durable:        cfg.Durable,
			Description:    "Bakewatch takes deployment events in",
			FilterSubjects: c.cfg.Subjects,
			AckPolicy:      jetstream.AckExplicitPolicy,
			AckWait:        ackWait,
			MaxAckPending:  maxUnsettled,
		},
	}
}

// Run hands events to handle until the context ends; then it waits for those in
// work and returns nil. An event is acknowledged, twice over, once handle returns
// nil. If the error is actions.Permanent the event is copied to BAKEWATCH_DEAD
// with the reason and never comes again, likewise after three panics; any other
// error makes it come again later, and those behind it after it; only one that
// arrives at the very moment may overtake them. Handle must do no harm when an
// event is repeated, or comes out of order.
func (i *Intake) Run(ctx context.Context, handle func(context.Context, Incoming) error) error {
	f := &flow{
		log: i.log, limit: i.limit, room: flowSlots, hands: flowSlots,
		open: i.open,
		key:  i.key,
		settle: func(ctx context.Context, msg jetstream.Msg) time.Duration {
			return i.settle(ctx, msg, handle)
		},
	}
	sweeping, stop := context.WithCancel(ctx)
	var sweeper sync.WaitGroup
	sweeper.Go(func() { i.sweep(sweeping) })
	defer sweeper.Wait()
	defer stop()
	return f.run(ctx)
}

// open finds the durable consumer, or makes it. Where it began stays as it is.
func (i *Intake) open(ctx context.Context) (jetstream.Consumer, error) {
	table := i.table
	begin := time.Now().Add(-i.cfg.Since)
	table.DeliverPolicy, table.OptStartTime = jetstream.DeliverByStartTimePolicy, &begin
	known, err := i.js.Consumer(ctx, i.stream, table.Durable)
	if err == nil {
		was := known.CachedInfo().Config
		table.DeliverPolicy, table.OptStartTime, table.OptStartSeq = was.DeliverPolicy, was.OptStartTime, was.OptStartSeq
	} else if !errors.Is(err, jetstream.ErrConsumerNotFound) {
		return nil, fmt.Errorf("take events from stream %s: %w", i.stream, err)
	}
	consumer, err := i.js.CreateOrUpdateConsumer(ctx, i.stream, table)
	if err != nil {
		return nil, fmt.Errorf("take events from stream %s: %w", i.stream, err)
	}
	return consumer, nil
}

// key falls back to the subject where the configured key fails on what is in the event.
func (i *Intake) key(msg jetstream.Msg) (key string) {
	defer func() {
		if recover() != nil {
			key = msg.Subject()
		}
	}()
	return i.cfg.Key(incoming(msg))
}

func incoming(msg jetstream.Msg) Incoming {
	in := Incoming{Subject: msg.Subject(), Headers: msg.Headers(), Data: msg.Data()}
	if meta, err := msg.Metadata(); err == nil {
		in.Seq, in.At, in.Try = meta.Sequence.Stream, meta.Timestamp, int(meta.NumDelivered)
	}
	return in
}

func (i *Intake) settle(ctx context.Context, msg jetstream.Msg, handle func(context.Context, Incoming) error) time.Duration {
	in := incoming(msg)
	err := i.try(ctx, in, handle)
	// What follows is done also when the intake is stopping.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), settleTimeout)
	defer cancel()
	switch {
	case err == nil:
		i.forget(in.Seq)
		if err := msg.DoubleAck(ctx); err != nil {
			i.log.Warn("an event was not acknowledged and comes again", slog.Uint64("seq", in.Seq), slog.Any("error", err))
		}
		return 0
	case actions.Classify(err) == actions.ClassPermanent:
		return i.setAside(ctx, msg, in, err)
	}
	pause := i.cfg.pause(in.Try)
	i.log.Warn("an event is tried again", slog.String("subject", in.Subject), slog.Uint64("seq", in.Seq),
		slog.Int("try", in.Try), slog.Duration("after", pause), slog.Any("error", err))
	i.refuse(msg, pause)
	return pause
}

// try calls handle; a panic is an error, and the third one of an event permanent.
func (i *Intake) try(ctx context.Context, in Incoming, handle func(context.Context, Incoming) error) (err error) {
	ctx, cancel := context.WithTimeout(ctx, handleTimeout)
	defer cancel()
	defer func() {
		value := recover()
		if value == nil {
			return
		}
		err = fmt.Errorf("panic: %v", value)
		if n := i.panicked(in.Seq); n >= maxPanics {
			err = actions.Permanent(fmt.Errorf("panic, %d times: %v", n, value))
		}
	}()
	return handle(ctx, in)
}

func (i *Intake) panicked(seq uint64) int {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.panics[seq]++
	return i.panics[seq]
}

func (i *Intake) forget(seq uint64) {
	i.mu.Lock()
	defer i.mu.Unlock()
	delete(i.panics, seq)
}

// setAside moves an event to the dead letters, and only then gives it up.
func (i *Intake) setAside(ctx context.Context, msg jetstream.Msg, in Incoming, reason error) time.Duration {
	err := bury(ctx, i.js, i.limit, i.stream, in, reason)
	if err == nil {
		i.forget(in.Seq)
		i.log.Warn("an event was set aside", slog.String("subject", in.Subject), slog.Uint64("seq", in.Seq), slog.Any("reason", reason))
		if err = msg.TermWithReason(headerValue(reason.Error(), 200)); err == nil {
			return 0
		}
	}
	i.log.Error("an event was not set aside and comes again", slog.Uint64("seq", in.Seq), slog.Any("error", err))
	pause := i.cfg.pause(in.Try)
	i.refuse(msg, pause)
	return pause
}

func (i *Intake) refuse(msg jetstream.Msg, pause time.Duration) {
	if err := msg.NakWithDelay(pause); err != nil && !errors.Is(err, jetstream.ErrMsgAlreadyAckd) {
		i.log.Debug("an event could not be handed back; it comes again by itself", slog.Any("error", err))
	}
}

func (c IntakeConfig) pause(try int) time.Duration {
	return doubled(c.Backoff, c.MaxBackoff, try)
}

// doubled returns first, twice first, … for the tries 1, 2, …, at most limit.
func doubled(first, limit time.Duration, try int) time.Duration {
	pause := first
	for ; try > 1 && pause < limit; try-- {
		pause *= 2
	}
	return min(pause, limit)
}
