package peers

import (
	"math"
	"slices"
	"testing"
	"time"

	"github.com/bakewatch/bakewatch/watcher/replay"
)

const (
	step   = 15 * time.Second
	minute = int(time.Minute / step)
)

// scrapes makes looks of 200 requests each; shares are in percent and of one minute
// each, −1 is a minute without requests, −2 one whose scrapes are missing.
func scrapes(shares ...int) (looks []replay.Seen) {
	for _, s := range shares {
		for range minute {
			looks = append(looks, look(s))
		}
	}
	return looks
}

func look(share int) replay.Seen {
	switch share {
	case -1:
		return replay.Seen{}
	case -2:
		return replay.Seen{Missed: true}
	}
	counts := replay.Counts{Total: 200, Bad: 2 * float64(share)}
	return replay.Seen{New: counts, Service: counts}
}

// alarm returns the seconds after which a peer alarms; 0: it does not.
func alarm(w replay.Watchman, looks []replay.Seen) int {
	for i, l := range looks {
		if w.See([]replay.Seen{l}) {
			return (i + 1) * int(step/time.Second)
		}
	}
	return 0
}

// past are looks that all counted the same.
func past(looks int, c replay.Counts) (p replay.Past) {
	for range looks {
		p.Add(c)
	}
	return p
}

func TestPeersDoAsTheirDocumentationSays(t *testing.T) {
	argo := Argo{Max: 0.05, Interval: time.Minute, FailureLimit: 3, ConsecutiveErrorLimit: 4}
	alert := Consecutive{Max: 0.01, Window: time.Minute, For: 2 * time.Minute}
	day := past(24*60*minute, replay.Counts{Total: 1000, Bad: 1})
	one := func(j Judge) replay.Watchman { return Each{j} }
	for name, c := range map[string]struct {
		peer   replay.Watchman
		shares []int
		want   int
	}{
		"argo fails at the failure after the limit":             {one(argo.Begin(step)), []int{9, 9, 9, 9, 9}, 240},
		"argo counts failures in all, not in a row":             {one(argo.Begin(step)), []int{9, 1, 9, 1, 9, 1, 9}, 420},
		"argo keeps within its failure limit":                   {one(argo.Begin(step)), []int{9, 9, 9, 1, 1, 1, 1, 1}, 0},
		"argo's success condition includes its limit":           {one(argo.Begin(step)), []int{5, 5, 5, 5, 5, 5}, 0},
		"argo retries an error every 10 s and aborts after 4":   {one(argo.Begin(step)), []int{1, -2, -2, -2}, 150},
		"argo survives as many errors as its limit":             {one(argo.Begin(step)), []int{1, -2, 1, 1}, 0},
		"argo fails a measurement without requests":             {one(argo.Begin(step)), []int{-1, -1, -1, -1}, 240},
		"argo as documented measures every 5 minutes":           {one(ArgoDocumented.Begin(step)), []int{9, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9}, 1200},
		"flagger rolls back at the threshold":                   {FlaggerDocumented(1).Begin(step), []int{2, 2, 2, 2, 2}, 300},
		"flagger counts failed checks in all":                   {FlaggerDocumented(1).Begin(step), []int{2, 0, 2, 0, 2, 0, 2, 0, 2}, 540},
		"flagger's range includes its limit":                    {FlaggerDocumented(1).Begin(step), []int{1, 1, 1, 1, 1, 1, 1}, 0},
		"flagger fails a check without values":                  {FlaggerDocumented(1).Begin(step), []int{-1, -1, -1, -1, -1}, 300},
		"an alert waits for its time":                           {one(alert.Begin(step)), []int{0, 5, 5, 5, 5}, 195},
		"an alert that pauses starts anew":                      {one(alert.Begin(step)), []int{0, 5, 0, 0, 5, 0, 0}, 0},
		"an alert without a value pauses":                       {one(alert.Begin(step)), []int{5, -1, -1, 5}, 0},
		"a burn rate needs both of its windows":                 {one(BurnRate{0.001, 14.4, 6}.Begin(step, day)), []int{20, 20, 20, 20, 20, 20, 20, 20, 20, 20, 20, 20, 20, 20, 20, 20, 20, 20}, 960},
		"a burn rate is silent where the budget is kept":        {one(BurnRate{0.001, 14.4, 6}.Begin(step, day)), []int{0, 1, 0, 1, 0, 1, 0}, 0},
		"a comparison of equal series passes":                   {one(MannWhitneyDocumented.Beside(step)), []int{3, 3, 3, 3, 3}, 0},
		"consecutive checks as documented wait for ten minutes": {one(ConsecutiveDocumented.Begin(step)), []int{2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2}, 615},
	} {
		t.Run(name, func(t *testing.T) {
			if got := alarm(c.peer, scrapes(c.shares...)); got != c.want {
				t.Errorf("alarm after %d s, want %d", got, c.want)
			}
		})
	}
}

