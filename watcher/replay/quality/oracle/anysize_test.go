package oracle

import (
	"math"
	"testing"

	"github.com/bakewatch/bakewatch/watcher/replay/quality/sim"
)

// chanceOf is the probability of x bad of n by the beta-binomial distribution, written
// down apart from what is tested.
func chanceOf(n, x int, p, phi float64) float64 {
	gamma := func(v float64) float64 { g, _ := math.Lgamma(v); return g }
	beta := func(a, b float64) float64 { return gamma(a) + gamma(b) - gamma(a+b) }
	choose := -beta(float64(x+1), float64(n-x+1)) - math.Log(float64(n+1))
	s := sim.Spread(float64(n), phi)
	if math.IsInf(s, 1) {
		return math.Exp(choose + float64(x)*math.Log(p) + float64(n-x)*math.Log1p(-p))
	}
	return math.Exp(choose + beta(p*s+float64(x), (1-p)*s+float64(n-x)) - beta(p*s, (1-p)*s))
}

// expected is the mean wealth after looks of so many requests each, over all that may
// be counted where the rate is p.
func expected(a anySize, looks []int, p float64) float64 {
	if len(looks) == 0 {
		return a.wealth()
	}
	mean := 0.0
	for x := range looks[0] + 1 {
		next := a
		next.See(sim.Look{New: sim.Counts{Total: looks[0], Bad: x}})
		mean += chanceOf(looks[0], x, p, a.phi) * expected(next, looks[1:], p)
	}
	return mean
}

func TestTheWealthOfAnySizeIsAFairGameOnTheBoundaryAndALosingOneBelow(t *testing.T) {
	looks := []int{3, 0, 9, 1, 5, 2}
	for _, phi := range []float64{1, 1.5, 4} {
		for _, spared := range []float64{0.0125, 0.2, 0.6} {
			a := *newAnySize(phi, spared)
			if mean := expected(a, looks, spared); math.Abs(mean-1) > 1e-9 {
				t.Errorf("φ = %g, %g spared: a mean wealth of %.12f on the boundary", phi, spared, mean)
			}
			if mean := expected(a, looks, spared/1.25); mean >= 1 {
				t.Errorf("φ = %g, %g spared: a mean wealth of %g below the boundary", phi, spared, mean)
			}
		}
	}
}

func TestAnySizeStakesItsWealthOnceInABake(t *testing.T) {
	a := newAnySize(1, 0.01)
	for range 2 * sim.Looks {
		a.See(sim.Look{})
	}
	if math.Abs(a.wealth()-1) > 1e-12 || math.Abs(a.unspent) > 1e-12 {
		t.Errorf("without a request its wealth is %g, of which %g is unspent", a.wealth(), a.unspent)
	}
}

func TestOnTheBoundaryAnySizeAccusesAtMostOneInAThousand(t *testing.T) {
	const runs = 10_000
	for _, c := range []sim.Case{
		{Rate: 0.1, P0: 0.01, Noise: sim.Clean},
		{Rate: 10, P0: 0.01, Noise: sim.Clean},
		{Rate: 10, P0: 0.01, Noise: sim.Clusters4},
	} {
		spared, r, wrong := 1.25*c.P0, sim.NewRand(99, uint64(c.Rate*10)), 0
		for range runs {
			looks := make([]sim.Look, sim.Looks)
			for i := range looks {
				n := r.Poisson(c.Rate * sim.Step)
				looks[i] = sim.Look{At: (i + 1) * sim.Step, New: sim.Counts{Total: n, Bad: r.Clustered(n, spared, c.Noise.Phi())}}
			}
			if alarm(AnySize(c, spared), looks) > 0 {
				wrong++
			}
		}
		if wrong > 22 { // 10 expected at most; 23 have a chance of 1 in 2000
			t.Errorf("%s: %d of %d accused", c, wrong, runs)
		}
	}
}

func TestAnySizeWaitsForThreeBadLooks(t *testing.T) {
	const spared = 0.0125
	ill, well := sim.Counts{Total: 200, Bad: 100}, sim.Counts{Total: 200, Bad: 2}
	enough, little, none := sim.Counts{Total: 200, Bad: 14}, sim.Counts{Total: 200, Bad: 3}, sim.Counts{Total: 200}
	for name, test := range map[string]struct {
		looks []sim.Counts
		want  int
	}{
		"two are not enough":                      {[]sim.Counts{ill, ill, well, well, well}, 0},
		"three are":                               {[]sim.Counts{ill, ill, ill}, 45},
		"they need not follow upon each other":    {[]sim.Counts{ill, well, ill, well, ill}, 75},
		"three that prove nothing are not enough": {[]sim.Counts{little, little, little}, 0},
		"what was proved stays so":                {[]sim.Counts{enough, enough, none, none, none, none, none, none, little}, 135},
	} {
		t.Run(name, func(t *testing.T) {
			var looks []sim.Look
			for i, counts := range test.looks {
				looks = append(looks, sim.Look{At: (i + 1) * sim.Step, New: counts})
			}
			if got := alarm(AnySize(sim.Case{Noise: sim.Clean}, spared), looks); got != test.want {
				t.Errorf("alarm after %d s, want %d", got, test.want)
			}
		})
	}
}

func TestAnySizeFindsWhatItWasNotToldOfAndTakesLongerThanWhoWas(t *testing.T) {
	for _, factor := range []float64{5, 20, 200} {
		c := sim.Case{Rate: 10, P0: 0.001, Factor: factor, Noise: sim.Clean}
		told, untold := 0, 0
		for i := range uint64(100) {
			looks := sim.NewBake(c, 99, i).Deploy(factor, sim.NoControl)
			quick, later := alarm(Bound(c, 0.00125), looks), alarm(AnySize(c, 0.00125), looks)
			if later == 0 {
				t.Errorf("× %g: deployment %d is missed", factor, i)
			}
			told, untold = told+quick, untold+later
		}
		if untold <= told {
			t.Errorf("× %g: %d s, and who was told took %d", factor, untold, told)
		}
	}
}
