package prometheus

import (
	"context"
	"errors"

	v1 "github.com/prometheus/client_golang/api/prometheus/v1"
	"github.com/prometheus/common/model"

	"github.com/bakewatch/bakewatch/rules"
)

// maxPoints is how many instants one request may ask for; Prometheus refuses more
// than 11,000.
const maxPoints = 10_000

// over answers the question for all instants. A range query fails as a whole where
// PromQL fails at one instant of it (two series that match during a roll-over, a
// histogram among floats), so what failed is searched for: see culprit.go.
func (q question) over(ctx context.Context, all instants) []rules.Result {
	results := make([]rules.Result, all.count)
	if q.failed != nil {
		fail(results, q.failed)
		return results
	}
	s := search{question: q, longest: maxPoints}
	s.cut(ctx, all, results)
	return results
}

// request asks for the instants at once, or one by one where the server answers for
// others than were asked for.
func (s *search) request(ctx context.Context, over instants, results []rules.Result) *rules.SampleError {
	if s.shifted {
		return s.singly(ctx, over, results)
	}
	value, failed := s.source.ask(ctx, func(ctx context.Context) (model.Value, v1.Warnings, v1.Infos, error) {
		asked := v1.Range{Start: over.from, End: over.at(over.count - 1), Step: over.step}
		return s.source.api.QueryRange(ctx, s.expr, asked, s.source.deadline())
	})
	if failed == nil {
		failed = s.source.align(value, over, results)
	}
	if failed != nil && errors.Is(failed, errShifted) {
		s.shifted = true
		return s.singly(ctx, over, results)
	}
	return failed
}

// singly asks for one instant after the other. Front-ends (Mimir, Thanos, a cache)
// may round the instants of a range, and never that of an instant query.
func (s *search) singly(ctx context.Context, over instants, results []rules.Result) *rules.SampleError {
	for i := range results {
		samples, failed := s.instant(ctx, over.at(i))
		if failed != nil && endsSearch(failed) {
			s.end(failed, results[i:])
			return nil
		}
		results[i] = rules.Result{Samples: samples}
		if failed != nil {
			results[i] = rules.Result{Err: failed}
		}
	}
	return nil
}

// errShifted marks replies of a server that rounds a range's instants.
var errShifted = errors.New("an instant that was not asked for")

// align puts every sample to its instant. An instant without any stays empty.
func (s *Source) align(value model.Value, over instants, results []rules.Result) *rules.SampleError {
	clear(results)
	matrix, ok := value.(model.Matrix)
	if !ok {
		return wrongType(value)
	}
	if len(matrix) > s.cfg.MaxSeries {
		return s.tooMany(len(matrix))
	}
	for _, series := range matrix {
		if len(series.Histograms) > 0 {
			return histogramFound(series.Metric)
		}
		labels := labelsOf(series.Metric)
		for _, point := range series.Values {
			i, ok := over.index(point.Timestamp)
			if !ok {
				return rules.Failed(rules.WrongType, "the reply is of %v, %w", point.Timestamp.Time().UTC(), errShifted)
			}
			results[i].Samples = append(results[i].Samples, rules.Sample{Labels: labels, Value: float64(point.Value)})
		}
	}
	return nil
}
