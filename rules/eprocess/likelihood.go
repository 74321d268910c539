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
	good := c.Total - c.Bad
	if precision > hugePrecision {
		return c.Bad*math.Log(p1/p0) + good*(math.Log1p(-p1)-math.Log1p(-p0))
	}
	return risingRatio(p1*precision, p0*precision, c.Bad) + risingRatio((1-p1)*precision, (1-p0)*precision, good)
}

// fewFactors is how many factors are multiplied rather than taken from the gamma function.
const fewFactors = 24

// risingRatio returns ln Γ(a+x)/Γ(a) − ln Γ(b+x)/Γ(b).
func risingRatio(a, b, x float64) float64 {
	if x == 0 {
		return 0
	}
	if x <= fewFactors && x == math.Trunc(x) {
		ratio := 1.0
		for i := range int(x) {
			ratio *= (a + float64(i)) / (b + float64(i))
		}
		if ratio > 1e-290 && ratio < 1e290 {
			return math.Log(ratio)
		}
	}
	return logRising(a, x) - logRising(b, x)
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
