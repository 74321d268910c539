package errorrate_test

import (
	"strings"
	"testing"
	"time"

	"github.com/bakewatch/bakewatch/rules"
	"github.com/bakewatch/bakewatch/rules/internal/promtest"
	"github.com/bakewatch/bakewatch/rules/quantity"
)

// The server holds no history: the load test is all there is.
func TestAVersionIsComparedWithALoadTest(t *testing.T) {
	for name, test := range map[string]struct {
		bad     float64 // of 300 a look
		summary rules.LoadTestSummary
		want    rules.Verdict
		why     string
	}{
		"worse than under load":                 {15, rules.LoadTestSummary{Requests: 10000, Errors: 20}, rules.Breached, "errors 5 % (150 of 3000) against 0.2 % in the load test"},
		"as good as under load":                 {1, rules.LoadTestSummary{Requests: 10000, Errors: 50}, rules.Healthy, "errors 0.333 % (10 of 3000) against 0.5 % in the load test"},
		"a load test that is too small to tell": {4, rules.LoadTestSummary{Requests: 200}, rules.Healthy, "against 0 % in the load test"},
	} {
		t.Run(name, func(t *testing.T) {
			server, setting := promtest.New(t), promtest.Setting("5xx")
			grow(t, server, `http_requests_total{v="2",code="200"}`, 10, 300-test.bad)
			grow(t, server, `http_requests_total{v="2",code="500"}`, 10, test.bad)
			setting.Select.Version, setting.Bake = "v", rules.Duration(30*time.Minute)
			setting.CompareTo, setting.LoadTest = []rules.Control{rules.LoadTest}, &test.summary
			o := options()
			o.Max = quantity.Quantity{}
			answers := server.Watch(t, promtest.Build(t, o, setting), 10)
			rules.Combine(answers[9:], 0)
			if got := answers[9]; got.Verdict != test.want || !strings.Contains(got.Why, test.why) {
				t.Errorf("%v, %q; want %v, %q", got.Verdict, got.Why, test.want, test.why)
			}
		})
	}
}
