package daemon

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/bakewatch/bakewatch/configs"
	"github.com/bakewatch/bakewatch/integrations/nats"
	"github.com/bakewatch/bakewatch/integrations/nats/signing"
	"github.com/bakewatch/bakewatch/integrations/oidc"
	"github.com/bakewatch/bakewatch/integrations/pagerduty"
	prom "github.com/bakewatch/bakewatch/integrations/prometheus"
	"github.com/bakewatch/bakewatch/integrations/prometheus/embedded"
	"github.com/bakewatch/bakewatch/integrations/slack"
	"github.com/bakewatch/bakewatch/integrations/web"
	"github.com/bakewatch/bakewatch/watcher"
)

// Config is what a daemon is started with.
type Config struct {
	File    string // the daemon's file, loaded
	Daemon  *configs.Daemon
	Catalog configs.Catalog
	Replica string // the name of this process in the journal; default: host and pid
	Version string
	Log     *slog.Logger
	// Lease is how quickly a standby takes over; zero: as the design says.
	Lease nats.Timing
	// Journal, if set, stands between the owner and the journal: a test stops the
	// process there, before and after an append.
	Journal func(watcher.Journal) watcher.Journal
}

// Daemon is a Bakewatch that is set up and not yet running.
type Daemon struct {
	cfg      Config
	metrics  *metrics
	conn     *nats.Conn
	facts    *nats.Facts
	journal  *nats.Journal
	sampler  *prom.Sampler
	servers  []*embedded.Server
	web      *web.Server
	switches *switchboard
	clock    *clock
	watcher  *configs.Watcher
	force    atomic.Pointer[force]
	seen     signing.Seen                      // which signed events were there
	buttons  atomic.Pointer[slack.Buttons]     // nil: nobody here may answer
	hook     atomic.Pointer[pagerduty.Webhook] // nil: nobody here may answer
	rota     *rota
	desk     atomic.Pointer[watcher.Owner] // nil: another replica is active, or none yet
	linkKey  sharedKey
	loginKey sharedKey
	issuer   *oidc.Provider // nil: nobody logs in
	leaving  atomic.Bool
	undo     []func()
}

// grace is how long a rollback under way may take to end after the order to stop.
const grace = 6 * time.Second

// New sets everything up that can fail. What it set up is undone on an error.
func New(ctx context.Context, cfg Config) (*Daemon, error) {
	d := &Daemon{cfg: cfg, metrics: newMetrics(cfg.Version), linkKey: sharedKey{kind: nats.FactLink}, loginKey: sharedKey{kind: nats.FactLogin}}
	for _, step := range []func(context.Context) error{
		d.connect, d.openSwitches, d.loadPlans, d.openPrometheus, d.openLogin, d.listen,
	} {
		if err := step(ctx); err != nil {
			d.close()
			return nil, err
		}
	}
	return d, nil
}

func (d *Daemon) connect(ctx context.Context) error {
	n := d.cfg.Daemon.NATS
	cfg := nats.Config{
		Replica: d.cfg.Replica, Stream: n.Stream, CreateStreams: n.CreateStreams, Replicas: n.Replicas, Log: d.cfg.Log,
		URL: n.URL, CredsFile: n.CredsFile, NKeyFile: n.NKeyFile,
		TLS: nats.TLS{CA: n.TLS.CAFile, Cert: n.TLS.CertFile, Key: n.TLS.KeyFile},
	}
	if n.Embedded() {
		cfg.Store, cfg.Listen = n.Store, n.Listen
	}
	conn, err := nats.Connect(ctx, cfg)
	if err != nil {
		return err
	}
	d.conn = conn
	d.defers(func() {
		ending, cancel := context.WithTimeout(context.WithoutCancel(ctx), 2*time.Second)
		defer cancel()
		if err := conn.Close(ending); err != nil {
			d.cfg.Log.Warn("NATS did not close cleanly", "err", err)
		}
	})
	if d.facts, err = conn.Facts(ctx); err != nil {
		return err
	}
	d.journal, err = conn.Journal(ctx)
	return err
}

func (d *Daemon) openSwitches(ctx context.Context) error {
	d.clock = newClock()
	d.switches = newSwitchboard(d.facts, d.cfg.Daemon.DisarmFile(), d.cfg.Log)
	d.switches.planned = d.planned
	if err := d.switches.refresh(ctx); err != nil {
		return fmt.Errorf("read whether rollbacks are disarmed: %w", err)
	}
	return nil
}

func (d *Daemon) listen(ctx context.Context) (err error) {
	d.web, err = web.New(ctx, web.Config{
		Listen: d.cfg.Daemon.HTTP.Listen, WebConfigFile: d.cfg.Daemon.HTTP.WebConfigFile,
		Metrics: d.metrics.registry, Ready: d.ready, Reload: d.Reload, Mounts: d.mounts(), Log: d.cfg.Log,
	})
	return err
}

func (d *Daemon) ready() error {
	if d.leaving.Load() {
		return errors.New("stopping")
	}
	return d.conn.Ready()
}

// Addr returns the address at which HTTP is served.
func (d *Daemon) Addr() string { return d.web.Addr() }

// Conn returns the connection to NATS.
func (d *Daemon) Conn() *nats.Conn { return d.conn }

// Journal returns the journal, to read along.
func (d *Daemon) Journal() *nats.Journal { return d.journal }

// Registry returns the daemon's own metrics.
func (d *Daemon) Registry() *prometheus.Registry { return d.metrics.registry }

func (d *Daemon) defers(undo func()) { d.undo = append(d.undo, undo) }

func (d *Daemon) close() {
	for i := len(d.undo) - 1; i >= 0; i-- {
		d.undo[i]()
	}
}

// Run runs until ctx ends, then stops in order: intake, desk, owner, deliveries, HTTP, NATS.
func (d *Daemon) Run(ctx context.Context) error {
	defer d.close()
	serving, stopServing := context.WithCancel(context.WithoutCancel(ctx))
	defer stopServing()
	context.AfterFunc(ctx, func() { d.leaving.Store(true) })

	beside := newGroup(serving)
	beside.run("HTTP", d.web.Run)
	beside.run("plans", d.watcher.Run)
	beside.run("switches", d.switches.run)
	beside.run("clock", d.clock.run)
	beside.run("schedules", d.rota.run)
	beside.run("logins", d.awaitIssuer)
	for _, s := range d.servers {
		beside.run("Prometheus", s.Run)
	}
	lease, err := d.conn.Lease(ctx, d.cfg.Lease)
	if err != nil {
		if ctx.Err() != nil {
			err = nil // told to stop before it began
		}
		stopServing()
		return errors.Join(err, beside.wait())
	}
	acting, stopActing := context.WithCancelCause(ctx)
	defer stopActing(nil)
	context.AfterFunc(beside.ctx, func() { stopActing(errors.New("a part has failed")) })
	err = lease.Run(acting, d.act)
	stopServing()
	return errors.Join(err, beside.wait())
}
