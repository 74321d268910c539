package promql_test

import (
	"fmt"
	"math"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/bakewatch/bakewatch/rules"
	"github.com/bakewatch/bakewatch/rules/internal/promtest"
	"github.com/bakewatch/bakewatch/rules/promql"
)

const life = 20 * 60 // seconds that are looked at, from promtest.Start

// raw is a series as it was scraped.
type raw []promtest.Sample

// truth is what raw samples say about the time (from, to]: the increase, and
// whether a look that sees only the last sample before and the last one within
// may miss some of it.
func (r raw) truth(from, to float64) (increase float64, lossy bool) {
	var last *promtest.Sample
	within := 0
	for i := range r {
		s := r[i]
		if math.IsNaN(s.Value) || (last != nil && s.Second == last.Second) {
			continue // a staleness marker; a second sample at one time, which is dropped
		}
		if s.Second > to {
			break
		}
		if s.Second > from {
			within++
			switch {
			case last == nil:
				increase += s.Value
			case s.Value < last.Value:
				increase += s.Value
				lossy = lossy || within > 1
			default:
				increase += s.Value - last.Value
			}
			lossy = lossy || (last != nil && s.Second-last.Second > 300 && s.Value >= last.Value)
		}
		last = &r[i]
	}
	if within > 1 && increase > 0 { // a reset as the first of several samples may be grown over
		lossy = lossy || r.resetWithin(from, to)
	}
	return increase, lossy
}

func (r raw) resetWithin(from, to float64) bool {
	last := math.Inf(-1)
	for _, s := range r {
		if math.IsNaN(s.Value) {
			continue
		}
		if s.Second > from && s.Second <= to && s.Value < last {
			return true
		}
		last = s.Value
	}
	return false
}

// drawRaw draws a counter with births, deaths, resets, gaps, jitter, staleness
// markers and samples of equal time.
func drawRaw(t *rapid.T) raw {
	second := float64(rapid.IntRange(-600, 300).Draw(t, "born"))
	spacing := float64(rapid.SampledFrom([]int{5, 15, 30, 60}).Draw(t, "scraped every"))
	value := float64(rapid.IntRange(0, 1000).Draw(t, "first"))
	samples := raw{{Second: second, Value: value}}
	for range rapid.IntRange(0, 60).Draw(t, "samples") {
		switch rapid.SampledFrom([]string{"scrape", "scrape", "scrape", "scrape", "late", "gap", "long gap", "long gap and reset", "double", "stale", "reset"}).Draw(t, "event") {
		case "scrape":
			second += spacing
		case "late":
			second += spacing * float64(rapid.IntRange(800, 1200).Draw(t, "jitter")) / 1000
			second = math.Round(second*1000) / 1000 // as the TSDB keeps it
		case "gap":
			second += float64(rapid.IntRange(60, 300).Draw(t, "gap"))
		case "long gap":
			second += float64(rapid.IntRange(301, 700).Draw(t, "gap"))
		case "long gap and reset":
			second += float64(rapid.IntRange(301, 700).Draw(t, "gap"))
			value = 0
		case "double":
		case "stale":
			second++
			samples = append(samples, promtest.Sample{Second: second, Value: promtest.Stale})
			second += spacing
		case "reset":
			second += spacing
			value = 0
		}
		value += float64(rapid.IntRange(0, 50).Draw(t, "growth"))
		if samples[len(samples)-1].Second == second {
			value = max(value, samples[len(samples)-1].Value)
		}
		samples = append(samples, promtest.Sample{Second: second, Value: value})
		if doubled(samples) {
			value = samples[len(samples)-2].Value
		}
	}
	return samples
}

// doubled says that the last sample will be dropped.
func doubled(r raw) bool {
	return len(r) > 1 && r[len(r)-1].Second == r[len(r)-2].Second
}

