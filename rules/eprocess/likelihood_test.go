package eprocess

import (
	"math"
	"testing"

	"gonum.org/v1/gonum/mathext"
	"gonum.org/v1/gonum/stat/distuv"
	"pgregory.net/rapid"
)

// reference is the beta-binomial's log likelihood by the beta function.
func reference(c Counts, p, size float64) float64 {
	return mathext.Lbeta(c.Bad+p*size, c.Total-c.Bad+(1-p)*size) - mathext.Lbeta(p*size, (1-p)*size)
}

func TestTheLikelihoodRatioIsThatOfTheBetaBinomial(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		total := float64(rapid.IntRange(0, 100_000).Draw(t, "total"))
		c := Counts{Total: total, Bad: math.Floor(total * rapid.Float64Range(0, 1).Draw(t, "share"))}
		p0 := rapid.Float64Range(1e-5, 0.5).Draw(t, "p0")
		p1 := worse(p0, rapid.Float64Range(1.1, 100).Draw(t, "factor"))
		size := rapid.Float64Range(0.2, 1e6).Draw(t, "size")
		want := reference(c, p1, size) - reference(c, p0, size)
		if got := logRatio(c, p1, p0, size); math.Abs(got-want) > 1e-6*(1+math.Abs(want))+1e-8*total {
			t.Fatalf("%v at %g against %g, precision %g: %v, not %v", c, p1, p0, size, got, want)
		}
	})
}

func TestTheLikelihoodRatioIsThatOfTheBinomialWhereNothingClusters(t *testing.T) {
	for _, c := range []Counts{{10, 0}, {1000, 7}, {1e6, 1234}} {
		one, null := distuv.Binomial{N: c.Total, P: 0.02}, distuv.Binomial{N: c.Total, P: 0.01}
		want := one.LogProb(c.Bad) - null.LogProb(c.Bad)
		for _, size := range []float64{math.Inf(1), 1e13} {
			if got := logRatio(c, 0.02, 0.01, size); math.Abs(got-want) > 1e-6*math.Abs(want) {
				t.Errorf("%v: %v, not %v", c, got, want)
			}
		}
	}
}

func TestTheLikelihoodRatioIsFiniteFromNothingToABillion(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		total := math.Pow(10, rapid.Float64Range(-3, 9).Draw(t, "log total"))
		c := Counts{Total: total, Bad: total * rapid.Float64Range(0, 1).Draw(t, "share")}
		p0 := math.Pow(10, rapid.Float64Range(-12, -0.1).Draw(t, "log p0"))
		factor := rapid.Float64Range(1.01, 100).Draw(t, "factor")
		size := precision(total, 1+math.Pow(10, rapid.Float64Range(-4, 6).Draw(t, "log dispersion")))
		if got := logRatio(c, worse(p0, factor), p0, size); math.IsNaN(got) || math.IsInf(got, 0) {
			t.Fatalf("%v: %v", c, got)
		}
	})
}

func TestMoreBadEventsNeverSpeakForHealth(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		total := float64(rapid.IntRange(1, 1_000_000).Draw(t, "total"))
		bad := math.Floor((total - 1) * rapid.Float64Range(0, 1).Draw(t, "share"))
		p0 := rapid.Float64Range(1e-6, 0.4).Draw(t, "p0")
		p1 := worse(p0, rapid.Float64Range(1.5, 100).Draw(t, "factor"))
		size := precision(total, rapid.Float64Range(1, 200).Draw(t, "dispersion"))
		less, more := logRatio(Counts{total, bad}, p1, p0, size), logRatio(Counts{total, bad + 1}, p1, p0, size)
		if more < less-1e-6*(1+math.Abs(less)) {
			t.Fatalf("%v of %v say %v, one more %v", bad, total, less, more)
		}
	})
}

func TestTheUpperBoundOfAMeanIsGarwoods(t *testing.T) {
	// 90 % one-sided (z = 1.28 is 89.97 %): Garwood's table gives 2.303, 3.890, 15.41.
	for k, want := range map[float64]float64{0: 2.303, 1: 3.890, 10: 15.41} {
		if got := gammaUpper(k, 1.2816); math.Abs(got-want) > 0.005*want {
			t.Errorf("%v: %v, not %v", k, got, want)
		}
	}
}

func TestThePrecisionGivesTheDispersion(t *testing.T) {
	for _, c := range []struct{ n, dispersion float64 }{{100, 4}, {1000, 20}, {50, 1.5}} {
		size := precision(c.n, c.dispersion)
		if got := 1 + (c.n-1)/(size+1); math.Abs(got-c.dispersion) > 1e-9 {
			t.Errorf("%v events: %v, not %v", c.n, got, c.dispersion)
		}
	}
	if !math.IsInf(precision(100, 1), 1) || precision(2, 20) != 0.2 {
		t.Error("no dispersion is no binomial, or clusters larger than the count have no least precision")
	}
}
