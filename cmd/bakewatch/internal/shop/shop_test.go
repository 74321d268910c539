package shop_test

import (
	"context"
	"io"
	"net"
	"net/http"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"

	"github.com/bakewatch/bakewatch/cmd/bakewatch/internal/shop"
)

// open opens a shop that is closed, and has stopped, when the test ends.
func open(t *testing.T, config shop.Config) *shop.Shop {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	s, err := shop.Open(ctx, config)
	if err != nil {
		cancel()
		t.Fatal(err)
	}
	t.Cleanup(func() {
		cancel()
		s.Wait()
	})
	return s
}

func deploy(t *testing.T, s *shop.Shop, version string, behaviour shop.Behaviour) {
	t.Helper()
	if err := s.Deploy(version, behaviour); err != nil {
		t.Fatal(err)
	}
}

// get makes one request on a connection of its own.
func get(t *testing.T, url string) (status int, body string, err error) {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	response, err := client.Do(request)
	if err != nil {
		return 0, "", err
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	return response.StatusCode, string(text), err
}

// metrics scrapes one instance; nil: it is down.
func metrics(t *testing.T, target string) map[string]*dto.MetricFamily {
	t.Helper()
	_, text, err := get(t, "http://"+target+"/metrics")
	if err != nil {
		return nil
	}
	parser := expfmt.NewTextParser(model.UTF8Validation)
	families, err := parser.TextToMetricFamilies(strings.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	return families
}

// metric returns the metric of this name whose labels include these, or fails.
func metric(t *testing.T, families map[string]*dto.MetricFamily, name string, labels ...string) *dto.Metric {
	t.Helper()
	for _, m := range families[name].GetMetric() {
		have := map[string]string{}
		for _, label := range m.GetLabel() {
			have[label.GetName()] = label.GetValue()
		}
		fits := true
		for i := 0; i < len(labels); i += 2 {
			fits = fits && have[labels[i]] == labels[i+1]
		}
		if fits {
			return m
		}
	}
	t.Fatalf("no %s with %q", name, labels)
	return nil
}

// eventually waits for a condition.
func eventually(t *testing.T, what string, condition func() bool) {
	t.Helper()
	deadline := time.After(20 * time.Second)
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for !condition() {
		select {
		case <-deadline:
			t.Fatalf("still not: %s", what)
		case <-tick.C:
		}
	}
}

func TestAGoodVersionServesAndCounts(t *testing.T) {
	s := open(t, shop.Config{Instances: 1})
	deploy(t, s, "1.0.0", shop.Good)
	target := s.Targets()[0]
	for range 30 {
		if status, body, err := get(t, "http://"+target+"/"); err != nil || status != http.StatusOK || !strings.Contains(body, `"1.0.0"`) {
			t.Fatalf("got %d %q, %v", status, body, err)
		}
	}
	families := metrics(t, target)
	if n := metric(t, families, "http_requests_total", "code", "200", "method", "get", "version", "1.0.0", "service", "shop").GetCounter().GetValue(); n != 30 {
		t.Errorf("%v requests counted, want 30", n)
	}
	if n := metric(t, families, "http_request_duration_seconds", "version", "1.0.0").GetHistogram().GetSampleCount(); n != 30 {
		t.Errorf("%d durations counted, want 30", n)
	}
	if n := metric(t, families, "http_requests_total", "code", "500").GetCounter().GetValue(); n != 0 {
		t.Errorf("%v errors counted", n)
	}
	metric(t, families, "shop_build_info", "version", "1.0.0")
}

func TestABadVersionIsBadAsItSays(t *testing.T) {
	t.Run("8 of 100 answers are errors", func(t *testing.T) {
		s := open(t, shop.Config{Instances: 1})
		deploy(t, s, "2", shop.Errors)
		for range 100 {
			if _, _, err := get(t, "http://"+s.Targets()[0]+"/"); err != nil {
				t.Fatal(err)
			}
		}
		families := metrics(t, s.Targets()[0])
		if n := metric(t, families, "http_requests_total", "code", "500").GetCounter().GetValue(); n != 8 {
			t.Errorf("%v errors, want 8", n)
		}
	})
	t.Run("3 of 10 answers are slow", func(t *testing.T) {
		s := open(t, shop.Config{Instances: 1, Slow: 300 * time.Millisecond})
		deploy(t, s, "2", shop.Latency)
		var visits sync.WaitGroup
		for range 10 {
			visits.Go(func() {
				if _, _, err := get(t, "http://"+s.Targets()[0]+"/"); err != nil {
					t.Error(err)
				}
			})
		}
		visits.Wait()
		histogram := metric(t, metrics(t, s.Targets()[0]), "http_request_duration_seconds", "code", "200").GetHistogram()
		for _, bucket := range histogram.GetBucket() {
			if bucket.GetUpperBound() == 0.25 && bucket.GetCumulativeCount() > 7 {
				t.Errorf("%d of 10 answers within 250 ms, want 7 at most", bucket.GetCumulativeCount())
			}
		}
	})
	t.Run("an instance crashes and comes back with its restarts counted and all else forgotten", func(t *testing.T) {
		s := open(t, shop.Config{Instances: 1, RestartDelay: time.Millisecond})
		deploy(t, s, "2", shop.Crash)
		lost := 0
		for range 110 {
			if _, _, err := get(t, "http://"+s.Targets()[0]+"/"); err != nil {
				lost++
			}
		}
		if lost == 0 {
			t.Error("no request was lost")
		}
		eventually(t, "back", func() bool { return metrics(t, s.Targets()[0]) != nil })
		families := metrics(t, s.Targets()[0])
		if n := metric(t, families, "shop_restarts_total", "version", "2").GetCounter().GetValue(); n != 1 {
			t.Errorf("%v restarts, want 1", n)
		}
		if n := metric(t, families, "http_requests_total", "code", "200").GetCounter().GetValue(); n > 10 {
			t.Errorf("%v requests remembered over a crash", n)
		}
	})
	t.Run("a crashed instance refuses connections until it is back", func(t *testing.T) {
		s := open(t, shop.Config{Instances: 1, RestartDelay: time.Hour})
		deploy(t, s, "2", shop.Crash)
		for range 100 {
			_, _, _ = get(t, "http://"+s.Targets()[0]+"/")
		}
		if metrics(t, s.Targets()[0]) != nil {
			t.Error("a crashed instance has metrics")
		}
		deploy(t, s, "3", shop.Good)
		if metrics(t, s.Targets()[0]) == nil {
			t.Error("the next version does not serve")
		}
	})
	t.Run("a scanner found critical vulnerabilities", func(t *testing.T) {
		s := open(t, shop.Config{Instances: 1})
		deploy(t, s, "2", shop.Scan)
		families := metrics(t, s.Targets()[0])
		if n := metric(t, families, "shop_scan_findings", "severity", "critical", "version", "2").GetGauge().GetValue(); n != 2 {
			t.Errorf("%v findings, want 2", n)
		}
		scanned := metric(t, families, "shop_scan_timestamp_seconds", "version", "2").GetGauge().GetValue()
		if age := time.Since(time.UnixMilli(int64(scanned * 1000))); age < 0 || age > time.Minute {
			t.Errorf("scanned %s ago", age)
		}
	})
}

func TestADeploymentReplacesTheInstances(t *testing.T) {
	s := open(t, shop.Config{Instances: 2})
	deploy(t, s, "1", shop.Good)
	targets := s.Targets()
	if _, _, err := get(t, "http://"+targets[0]+"/"); err != nil {
		t.Fatal(err)
	}
	deploy(t, s, "2", shop.Errors)

	if got := s.Targets(); got[0] != targets[0] || got[1] != targets[1] || s.Live() != "2" {
		t.Errorf("live %q at %q, want 2 at %q", s.Live(), got, targets)
	}
	for _, target := range targets {
		families := metrics(t, target)
		if n := metric(t, families, "http_requests_total", "version", "2", "code", "200").GetCounter().GetValue(); n != 0 {
			t.Errorf("the new version begins at %v requests", n)
		}
		if len(families["shop_build_info"].GetMetric()) != 1 {
			t.Error("the old version is still there")
		}
	}
	t.Run("and can be taken back", func(t *testing.T) {
		if err := s.Switch("1"); err != nil || s.Live() != "1" {
			t.Fatalf("live %q, %v", s.Live(), err)
		}
		metric(t, metrics(t, targets[1]), "shop_build_info", "version", "1")
	})
	t.Run("a switch to what is live changes nothing", func(t *testing.T) {
		if _, _, err := get(t, "http://"+targets[0]+"/"); err != nil {
			t.Fatal(err)
		}
		if err := s.Switch("1"); err != nil {
			t.Fatal(err)
		}
		if n := metric(t, metrics(t, targets[0]), "http_requests_total", "code", "200").GetCounter().GetValue(); n != 1 {
			t.Errorf("%v requests, want 1", n)
		}
	})
	t.Run("a switch to what nobody deployed fails", func(t *testing.T) {
		if err := s.Switch("9"); err == nil || s.Live() != "1" {
			t.Errorf("live %q, %v", s.Live(), err)
		}
	})
}

func TestNoCustomerIsLostInADeployment(t *testing.T) {
	s := open(t, shop.Config{})
	deploy(t, s, "1", shop.Good)
	traffic, err := s.Traffic(200)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	var running sync.WaitGroup
	running.Go(func() { traffic.Run(ctx) })
	for range 3 {
		before := traffic.Count().Sent
		eventually(t, "50 requests more", func() bool { return traffic.Count().Sent >= before+50 })
		deploy(t, s, "2", shop.Good)
		if err := s.Switch("1"); err != nil {
			t.Fatal(err)
		}
	}
	cancel()
	running.Wait()
	if count := traffic.Count(); count.Failed != 0 {
		t.Errorf("%+v", count)
	}
}

func TestAConnectionThatHasNoRequestYetIsServedInADeployment(t *testing.T) {
	s := open(t, shop.Config{Instances: 1, Drain: 10 * time.Second})
	deploy(t, s, "1", shop.Good)
	var dialer net.Dialer
	conn, err := dialer.DialContext(t.Context(), "tcp", s.Targets()[0])
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	metrics(t, s.Targets()[0]) // a later connection is served: the first one is inside

	var deploying sync.WaitGroup
	deploying.Go(func() { deploy(t, s, "2", shop.Good) })
	eventually(t, "2 serves", func() bool {
		_, body, err := get(t, "http://"+s.Targets()[0]+"/")
		return err == nil && strings.Contains(body, `"2"`)
	})
	if _, err := io.WriteString(conn, "GET / HTTP/1.0\r\n\r\n"); err != nil {
		t.Fatal(err)
	}
	answer, err := io.ReadAll(conn)
	if err != nil || !strings.Contains(string(answer), `"version":"1"`) {
		t.Errorf("got %q, %v", answer, err)
	}
	deploying.Wait()
}

func TestTrafficLeavesNothingBehind(t *testing.T) {
	s := open(t, shop.Config{})
	deploy(t, s, "1", shop.Good)
	before := runtime.NumGoroutine()
	traffic, err := s.Traffic(500)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	var running sync.WaitGroup
	running.Go(func() { traffic.Run(ctx) })
	eventually(t, "some traffic", func() bool { return traffic.Count().Sent > 50 })
	cancel()
	running.Wait()
	eventually(t, "as few goroutines as before", func() bool { return runtime.NumGoroutine() <= before+3 }) // not one a customer
}

func TestTrafficIsBounded(t *testing.T) {
	s := open(t, shop.Config{Instances: 1, Slow: time.Minute})
	for _, rate := range []int{0, -1, 1001} {
		if _, err := s.Traffic(rate); err == nil {
			t.Errorf("%d requests a second are accepted", rate)
		}
	}
	deploy(t, s, "1", shop.Latency)
	traffic, err := s.Traffic(1000)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	var running sync.WaitGroup
	running.Go(func() { traffic.Run(ctx) })
	eventually(t, "skipped, as too many are under way", func() bool { return traffic.Count().Skipped > 0 })
	cancel()
	running.Wait()
}

func TestEverythingStopsWithTheContext(t *testing.T) {
	before := runtime.NumGoroutine()
	for _, behaviour := range shop.Behaviours() {
		ctx, cancel := context.WithCancel(t.Context())
		s, err := shop.Open(ctx, shop.Config{RestartDelay: time.Millisecond})
		if err != nil {
			t.Fatal(err)
		}
		deploy(t, s, "1", shop.Good)
		deploy(t, s, "2", behaviour)
		traffic, err := s.Traffic(500)
		if err != nil {
			t.Fatal(err)
		}
		var running sync.WaitGroup
		running.Go(func() { traffic.Run(ctx) })
		eventually(t, "some traffic", func() bool { return traffic.Count().Sent > 100 })
		cancel()
		running.Wait()
		s.Wait()
		if err := s.Deploy("3", shop.Good); err == nil {
			t.Error("a closed shop deploys")
		}
		if _, _, err := get(t, "http://"+s.Targets()[0]+"/"); err == nil {
			t.Error("a closed shop serves")
		}
	}
	eventually(t, "as few goroutines as before", func() bool { return runtime.NumGoroutine() <= before })
}

func TestAShopThatCannotBeIsRefused(t *testing.T) {
	if _, err := shop.Open(t.Context(), shop.Config{Instances: 17}); err == nil {
		t.Error("17 instances are accepted")
	}
	s := open(t, shop.Config{})
	if err := s.Deploy("", shop.Good); err == nil {
		t.Error("a version without a name is accepted")
	}
	if err := s.Deploy("1", "haunted"); err == nil {
		t.Error("an unknown behaviour is accepted")
	}
	if s.Live() != "" {
		t.Errorf("live: %q", s.Live())
	}
}
