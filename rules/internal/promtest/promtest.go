// Package promtest answers the queries of rules in tests, with the PromQL engine
// and a TSDB of Prometheus itself. It is never part of the program.
//
// Start reading at New.
package promtest

import (
	"context"
	"errors"
	"math"
	"testing"
	"time"

	"github.com/prometheus/prometheus/model/histogram"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/model/value"
	"github.com/prometheus/prometheus/promql"
	"github.com/prometheus/prometheus/promql/parser"
	"github.com/prometheus/prometheus/storage"
	"github.com/prometheus/prometheus/util/teststorage"

	"github.com/bakewatch/bakewatch/rules"
	bound "github.com/bakewatch/bakewatch/rules/promql"
)

// Stale is the value of a staleness marker.
var Stale = math.Float64frombits(value.StaleNaN)

// Start is the time that tests count from.
var Start = time.Unix(1_700_000_000, 0).UTC()

// At returns the instant so many seconds after Start, to the millisecond.
func At(seconds float64) time.Time {
	return Start.Add(time.Duration(math.Round(seconds*1000)) * time.Millisecond)
}

// Fataler is what a failing test and a failing property have in common.
type Fataler interface {
	Context() context.Context
	Helper()
	Fatalf(format string, args ...any)
}

// Server is a Prometheus without the network.
type Server struct {
	db     *teststorage.TestStorage
	engine *promql.Engine
}

// New starts an empty server that ends with the test.
func New(t testing.TB) *Server {
	return &Server{
		db: teststorage.New(t),
		engine: promql.NewEngine(promql.EngineOpts{
			MaxSamples: 1 << 22, Timeout: time.Minute, Parser: parser.NewParser(parser.Options{}),
		}),
	}
}

// Sample is one sample of a series, so many seconds after Start.
type Sample struct{ Second, Value float64 }

// Add stores the samples of a series, given as PromQL: `requests_total{code="200"}`.
// A sample that the TSDB drops as a duplicate of its time is dropped here as well.
func (s *Server) Add(t Fataler, series string, samples ...Sample) {
	t.Helper()
	app := s.db.Appender(t.Context())
	lset := parse(t, series)
	for _, sample := range samples {
		_, err := app.Append(0, lset, At(sample.Second).UnixMilli(), sample.Value)
		if err != nil && !errors.Is(err, storage.ErrDuplicateSampleForTimestamp) {
			t.Fatalf("append to %s: %v", series, err)
		}
	}
	if err := app.Commit(); err != nil {
		t.Fatalf("commit: %v", err)
	}
}

// AddHistogram stores one sample of a native histogram.
func (s *Server) AddHistogram(t Fataler, series string, second float64, h *histogram.FloatHistogram) {
	t.Helper()
	app := s.db.Appender(t.Context())
	if _, err := app.AppendHistogram(0, parse(t, series), At(second).UnixMilli(), nil, h); err != nil {
		t.Fatalf("append to %s: %v", series, err)
	}
	if err := app.Commit(); err != nil {
		t.Fatalf("commit: %v", err)
	}
}

func parse(t Fataler, series string) labels.Labels {
	t.Helper()
	lset, err := parser.NewParser(parser.Options{}).ParseMetric(series)
	if err != nil {
		t.Fatalf("series %s: %v", series, err)
	}
	return lset
}

// Ask answers the queries at one instant, as a sampler does.
func (s *Server) Ask(t Fataler, at time.Time, queries []rules.Query) []rules.Result {
	t.Helper()
	results := make([]rules.Result, len(queries))
	for i, q := range queries {
		text, err := bound.Bind(q.Template, q.Values)
		if err != nil {
			results[i].Err = err
			continue
		}
		results[i].Samples = s.Query(t, at, text)
	}
	return results
}

// Query answers one query without placeholders.
func (s *Server) Query(t Fataler, at time.Time, text string) []rules.Sample {
	t.Helper()
	ctx := t.Context()
	query, err := s.engine.NewInstantQuery(ctx, s.db, nil, text, at)
	if err != nil {
		t.Fatalf("query %s: %v", text, err)
	}
	defer query.Close()
	result := query.Exec(ctx)
	if result.Err != nil {
		t.Fatalf("query %s: %v", text, result.Err)
	}
	if scalar, err := result.Scalar(); err == nil {
		return []rules.Sample{{Value: scalar.V}}
	}
	vector, err := result.Vector()
	if err != nil {
		t.Fatalf("query %s: %v", text, err)
	}
	var samples []rules.Sample
	for _, sample := range vector {
		samples = append(samples, rules.Sample{Labels: sample.Metric.Map(), Value: sample.F})
	}
	return samples
}
