package latency_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/prometheus/model/histogram"

	"github.com/bakewatch/bakewatch/rules"
	"github.com/bakewatch/bakewatch/rules/internal/promtest"
	"github.com/bakewatch/bakewatch/rules/latency"
	"github.com/bakewatch/bakewatch/rules/quantity"
)

func options() *latency.Options {
	return &latency.Options{Histogram: "d_seconds", Quantile: 0.9, Max: quantity.Must("500ms")}
}

func build(t *testing.T, o *latency.Options, s rules.Select) rules.Rule {
	t.Helper()
	if err := o.Check(); err != nil {
		t.Fatal(err)
	}
	rule, err := o.Rule(rules.Setting{
		Spec:     rules.Spec{Name: "latency", Judge: "threshold", Window: rules.Duration(5 * time.Minute)},
		Interval: rules.Duration(15 * time.Second), Select: s,
	})
	if err != nil {
		t.Fatal(err)
	}
	return rule
}

// look returns the answer at the last of n looks.
func look(t *testing.T, server *promtest.Server, rule rules.Rule, n int) (answer rules.Answer) {
	t.Helper()
	d := rules.Deployment{Version: "2", At: promtest.Start}
	evidence := rule.Begin(d)
	for i := 1; i <= n; i++ {
		at := promtest.At(float64(15 * i))
		answer = evidence.See(at, server.Ask(t, at, rule.Queries(d)))
	}
	return answer
}

// addClassic stores scrapes, 15 s apart, of an instance whose requests are fast
// and slow in these numbers since its last restart.
func addClassic(t *testing.T, server *promtest.Server, instance string, edge string, counts ...[2]float64) {
	t.Helper()
	for i, c := range counts {
		second := float64(15*i) - 5
		series := func(le string) string { return fmt.Sprintf(`d_seconds_bucket{instance=%q,le=%q}`, instance, le) }
		server.Add(t, series("0.1"), promtest.Sample{Second: second, Value: 0})
		server.Add(t, series(edge), promtest.Sample{Second: second, Value: c[0]})
		server.Add(t, series("30"), promtest.Sample{Second: second, Value: c[0] + c[1]})
		server.Add(t, series("+Inf"), promtest.Sample{Second: second, Value: c[0] + c[1]})
	}
}

func TestClassicHistograms(t *testing.T) {
	for name, test := range map[string]struct {
		fill       func(*testing.T, *promtest.Server)
		max        string
		want       rules.Verdict
		bad, total float64
		why        string
	}{
		"slow requests break the limit": {
			func(t *testing.T, s *promtest.Server) {
				addClassic(t, s, "a", "0.5", [2]float64{1000, 9}, [2]float64{1070, 39})
			},
			"500ms", rules.Breached, 30, 100, "requests slower than 500ms 30 % (30 of 100) > limit 10 %",
		},
		"the limit moves to the next edge, and says so": {
			func(t *testing.T, s *promtest.Server) {
				addClassic(t, s, "a", "0.6", [2]float64{1000, 9}, [2]float64{1099, 10})
			},
			"500ms", rules.Healthy, 1, 100, "judged at the next bucket edge, 600 ms",
		},
		"an edge written in another way is the same edge": {
			func(t *testing.T, s *promtest.Server) {
				addClassic(t, s, "a", "0.50", [2]float64{0, 0}, [2]float64{50, 0})
				addClassic(t, s, "b", "0.5", [2]float64{0, 0}, [2]float64{50, 0})
			},
			"500ms", rules.Healthy, 0, 100, "",
		},
		"an edge that only some series have is not used": {
			func(t *testing.T, s *promtest.Server) {
				addClassic(t, s, "a", "0.5", [2]float64{0, 0}, [2]float64{50, 0})
				addClassic(t, s, "b", "0.7", [2]float64{0, 0}, [2]float64{50, 0})
			},
			"500ms", rules.Healthy, 0, 100, "judged at the next bucket edge, 30 s",
		},
		"a restart of a slow instance does not make the new requests slow": {
			func(t *testing.T, s *promtest.Server) {
				addClassic(t, s, "a", "0.5", [2]float64{10, 90}, [2]float64{50, 0})
			},
			"500ms", rules.Healthy, 0, 50, "",
		},
		"nor does a restart in a gap, where some buckets grew past what they were": {
			func(t *testing.T, s *promtest.Server) {
				for le, counts := range map[string][2]float64{"0.5": {10, 50}, "+Inf": {100, 50}} {
					series := fmt.Sprintf(`d_seconds_bucket{le=%q}`, le)
					s.Add(t, series, promtest.Sample{Second: -310, Value: counts[0]}, promtest.Sample{Second: 10, Value: counts[1]})
				}
			},
			"500ms", rules.Healthy, 0, 50, "",
		},
		"a limit above every edge can't be judged": {
			func(t *testing.T, s *promtest.Server) {
				addClassic(t, s, "a", "0.5", [2]float64{0, 0}, [2]float64{100, 0})
			},
			"1m", rules.Blind, 0, 0, "no bucket edge",
		},
		"no series is no data": {
			func(*testing.T, *promtest.Server) {}, "500ms", rules.NoData, 0, 0, "no series of the histogram",
		},
		"too few requests are low traffic": {
			func(t *testing.T, s *promtest.Server) {
				addClassic(t, s, "a", "0.5", [2]float64{0, 0}, [2]float64{0, 19})
			},
			"500ms", rules.LowTraffic, 19, 19, "19 requests in 15s, fewer than min_requests 20",
		},
	} {
		t.Run(name, func(t *testing.T) {
			server := promtest.New(t)
			test.fill(t, server)
			o := options()
			o.Max = quantity.Must(test.max)
			got := look(t, server, build(t, o, rules.Select{}), 1)
			if got.Verdict != test.want || got.Bad != test.bad || got.Total != test.total || !strings.Contains(got.Why, test.why) {
				t.Errorf("%v, %v of %v: %s", got.Verdict, got.Bad, got.Total, got.Why)
			}
		})
	}
}

