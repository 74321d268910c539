package nats

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/bakewatch/bakewatch/actions"
	"github.com/bakewatch/bakewatch/watcher"
)

// Deliver hands one entry to a channel. History is its watch from opened up to and
// including the entry; try counts from 1. A nil error means delivered; one that
// is actions.Permanent is not tried again.
type Deliver func(ctx context.Context, entry watcher.Entry, history []watcher.Entry, try int) error

// Channel is one consumer of the journal.
type Channel struct {
	Name    string
	Kinds   []watcher.Kind // which entries it wants
	Deliver Deliver
	// GaveUp, which may be nil, hears of an entry that will not be delivered any more.
	GaveUp func(ctx context.Context, entry watcher.Entry, err error)
}

// DeliveriesConfig says how patiently; its zero value will do.
type DeliveriesConfig struct {
	Tries int // after which an entry is given up; default 12, some ten minutes
	// Backoff is the pause after a first failed try, which doubles up to MaxBackoff;
	// default 1 s, 2 min. A channel that asked for a longer one gets it.
	Backoff, MaxBackoff time.Duration
	Timeout             time.Duration // of one try; default 20 s
}

func (c *DeliveriesConfig) defaults() {
	if c.Tries == 0 {
		c.Tries = 12
	}
	if c.Backoff == 0 {
		c.Backoff = time.Second
	}
	if c.MaxBackoff == 0 {
		c.MaxBackoff = 2 * time.Minute
	}
	if c.Timeout == 0 {
		c.Timeout = 20 * time.Second
	}
}

// Deliveries hand the journal's entries to channels, each at least once. Every
// channel has a durable consumer of its own, so one that is dead blocks no other.
type Deliveries struct {
	journal  *Journal
	cfg      DeliveriesConfig
	channels []Channel
	limit    int
	log      *slog.Logger
}

const (
	// deliverySlots is how many entries one channel is told at once. More are held, so
	// that the server does not take those that wait for lost and sends them twice.
	deliverySlots = 16
	// maxUntold leaves room for entries that wait for their next try, so that a few
	// of them do not hold up the rest.
	maxUntold = 1000
)

// forgotten is after how long the consumer of a channel that nobody serves is removed.
const forgotten = 30 * day

// Deliveries makes the channels' consumers. A channel that is new hears of what
// is written from now on, one that is known goes on where it stopped.
func (c *Conn) Deliveries(ctx context.Context, cfg DeliveriesConfig, channels ...Channel) (*Deliveries, error) {
	cfg.defaults()
	journal, err := c.Journal(ctx)
	if err != nil {
		return nil, err
	}
	d := &Deliveries{journal: journal, cfg: cfg, channels: channels, limit: int(c.nc.MaxPayload()), log: c.log}
	var errs []error
	for _, channel := range channels {
		if _, err := d.open(ctx, channel); err != nil {
			errs = append(errs, err)
		}
	}
	return d, errors.Join(errs...)
}

// Run serves all channels until the context ends; then it waits for what is being
// delivered and returns nil.
func (d *Deliveries) Run(ctx context.Context) error {
	var wait sync.WaitGroup
	errs := make([]error, len(d.channels))
	for i, channel := range d.channels {
		wait.Go(func() { errs[i] = d.serve(ctx, channel) })
	}
	wait.Wait()
	return errors.Join(errs...)
}

func (d *Deliveries) open(ctx context.Context, channel Channel) (jetstream.Consumer, error) {
	token, err := keyToken(channel.Name)
	if err != nil {
		return nil, fmt.Errorf("channel %s: %w", channel.Name, err)
	}
	subjects := make([]string, len(channel.Kinds))
	for i, kind := range channel.Kinds {
		subjects[i] = entrySubject("*", kind)
	}
	consumer, err := d.journal.stream.CreateOrUpdateConsumer(ctx, jetstream.ConsumerConfig{
		Durable:           "channel-" + token,
		Description:       "Bakewatch tells channel " + channel.Name,
		FilterSubjects:    subjects,
		DeliverPolicy:     jetstream.DeliverNewPolicy,
		AckPolicy:         jetstream.AckExplicitPolicy,
		AckWait:           ackWait,
		MaxAckPending:     maxUntold,
		InactiveThreshold: forgotten,
	})
	if err != nil {
		return nil, fmt.Errorf("channel %s: %w", channel.Name, err)
	}
	return consumer, nil
}

