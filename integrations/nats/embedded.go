package nats

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"time"

	"github.com/gofrs/flock"
	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nkeys"
)

// embedded is a NATS server in this process, alone on its store directory.
type embedded struct {
	server *server.Server
	key    nkeys.KeyPair
	store  string
	lock   *flock.Flock
	log    *serverLog
}

// startEmbedded starts the server; what it set up is undone on error.
func startEmbedded(ctx context.Context, cfg Config) (_ *embedded, err error) {
	if err := os.MkdirAll(cfg.Store, 0o700); err != nil {
		return nil, fmt.Errorf("make the store: %w", err)
	}
	e := &embedded{store: cfg.Store, log: &serverLog{log: cfg.Log.With(slog.String("part", "nats-server"))}}
	if e.lock, err = lockStore(cfg.Store, time.Now()); err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			e.stop()
		}
	}()
	if e.key, err = localKey(cfg.Store); err != nil {
		return nil, err
	}
	options, err := e.options(cfg)
	if err != nil {
		return nil, err
	}
	if e.server, err = server.NewServer(options); err != nil {
		return nil, fmt.Errorf("embedded NATS: %w", err)
	}
	e.server.SetLoggerV2(e.log, false, false, false)
	go e.server.Start()
	if err = e.ready(ctx); err != nil {
		return nil, err
	}
	return e, writeAddress(cfg.Store, e.server.ClientURL())
}

func (e *embedded) options(cfg Config) (*server.Options, error) {
	host, port, err := cfg.listen()
	if err != nil {
		return nil, err
	}
	if port == 0 {
		port = server.RANDOM_PORT
	}
	public, err := e.key.PublicKey()
	if err != nil {
		return nil, fmt.Errorf("the store's key: %w", err)
	}
	return &server.Options{
		ServerName: "bakewatch",
		Host:       host,
		Port:       port,
		Nkeys:      []*server.NkeyUser{{Nkey: public}},
		JetStream:  true,
		StoreDir:   cfg.Store,
		// The server's own default (2 minutes) can lose acknowledged writes.
		SyncAlways: true,
		MaxPayload: EmbeddedMaxPayload,
		NoSigs:     true,

		DisableJetStreamBanner: true,
	}, nil
}

// ready waits until the server takes connections. A large store takes its time to
// be read back, so only the caller's context bounds the wait.
func (e *embedded) ready(ctx context.Context) error {
	for !e.server.ReadyForConnections(100 * time.Millisecond) {
		if err := e.log.failed(); err != nil {
			return err
		}
		if ctx.Err() != nil {
			return fmt.Errorf("embedded NATS did not start: %w", context.Cause(ctx))
		}
	}
	return e.health()
}

// health returns why the started server cannot be relied on, or nil.
func (e *embedded) health() error {
	if err := e.log.failed(); err != nil {
		return err
	}
	if !e.server.Running() {
		return errors.New("embedded NATS: the server has stopped")
	}
	if !e.server.JetStreamEnabled() {
		return errors.New("embedded NATS: JetStream is switched off")
	}
	return nil
}

// clientOptions connect this process without a socket.
func (e *embedded) clientOptions() ([]nats.Option, error) {
	public, err := e.key.PublicKey()
	if err != nil {
		return nil, fmt.Errorf("the store's key: %w", err)
	}
	return []nats.Option{nats.InProcessServer(e.server), nats.Nkey(public, e.key.Sign)}, nil
}

// stop shuts the server down, which writes out what it holds, and then gives the
// store free. It may be called on a server that never started.
func (e *embedded) stop() {
	if e.server != nil {
		e.server.Shutdown()
		e.server.WaitForShutdown()
		if err := writeAddress(e.store, ""); err != nil {
			e.log.log.Warn("cannot take back the address file", slog.Any("error", err))
		}
	}
	if err := e.lock.Close(); err != nil {
		e.log.log.Warn("cannot give the store free", slog.Any("error", err))
	}
}
