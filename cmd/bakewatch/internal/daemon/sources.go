package daemon

import (
	"context"
	"fmt"
	"time"

	"github.com/bakewatch/bakewatch/configs"
	prom "github.com/bakewatch/bakewatch/integrations/prometheus"
	"github.com/bakewatch/bakewatch/integrations/prometheus/embedded"
)

// openPrometheus opens the servers to ask, and those that run in this process.
func (d *Daemon) openPrometheus(context.Context) error {
	var sources []*prom.Source
	for name, p := range d.cfg.Daemon.Prometheus {
		cfg, err := d.source(name, p)
		if err != nil {
			return fmt.Errorf("[prometheus.%s]: %w", name, err)
		}
		source, err := prom.NewSource(name, cfg)
		if err != nil {
			return fmt.Errorf("[prometheus.%s]: %w", name, err)
		}
		sources = append(sources, source)
	}
	var err error
	d.sampler, err = prom.NewSampler(d.metrics.registry, sources...)
	if err == nil {
		d.defers(func() { _ = d.sampler.Close() })
	}
	return err
}

func (d *Daemon) source(name string, p configs.Prometheus) (prom.Config, error) {
	cfg := remote(p)
	cfg.Log = d.cfg.Log
	if !p.Embedded {
		var err error
		cfg.HTTP, err = p.Config()
		return cfg, err
	}
	within := local(name, p)
	within.Log, within.Registerer = d.cfg.Log, d.metrics.registry
	server, err := embedded.Open(within)
	if err != nil {
		return cfg, err
	}
	d.servers = append(d.servers, server)
	d.defers(func() {
		if err := server.Close(); err != nil {
			d.cfg.Log.Warn("the embedded Prometheus did not close cleanly", "err", err)
		}
	})
	cfg.URL, cfg.Transport = server.URL(), server.Transport()
	return cfg, nil
}

// remote is what the file says of asking a server, wherever it runs.
func remote(p configs.Prometheus) prom.Config {
	return prom.Config{
		URL: p.URL, Timeout: time.Duration(p.Timeout), Concurrency: p.Limits.Concurrency, PerSecond: float64(p.Limits.PerSecond),
		MaxSeries: p.Limits.Series, MaxBody: int64(p.Limits.BodyBytes),
	}
}

// local is what the file says of a server in this process.
func local(name string, p configs.Prometheus) embedded.Config {
	return embedded.Config{
		Name: name, Store: p.Store, Scrape: p.Scrape, ScrapeFile: p.ScrapeFile, Job: p.Job, Labels: p.Labels,
		Interval: time.Duration(p.ScrapeInterval), Retention: time.Duration(p.Retention), MaxBytes: int64(p.MaxBytes),
	}
}
