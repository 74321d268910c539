package embedded

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"path/filepath"
	"sync"
	"time"

	"github.com/gofrs/flock"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/prometheus/discovery"
	"github.com/prometheus/prometheus/promql"
	"github.com/prometheus/prometheus/promql/parser"
	"github.com/prometheus/prometheus/scrape"
	"github.com/prometheus/prometheus/tsdb"
)

// reloadEvery bounds how long a newly found target waits for its first scrape.
const reloadEvery = 250 * time.Millisecond

// Server is one embedded Prometheus. Its HTTP API answers from Open to Close; it
// scrapes while Run runs.
type Server struct {
	cfg       Config
	lock      *flock.Flock
	db        *tsdb.DB
	engine    *promql.Engine
	handler   http.Handler
	transport *http.Transport

	finder    *discovery.Manager
	scraper   *scrape.Manager
	metrics   *prometheus.Registry
	ctx       context.Context // ends with Run or Close; the discovery manager is bound to it
	cancel    context.CancelFunc
	stopServe func()
	running   sync.WaitGroup
	mu        sync.Mutex // guards started and closed
	started   bool
	closed    bool
	gone      chan struct{} // closed by Close
}

// Open opens the store, which replays its write-ahead log, and makes everything
// ready to Run. On an error nothing is left open.
func Open(cfg Config) (*Server, error) {
	if err := cfg.defaults(); err != nil {
		return nil, fmt.Errorf("embedded prometheus: %w", err)
	}
	s := &Server{cfg: cfg, metrics: prometheus.NewRegistry(), stopServe: func() {}, gone: make(chan struct{})}
	s.ctx, s.cancel = context.WithCancel(context.Background())
	if err := s.open(); err != nil {
		return nil, errors.Join(fmt.Errorf("embedded prometheus: %w", err), s.Close())
	}
	return s, nil
}

func (s *Server) open() error {
	targets, err := s.cfg.targets()
	if err != nil {
		return err
	}
	jobs, longest, err := discoveries(targets)
	if err != nil {
		return err
	}
	if err := s.openStore(); err != nil {
		return err
	}
	if err := s.openScraper(longest); err != nil {
		return err
	}
	if err := s.scraper.ApplyConfig(targets); err != nil {
		return fmt.Errorf("scraper: %w", err)
	}
	if err := s.finder.ApplyConfig(jobs); err != nil {
		return fmt.Errorf("target discovery: %w", err)
	}
	s.engine = s.newEngine()
	s.handler = newAPI(s.db, s.engine, s.cfg.Log, s.gone)
	s.transport, s.stopServe = newPipe().serve(s.handler)
	return s.register()
}

func (s *Server) openStore() error {
	lock, err := hold(s.cfg.Store)
	if err != nil {
		return err
	}
	s.lock = lock
	// The path of the samples themselves: an upgrade must find them again.
	s.db, err = tsdb.Open(filepath.Join(s.cfg.Store, "tsdb"), s.cfg.Log.With("component", "tsdb"), s.metrics, s.cfg.storeOptions(), nil)
	if err != nil {
		return fmt.Errorf("store %s: %w", s.cfg.Store, err)
	}
	return nil
}

func (c *Config) storeOptions() *tsdb.Options {
	opts := tsdb.DefaultOptions()
	opts.RetentionDuration = c.Retention.Milliseconds()
	opts.MaxBytes = c.MaxBytes
	opts.StripeSize = 1 << 10 // the default is for millions of series
	// As Prometheus has it: fewer blocks to look into, and what is dropped at once,
	// a block, is a tenth of all.
	opts.MaxBlockDuration = max(opts.MinBlockDuration, min(opts.RetentionDuration/10, (31*24*time.Hour).Milliseconds()))
	return opts
}

// openScraper makes the managers that find targets and scrape them. Prometheus
// spreads first scrapes over a whole interval; one machine's few targets are
// scraped at once instead, so that a look does not wait: a negative offset of the
// longest interval outweighs every spread.
func (s *Server) openScraper(longest time.Duration) error {
	found, err := discovery.CreateAndRegisterSDMetrics(s.metrics)
	if err != nil {
		return fmt.Errorf("target discovery: %w", err)
	}
	log := s.cfg.Log.With("component", "scraper")
	s.finder = discovery.NewManager(s.ctx, log, s.metrics, found, discovery.Name("scrape"), discovery.Updatert(reloadEvery))
	if s.finder == nil {
		return errors.New("target discovery: its metrics could not be registered")
	}
	s.scraper, err = scrape.NewManager(&scrape.Options{
		DiscoveryReloadOnStartup: true,
		DiscoveryReloadInterval:  modelDuration(reloadEvery),
		InitialScrapeOffset:      -longest,
	}, log, nil, nil, s.db, s.metrics)
	if err != nil {
		return fmt.Errorf("scraper: %w", err)
	}
	return nil
}

func (s *Server) newEngine() *promql.Engine {
	return promql.NewEngine(promql.EngineOpts{
		Logger:                   s.cfg.Log.With("component", "promql"),
		Reg:                      s.metrics,
		MaxSamples:               s.cfg.QuerySamples,
		Timeout:                  s.cfg.QueryTimeout,
		ActiveQueryTracker:       newTurns(s.cfg.QueryConcurrency),
		NoStepSubqueryIntervalFn: func(int64) int64 { return time.Minute.Milliseconds() },
		EnableAtModifier:         true,
		EnableNegativeOffset:     true,
		Parser:                   parser.NewParser(parser.Options{}),
	})
}

// register shows the server's own registry, as one collector that Close takes away again.
func (s *Server) register() error {
	if s.cfg.Registerer == nil {
		return nil
	}
	if err := s.registerer().Register(s.metrics); err != nil {
		s.cfg.Registerer = nil // what is there is another server's
		return fmt.Errorf("metrics: is there another server named %q? %w", s.cfg.Name, err)
	}
	return nil
}

func (s *Server) registerer() prometheus.Registerer {
	return prometheus.WrapRegistererWith(prometheus.Labels{"server": s.cfg.Name}, s.cfg.Registerer)
}

// Handler serves the query API below /prometheus/api/v1/.
func (s *Server) Handler() http.Handler { return s.handler }

// URL is where Transport finds the API.
func (s *Server) URL() string { return "http://embedded/prometheus" }

// Transport carries requests to Handler within the process, whatever their host.
func (s *Server) Transport() http.RoundTripper { return s.transport }