// native returns a native histogram with so many requests at about 0.3 s and 3 s.
func native(fast, slow float64) *histogram.FloatHistogram {
	return &histogram.FloatHistogram{ // schema 0: bucket i is (2^(i-1), 2^i]
		Schema: 0, Count: fast + slow,
		PositiveSpans:   []histogram.Span{{Offset: -1, Length: 1}, {Offset: 2, Length: 1}},
		PositiveBuckets: []float64{fast, slow},
	}
}

func TestNativeHistograms(t *testing.T) {
	empty := &histogram.FloatHistogram{Schema: 0}
	for name, test := range map[string]struct {
		scrapes    []*histogram.FloatHistogram
		want       rules.Verdict
		bad, total float64
	}{
		"growth is counted, and not the past":         {[]*histogram.FloatHistogram{native(1000, 500), native(1070, 530)}, rules.Breached, 30, 100},
		"a histogram born empty is zero, not missing": {[]*histogram.FloatHistogram{empty, native(95, 5)}, rules.Healthy, 5, 100},
		"an empty histogram has too little traffic":   {[]*histogram.FloatHistogram{empty, empty}, rules.LowTraffic, 0, 0},
		"a restart counts from zero":                  {[]*histogram.FloatHistogram{native(10, 90), native(50, 0)}, rules.Healthy, 0, 50},
		"rounding is not taken for a reset":           {[]*histogram.FloatHistogram{native(1, 0), native(1, 48)}, rules.Breached, 48, 48}, // 49 * (1/49) < 1
	} {
		t.Run(name, func(t *testing.T) {
			server := promtest.New(t)
			for i, h := range test.scrapes {
				server.AddHistogram(t, "d_seconds", float64(15*i)-5, h)
			}
			got := look(t, server, build(t, options(), rules.Select{}), 1)
			if got.Verdict != test.want || diff(got.Bad, test.bad) || diff(got.Total, test.total) {
				t.Errorf("%v, %v of %v: %s", got.Verdict, got.Bad, got.Total, got.Why)
			}
		})
	}
}

// A fleet that is half way to native histograms.
func TestInstancesWithEitherKindOfHistogramAreCountedTogether(t *testing.T) {
	server := promtest.New(t)
	addClassic(t, server, "a", "0.5", [2]float64{0, 0}, [2]float64{60, 40}) // classic only
	addClassic(t, server, "b", "0.5", [2]float64{0, 0}, [2]float64{0, 100}) // both: the native one counts
	server.AddHistogram(t, `d_seconds{instance="b"}`, -5, native(0, 0))
	server.AddHistogram(t, `d_seconds{instance="b"}`, 10, native(95, 5))
	got := look(t, server, build(t, options(), rules.Select{}), 1)
	if got.Verdict != rules.Breached || diff(got.Bad, 45) || diff(got.Total, 200) || !strings.Contains(got.Query, "d_seconds_bucket") {
		t.Errorf("%v, %v of %v: %s\n%s", got.Verdict, got.Bad, got.Total, got.Why, got.Query)
	}
}