// The example of the Mann-Whitney test in Hollander, Wolfe and Chicken: permeability of
// membranes, 10 against 5. R: wilcox.test(x, y, conf.int = TRUE, exact = FALSE).
func TestTheShiftOfTwoSamplesIsTheTextbooks(t *testing.T) {
	x := []float64{0.80, 0.83, 1.89, 1.04, 1.45, 1.38, 1.91, 1.64, 0.73, 1.46}
	y := []float64{1.15, 0.88, 0.90, 0.74, 1.21}
	lower, estimate := Shift(x, y, normalQuantile(0.975))
	if math.Abs(estimate-0.305) > 1e-9 {
		t.Errorf("estimate %.4f, want 0.305", estimate)
	}
	if math.Abs(lower+0.15) > 1e-9 { // the ninth of the differences
		t.Errorf("lower end %.4f", lower)
	}
	if got := normalQuantile(0.99); math.Abs(got-2.3263) > 1e-4 {
		t.Errorf("quantile %.5f", got)
	}
}

// ranksOf takes points as shares of many requests, so that they are what they were.
func ranksOf(fresh, old []float64) (r ranks) {
	const many = 1000
	counts := func(share float64) replay.Counts { return replay.Counts{Total: many, Bad: math.Round(share * many)} }
	for _, x := range fresh {
		r.addFresh(counts(x))
	}
	for _, y := range old {
		r.addOld(counts(y))
	}
	return r
}

func TestTheRanksAreKeptUpAsPointsCome(t *testing.T) {
	fresh, old := []float64{0.3, 0.1, 0.2, 0.2}, []float64{0.2, 0.1, 0.4}
	r := ranksOf(fresh, old)
	if r.above != 5.5 { // 2; ½; 1½; 1½
		t.Errorf("%g pairs above", r.above)
	}
	if !slices.Equal(r.sorted, []float64{0.1, 0.1, 0.2, 0.2, 0.2, 0.3, 0.4}) {
		t.Errorf("sorted: %v", r.sorted)
	}
	if got, want := deviationOf(r.sorted, 4, 3), deviation(fresh, old); got != want {
		t.Errorf("deviation %g, want %g", got, want)
	}
}

func TestAComparisonNeedsMoreThanTheRankTest(t *testing.T) {
	for name, c := range map[string]struct {
		fresh, old []float64
		want       bool
	}{
		"clearly higher":                        {[]float64{.11, .12, .13, .14, .15, .16, .17}, []float64{.01, .02, .03, .04, .05, .06, .07}, true},
		"clearly lower":                         {[]float64{.01, .02, .03, .04, .05, .06, .07}, []float64{.11, .12, .13, .14, .15, .16, .17}, false},
		"higher, and within what is tolerated":  {[]float64{.08, .09, .16, .3, .4, .5, .6}, []float64{.01, .03, .05, .06, .07, .075, .078}, false},
		"too few points":                        {[]float64{.5}, []float64{.01}, false},
		"no points":                             {nil, []float64{.01}, false},
		"mostly zero on both sides, one higher": {[]float64{0, 0, 0, 0, .1}, []float64{0, 0, 0, 0, 0}, false},
	} {
		t.Run(name, func(t *testing.T) {
			run := MannWhitneyDocumented.run(step)
			run.ranks = ranksOf(c.fresh, c.old)
			if got := run.high(); got != c.want {
				t.Errorf("%v", got)
			}
		})
	}
}

func TestNinesAreTheStrictestThatAreKept(t *testing.T) {
	for base, want := range map[float64]float64{0.001: 0.001, 0.0012: 0.001, 0.0009: 0.001, 0.01: 0.01, 0.00001: 0.00001, 0.5: 0.1} {
		if got := nines(base); math.Abs(got-want) > want*1e-6 {
			t.Errorf("base %g: %g, want %g", base, got, want)
		}
	}
}
