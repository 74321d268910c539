package prometheus

import (
	"github.com/prometheus/client_golang/prometheus"

	"github.com/bakewatch/bakewatch/rules"
)

// metrics are one source's own. The count holds queries that were refused or
// given up before they were sent, too; the durations do not.
type metrics struct {
	queries *prometheus.CounterVec
	seconds prometheus.Histogram
	others  []prometheus.Collector
}

func newMetrics(s *Source) metrics {
	source := prometheus.Labels{"source": s.name}
	return metrics{
		queries: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "bakewatch_prometheus_queries_total", ConstLabels: source,
			Help: "Queries to a Prometheus server, by result: ok, or the reason why there is none.",
		}, []string{"result"}),
		seconds: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name: "bakewatch_prometheus_query_duration_seconds", ConstLabels: source,
			Help:                        "How long queries that were sent took.",
			Buckets:                     prometheus.ExponentialBuckets(0.001, 4, 8),
			NativeHistogramBucketFactor: 1.1,
		}),
		others: []prometheus.Collector{
			prometheus.NewGaugeFunc(prometheus.GaugeOpts{
				Name: "bakewatch_prometheus_breaker_open", ConstLabels: source,
				Help: "1 while the server is given up and only probed, else 0.",
			}, func() float64 { return number(s.breaker.isOpen()) }),
			prometheus.NewGaugeFunc(prometheus.GaugeOpts{
				Name: "bakewatch_prometheus_clock_skew_seconds", ConstLabels: source,
				Help: "How far the server's clock is ahead of ours, by its last reply.",
			}, func() float64 { return s.Skew().Seconds() }),
		},
	}
}

func (m metrics) count(failed *rules.SampleError) {
	result := "ok"
	if failed != nil {
		result = string(failed.Reason)
	}
	m.queries.WithLabelValues(result).Inc()
}

func (m metrics) all() []prometheus.Collector {
	return append([]prometheus.Collector{m.queries, m.seconds}, m.others...)
}

func (m metrics) describe(ch chan<- *prometheus.Desc) {
	for _, c := range m.all() {
		c.Describe(ch)
	}
}

func (m metrics) collect(ch chan<- prometheus.Metric) {
	for _, c := range m.all() {
		c.Collect(ch)
	}
}

func number(yes bool) float64 {
	if yes {
		return 1
	}
	return 0
}
