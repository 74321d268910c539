package latency_test

import (
	"strings"
	"testing"
	"time"

	"github.com/bakewatch/bakewatch/rules"
	"github.com/bakewatch/bakewatch/rules/internal/promtest"
	"github.com/bakewatch/bakewatch/rules/quantity"
)

// serve answers ten looks of which so many requests of 300 each take longer than 500 ms.
func serve(t *testing.T, slow float64, natively bool) *promtest.Server {
	t.Helper()
	server := promtest.New(t)
	if natively {
		for i := range 11 {
			server.AddHistogram(t, "d_seconds", float64(15*i)-5, native(float64(i)*(300-slow), float64(i)*slow))
		}
		return server
	}
	var counts [][2]float64
	for i := range 11 {
		counts = append(counts, [2]float64{float64(i) * (300 - slow), float64(i) * slow})
	}
	addClassic(t, server, "a", "0.5", counts...)
	return server
}

func TestSlowRequestsAreComparedWithALoadTest(t *testing.T) {
	for name, test := range map[string]struct {
		slow     float64
		max      string
		native   bool
		controls []rules.Control
		want     rules.Verdict
		why      string
	}{
		"slower than under load, beyond its own p99": {
			60, "", false,
			[]rules.Control{rules.LoadTest},
			rules.Breached,
			"requests slower than p99 of the load test, 500 ms, 20 % (600 of 3000) against 1 % in the load test",
		},
		"native histograms, beyond its own p99": {
			60, "", true,
			[]rules.Control{rules.LoadTest},
			rules.Breached,
			"requests slower than p99 of the load test, 500 ms, 20 % (600 of 3000) against 1 % in the load test",
		},
		"slower than under load, beyond max": {
			60, "500ms", false,
			[]rules.Control{rules.LoadTest},
			rules.Breached,
			"requests slower than 500ms 20 % (600 of 3000) against 1 % in the load test, limit 1 %",
		},
		"as fast as under load": {
			2, "", false,
			[]rules.Control{rules.LoadTest},
			rules.Healthy,
			"0.667 % (20 of 3000) against 1 % in the load test",
		},
		"beside a history, which tells what is slow, and is missing": {
			60, "", false,
			[]rules.Control{rules.Before, rules.LoadTest},
			rules.NoData,
			"nothing tells what is slow",
		},
	} {
		t.Run(name, func(t *testing.T) {
			server, o, setting := serve(t, test.slow, test.native), options(), promtest.Setting("slow")
			o.Quantile, o.Max = 0.99, quantity.Quantity{}
			if test.max != "" {
				o.Max = quantity.Must(test.max)
			}
			setting.Bake, setting.CompareTo = rules.Duration(30*time.Minute), test.controls
			setting.LoadTest = &rules.LoadTestSummary{File: "k6.json", Requests: 100000, Slowest: []rules.LoadTestQuantile{{Quantile: 0.9, Seconds: 0.2}, {Quantile: 0.99, Seconds: 0.5}}}
			answers := server.Watch(t, promtest.Build(t, o, setting), 10)
			rules.Combine(answers[9:], 0)
			if got := answers[9]; got.Verdict != test.want || !strings.Contains(got.Why, test.why) {
				t.Errorf("%v, %q; want %v, %q", got.Verdict, got.Why, test.want, test.why)
			}
		})
	}
}
