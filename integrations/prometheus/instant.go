package prometheus

import (
	"context"
	"time"

	v1 "github.com/prometheus/client_golang/api/prometheus/v1"
	"github.com/prometheus/common/model"

	"github.com/bakewatch/bakewatch/rules"
)

// at answers the question for one instant.
func (q question) at(ctx context.Context, at time.Time) rules.Result {
	failed := q.failed
	var samples []rules.Sample
	if failed == nil {
		samples, failed = q.instant(ctx, at)
	}
	if failed != nil {
		return rules.Result{Err: failed}
	}
	return rules.Result{Samples: samples}
}

func (q question) instant(ctx context.Context, at time.Time) ([]rules.Sample, *rules.SampleError) {
	s := q.source
	value, failed := s.ask(ctx, func(ctx context.Context) (model.Value, v1.Warnings, v1.Infos, error) {
		return s.api.Query(ctx, q.expr, at, s.deadline())
	})
	if failed != nil {
		return nil, failed
	}
	return s.samples(value, at)
}

// samples reads an instant vector or a scalar.
func (s *Source) samples(value model.Value, at time.Time) ([]rules.Sample, *rules.SampleError) {
	switch value := value.(type) {
	case *model.Scalar:
		if !isOf(value.Timestamp, at) {
			return nil, anotherInstant(value.Timestamp, at)
		}
		return []rules.Sample{{Value: float64(value.Value)}}, nil
	case model.Vector:
		return s.vector(value, at)
	}
	return nil, wrongType(value)
}

func (s *Source) vector(value model.Vector, at time.Time) ([]rules.Sample, *rules.SampleError) {
	if len(value) > s.cfg.MaxSeries {
		return nil, s.tooMany(len(value))
	}
	samples := make([]rules.Sample, len(value))
	for i, sample := range value {
		if sample.Histogram != nil {
			return nil, histogramFound(sample.Metric)
		}
		if !isOf(sample.Timestamp, at) {
			return nil, anotherInstant(sample.Timestamp, at)
		}
		samples[i] = rules.Sample{Labels: labelsOf(sample.Metric), Value: float64(sample.Value)}
	}
	return samples, nil
}

func (s *Source) tooMany(series int) *rules.SampleError {
	return rules.Failed(rules.TooLarge, "%d series, more than %d: aggregate more, or select less", series, s.cfg.MaxSeries)
}

func labelsOf(metric model.Metric) map[string]string {
	if len(metric) == 0 {
		return nil
	}
	labels := make(map[string]string, len(metric))
	for name, value := range metric {
		labels[string(name)] = string(value)
	}
	return labels
}
