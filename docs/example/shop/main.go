// Command shop is the service of the walk-throughs in docs: it serves HTTP, counts
// its answers as client_golang does, and fails as often as it is told. It deploys
// nothing and knows nothing of Bakewatch.
package main

import (
	"flag"
	"fmt"
	"log"
	"math/rand/v2"
	"net/http"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

func main() {
	listen := flag.String("listen", "127.0.0.1:8080", "address to serve on")
	version := flag.String("version", "1.0.0", "this version")
	fail := flag.Float64("fail", 0, "share of answers that are errors")
	flag.Parse()
	server := &http.Server{Addr: *listen, Handler: shop(*version, *fail), ReadHeaderTimeout: 5 * time.Second}
	log.Fatal(server.ListenAndServe())
}

func shop(version string, fail float64) http.Handler {
	registry := prometheus.NewRegistry()
	named := prometheus.WrapRegistererWith(prometheus.Labels{"version": version}, registry)
	requests := prometheus.NewCounterVec(prometheus.CounterOpts{Name: "http_requests_total", Help: "Requests answered."}, []string{"code", "method"})
	duration := prometheus.NewHistogramVec(prometheus.HistogramOpts{Name: "http_request_duration_seconds", Help: "How long answers took."}, []string{"code", "method"})
	named.MustRegister(requests, duration)

	answer := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		if rand.Float64() < fail { //nolint:gosec // no secret is made of it
			http.Error(w, "out of stock", http.StatusInternalServerError)
			return
		}
		fmt.Fprintln(w, "bread and rolls") //nolint:errcheck // the customer has gone
	})
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", promhttp.HandlerFor(registry, promhttp.HandlerOpts{}))
	mux.HandleFunc("GET /version", func(w http.ResponseWriter, _ *http.Request) {
		fmt.Fprintln(w, version) //nolint:errcheck // as above
	})
	mux.Handle("GET /{$}", promhttp.InstrumentHandlerCounter(requests, promhttp.InstrumentHandlerDuration(duration, answer)))
	return mux
}
