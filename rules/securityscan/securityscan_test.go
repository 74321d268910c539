package securityscan_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/bakewatch/bakewatch/rules"
	"github.com/bakewatch/bakewatch/rules/internal/promtest"
	"github.com/bakewatch/bakewatch/rules/quantity"
	"github.com/bakewatch/bakewatch/rules/securityscan"
)

func options(t testing.TB) *securityscan.Options {
	t.Helper()
	o, ok := securityscan.Kind().New().(*securityscan.Options)
	if !ok {
		t.Fatal("other options")
	}
	o.Findings = `findings{tag="$version"}`
	return o
}

func TestFindings(t *testing.T) {
	day := rules.Duration(24 * time.Hour)
	scanned := func(ago time.Duration) float64 { return float64(promtest.Start.Add(-ago).Unix()) }
	for name, test := range map[string]struct {
		fill   func(*testing.T, *promtest.Server)
		change func(*securityscan.Options)
		want   rules.Verdict
		why    string
	}{
		"findings of the version break the limit": {
			func(t *testing.T, s *promtest.Server) {
				s.Gauge(t, `findings{tag="2",severity="Critical"}`, 1, 1)
				s.Gauge(t, `findings{tag="2",severity="HIGH"}`, 1, 2)
				s.Gauge(t, `findings{tag="2",severity="Low"}`, 1, 50)
				s.Gauge(t, `findings{tag="1",severity="Critical"}`, 1, 50)
			}, nil, rules.Breached, "findings 3 > limit 0",
		},
		"as many as allowed are healthy": {
			func(t *testing.T, s *promtest.Server) { s.Gauge(t, `findings{tag="2",severity="high"}`, 1, 2) },
			func(o *securityscan.Options) { o.Max = quantity.Must("2") }, rules.Healthy, "findings 2 ≤ limit 2",
		},
		"no series of a severity is none of it": {
			func(t *testing.T, s *promtest.Server) { s.Gauge(t, `findings{tag="2",severity="low"}`, 1, 9) },
			nil, rules.Healthy, "findings 0",
		},
		"a selector's own severity is left alone": {
			func(t *testing.T, s *promtest.Server) { s.Gauge(t, `findings{tag="2",severity="low"}`, 1, 9) },
			func(o *securityscan.Options) { o.Findings = `findings{tag="$version",severity="low"}` }, rules.Breached, "findings 9",
		},
		"severities that are no regular expression": {
			func(t *testing.T, s *promtest.Server) { s.Gauge(t, `findings{tag="2",severity="a.b$c"}`, 1, 9) },
			func(o *securityscan.Options) { o.Severities = []string{"A.b$c"} }, rules.Breached, "findings 9",
		},
		"no scan of the version is no data": {
			func(t *testing.T, s *promtest.Server) { s.Gauge(t, `findings{tag="1",severity="high"}`, 1, 9) },
			nil, rules.NoData, "no scan of this version",
		},
		"an old scan is no data, whatever it found": {
			func(t *testing.T, s *promtest.Server) {
				s.Gauge(t, `findings{tag="2",severity="high"}`, 1, 9)
				s.Gauge(t, `scanned_at{tag="2"}`, 1, scanned(30*time.Hour))
			},
			func(o *securityscan.Options) { o.ScannedWithin, o.Scanned = day, `scanned_at{tag="$version"}` }, rules.NoData, "the scan is 30 h old, more than 1d",
		},
		"a fresh scan is judged": {
			func(t *testing.T, s *promtest.Server) {
				s.Gauge(t, `findings{tag="2",severity="high"}`, 1, 9)
				s.Gauge(t, `scanned_at{tag="2"}`, 1, scanned(time.Hour))
			},
			func(o *securityscan.Options) { o.ScannedWithin, o.Scanned = day, `scanned_at{tag="$version"}` }, rules.Breached, "findings 9",
		},
		"a scan of unknown age is no data": {
			func(t *testing.T, s *promtest.Server) { s.Gauge(t, `findings{tag="2",severity="high"}`, 1, 9) },
			func(o *securityscan.Options) { o.ScannedWithin, o.Scanned = day, `scanned_at` }, rules.NoData, "not known",
		},
		"findings that carry no severity are not none": {
			func(t *testing.T, s *promtest.Server) { s.Gauge(t, `findings{tag="2",level="CRITICAL"}`, 1, 12) },
			nil, rules.Blind, "no label severity; set severities = []",
		},
		"findings that carry no severity all count if that is said": {
			func(t *testing.T, s *promtest.Server) { s.Gauge(t, `findings{tag="2",level="CRITICAL"}`, 1, 12) },
			func(o *securityscan.Options) { o.Severities = []string{} }, rules.Breached, "findings 12",
		},
	} {
		t.Run(name, func(t *testing.T) {
			server, o := promtest.New(t), options(t)
			test.fill(t, server)
			if test.change != nil {
				test.change(o)
			}
			setting := promtest.Setting("scan")
			setting.Select = rules.Select{Match: map[string]string{"job": "checkout"}, Version: "v"} // not the scanner's
			if got := server.Watch(t, promtest.Build(t, o, setting), 1)[0]; got.Verdict != test.want || !strings.Contains(got.Why, test.why) {
				t.Errorf("%v, %q; want %v, %q", got.Verdict, got.Why, test.want, test.why)
			}
		})
	}
}

func TestOptionsAreChecked(t *testing.T) {
	for name, test := range map[string]struct {
		change func(*securityscan.Options)
		key    string
	}{
		"findings of any version":   {func(o *securityscan.Options) { o.Findings = "findings" }, "findings"},
		"no findings":               {func(o *securityscan.Options) { o.Findings = "" }, "findings"},
		"half a finding":            {func(o *securityscan.Options) { o.Max = quantity.Must("0.5") }, "max"},
		"an empty severity":         {func(o *securityscan.Options) { o.Severities = []string{" "} }, "severities"},
		"a time without its use":    {func(o *securityscan.Options) { o.Scanned = "scanned_at" }, "scanned"},
		"a time that is a function": {func(o *securityscan.Options) { o.ScannedWithin, o.Scanned = 1, "max(scanned_at)" }, "scanned"},
		"an age that is negative":   {func(o *securityscan.Options) { o.ScannedWithin = -1 }, "scanned_within"},
		"an age of no scan":         {func(o *securityscan.Options) { o.ScannedWithin = rules.Duration(time.Hour) }, "scanned_within"},
	} {
		t.Run(name, func(t *testing.T) {
			o := options(t)
			test.change(o)
			if blamed, ok := errors.AsType[*rules.FieldError](o.Check()); !ok || blamed.Key != test.key {
				t.Errorf("got %v", o.Check())
			}
		})
	}
}
