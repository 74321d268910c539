package shop

import (
	"encoding/json"
	"net/http"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// buckets are the limits of the latency histogram, in seconds.
var buckets = []float64{.001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5}

// pages is what one process of the shop serves. Its metrics begin at zero.
type pages struct {
	version
	slow    time.Duration
	outage  *atomic.Bool
	served  atomic.Uint64
	crashed chan struct{} // closed by the request that crashes the process
}

// handler returns the shop at / and its metrics at /metrics. Restarts are counted
// by the supervisor, since a process forgets.
func (p *pages) handler(service string, restarts func() float64) http.Handler {
	registry := prometheus.NewRegistry()
	named := prometheus.WrapRegistererWith(prometheus.Labels{"service": service, "version": p.name}, registry)
	requests := prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "http_requests_total", Help: "Requests answered.",
	}, []string{"code", "method"})
	duration := prometheus.NewHistogramVec(prometheus.HistogramOpts{
		Name: "http_request_duration_seconds", Help: "How long answers took.", Buckets: buckets,
	}, []string{"code", "method"})
	findings := prometheus.NewGaugeVec(prometheus.GaugeOpts{
		Name: "shop_scan_findings", Help: "Vulnerabilities that the last scan of this version found.",
	}, []string{"severity"})
	scanned := prometheus.NewGauge(prometheus.GaugeOpts{
		Name: "shop_scan_timestamp_seconds", Help: "When this version was scanned.",
	})
	build := prometheus.NewGauge(prometheus.GaugeOpts{
		Name: "shop_build_info", Help: "Always 1; the version is a label.",
	})
	named.MustRegister(requests, duration, findings, scanned, build, prometheus.NewCounterFunc(prometheus.CounterOpts{
		Name: "shop_restarts_total", Help: "How often the instance crashed and was restarted with this version.",
	}, restarts))

	findings.WithLabelValues("critical").Set(p.behaviour.critical())
	findings.WithLabelValues("high").Set(0)
	scanned.Set(float64(p.scanned.UnixMilli()) / 1000)
	build.Set(1)
	requests.WithLabelValues("200", "get") // so that the first request is seen to come
	requests.WithLabelValues("500", "get")

	mux := http.NewServeMux()
	mux.Handle("GET /metrics", promhttp.HandlerFor(registry, promhttp.HandlerOpts{}))
	mux.Handle("GET /{$}", promhttp.InstrumentHandlerCounter(requests,
		promhttp.InstrumentHandlerDuration(duration, http.HandlerFunc(p.answer))))
	return mux
}

// answer is one visit to the shop.
func (p *pages) answer(w http.ResponseWriter, r *http.Request) {
	n := p.served.Add(1)
	if p.behaviour.crashes(n) {
		close(p.crashed)
		panic(http.ErrAbortHandler)
	}
	select {
	case <-r.Context().Done():
		return
	case <-time.After(p.behaviour.takes(n, p.slow)):
	}
	if p.behaviour.fails(n) || p.outage.Load() && Errors.fails(n) {
		http.Error(w, "out of stock photos", http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(map[string]any{"version": p.name, "articles": []string{"bread", "rolls", "cake"}})
}
