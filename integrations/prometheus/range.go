package prometheus

import (
	"context"
	"errors"
	"time"

	v1 "github.com/prometheus/client_golang/api/prometheus/v1"
	"github.com/prometheus/common/model"

	"github.com/bakewatch/bakewatch/rules"
)

// maxPoints is how many instants one request may ask for; Prometheus refuses more
// than 11,000.
const maxPoints = 10_000

// instants are from, from+step, …: count of them.
type instants struct {
	from  time.Time
	step  time.Duration
	count int
}

func instantsBetween(from, to time.Time, step time.Duration) instants {
	step = max(step, time.Millisecond)
	if to.Before(from) {
		return instants{from: from, step: step}
	}
	return instants{from: from, step: step, count: int(to.Sub(from)/step) + 1}
}

// part returns count instants, beginning with the i-th.
func (n instants) part(i, count int) instants {
	return instants{from: n.from.Add(time.Duration(i) * n.step), step: n.step, count: count}
}

// index says which instant a sample is of; Prometheus keeps milliseconds.
func (n instants) index(at model.Time) (int, bool) {
	behind := at.Time().Sub(n.from)
	i := int((behind + n.step/2) / n.step)
	off := (behind - time.Duration(i)*n.step).Abs()
	return i, i >= 0 && i < n.count && off <= time.Millisecond
}

// over answers the question for all instants. Evidence has no gaps, so what fails
// for one instant fails for all.
func (q question) over(ctx context.Context, all instants) []rules.Result {
	results := make([]rules.Result, all.count)
	failed := q.failed
	for i := 0; i < all.count && failed == nil; i += maxPoints {
		count := min(maxPoints, all.count-i)
		failed = q.source.window(ctx, q.expr, all.part(i, count), results[i:i+count])
	}
	if failed != nil {
		for i := range results {
			results[i] = rules.Result{Err: failed}
		}
	}
	return results
}

// window fills in the results of one request, or of two of half the length where
// the reply has too many bytes.
func (s *Source) window(ctx context.Context, expr string, over instants, results []rules.Result) *rules.SampleError {
	value, failed := s.ask(ctx, func(ctx context.Context) (model.Value, v1.Warnings, v1.Infos, error) {
		last := over.from.Add(time.Duration(over.count-1) * over.step)
		return s.api.QueryRange(ctx, expr, v1.Range{Start: over.from, End: last, Step: over.step}, s.deadline())
	})
	if failed != nil && errors.Is(failed, errBodyTooLarge) && over.count > 1 {
		half := over.count / 2
		if failed := s.window(ctx, expr, over.part(0, half), results[:half]); failed != nil {
			return failed
		}
		return s.window(ctx, expr, over.part(half, over.count-half), results[half:])
	}
	if failed != nil {
		return failed
	}
	return s.align(value, over, results)
}

// align puts every sample to its instant. An instant without any stays empty.
func (s *Source) align(value model.Value, over instants, results []rules.Result) *rules.SampleError {
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
				return rules.Failed(rules.WrongType, "the reply is of %v, an instant that was not asked for", point.Timestamp.Time().UTC())
			}
			results[i].Samples = append(results[i].Samples, rules.Sample{Labels: labels, Value: float64(point.Value)})
		}
	}
	return nil
}
