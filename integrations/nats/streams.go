package nats

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"time"

	"github.com/nats-io/nats.go/jetstream"
)

// The names of the streams.
const (
	StreamDeployments = "DEPLOYMENTS"
	StreamJournal     = "BAKEWATCH_JOURNAL"
	StreamFacts       = "BAKEWATCH_FACTS"
	StreamDead        = "BAKEWATCH_DEAD"
)

const day = 24 * time.Hour

// DefaultSubjects are those that carry deployment events unless others are configured.
func DefaultSubjects() []string { return []string{"deployments.>", "dev.cdevents.service.>"} }

func reserved(stream string) bool {
	return stream == StreamJournal || stream == StreamFacts || stream == StreamDead
}

// wanted is one line of the table of streams.
type wanted struct {
	jetstream.StreamConfig
	// theirs: an operator's own stream, looked at and never changed.
	theirs bool
}

func (c Config) table() []wanted {
	return []wanted{
		{theirs: c.Stream != "", StreamConfig: jetstream.StreamConfig{
			Name:        c.eventStream(),
			Description: "Deployment events as they were received",
			Subjects:    c.Subjects,
			MaxAge:      7 * day,
			Replicas:    c.Replicas,
		}},
		{StreamConfig: jetstream.StreamConfig{
			Name:        StreamJournal,
			Description: "What Bakewatch saw, decided and did",
			Subjects:    []string{journalPrefix + ">"},
			MaxAge:      400 * day,
			DenyDelete:  true,
			DenyPurge:   true,
			Replicas:    c.Replicas,
		}},
		{StreamConfig: jetstream.StreamConfig{
			Name:              StreamFacts,
			Description:       "The last value of each fact",
			Subjects:          []string{factPrefix + ">"},
			MaxMsgsPerSubject: 1,
			AllowMsgTTL:       true,
			Replicas:          c.Replicas,
		}},
		{StreamConfig: jetstream.StreamConfig{
			Name:        StreamDead,
			Description: "Events that could not be understood, with the reason",
			Subjects:    []string{"bakewatch.dead.>"},
			MaxAge:      30 * day,
			Replicas:    c.Replicas,
		}},
	}
}

func (c Config) eventStream() string {
	if c.Stream != "" {
		return c.Stream
	}
	return StreamDeployments
}

// EnsureStreams checks every stream against the table, after creating or
// updating it where that is allowed. A cluster that is still gathering is waited
// for, up to [gathering]. It returns everything that is wrong at once.
func (c *Conn) EnsureStreams(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, max(c.cfg.Timeout, gathering))
	defer cancel()
	var errs []error
	for _, want := range c.cfg.table() {
		if err := c.patiently(ctx, want); err != nil {
			errs = append(errs, err)
		}
	}
	return errors.Join(errs...)
}

func (c *Conn) ensure(ctx context.Context, want wanted) error {
	mayCreate := !want.theirs && (c.cfg.Embedded() || c.cfg.CreateStreams)
	stream, err := c.js.Stream(ctx, want.Name)
	switch {
	case errors.Is(err, jetstream.ErrStreamNotFound) && mayCreate:
		return c.create(ctx, want)
	case errors.Is(err, jetstream.ErrStreamNotFound):
		return c.missing(ctx, want)
	case errors.Is(err, jetstream.ErrJetStreamNotEnabled), errors.Is(err, jetstream.ErrJetStreamNotEnabledForAccount):
		return fmt.Errorf("NATS at %s: JetStream is not enabled for this account: %w", c.place(), err)
	case err != nil:
		return fmt.Errorf("stream %s: %w", want.Name, err)
	}
	have := stream.CachedInfo()
	if mayCreate {
		if have, err = c.bring(ctx, want, have); err != nil {
			return err
		}
	}
	found := inspect(want, have, !c.cfg.Embedded())
	for _, warning := range found.warnings {
		c.log.Warn(warning, slog.String("stream", want.Name))
	}
	return errors.Join(found.errs...)
}

func (c *Conn) create(ctx context.Context, want wanted) error {
	_, err := c.js.CreateStream(ctx, want.StreamConfig)
	if err == nil {
		return nil
	}
	if owner := c.claimant(ctx, want.Subjects); owner != "" {
		return overlap(want, owner)
	}
	return fmt.Errorf("create stream %s: %w", want.Name, err)
}

// bring changes a stream of ours to what this version wants of it, and leaves alone what the table is silent on.
func (c *Conn) bring(ctx context.Context, want wanted, have *jetstream.StreamInfo) (*jetstream.StreamInfo, error) {
	next := have.Config
	next.Subjects = want.Subjects
	next.MaxAge = want.MaxAge
	if next.MaxMsgsPerSubject = want.MaxMsgsPerSubject; next.MaxMsgsPerSubject == 0 {
		next.MaxMsgsPerSubject = -1 // as the server itself says "no limit"
	}
	next.AllowMsgTTL = next.AllowMsgTTL || want.AllowMsgTTL // cannot be taken back
	next.DenyDelete = next.DenyDelete || want.DenyDelete
	next.DenyPurge = next.DenyPurge || want.DenyPurge
	next.AllowDirect = want.AllowDirect
	if same(next, have.Config) {
		return have, nil
	}
	c.log.Info("stream is brought up to date", slog.String("stream", want.Name))
	stream, err := c.js.UpdateStream(ctx, next)
	if err == nil {
		return stream.CachedInfo(), nil
	}
	if owner := c.claimant(ctx, want.Subjects); owner != "" && owner != want.Name {
		return nil, overlap(want, owner)
	}
	return nil, fmt.Errorf("update stream %s: %w", want.Name, err)
}

func (c *Conn) missing(ctx context.Context, want wanted) error {
	if owner := c.claimant(ctx, want.Subjects); owner != "" {
		return overlap(want, owner)
	}
	if want.theirs {
		return fmt.Errorf("stream %s of [nats] stream does not exist on NATS at %s", want.Name, c.place())
	}
	return fmt.Errorf("stream %s does not exist on NATS at %s: "+
		"say create_streams = true in [nats], or create it with subjects %s", want.Name, c.place(), strings.Join(want.Subjects, ", "))
}

// claimant names another stream that takes one of the subjects, or returns "".
func (c *Conn) claimant(ctx context.Context, subjects []string) string {
	for _, subject := range subjects {
		names := c.js.StreamNames(ctx, jetstream.WithStreamListSubject(subject))
		for name := range names.Name() {
			return name
		}
	}
	return ""
}

func overlap(want wanted, owner string) error {
	if reserved(want.Name) {
		return fmt.Errorf("stream %s cannot be made: its subjects (%s) already belong to stream %s; "+
			"take them out of that stream", want.Name, strings.Join(want.Subjects, ", "), owner)
	}
	return fmt.Errorf("stream %s cannot be made: its subjects (%s) already belong to stream %s; "+
		`use that one: [nats] stream = %q`, want.Name, strings.Join(want.Subjects, ", "), owner, owner)
}
