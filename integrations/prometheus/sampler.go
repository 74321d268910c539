package prometheus

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"golang.org/x/sync/errgroup"

	"github.com/bakewatch/bakewatch/rules"
	"github.com/bakewatch/bakewatch/rules/promql"
	"github.com/bakewatch/bakewatch/watcher"
)

var _ watcher.Sampler = (*Sampler)(nil)

// Sampler answers a look's queries from its sources. Queries that are the same
// once bound are asked once and share their samples, which nobody may change. It
// is safe for concurrent use.
type Sampler struct {
	sources    map[string]*Source
	registerer prometheus.Registerer
}

// NewSampler makes a sampler over the sources, and registers their metrics (nil:
// it does not). Two sources of one name are an error.
func NewSampler(registerer prometheus.Registerer, sources ...*Source) (*Sampler, error) {
	s := &Sampler{sources: map[string]*Source{}, registerer: registerer}
	for _, source := range sources {
		if s.sources[source.name] != nil {
			return nil, errors.Join(fmt.Errorf("prometheus %q is there twice", source.name), s.Close())
		}
		if registerer != nil {
			if err := registerer.Register(source); err != nil {
				return nil, errors.Join(fmt.Errorf("prometheus %q: metrics: %w", source.name, err), s.Close())
			}
		}
		s.sources[source.name] = source
	}
	return s, nil
}

// Close drops idle connections and the metrics.
func (s *Sampler) Close() error {
	for _, source := range s.sources {
		source.client.CloseIdleConnections()
		if s.registerer != nil {
			s.registerer.Unregister(source)
		}
	}
	return nil
}

// Skew returns the clock skew of the source that is furthest off; see Source.Skew.
func (s *Sampler) Skew() time.Duration {
	var worst time.Duration
	for _, source := range s.sources {
		if skew := source.Skew(); skew.Abs() > worst.Abs() {
			worst = skew
		}
	}
	return worst
}

// Sample answers all queries for one instant, in order.
func (s *Sampler) Sample(ctx context.Context, at time.Time, queries []rules.Query) []rules.Result {
	asked, place := s.distinct(queries)
	answers := make([]rules.Result, len(asked))
	each(asked, func(i int, q question) { answers[i] = q.at(ctx, at) })
	results := make([]rules.Result, len(queries))
	for i := range queries {
		results[i] = answers[place[i]]
	}
	return results
}

// Range answers all queries at from, from+step, … up to and including to. A step
// is whole milliseconds.
func (s *Sampler) Range(ctx context.Context, from, to time.Time, step time.Duration, queries []rules.Query) [][]rules.Result {
	asked, place := s.distinct(queries)
	answers := make([][]rules.Result, len(asked))
	over := instantsBetween(from, to, step)
	each(asked, func(i int, q question) { answers[i] = q.over(ctx, over) })
	results := make([][]rules.Result, len(queries))
	for i := range queries {
		results[i] = answers[place[i]]
	}
	return results
}

// question is one distinct bound query, or why it cannot be asked.
type question struct {
	source *Source
	expr   string
	failed *rules.SampleError
}

// distinct binds the queries; place[i] is where query i's question stands.
// Merging questions that differ only in values belongs here.
func (s *Sampler) distinct(queries []rules.Query) (asked []question, place []int) {
	type key struct{ source, expr string }
	known := map[key]int{}
	place = make([]int, len(queries))
	for i, query := range queries {
		q := s.bound(query)
		at, seen := known[key{query.Source, q.expr}]
		if !seen || q.failed != nil {
			at = len(asked)
			asked = append(asked, q)
		}
		if q.failed == nil {
			known[key{query.Source, q.expr}] = at
		}
		place[i] = at
	}
	return asked, place
}

func (s *Sampler) bound(query rules.Query) question {
	source, known := s.sources[query.Source]
	if !known {
		names := strings.Join(slices.Sorted(maps.Keys(s.sources)), ", ")
		return question{failed: rules.Failed(rules.BadQuery, "there is no [prometheus.%s]; known: %s", query.Source, names)}
	}
	expr, err := promql.Bind(query.Template, query.Values)
	if err != nil {
		return question{failed: unbound(err)}
	}
	return question{source: source, expr: expr}
}

// unbound keeps the reason that binding gave, if it gave one.
func unbound(err error) *rules.SampleError {
	var failed *rules.SampleError
	if errors.As(err, &failed) {
		return failed
	}
	return rules.Failed(rules.BadQuery, "%w", err)
}

// each answers the questions of every source side by side, so many at a time as
// the source may be asked.
func each(asked []question, answer func(int, question)) {
	bySource := map[*Source][]int{}
	for i, q := range asked {
		bySource[q.source] = append(bySource[q.source], i)
	}
	var all sync.WaitGroup
	for source, mine := range bySource {
		all.Go(func() {
			var group errgroup.Group
			group.SetLimit(source.width())
			for _, i := range mine {
				group.Go(func() error { answer(i, asked[i]); return nil })
			}
			_ = group.Wait()
		})
	}
	all.Wait()
}

// width is how many questions are worth asking side by side.
func (s *Source) width() int {
	if s == nil {
		return 1 // questions that failed already
	}
	return s.cfg.Concurrency
}
