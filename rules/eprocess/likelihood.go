package eprocess

import (
	"math"

	"gonum.org/v1/gonum/mathext"
)

// gammaUpper returns the quantile of the gamma distribution with shape k+1 and scale
// 1 below which the standard normal has the share Φ(z): an upper bound for the mean of
// a Poisson count of k (Garwood 1936).
func gammaUpper(k, z float64) float64 {
	return mathext.GammaIncRegInv(k+1, 0.5*math.Erfc(-z/math.Sqrt2))
}

// gammaLower returns the lower bound of the mean of a Poisson count of k, below which it
// is as seldom as above gammaUpper (Garwood 1936).
func gammaLower(k, z float64) float64 {
	if k <= 0 {
		return 0
	}
	return mathext.GammaIncRegInv(k, 0.5*math.Erfc(z/math.Sqrt2))
}

// precision returns a+b of the beta-binomial over n events whose variance is dispersion
// times the binomial's; +Inf for the binomial itself. It is at least 0.2.
//
// From 1 + (n−1)/(S+1) = φ.
func precision(n, dispersion float64) float64 {
	if dispersion < 1.001 {
		return math.Inf(1)
	}
	return max((n-dispersion)/(dispersion-1), 0.2)
}

// hugePrecision is from where on a beta-binomial is a binomial to all digits that count.
const hugePrecision = 1e12

// logRatio returns ln P(bad of total | p1) − ln P(bad of total | p0) for a
// beta-binomial with a = p·precision and b = (1−p)·precision, or a binomial. Both p
// are within (0, 1); bad and total need not be whole. Nothing seen is 0.
func logRatio(c Counts, p1, p0, precision float64) float64 {
	a := newAgainst(c, p0, precision)
	return a.logRatio(p1)
}

// against is a likelihood that several alternatives are compared with.
type against struct {
	counts        Counts
	p0, precision float64
	bad, good     rising
}

func newAgainst(c Counts, p0, precision float64) against {
	return against{
		counts: c, p0: p0, precision: precision,
		bad: newRising(p0*precision, c.Bad), good: newRising((1-p0)*precision, c.Total-c.Bad),
	}
}

// logRatio is that of p1 to the likelihood.
func (a *against) logRatio(p1 float64) float64 {
	if a.precision > hugePrecision {
		return a.counts.Bad*math.Log(p1/a.p0) + (a.counts.Total-a.counts.Bad)*(math.Log1p(-p1)-math.Log1p(-a.p0))
	}
	return a.bad.ratio(p1*a.precision) + a.good.ratio((1-p1)*a.precision)
}

// fewFactors is how many factors are multiplied rather than taken from the gamma function.
const fewFactors = 24

// rising is Γ(b+x)/Γ(b), which others are compared with.
type rising struct {
	b, x float64
	log  float64 // NaN until it is needed
}

func newRising(b, x float64) rising { return rising{b: b, x: x, log: math.NaN()} }

// ratio returns ln Γ(a+x)/Γ(a) − ln Γ(b+x)/Γ(b).
func (r *rising) ratio(a float64) float64 {
	if r.x == 0 {
		return 0
	}
	if r.x <= fewFactors && r.x == math.Trunc(r.x) {
		ratio := 1.0
		for i := range int(r.x) {
			ratio *= (a + float64(i)) / (r.b + float64(i))
		}
		if ratio > 1e-290 && ratio < 1e290 {
			return math.Log(ratio)
		}
	}
	if math.IsNaN(r.log) {
		r.log = logRising(r.b, r.x)
	}
	return logRising(a, r.x) - r.log
}

// stirlingFrom is from where on three terms of Stirling's series are exact to 1e-16.
const stirlingFrom = 32

// logRising returns ln Γ(a+x) − ln Γ(a) without the cancellation that two large
// logarithms of the gamma function would suffer (Stirling's series, DLMF 5.11.1).
func logRising(a, x float64) float64 {
	if a < stirlingFrom {
		high, _ := math.Lgamma(a + x)
		low, _ := math.Lgamma(a)
		return high - low
	}
	return x*math.Log(a+x) + (a-0.5)*math.Log1p(x/a) - x + stirlingRest(a+x) - stirlingRest(a)
}

func stirlingRest(z float64) float64 {
	return (1.0/12 - (1.0/360-1.0/(1260*z*z))/(z*z)) / z
}
