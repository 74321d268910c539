package embedded

import (
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/common/model"
)

// Config says what to scrape, where to keep it, and for how long.
type Config struct {
	// Name tells several servers of one process apart, in metrics and logs; default "local".
	Name string
	// Store is the folder of the TSDB; required. One process may hold it at a time.
	Store string

	// Scrape lists targets as host:port; their path is /metrics and their scheme http.
	Scrape []string
	// ScrapeFile is a Prometheus configuration file of which `global` and
	// `scrape_configs` are used. Exactly one of Scrape and ScrapeFile is set.
	ScrapeFile string
	// Job is the job label of the targets in Scrape; default "bakewatch".
	Job string
	// Labels are added to every target in Scrape.
	Labels map[string]string
	// Interval is how often the targets in Scrape are scraped; default 15s, at least 100ms.
	Interval time.Duration

	// Retention is how long samples are kept; default 15 days.
	Retention time.Duration
	// MaxBytes drops the oldest blocks while blocks and write-ahead log are larger
	// together; the log, of the last hours, is not shortened. 0: no bound.
	MaxBytes int64
	// SampleLimit refuses a scrape of a target in Scrape with more samples; default 50,000.
	SampleLimit int

	// QueryTimeout ends a query that runs longer; default 30s.
	QueryTimeout time.Duration
	// QueryConcurrency is how many queries run at a time; default 4.
	QueryConcurrency int
	// QuerySamples is how many samples one query may hold in memory; default
	// 5 million, which is about 80 MB.
	QuerySamples int

	// Log hears what the scraper and the TSDB have to say; default: nobody.
	Log *slog.Logger
	// Registerer gets the server's own metrics, labelled server="<Name>"; nil: nobody.
	Registerer prometheus.Registerer
}

const minInterval = 100 * time.Millisecond

// defaults fills in what is optional and refuses what cannot be.
func (c *Config) defaults() error {
	orDefault(&c.Name, "local")
	orDefault(&c.Job, "bakewatch")
	orDefault(&c.Interval, 15*time.Second)
	orDefault(&c.Retention, 15*24*time.Hour)
	orDefault(&c.SampleLimit, 50_000)
	orDefault(&c.QueryTimeout, 30*time.Second)
	orDefault(&c.QueryConcurrency, 4)
	orDefault(&c.QuerySamples, 5_000_000)
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	c.Log = c.Log.With("prometheus", c.Name)
	return c.check()
}

func (c *Config) check() error {
	var errs []error
	if c.Store == "" {
		errs = append(errs, errors.New("no store: name the folder to keep samples in"))
	}
	if (len(c.Scrape) == 0) == (c.ScrapeFile == "") {
		errs = append(errs, errors.New("either a list of targets to scrape or a scrape file is needed"))
	}
	if c.Interval < minInterval {
		errs = append(errs, fmt.Errorf("scrape interval %v is below %v", c.Interval, minInterval))
	}
	if c.Retention < 0 || c.MaxBytes < 0 || c.SampleLimit < 0 || c.QueryTimeout < 0 || c.QueryConcurrency < 0 || c.QuerySamples < 0 {
		errs = append(errs, errors.New("a limit is negative"))
	}
	for name := range c.Labels {
		if !model.UTF8Validation.IsValidLabelName(name) {
			errs = append(errs, fmt.Errorf("%q is no name of a label", name))
		}
	}
	return errors.Join(errs...)
}

func orDefault[T comparable](value *T, fallback T) {
	var zero T
	if *value == zero {
		*value = fallback
	}
}
