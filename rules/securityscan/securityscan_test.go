package securityscan_test

import (
	"errors"
	"math"
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
			func(o *securityscan.Options) { o.ScannedWithin, o.Scanned = day, `scanned_at{tag="$version"}` }, rules.NoData, "the scan of this version is 30 h old, more than 1d",
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

// scan stores the findings of a version as they are from the deployment on.
func scan(t *testing.T, s *promtest.Server, version string, findings map[string]float64) {
	t.Helper()
	for labels, value := range findings {
		s.Gauge(t, `findings{tag="`+version+`",`+labels+`}`, 1, value)
	}
}

type findings = map[string]float64

const (
	critical = `severity="CRITICAL"`
	high     = `severity="HIGH"`
	low      = `severity="LOW"`
)

func one(severity, id string) string { return severity + `,cve="` + id + `"` }

func TestOnlyFindingsThatThePreviousVersionDidNotHaveCount(t *testing.T) {
	for name, test := range map[string]struct {
		now, then findings
		id        string
		want      rules.Verdict
		why       string
	}{
		"as many as before": {
			findings{critical: 2, high: 9},
			findings{critical: 2, high: 9},
			"",
			rules.Healthy, "findings that the previous version did not have 0 ≤ limit 0; 11 in all, where the previous version has 11",
		},
		"more than before":                        {findings{critical: 4, high: 9}, findings{critical: 2, high: 9}, "", rules.Breached, "did not have 2 > limit 0; 13 in all, where the previous version has 11"},
		"fewer than before":                       {findings{critical: 1}, findings{critical: 2}, "", rules.Healthy, "0 ≤ limit 0"},
		"fewer of one do not make up for another": {findings{critical: 3, high: 0}, findings{critical: 2, high: 9}, "", rules.Breached, "did not have 1 >"},
		"a severity that was not there before":    {findings{critical: 3, high: 2}, findings{high: 2}, "", rules.Breached, "did not have 3 >"},
		"a severity that does not count":          {findings{high: 1, low: 50}, findings{high: 1, low: 1}, "", rules.Healthy, "1 in all"},
		"no scan of the previous version":         {findings{critical: 3}, nil, "", rules.NoData, "no scan of the previous version"},
		"no scan of this version":                 {nil, findings{critical: 3}, "", rules.NoData, "no scan of this version"},
		"a previous scan that is no number":       {findings{critical: 3}, findings{critical: math.NaN()}, "", rules.NoData, "findings of the previous version: NaN"},
		"a scan that is no number":                {findings{critical: math.NaN()}, findings{critical: 3}, "", rules.NoData, "findings of this version: NaN"},
		"a scan of fewer than none":               {findings{critical: -3}, findings{critical: 3}, "", rules.NoData, "findings of this version: a negative count"},
		"a previous scan without severities":      {findings{critical: 3}, findings{`level="high"`: 3}, "", rules.Blind, "the findings of the previous version have no label severity"},
		"a clean previous version":                {findings{critical: 3}, findings{critical: 0}, "", rules.Breached, "did not have 3 >"},
		"one for another, told by number":         {findings{one(high, "b"): 1}, findings{one(high, "a"): 1}, "", rules.Healthy, "0 ≤ limit 0"},
		"one for another, told by id":             {findings{one(high, "b"): 1}, findings{one(high, "a"): 1}, "cve", rules.Breached, "did not have 1 > limit 0; 1 in all, where the previous version has 1"},
		"the same by id, though worse by now":     {findings{one(critical, "a"): 1}, findings{one(high, "a"): 1}, "cve", rules.Healthy, "0 ≤ limit 0"},
		"the same by id, among more":              {findings{one(high, "a"): 1, one(high, "b"): 2}, findings{one(high, "a"): 1}, "cve", rules.Breached, "did not have 2 >"},
		"one that the previous scan says is gone": {findings{one(high, "a"): 1}, findings{one(high, "a"): 0, one(high, "b"): 1}, "cve", rules.Breached, "did not have 1 >"},
		"findings without an id":                  {findings{one(high, "a"): 1, high: 3}, findings{one(high, "a"): 1}, "cve", rules.Blind, "1 series of findings have no label cve"},
		"previous findings without an id":         {findings{one(high, "a"): 1}, findings{high: 3}, "cve", rules.Blind, "1 series of findings have no label cve"},
		"a zero without an id is no finding":      {findings{one(high, "a"): 1, critical: 0}, findings{one(high, "a"): 1}, "cve", rules.Healthy, "0 ≤ limit 0"},
		"an id that did not count before":         {findings{one(high, "a"): 1}, findings{one(low, "a"): 1, one(high, "z"): 1}, "cve", rules.Healthy, "0 ≤ limit 0; 1 in all"},
	} {
		t.Run(name, func(t *testing.T) {
			server, o := promtest.New(t), options(t)
			o.NewOnly, o.ID = true, test.id
			scan(t, server, "2", test.now)
			scan(t, server, "1", test.then)
			if got := watch(t, server, o, "1", 15); got.Verdict != test.want || !strings.Contains(got.Why, test.why) {
				t.Errorf("%v, %q; want %v, %q", got.Verdict, got.Why, test.want, test.why)
			}
		})
	}
}

// watch looks once at a deployment of version 2, so many seconds after it.
func watch(t *testing.T, server *promtest.Server, o *securityscan.Options, previous string, second float64) rules.Answer {
	t.Helper()
	rule := promtest.Build(t, o, promtest.Setting("scan"))
	d := rules.Deployment{Version: "2", Previous: previous, At: promtest.Start}
	at := promtest.At(second)
	return rule.Begin(d).See(at, server.Ask(t, at, rule.Queries(d)))
}

func TestWithoutAPreviousVersionNobodyKnowsWhatIsNew(t *testing.T) {
	server, o := promtest.New(t), options(t)
	o.NewOnly = true
	scan(t, server, "2", findings{critical: 3})
	if got := watch(t, server, o, "", 15); got.Verdict != rules.NoData || got.Why != "no previous version" {
		t.Errorf("%v, %s", got.Verdict, got.Why)
	}
}

func TestTheSameVersionAgainHasNothingNew(t *testing.T) {
	server, o := promtest.New(t), options(t)
	o.NewOnly = true
	scan(t, server, "2", findings{critical: 3})
	if got := watch(t, server, o, "2", 15); got.Verdict != rules.Healthy {
		t.Errorf("%v, %s", got.Verdict, got.Why)
	}
}

// Scanners tell of the images that run; the previous one soon does not.
func TestAPreviousVersionThatNoLongerRunsWasScannedAllTheSame(t *testing.T) {
	for name, test := range map[string]struct {
		hours float64
		want  rules.Verdict
	}{
		"hours ago":          {3, rules.Breached},
		"longer than a day":  {25, rules.NoData},
		"still, as it looks": {0, rules.Breached},
	} {
		t.Run(name, func(t *testing.T) {
			server, o := promtest.New(t), options(t)
			o.NewOnly = true
			now := test.hours * 3600
			server.Add(t, `findings{tag="1",severity="high"}`, promtest.Sample{Second: 0, Value: 2}, promtest.Sample{Second: 10, Value: promtest.Stale})
			server.Add(t, `findings{tag="2",severity="high"}`, promtest.Sample{Second: now + 10, Value: 3})
			if got := watch(t, server, o, "1", now+15); got.Verdict != test.want {
				t.Errorf("%v, %s", got.Verdict, got.Why)
			}
		})
	}
}

// What became known since the previous version was scanned is in both.
func TestThePreviousVersionsScanMustBeFreshAsWell(t *testing.T) {
	ago := func(d time.Duration) float64 { return float64(promtest.Start.Add(-d).Unix()) }
	for name, test := range map[string]struct {
		then float64
		want rules.Verdict
		why  string
	}{
		"fresh":          {ago(2 * time.Hour), rules.Breached, "did not have 1 >"},
		"old":            {ago(48 * time.Hour), rules.NoData, "the scan of the previous version is 48 h old, more than 1d"},
		"of unknown age": {0, rules.NoData, "the time of the scan of the previous version is not known"},
	} {
		t.Run(name, func(t *testing.T) {
			server, o := promtest.New(t), options(t)
			o.NewOnly, o.ScannedWithin, o.Scanned = true, rules.Duration(24*time.Hour), `scanned_at{tag="$version"}`
			scan(t, server, "2", findings{high: 3})
			scan(t, server, "1", findings{high: 2})
			server.Gauge(t, `scanned_at{tag="2"}`, 1, ago(time.Hour))
			if test.then > 0 {
				server.Gauge(t, `scanned_at{tag="1"}`, 1, test.then)
			}
			if got := watch(t, server, o, "1", 15); got.Verdict != test.want || !strings.Contains(got.Why, test.why) {
				t.Errorf("%v, %q; want %v, %q", got.Verdict, got.Why, test.want, test.why)
			}
		})
	}
}

func TestTheTargetOfARollbackHasNothingNew(t *testing.T) {
	for name, test := range map[string]struct {
		newOnly bool
		want    rules.Verdict
	}{
		"only new ones count": {true, rules.LowTraffic},
		"all of them count":   {false, rules.Breached},
	} {
		t.Run(name, func(t *testing.T) {
			server, o := promtest.New(t), options(t)
			o.NewOnly = test.newOnly
			scan(t, server, "2", findings{critical: 0})
			scan(t, server, "1", findings{critical: 1}) // which version 2 had mended
			rule := promtest.Build(t, o, promtest.Setting("scan"))
			verifier, ok := rule.(rules.Verifier)
			if !ok {
				t.Fatal("verifies as it judges")
			}
			target, at := rules.Deployment{Version: "1", Previous: "2", At: promtest.Start}, promtest.At(15)
			if got := verifier.Verify(target).See(at, server.Ask(t, at, rule.Queries(target))); got.Verdict != test.want {
				t.Errorf("%v, %s", got.Verdict, got.Why)
			}
		})
	}
}

func TestADigestTellsVersionsApartAsWellAsATag(t *testing.T) {
	server, o := promtest.New(t), options(t)
	o.Findings, o.NewOnly = `findings{digest=~"(sha256:)?$version"}`, true
	server.Gauge(t, `findings{digest="sha256:2",severity="high"}`, 1, 3)
	server.Gauge(t, `findings{digest="sha256:1",severity="high"}`, 1, 1)
	if got := watch(t, server, o, "1", 15); got.Verdict != rules.Breached || !strings.Contains(got.Why, "did not have 2 >") {
		t.Errorf("%v, %s", got.Verdict, got.Why)
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
		"an id of no use":           {func(o *securityscan.Options) { o.ID = "cve" }, "id"},
		"an id of the exporter":     {func(o *securityscan.Options) { o.NewOnly, o.ID = true, "pod" }, "id"},
		"an id that is no label":    {func(o *securityscan.Options) { o.NewOnly, o.ID = true, "__name__" }, "id"},
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
