package oracle

import (
	"math"

	"github.com/bakewatch/bakewatch/watcher/replay/quality/sim"
)

// chance is the chance of a false alarm that the oracle keeps to.
const chance = 1.0 / 1000

// New is the sequential probability ratio test (Wald 1945) of one who knows the
// rate of the healthy version, the rate of the bad one and how errors cluster: no
// other judge can be expected to be quicker. It only ever accuses: P(false alarm) ≤
// P(the likelihood ratio ever reaches 1000) ≤ 1 in 1000.
func New(c sim.Case) sim.Judge {
	return &run{p0: c.P0, p1: max(c.P1(), c.P0*1.0001), phi: c.Noise.Phi()}
}

// Bound is an oracle that must spare, as a plan says by worse_by, every version whose
// rate is at most spared. It knows all else that the oracle knows. Of the tests whose
// false alarms are proved, none can be expected to be quicker; a limit set for one
// service, whose false alarms are only counted, can be.
func Bound(c sim.Case, spared float64) sim.Judge { return newBound(c, spared) }

func newBound(c sim.Case, spared float64) *run {
	return &run{p0: spared, p1: max(c.P1(), spared*1.0001), phi: c.Noise.Phi()}
}

// For is the oracle that waits for a regression by this factor, also where the
// case has none.
func For(c sim.Case, factor float64) sim.Judge {
	c.Factor = factor
	return New(c)
}

type run struct{ p0, p1, phi, sum float64 }

func (o *run) See(l sim.Look) bool {
	o.add(l)
	return o.sum >= -math.Log(chance)
}

func (o *run) add(l sim.Look) {
	if n, x := float64(l.New.Total), float64(l.New.Bad); n > 0 {
		o.sum += ratio(n, x, o.p1, o.p0, sim.Spread(n, o.phi))
	}
}

// ratio is the logarithm of the likelihood ratio of x bad of n, for beta-binomial counts.
func ratio(n, x, p1, p0, s float64) float64 {
	if math.IsInf(s, 1) {
		return x*math.Log(p1/p0) + (n-x)*(math.Log1p(-p1)-math.Log1p(-p0))
	}
	return rising(p1*s, x) - rising(p0*s, x) + rising((1-p1)*s, n-x) - rising((1-p0)*s, n-x)
}

// rising is ln of a(a+1)…(a+x−1).
func rising(a, x float64) float64 {
	if x <= 16 {
		product := 1.0
		for i := range int(x) {
			product *= a + float64(i)
		}
		return math.Log(product)
	}
	high, _ := math.Lgamma(a + x)
	low, _ := math.Lgamma(a)
	return high - low
}
