package errorrate_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/bakewatch/bakewatch/rules"
	"github.com/bakewatch/bakewatch/rules/errorrate"
	"github.com/bakewatch/bakewatch/rules/internal/promtest"
	"github.com/bakewatch/bakewatch/rules/quantity"
)

func options() *errorrate.Options {
	return &errorrate.Options{Errors: `http_requests_total{code=~"5.."}`, Requests: "http_requests_total", Max: quantity.Must("1%")}
}

// grow stores a counter that is born at the first look and grows by so much at each.
func grow(t *testing.T, server *promtest.Server, series string, looks int, step float64) {
	t.Helper()
	for i := 1; i <= looks; i++ {
		server.Add(t, series, promtest.Sample{Second: float64(15*i) - 4, Value: step * float64(i)})
	}
}

func TestErrorRate(t *testing.T) {
	for name, test := range map[string]struct {
		fill   func(*testing.T, *promtest.Server)
		change func(*rules.Setting)
		looks  int
		want   rules.Verdict
		why    string
	}{
		"the version's own errors break the limit, from the first look on": {
			func(t *testing.T, s *promtest.Server) {
				grow(t, s, `http_requests_total{v="2",code="200"}`, 1, 959)
				grow(t, s, `http_requests_total{v="2",code="500"}`, 1, 41)
			},
			nil, 1, rules.Breached, "errors 4.1 % (41 of 1000) > limit 1 %",
		},
		"another version's errors do not": {
			func(t *testing.T, s *promtest.Server) {
				grow(t, s, `http_requests_total{v="2",code="200"}`, 1, 1000)
				grow(t, s, `http_requests_total{v="1",code="500"}`, 1, 1000)
			},
			nil, 1, rules.Healthy, "errors 0 % (0 of 1000) ≤ limit 1 %",
		},
		"errors of any version break the limit where they can't be told apart": {
			func(t *testing.T, s *promtest.Server) {
				grow(t, s, `http_requests_total{v="2",code="200"}`, 1, 1000)
				grow(t, s, `http_requests_total{v="1",code="500"}`, 1, 1000)
			},
			func(s *rules.Setting) { s.Select = rules.Select{} }, 1, rules.Breached, "1000 of 2000",
		},
		"a missing series of requests is no data, whatever errors say": {
			func(t *testing.T, s *promtest.Server) { grow(t, s, `errors_total{v="2"}`, 1, 1000) },
			nil, 1, rules.NoData, "no series of requests",
		},
		"little traffic is not judged": {
			func(t *testing.T, s *promtest.Server) { grow(t, s, `http_requests_total{v="2",code="500"}`, 1, 99) },
			nil, 1, rules.LowTraffic, "99 requests in 15s, fewer than min_requests 100",
		},
		"a breach lasts as long as for says": {
			func(t *testing.T, s *promtest.Server) { grow(t, s, `http_requests_total{v="2",code="500"}`, 5, 100) },
			func(s *rules.Setting) { s.For = rules.Duration(time.Minute) }, 5, rules.Breached, "errors 100 % (500 of 500) > limit 1 % for 1m",
		},
		"a version that is gone is no data": {
			func(t *testing.T, s *promtest.Server) {
				grow(t, s, `http_requests_total{v="2",code="500"}`, 1, 100)
				s.Add(t, `http_requests_total{v="2",code="500"}`, promtest.Sample{Second: 20, Value: promtest.Stale})
			},
			nil, 2, rules.NoData, "no series of requests",
		},
	} {
		t.Run(name, func(t *testing.T) {
			server, setting := promtest.New(t), promtest.Setting("5xx")
			setting.Select.Version, setting.Judge = "v", "threshold"
			if test.change != nil {
				test.change(&setting)
			}
			test.fill(t, server)
			answers := server.Watch(t, promtest.Build(t, options(), setting), test.looks)
			if got := answers[test.looks-1]; got.Verdict != test.want || !strings.Contains(got.Why, test.why) {
				t.Errorf("%v, %q; want %v, %q", got.Verdict, got.Why, test.want, test.why)
			}
		})
	}
}

func TestOptionsAreChecked(t *testing.T) {
	for name, test := range map[string]struct {
		change func(*errorrate.Options)
		key    string
		offset int
	}{
		"no errors":                  {func(o *errorrate.Options) { o.Errors = "" }, "errors", 0},
		"requests that are a rate":   {func(o *errorrate.Options) { o.Requests = "rate(x[5m])" }, "requests", 0},
		"a wrong placeholder":        {func(o *errorrate.Options) { o.Requests = `x{v="$vers"}` }, "requests", 5},
		"fewer requests than none":   {func(o *errorrate.Options) { o.MinRequests = -1 }, "min_requests", 0},
		"a limit that is everything": {func(o *errorrate.Options) { o.Max = quantity.Must("100%") }, "max", 0},
	} {
		t.Run(name, func(t *testing.T) {
			o := options()
			test.change(o)
			blamed, ok := errors.AsType[*rules.FieldError](o.Check())
			if !ok || blamed.Key != test.key || blamed.Offset != test.offset {
				t.Errorf("got %v", o.Check())
			}
		})
	}
}

func TestAPlainThresholdNeedsALimitAndAComparisonDoesNot(t *testing.T) {
	o, setting := options(), promtest.Setting("5xx")
	o.Max = quantity.Quantity{}
	if _, err := o.Rule(setting); err != nil {
		t.Errorf("a comparison without a limit: %v", err)
	}
	setting.Judge = "threshold"
	_, err := o.Rule(setting)
	if blamed, ok := errors.AsType[*rules.FieldError](err); !ok || blamed.Key != "max" {
		t.Errorf("a threshold without a limit: %v", err)
	}
}
