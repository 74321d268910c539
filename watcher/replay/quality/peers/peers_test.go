package peers

import (
	"math"
	"slices"
	"testing"

	"github.com/bakewatch/bakewatch/watcher/replay/quality/sim"
)

// scrapes makes looks of 200 requests each; shares are in percent and of one minute
// each, −1 is a minute without requests, −2 one whose scrapes are missing.
func scrapes(shares ...int) (looks []sim.Look) {
	for _, s := range shares {
		for range sim.Minute {
			l := sim.Look{At: (len(looks) + 1) * sim.Step}
			switch s {
			case -1:
			case -2:
				l.Missed = true
			default:
				l.New = sim.Counts{Total: 200, Bad: 2 * s}
			}
			looks = append(looks, l)
		}
	}
	return looks
}

// alarm returns the seconds after which a judge alarms; 0: it does not.
func alarm(j sim.Judge, looks []sim.Look) int {
	for _, l := range looks {
		if j.See(l) {
			return l.At
		}
	}
	return 0
}

func TestPeersDoAsTheirDocumentationSays(t *testing.T) {
	argo := Argo{Max: 0.05, Interval: 60, FailureLimit: 3, ConsecutiveErrorLimit: 4}
	history := make([]sim.Counts, sim.Day/sim.Step)
	for i := range history {
		history[i] = sim.Counts{Total: 1000, Bad: 1}
	}
	for name, c := range map[string]struct {
		judge  sim.Judge
		shares []int
		want   int
	}{
		"argo fails at the failure after the limit":             {argo.Begin(), []int{9, 9, 9, 9, 9}, 240},
		"argo counts failures in all, not in a row":             {argo.Begin(), []int{9, 1, 9, 1, 9, 1, 9}, 420},
		"argo keeps within its failure limit":                   {argo.Begin(), []int{9, 9, 9, 1, 1, 1, 1, 1}, 0},
		"argo's success condition includes its limit":           {argo.Begin(), []int{5, 5, 5, 5, 5, 5}, 0},
		"argo retries an error every 10 s and aborts after 4":   {argo.Begin(), []int{1, -2, -2, -2}, 150},
		"argo survives as many errors as its limit":             {argo.Begin(), []int{1, -2, 1, 1}, 0},
		"argo fails a measurement without requests":             {argo.Begin(), []int{-1, -1, -1, -1}, 240},
		"argo as documented measures every 5 minutes":           {ArgoDocumented.Begin(), []int{9, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9}, 1200},
		"flagger rolls back at the threshold":                   {FlaggerDocumented.Begin(), []int{2, 2, 2, 2, 2}, 300},
		"flagger counts failed checks in all":                   {FlaggerDocumented.Begin(), []int{2, 0, 2, 0, 2, 0, 2, 0, 2}, 540},
		"flagger's range includes its limit":                    {FlaggerDocumented.Begin(), []int{1, 1, 1, 1, 1, 1, 1}, 0},
		"flagger fails a check without values":                  {FlaggerDocumented.Begin(), []int{-1, -1, -1, -1, -1}, 300},
		"an alert waits for its time":                           {Consecutive{Max: 0.01, Window: 60, For: 120}.Begin(), []int{0, 5, 5, 5, 5}, 195},
		"an alert that pauses starts anew":                      {Consecutive{Max: 0.01, Window: 60, For: 120}.Begin(), []int{0, 5, 0, 0, 5, 0, 0}, 0},
		"an alert without a value pauses":                       {Consecutive{Max: 0.01, Window: 60, For: 120}.Begin(), []int{5, -1, -1, 5}, 0},
		"a burn rate needs both of its windows":                 {BurnRate{0.001, 14.4, 6}.Begin(Hours(history)), []int{20, 20, 20, 20, 20, 20, 20, 20, 20, 20, 20, 20, 20, 20, 20, 20, 20, 20}, 960},
		"a burn rate is silent where the budget is kept":        {BurnRate{0.001, 14.4, 6}.Begin(Hours(history)), []int{0, 1, 0, 1, 0, 1, 0}, 0},
		"a comparison of equal series passes":                   {MannWhitneyDocumented.Begin(history[:0], sim.OneToOne), []int{3, 3, 3, 3, 3}, 0},
		"an oracle that sees nothing says nothing":              {Oracle(sim.Case{P0: 0.01, Factor: 10}), []int{-1, -1, -2}, 0},
		"an oracle is quick where the difference is plain":      {Oracle(sim.Case{P0: 0.01, Factor: 20}), []int{20}, 15},
		"an oracle that knows the clusters takes more":          {Oracle(sim.Case{P0: 0.01, Factor: 20, Noise: sim.Clusters}), []int{20}, 30},
		"an oracle is not moved by what is normal":              {Oracle(sim.Case{P0: 0.01, Factor: 20}), []int{1, 1, 1, 1}, 0},
		"consecutive checks as documented wait for ten minutes": {ConsecutiveDocumented.Begin(), []int{2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2}, 615},
	} {
		t.Run(name, func(t *testing.T) {
			if got := alarm(c.judge, scrapes(c.shares...)); got != c.want {
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
	counts := func(share float64) sim.Counts { return sim.Counts{Total: many, Bad: int(math.Round(share * many))} }
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
	begin := func(m MannWhitney) *whitneyRun {
		return m.Begin(nil, sim.OneToOne).(*whitneyRun)
	}
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
			run := begin(MannWhitneyDocumented)
			run.ranks = ranksOf(c.fresh, c.old)
			if got := run.high(); got != c.want {
				t.Errorf("%v", got)
			}
		})
	}
}

func TestTheOracleKeepsItsErrorRates(t *testing.T) {
	for _, noise := range []sim.Noise{sim.Clean, sim.Clusters4} {
		c := sim.Case{Rate: 10, P0: 0.01, Factor: 5, Noise: noise}
		const runs = 10_000
		wrong, missed := 0, 0
		for i := range uint64(runs) {
			w := sim.NewBake(c, 99, i)
			if alarm(OracleFor(c, 5), w.Deploy(1, sim.NoControl)) > 0 {
				wrong++
			}
			if i < 500 && alarm(Oracle(c), w.Deploy(5, sim.NoControl)) == 0 {
				missed++
			}
		}
		if wrong > 22 || missed > 0 { // 10 expected at most; 22 has a chance of 1 in 2000
			t.Errorf("%s: %d of %d healthy ones accused, %d of 500 bad ones missed", noise, wrong, runs, missed)
		}
	}
}

func TestTheBoundSparesWhatItMust(t *testing.T) {
	c := sim.Case{Rate: 100, P0: 0.01, Factor: 1.6, Noise: sim.Clean}
	bound, oracle := 0, 0
	for i := range uint64(200) {
		looks := sim.NewBake(c, 99, i).Deploy(1.25, sim.NoControl)
		if alarm(Bound(c, 0.0125), looks) > 0 {
			bound++
		}
		if alarm(Oracle(c), looks) > 0 {
			oracle++
		}
	}
	if bound > 2 || oracle < 50 { // 0.2 expected at most
		t.Errorf("of 200 versions 1.25 times worse the bound accuses %d, the oracle %d", bound, oracle)
	}
	looks := sim.NewBake(c, 99, 1).Deploy(5, sim.NoControl)
	c.Factor = 5
	if quick, later := alarm(Oracle(c), looks), alarm(Bound(c, 0.0125), looks); quick == 0 || later < quick {
		t.Errorf("oracle after %d s, bound after %d s", quick, later)
	}
}

func TestNinesAreTheStrictestThatAreKept(t *testing.T) {
	for base, want := range map[float64]float64{0.001: 0.001, 0.0012: 0.001, 0.0009: 0.001, 0.01: 0.01, 0.00001: 0.00001, 0.5: 0.1} {
		if got := nines(base); math.Abs(got-want) > want*1e-6 {
			t.Errorf("base %g: %g, want %g", base, got, want)
		}
	}
}
