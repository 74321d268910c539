package embedded

import (
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/prometheus/common/model"
	promconfig "github.com/prometheus/prometheus/config"
	"github.com/prometheus/prometheus/discovery"

	// The ways of finding targets that a scrape file may use beside static_configs.
	_ "github.com/prometheus/prometheus/discovery/file"
	_ "github.com/prometheus/prometheus/discovery/http"
)

// targets returns the configuration that the scrape manager runs with.
func (c *Config) targets() (*promconfig.Config, error) {
	if c.ScrapeFile != "" {
		return c.fromFile()
	}
	// Prometheus accepts only what went through its own loader; JSON is YAML.
	text, err := json.Marshal(c.asPrometheus())
	if err != nil {
		return nil, fmt.Errorf("scrape targets: %w", err)
	}
	loaded, err := promconfig.Load(string(text), c.Log)
	if err != nil {
		return nil, fmt.Errorf("scrape targets %q: %w", c.Scrape, err)
	}
	return loaded, nil
}

func (c *Config) asPrometheus() map[string]any {
	return map[string]any{"scrape_configs": []any{map[string]any{
		"job_name":         c.Job,
		"scrape_interval":  promDuration(c.Interval),
		"scrape_timeout":   promDuration(min(c.Interval, 10*time.Second)),
		"sample_limit":     c.SampleLimit,
		"body_size_limit":  "64MB",
		"follow_redirects": false,
		// Both forms of a histogram are kept: a rule may be written for either.
		"scrape_native_histograms":         true,
		"always_scrape_classic_histograms": true,
		"static_configs":                   []any{map[string]any{"targets": c.Scrape, "labels": c.Labels}},
	}}}
}

// promDuration writes a duration in the one way that Prometheus reads.
func promDuration(d time.Duration) string { return model.Duration(d).String() }

func (c *Config) fromFile() (*promconfig.Config, error) {
	loaded, err := promconfig.LoadFile(c.ScrapeFile, false, c.Log)
	if err != nil {
		return nil, fmt.Errorf("scrape file (static_configs, file_sd_configs and http_sd_configs are known): %w", err)
	}
	scrapes, err := loaded.GetScrapeConfigs()
	if err != nil {
		return nil, fmt.Errorf("scrape file %s: %w", c.ScrapeFile, err)
	}
	if len(scrapes) == 0 {
		return nil, fmt.Errorf("scrape file %s has no scrape_configs", c.ScrapeFile)
	}
	if err := onlyScrapes(loaded); err != nil {
		return nil, fmt.Errorf("scrape file %s: %w", c.ScrapeFile, err)
	}
	return loaded, nil
}

// onlyScrapes refuses what a whole Prometheus would do and this server does not,
// so that nobody waits for alerts that never come.
func onlyScrapes(c *promconfig.Config) error {
	switch {
	case len(c.RuleFiles) > 0:
		return errors.New("rule_files: the embedded server evaluates no rules; remove them")
	case len(c.AlertingConfig.AlertmanagerConfigs) > 0:
		return errors.New("alerting: the embedded server sends no alerts; remove it")
	case len(c.RemoteWriteConfigs) > 0 || len(c.RemoteReadConfigs) > 0:
		return errors.New("remote_write, remote_read: the embedded server has no remote storage; remove them")
	}
	return nil
}

// discoveries returns how the targets of every job are found.
func discoveries(c *promconfig.Config) (map[string]discovery.Configs, time.Duration, error) {
	scrapes, err := c.GetScrapeConfigs()
	if err != nil {
		return nil, 0, fmt.Errorf("scrape configuration: %w", err)
	}
	jobs, longest := map[string]discovery.Configs{}, time.Duration(0)
	for _, scrape := range scrapes {
		jobs[scrape.JobName] = scrape.ServiceDiscoveryConfigs
		longest = max(longest, time.Duration(scrape.ScrapeInterval))
	}
	return jobs, longest, nil
}
