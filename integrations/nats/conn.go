package nats

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

// Conn is a connection to NATS whose streams were found as they should be.
type Conn struct {
	cfg    Config
	log    *slog.Logger
	own    *embedded // nil: external
	nc     *nats.Conn
	js     jetstream.JetStream
	closed chan struct{}
	end    sync.Once
	// instance tells this connection from every other, also from those before a restart.
	instance string
}

// Connect starts the embedded server or connects to the external one, and checks
// the streams (creating them where that is allowed). What it set up is undone on
// error. Its error may be a *HeldError: another process uses the store.
func Connect(ctx context.Context, cfg Config) (*Conn, error) {
	c, err := Dial(ctx, cfg)
	if err != nil {
		return nil, err
	}
	if err := c.EnsureStreams(ctx); err != nil {
		c.abandon()
		return nil, err
	}
	return c, nil
}

// Dial is Connect without a look at the streams: for commands that only ask.
func Dial(ctx context.Context, cfg Config) (*Conn, error) {
	if err := cfg.defaults(); err != nil {
		return nil, err
	}
	c := &Conn{cfg: cfg, log: cfg.Log, closed: make(chan struct{}), instance: rand.Text()}
	if err := c.dial(ctx); err != nil {
		c.abandon()
		return nil, err
	}
	return c, nil
}

func (c *Conn) dial(ctx context.Context) (err error) {
	options := c.clientOptions()
	if c.cfg.Embedded() {
		if c.own, err = startEmbedded(ctx, c.cfg); err != nil {
			return err
		}
		enter, err := c.own.clientOptions()
		if err != nil {
			return err
		}
		options = append(options, enter...)
	} else {
		enter, err := externalOptions(c.cfg)
		if err != nil {
			return err
		}
		options = append(options, enter...)
	}
	if c.nc, err = nats.Connect(c.cfg.URL, options...); err != nil {
		return fmt.Errorf("connect to NATS at %s: %w", c.place(), err)
	}
	if c.js, err = jetstream.New(c.nc, jetstream.WithDefaultTimeout(c.cfg.Timeout)); err != nil {
		return fmt.Errorf("use JetStream: %w", err)
	}
	return nil
}

// clientOptions are the settings that both kinds of server need. There is no
// reconnect buffer: it could send, minutes later, a write that was given up.
func (c *Conn) clientOptions() []nats.Option {
	return []nats.Option{
		nats.Name("bakewatch " + c.cfg.Replica),
		nats.Timeout(c.cfg.Timeout),
		nats.MaxReconnects(-1),
		nats.ReconnectWait(250 * time.Millisecond),
		nats.ReconnectJitter(250*time.Millisecond, 250*time.Millisecond),
		nats.ReconnectBufSize(-1),
		nats.PingInterval(10 * time.Second),
		nats.MaxPingsOutstanding(2),
		nats.DisconnectErrHandler(func(_ *nats.Conn, err error) {
			if err != nil {
				c.log.Warn("NATS connection lost", slog.Any("error", err))
			}
		}),
		nats.ReconnectHandler(func(nc *nats.Conn) {
			c.log.Info("NATS connection is back", slog.String("url", nc.ConnectedUrlRedacted()))
		}),
		nats.ErrorHandler(func(_ *nats.Conn, _ *nats.Subscription, err error) {
			c.log.Warn("NATS reported an error", slog.Any("error", err))
		}),
		nats.ClosedHandler(func(*nats.Conn) { close(c.closed) }),
	}
}

func externalOptions(cfg Config) ([]nats.Option, error) {
	var options []nats.Option
	if cfg.CredsFile != "" {
		options = append(options, nats.UserCredentials(cfg.CredsFile))
	}
	if cfg.NKeyFile != "" {
		option, err := nats.NkeyOptionFromSeed(cfg.NKeyFile)
		if err != nil {
			return nil, fmt.Errorf("nkey file %s: %w", cfg.NKeyFile, err)
		}
		options = append(options, option)
	}
	if cfg.TLS.CA != "" {
		options = append(options, nats.RootCAs(cfg.TLS.CA))
	}
	if cfg.TLS.Cert != "" {
		options = append(options, nats.ClientCert(cfg.TLS.Cert, cfg.TLS.Key))
	}
	return options, nil
}

// place names the server for people, without the secrets of a URL.
func (c *Conn) place() string {
	if c.cfg.Embedded() {
		return "store " + c.cfg.Store
	}
	return redact(c.cfg.URL)
}

// NATS returns the connection itself, for request-reply and plain subjects.
func (c *Conn) NATS() *nats.Conn { return c.nc }

// JetStream returns the connection's JetStream.
func (c *Conn) JetStream() jetstream.JetStream { return c.js }

// Ready returns nil while entries can be written as far as this side can tell:
// connected, and for an embedded server running with a store that works.
func (c *Conn) Ready() error {
	if c.own != nil {
		if err := c.own.health(); err != nil {
			return err
		}
	}
	if status := c.nc.Status(); status != nats.CONNECTED {
		return fmt.Errorf("NATS at %s is not connected: %s", c.place(), status)
	}
	return nil
}

// Close sends what is still to be sent, lets running handlers end, and stops the
// embedded server so that all it holds is on disk. The context bounds the
// draining, not the server's shutdown.
func (c *Conn) Close(ctx context.Context) error {
	var errs []error
	err := c.nc.Drain()
	// Away from the server there is nothing to drain, for nothing is buffered.
	if err != nil && !errors.Is(err, nats.ErrConnectionClosed) && !errors.Is(err, nats.ErrConnectionReconnecting) {
		errs = append(errs, fmt.Errorf("drain NATS: %w", err))
		c.nc.Close()
	}
	select {
	case <-c.closed:
	case <-ctx.Done():
		errs = append(errs, fmt.Errorf("drain NATS: %w", context.Cause(ctx)))
	}
	c.abandon()
	return errors.Join(errs...)
}

// abandon undoes whatever part of the set-up exists, once: later the store may be another's.
func (c *Conn) abandon() { c.end.Do(c.undo) }

func (c *Conn) undo() {
	if c.nc != nil {
		c.nc.Close()
	}
	if c.own != nil {
		c.own.stop()
	}
}
