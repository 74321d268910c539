package prometheus

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/prometheus/client_golang/api"
	v1 "github.com/prometheus/client_golang/api/prometheus/v1"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/common/config"
	"github.com/prometheus/common/model"
	"golang.org/x/time/rate"

	"github.com/bakewatch/bakewatch/rules"
)

// Source is one server with its budget. It is safe for concurrent use.
type Source struct {
	name    string
	cfg     Config
	secrets []string
	api     v1.API
	client  *http.Client
	wire    *wire
	breaker *breaker
	turns   chan struct{} // one place for each query under way
	rate    *rate.Limiter
	metrics metrics
}

// NewSource checks the configuration of the [prometheus.NAME] with this name. It does no IO
// beyond reading TLS files. Its error shows no secret.
func NewSource(name string, cfg Config) (*Source, error) {
	s := &Source{name: name, cfg: cfg}
	if err := s.connect(); err != nil {
		return nil, fmt.Errorf("prometheus %q: %w", name, err)
	}
	s.breaker = newBreaker(s.cfg.Log.With("source", name))
	s.turns = make(chan struct{}, s.cfg.Concurrency)
	s.rate = rate.NewLimiter(rate.Limit(s.cfg.PerSecond), max(1, int(s.cfg.PerSecond)))
	s.metrics = newMetrics(s)
	return s, nil
}

func (s *Source) connect() error {
	if err := s.cfg.defaults(); err != nil {
		return err
	}
	s.secrets = s.cfg.secrets()
	if err := s.dial(); err != nil {
		return err
	}
	s.wire = &wire{next: s.client.Transport, maxBody: s.cfg.MaxBody}
	s.client.Transport = s.wire
	client, err := api.NewClient(api.Config{Address: s.cfg.uncached(), Client: s.client})
	if err != nil {
		return s.hidden(inner(err))
	}
	s.api = v1.NewAPI(client)
	return nil
}

func (s *Source) dial() error {
	if s.cfg.Transport != nil {
		s.client = &http.Client{Transport: s.cfg.Transport}
		return nil
	}
	if err := s.cfg.HTTP.Validate(); err != nil {
		return s.hidden(err)
	}
	client, err := config.NewClientFromConfig(s.cfg.HTTP, "prometheus_"+s.name, config.WithUserAgent("bakewatch"))
	if err != nil {
		return s.hidden(err)
	}
	s.client = client
	return nil
}

// Name returns the NAME of [prometheus.NAME].
func (s *Source) Name() string { return s.name }

// String names the source and nothing that could be secret.
func (s *Source) String() string { return fmt.Sprintf("%q, %v", s.name, s.cfg) }

// Skew returns how far the server's clock was ahead of ours (negative: behind) in
// its last reply, as far as is certain: the time of travel is taken off. Zero
// until the first reply.
func (s *Source) Skew() time.Duration { return time.Duration(s.wire.skew.Load()) }

// Describe and Collect make the source a collector of its own metrics.
func (s *Source) Describe(ch chan<- *prometheus.Desc) { s.metrics.describe(ch) }

// Collect hands over the metrics.
func (s *Source) Collect(ch chan<- prometheus.Metric) { s.metrics.collect(ch) }

// call is one request to the API.
type call func(context.Context) (model.Value, v1.Warnings, v1.Infos, error)

// ask makes one request within the budget.
func (s *Source) ask(ctx context.Context, request call) (model.Value, *rules.SampleError) {
	if failed := s.admit(ctx); failed != nil {
		s.metrics.count(failed)
		return nil, failed
	}
	defer s.leave()
	value, failed := s.send(ctx, request)
	s.breaker.report(failed)
	return value, failed
}

// admit waits for a place, the breaker and the rate. Only what has a place asks
// the breaker, so that few requests are wasted on a server that has just died.
func (s *Source) admit(ctx context.Context) *rules.SampleError {
	if ctx.Err() != nil {
		return gaveUp(ctx) // the select below would pick at random
	}
	select {
	case s.turns <- struct{}{}:
	case <-ctx.Done():
		return gaveUp(ctx)
	}
	failed := s.breaker.pass(ctx, s.probe)
	if failed == nil && s.rate.Wait(ctx) != nil {
		failed = gaveUp(ctx)
	}
	if failed != nil {
		s.leave()
	}
	return failed
}

func (s *Source) leave() { <-s.turns }

// probe asks what every server can answer at once.
func (s *Source) probe(ctx context.Context) *rules.SampleError {
	_, failed := s.send(ctx, func(ctx context.Context) (model.Value, v1.Warnings, v1.Infos, error) {
		return s.api.Query(ctx, "vector(1)", time.Now(), s.deadline())
	})
	return failed
}

// deadline tells the server when to stop. Prometheus reads no fractions: "1.5s"
// would be a bad request.
func (s *Source) deadline() v1.Option {
	whole := time.Second
	if s.cfg.Timeout < time.Second {
		whole = time.Millisecond
	}
	return v1.WithTimeout((s.cfg.Timeout + whole - 1).Truncate(whole))
}

func (s *Source) send(ctx context.Context, request call) (model.Value, *rules.SampleError) {
	limited, cancel := context.WithTimeout(ctx, s.cfg.Timeout)
	defer cancel()
	began := time.Now()
	value, warnings, _, err := request(limited)
	var failed *rules.SampleError
	switch {
	case err == nil:
		failed = s.unusable(warnings)
	case errors.Is(ctx.Err(), context.DeadlineExceeded):
		failed = rules.Failed(rules.TimedOut, "no answer before the look's deadline")
	default:
		failed = s.failure(err)
	}
	s.metrics.seconds.Observe(time.Since(began).Seconds())
	s.metrics.count(failed)
	return value, failed
}