func (d *Deliveries) serve(ctx context.Context, channel Channel) error {
	log := d.log.With(slog.String("channel", channel.Name))
	f := &flow{
		log: log, limit: d.limit, room: maxUntold, hands: deliverySlots,
		open: func(ctx context.Context) (jetstream.Consumer, error) { return d.open(ctx, channel) },
		// Entries of one lane in order; a lane's trouble does not hold up another's.
		key: func(msg jetstream.Msg) string { token, _, _ := splitEntrySubject(msg.Subject()); return token },
		settle: func(ctx context.Context, msg jetstream.Msg) time.Duration {
			return d.settle(ctx, log, channel, msg)
		},
	}
	return f.run(ctx)
}

// settle tries one entry once. A failed one comes again after a pause, without
// holding up the lane's later entries: a page must not wait for a chat message.
func (d *Deliveries) settle(ctx context.Context, log *slog.Logger, channel Channel, msg jetstream.Msg) time.Duration {
	in := incoming(msg)
	entry, err := decode(in.Subject, in.Seq, in.Data)
	if err != nil {
		log.Error("an entry cannot be told", slog.Any("error", err))
		d.end(log, msg.TermWithReason("damaged"))
		return 0
	}
	log = log.With(slog.Uint64("entry", entry.Seq), slog.String("kind", string(entry.Kind)), slog.Int("try", in.Try))
	err = d.try(ctx, channel, entry, in.Try)
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), settleTimeout)
	defer cancel()
	pause := max(doubled(d.cfg.Backoff, d.cfg.MaxBackoff, in.Try), askedPause(err))
	switch {
	case err == nil:
		d.end(log, msg.DoubleAck(ctx))
	case actions.Classify(err) == actions.ClassPermanent || in.Try >= d.cfg.Tries:
		log.Error("an entry was not told", slog.Any("error", err))
		gaveUp(ctx, log, channel, entry, err)
		d.end(log, msg.TermWithReason(headerValue(err.Error(), 200)))
	default:
		log.Warn("an entry is told again later", slog.Any("error", err), slog.Duration("after", pause))
		d.end(log, msg.NakWithDelay(pause))
	}
	return 0
}

func (d *Deliveries) try(ctx context.Context, channel Channel, entry watcher.Entry, try int) (err error) {
	ctx, cancel := context.WithTimeout(ctx, d.cfg.Timeout)
	defer cancel()
	history := []watcher.Entry{entry} // where no watch came before it, that is all
	if entry.Kind != watcher.Opened && entry.Watch != 0 {
		if history, err = d.journal.History(ctx, entry.Lane, entry.Watch, entry.Seq); err != nil {
			return err
		}
	}
	defer func() {
		if value := recover(); value != nil {
			err = fmt.Errorf("panic: %v", value)
		}
	}()
	return channel.Deliver(ctx, entry, history, try)
}

// end notes a message that could not be settled; it comes again by itself.
func (d *Deliveries) end(log *slog.Logger, err error) {
	if err != nil {
		log.Warn("an entry was not settled and is told again", slog.Any("error", err))
	}
}

func gaveUp(ctx context.Context, log *slog.Logger, channel Channel, entry watcher.Entry, err error) {
	if channel.GaveUp == nil {
		return
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), ackWait)
	defer cancel()
	defer func() {
		if value := recover(); value != nil {
			log.Error("panic while giving up", slog.Any("panic", value))
		}
	}()
	channel.GaveUp(ctx, entry, err)
}

// askedPause is how long the other side asked to wait.
func askedPause(err error) time.Duration {
	var classed *actions.Error
	if errors.As(err, &classed) {
		return min(classed.After, time.Hour)
	}
	return 0
}