func TestExactCountsEqualTheRawSamplesAtEveryLook(t *testing.T) {
	server := promtest.New(t)
	run := 0
	rapid.Check(t, func(t *rapid.T) {
		run++
		all := rapid.SliceOfN(rapid.Custom(drawRaw), 1, 3).Draw(t, "series")
		for i, r := range all {
			server.Add(t, fmt.Sprintf(`requests_total{run="%d",i="%d"}`, run, i), r...)
		}
		selector, err := promql.ParseSelector(fmt.Sprintf(`requests_total{run="%d"}`, run))
		if err != nil {
			t.Fatal(err)
		}
		interval := rapid.SampledFrom([]int{15, 20, 60}).Draw(t, "interval")
		query := promql.Scope{}.Series(selector, rules.Deployment{}).Count(rules.Duration(time.Duration(interval) * time.Second))
		for second := interval; second <= life; second += interval {
			want, lossy := 0.0, false
			for _, r := range all {
				increase, missed := r.truth(float64(second-interval), float64(second))
				want += increase
				lossy = lossy || missed
			}
			got := sumOf(server.Query(t, promtest.At(float64(second)), query))
			if got > want || got < 0 || (!lossy && got != want) {
				t.Fatalf("look at %ds: counted %v, truly %v (lossy: %v)", second, got, want, lossy)
			}
		}
	})
}

func sumOf(samples []rules.Sample) float64 {
	sum := 0.0
	for _, s := range samples {
		sum += s.Value
	}
	return sum
}

// The figures of whole lives, with one scrape a look.
func TestExactCountsOfWholeLives(t *testing.T) {
	scrapes := func(values ...float64) raw { // every 15 s; a negative value is a missed scrape
		var r raw
		for i, v := range values {
			if v >= 0 {
				r = append(r, promtest.Sample{Second: float64(15*i) + 3, Value: v})
			}
		}
		return r
	}
	missed := func(n int) []float64 {
		gap := make([]float64, n)
		for i := range gap {
			gap[i] = -1
		}
		return gap
	}
	for name, test := range map[string]struct {
		samples raw
		want    float64
	}{
		"a newborn series counts whole":                               {scrapes(41, 43), 43},
		"a series that was there before counts its growth":            {append(raw{{Second: -40, Value: 1000}}, scrapes(1001, 1005)...), 5},
		"a reset counts from zero":                                    {scrapes(100, 3, 5), 105},
		"a gap of four minutes loses nothing":                         {scrapes(append(append([]float64{10}, missed(15)...), 25, 30)...), 30},
		"a gap of nine minutes loses the growth in it":                {scrapes(append(append([]float64{10}, missed(36)...), 25, 30)...), 15},
		"a reset in a gap of nine minutes counts from zero":           {scrapes(append(append([]float64{10}, missed(36)...), 7, 9)...), 19},
		"a dead series counts until its end":                          {append(scrapes(10, 20), promtest.Sample{Second: 20, Value: promtest.Stale}), 20},
		"a series that comes back after its end is not counted twice": {append(append(scrapes(10, 20), promtest.Sample{Second: 20, Value: promtest.Stale}), promtest.Sample{Second: 65, Value: 24}), 24},
	} {
		t.Run(name, func(t *testing.T) {
			server := promtest.New(t)
			server.Add(t, "x_total", test.samples...)
			selector, err := promql.ParseSelector("x_total")
			if err != nil {
				t.Fatal(err)
			}
			query := promql.Scope{}.Series(selector, rules.Deployment{}).Count(rules.Duration(15 * time.Second))
			got := 0.0
			for second := 15; second <= life; second += 15 {
				got += sumOf(server.Query(t, promtest.At(float64(second)), query))
			}
			if got != test.want {
				t.Errorf("counted %v, want %v", got, test.want)
			}
		})
	}
}

func TestTimeIsThatOfTheSeriesThereAre(t *testing.T) {
	server := promtest.New(t)
	for _, pod := range []string{"a", "b", "c"} {
		samples := []promtest.Sample{{Second: 5, Value: 7}, {Second: 20, Value: 7}}
		if pod == "c" {
			samples[1].Value = promtest.Stale
		}
		server.Add(t, `x_total{pod="`+pod+`"}`, samples...)
	}
	selector, err := promql.ParseSelector("x_total")
	if err != nil {
		t.Fatal(err)
	}
	for interval, want := range map[time.Duration][]float64{15 * time.Second: {45, 30}, time.Minute: {180, 120}, 500 * time.Millisecond: {1.5, 1}} {
		query := promql.Scope{}.Series(selector, rules.Deployment{}).Time(rules.Duration(interval))
		for i, second := range []float64{15, 30} {
			if got := sumOf(server.Query(t, promtest.At(second), query)); got != want[i] {
				t.Errorf("by %s at %vs: %v, want %v", interval, second, got, want[i])
			}
		}
		if got := server.Query(t, promtest.At(900), query); len(got) > 0 {
			t.Errorf("by %s: %v of no series", interval, got)
		}
	}
}
