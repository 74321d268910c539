package prometheus_test

import (
	"context"
	"math"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	client "github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"
	"github.com/prometheus/client_golang/prometheus/testutil"

	"github.com/bakewatch/bakewatch/integrations/prometheus"
	"github.com/bakewatch/bakewatch/integrations/prometheus/embedded"
	"github.com/bakewatch/bakewatch/rules"
)

// shop is a real client_golang target.
type shop struct {
	requests *client.CounterVec
	seconds  client.Histogram
	address  string
}

func openShop(t *testing.T) *shop {
	t.Helper()
	s := &shop{
		requests: client.NewCounterVec(client.CounterOpts{Name: "shop_requests_total"}, []string{"version", "code"}),
		seconds: client.NewHistogram(client.HistogramOpts{
			Name: "shop_seconds", Buckets: []float64{0.1, 0.5, 1}, NativeHistogramBucketFactor: 1.1,
		}),
	}
	registry := client.NewRegistry()
	registry.MustRegister(s.requests, s.seconds)
	server := httptest.NewServer(promhttp.HandlerFor(registry, promhttp.HandlerOpts{}))
	t.Cleanup(server.Close)
	s.address = strings.TrimPrefix(server.URL, "http://")
	return s
}

// scraping opens a real Prometheus in the process that scrapes the shop.
func scraping(t *testing.T, s *shop) *embedded.Server {
	t.Helper()
	server, err := embedded.Open(embedded.Config{Store: t.TempDir(), Scrape: []string{s.address}, Interval: 100 * time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	ran := make(chan error, 1)
	go func() { ran <- server.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-ran; err != nil {
			t.Error(err)
		}
		if err := server.Close(); err != nil {
			t.Error(err)
		}
	})
	return server
}

func sampler(t *testing.T, cfg prometheus.Config) *prometheus.Sampler {
	t.Helper()
	source, err := prometheus.NewSource("main", cfg)
	if err != nil {
		t.Fatal(err)
	}
	s, err := prometheus.NewSampler(client.NewPedanticRegistry(), source)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

// eventually asks until the one query gives one sample of this value.
func eventually(t *testing.T, s *prometheus.Sampler, expr string, want float64) time.Time {
	t.Helper()
	deadline := time.Now().Add(20 * time.Second)
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for {
		at := time.Now().Truncate(time.Millisecond)
		got := s.Sample(t.Context(), at, []rules.Query{ask(expr)})[0]
		if got.Err == nil && len(got.Samples) == 1 && math.Abs(got.Samples[0].Value-want) < 1e-9 {
			return at
		}
		if time.Now().After(deadline) {
			t.Fatalf("%s: want %v, still got %+v", expr, want, got)
		}
		<-tick.C
	}
}

func ask(template string) rules.Query { return rules.Query{Source: "main", Template: template} }

func TestARealServerScrapesARealTarget(t *testing.T) {
	shop := openShop(t)
	shop.requests.WithLabelValues("2.4.0", "200").Add(90)
	shop.requests.WithLabelValues("2.4.0", "500").Add(10)
	shop.requests.WithLabelValues("2.3.9", "200").Add(50)
	for range 30 {
		shop.seconds.Observe(0.05)
	}
	for range 10 {
		shop.seconds.Observe(0.7)
	}
	server := scraping(t, shop)
	over := httptest.NewServer(server.Handler())
	t.Cleanup(over.Close)
	for name, s := range map[string]*prometheus.Sampler{
		"over the network":   sampler(t, prometheus.Config{URL: over.URL + "/prometheus/"}),
		"within the process": sampler(t, prometheus.Config{URL: server.URL(), Transport: server.Transport()}),
	} {
		t.Run(name, func(t *testing.T) {
			at := eventually(t, s, `up{job="bakewatch"}`, 1)
			version := map[string]string{"version": "2.4.0"}
			queries := []rules.Query{
				{Source: "main", Template: `sum by (code) (shop_requests_total{version="$version"})`, Values: version},
				ask(`sum(shop_requests_total)`),
				ask(`sum by (le) (shop_seconds_bucket{le="0.5"})`),
				ask(`sum(histogram_count(shop_seconds))`),
				ask(`sum(histogram_count(shop_seconds) * histogram_fraction(-Inf, 0.25, shop_seconds))`),
				{Source: "main", Template: `shop_requests_total{version="$version"}`, Values: map[string]string{"version": `"} or up{job=~".+`}},
				ask(`2 + 3`),
			}
			for i, want := range []string{`code="200" 90; code="500" 10`, "150", `le="0.5" 30`, "40", "30", "", "5"} {
				if got := s.Sample(t.Context(), at, queries)[i]; got.Err != nil || flat(got.Samples) != want {
					t.Errorf("%s: want %q, got %q, %v", queries[i].Template, want, flat(got.Samples), got.Err)
				}
			}
			failsWith(t, s.Sample(t.Context(), at, []rules.Query{ask(`shop_seconds`)})[0], rules.WrongType, "native histogram")
			failsWith(t, s.Sample(t.Context(), at, []rules.Query{ask(`shop_requests_total[1m]`)})[0], rules.WrongType, "matrix")
			failsWith(t, s.Sample(t.Context(), at, []rules.Query{ask(`shop_requests_total * on() shop_requests_total`)})[0], rules.BadQuery, "duplicate series")
		})
	}
}

func TestARangeAgreesWithItsInstants(t *testing.T) {
	shop := openShop(t)
	good, bad := shop.requests.WithLabelValues("1", "200"), shop.requests.WithLabelValues("1", "500")
	s := func() *prometheus.Sampler {
		server := scraping(t, shop)
		return sampler(t, prometheus.Config{URL: server.URL(), Transport: server.Transport(), PerSecond: 1e6})
	}()
	began := eventually(t, s, "up", 1).Add(-300 * time.Millisecond) // before there was anything
	for i := range 5 {
		good.Add(10)
		if i > 2 {
			bad.Inc() // a series that is born late
		}
		eventually(t, s, `shop_requests_total{code="200"}`, float64(10*(i+1)))
	}
	step := 50 * time.Millisecond
	last := eventually(t, s, `shop_requests_total{code="500"}`, 2)
	queries := []rules.Query{ask("shop_requests_total"), ask("sum by (code) (shop_requests_total)"), ask(`shop_requests_total{code="500"} > 1`), ask("1"), ask("up")}
	results := s.Range(t.Context(), began, last, step, queries)
	seen, empty := 0, 0
	for j := range results[0] {
		at := began.Add(time.Duration(j) * step)
		for i, got := range s.Sample(t.Context(), at, queries) {
			of := results[i][j]
			if got.Err != nil || of.Err != nil || flat(got.Samples) != flat(of.Samples) {
				t.Fatalf("%s at %v: instant %q, %v; range %q, %v", queries[i].Template, at, flat(got.Samples), got.Err, flat(of.Samples), of.Err)
			}
			seen += len(of.Samples)
			if len(of.Samples) == 0 {
				empty++
			}
		}
	}
	if seen == 0 || empty == 0 {
		t.Fatalf("%d samples and %d empty results: this compares nothing", seen, empty)
	}
}

func TestTheSamplerMeasuresItself(t *testing.T) {
	registry := client.NewPedanticRegistry()
	server := newFake(success("vector", one, ""))
	source, err := prometheus.NewSource("eu", prometheus.Config{URL: "http://fake", Transport: server})
	if err != nil {
		t.Fatal(err)
	}
	s, err := prometheus.NewSampler(registry, source)
	if err != nil {
		t.Fatal(err)
	}
	query := []rules.Query{{Source: "eu", Template: "up"}}
	s.Sample(t.Context(), time.Now(), query)
	server.becomes(apiError(500, "internal", "down"))
	for range 6 {
		s.Sample(t.Context(), time.Now(), query)
	}
	want := `# HELP bakewatch_prometheus_breaker_open 1 while the server is given up and only probed, else 0.
# TYPE bakewatch_prometheus_breaker_open gauge
bakewatch_prometheus_breaker_open{source="eu"} 1
# HELP bakewatch_prometheus_queries_total Queries to a Prometheus server, by result: ok, or the reason why there is none.
# TYPE bakewatch_prometheus_queries_total counter
bakewatch_prometheus_queries_total{result="ok",source="eu"} 1
bakewatch_prometheus_queries_total{result="server-error",source="eu"} 6
bakewatch_prometheus_queries_total{result="unreachable",source="eu"} 1
`
	if err := testutil.GatherAndCompare(registry, strings.NewReader(want), "bakewatch_prometheus_breaker_open", "bakewatch_prometheus_queries_total"); err != nil {
		t.Error(err)
	}
	if n, err := testutil.GatherAndCount(registry, "bakewatch_prometheus_query_duration_seconds"); n != 1 || err != nil {
		t.Errorf("%d duration histograms, %v", n, err)
	}
	if _, err := prometheus.NewSampler(nil, source, source); err == nil {
		t.Error("a source was taken twice")
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if left, err := registry.Gather(); len(left) != 0 || err != nil {
		t.Errorf("%d metric families are left, %v", len(left), err)
	}
}