func TestPeopleAreShownTheNativeQueryAndWholeNumbers(t *testing.T) {
	server := promtest.New(t)
	server.AddHistogram(t, "d_seconds", -5, native(1000, 500))
	server.AddHistogram(t, "d_seconds", 10, native(1070, 530))
	got := look(t, server, build(t, options(), rules.Select{}), 1)
	if !strings.Contains(got.Query, "histogram_fraction(") || !strings.Contains(got.Why, "(30 of 100)") {
		t.Errorf("%s\n%s", got.Why, got.Query)
	}
}

// What is within the limit is interpolated anew where buckets are merged.
func TestALowerResolutionIsNotTakenForFastRequests(t *testing.T) {
	server := promtest.New(t)
	fine := &histogram.FloatHistogram{ // 1000 requests at about 0.6 s, just above the limit
		Schema: 3, Count: 1000, PositiveSpans: []histogram.Span{{Offset: -5, Length: 1}}, PositiveBuckets: []float64{1000},
	}
	coarse := &histogram.FloatHistogram{ // and 30 more
		Schema: -1, Count: 1030, PositiveSpans: []histogram.Span{{Offset: 0, Length: 1}}, PositiveBuckets: []float64{1030},
	}
	server.AddHistogram(t, "d_seconds", -5, fine)
	server.AddHistogram(t, "d_seconds", 10, coarse)
	got := look(t, server, build(t, options(), rules.Select{}), 1)
	if got.Verdict != rules.NoData || !strings.Contains(got.Why, "changed its resolution") {
		t.Errorf("%v, %v of %v: %s", got.Verdict, got.Bad, got.Total, got.Why)
	}
}

func diff(a, b float64) bool { return a-b > 1e-6 || b-a > 1e-6 }

func TestBothKindsOfHistogramsAreAskedWithAJoin(t *testing.T) {
	server := promtest.New(t)
	addClassic(t, server, "a", "0.5", [2]float64{0, 0}, [2]float64{100, 0}, [2]float64{200, 0})
	addClassic(t, server, "b", "0.5", [2]float64{0, 0}, [2]float64{0, 100}, [2]float64{0, 200})
	for _, second := range []float64{-5, 10, 25} {
		server.Add(t, `target_info{instance="a",v="2"}`, promtest.Sample{Second: second, Value: 1})
		server.Add(t, `target_info{instance="b",v="1"}`, promtest.Sample{Second: second, Value: 1})
	}
	rule := build(t, options(), rules.Select{Join: &rules.Join{Metric: "target_info", On: []string{"instance"}, Label: "v"}})
	if got := look(t, server, rule, 2); got.Verdict != rules.Healthy || got.Total != 200 || got.Bad != 0 {
		t.Errorf("%v, %v of %v: %s", got.Verdict, got.Bad, got.Total, got.Why)
	}
}

func TestOptionsAreChecked(t *testing.T) {
	for name, test := range map[string]struct {
		change func(*latency.Options)
		key    string
	}{
		"a limit without unit":  {func(o *latency.Options) { o.Max = quantity.Must("500") }, "max"},
		"a limit of no time":    {func(o *latency.Options) { o.Max = quantity.Must("0s") }, "max"},
		"a quantile in percent": {func(o *latency.Options) { o.Quantile = 99 }, "quantile"},
		"no histogram":          {func(o *latency.Options) { o.Histogram = "" }, "histogram"},
		"buckets":               {func(o *latency.Options) { o.Histogram = "d_seconds_bucket" }, "histogram"},
		"a bucket":              {func(o *latency.Options) { o.Histogram = `d_seconds{le="1"}` }, "histogram"},
		"a rate":                {func(o *latency.Options) { o.Histogram = "rate(d_seconds[5m])" }, "histogram"},
		"fewer than none":       {func(o *latency.Options) { o.MinRequests = -1 }, "min_requests"},
	} {
		t.Run(name, func(t *testing.T) {
			o := options()
			test.change(o)
			if blamed, ok := errors.AsType[*rules.FieldError](o.Check()); !ok || blamed.Key != test.key {
				t.Errorf("got %v", o.Check())
			}
		})
	}
}
