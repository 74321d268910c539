package sim

import (
	"math"
	"math/rand/v2"
)

// Rand draws from the distributions of traffic and errors. It is a stream of its own:
// the same seed and stream number draw the same.
type Rand struct {
	*rand.Rand
	memo *memo
}

// memo spares computing again what one draw after the other needs.
type memo struct {
	mean, none float64 // of a Poisson count: e^−mean
	transform  transform
	p, log     float64 // of a binomial count: ln(1−p)
	phi        float64 // whose uncut and logPhi are kept
	logPhi     float64
	uncut      map[int]float64
}

// transform is what a Poisson count of this mean is drawn with by rejection.
type transform struct{ mean, logMean, a, b, inverse, quick float64 }

// NewRand returns the stream of a seed.
func NewRand(seed, stream uint64) Rand {
	return Rand{rand.New(rand.NewPCG(seed, stream)), &memo{uncut: map[int]float64{}}}
}

// few is the mean up to which counts are drawn by going through their probabilities.
const few = 12

// Poisson draws a count with this mean, from 0 up.
func (r Rand) Poisson(mean float64) int {
	switch {
	case !(mean > 0):
		return 0
	case mean < few:
		if r.memo.mean != mean {
			r.memo.mean, r.memo.none = mean, math.Exp(-mean)
		}
		u, p := r.Float64(), r.memo.none
		for k := 0; ; k++ {
			if u < p || k > 200 {
				return k
			}
			u -= p
			p *= mean / float64(k+1)
		}
	case mean > 1000: // the skewness is below 0.03
		return int(max(0, math.Round(mean+math.Sqrt(mean)*r.NormFloat64())))
	}
	return r.poissonByRejection(mean)
}

// poissonByRejection is the transformed rejection PTRS of Hörmann (1993), for means of 10 and more.
func (r Rand) poissonByRejection(mean float64) int {
	t := &r.memo.transform
	if t.mean != mean {
		b := 0.931 + 2.53*math.Sqrt(mean)
		*t = transform{
			mean: mean, logMean: math.Log(mean), a: -0.059 + 0.02483*b, b: b,
			inverse: 1.1239 + 1.1328/(b-3.4), quick: 0.9277 - 3.6224/(b-2),
		}
	}
	for {
		u, v := r.Float64()-0.5, r.Float64()
		edge := 0.5 - math.Abs(u)
		k := math.Floor((2*t.a/edge+t.b)*u + mean + 0.43)
		switch {
		case edge >= 0.07 && v <= t.quick:
			return int(k)
		case k < 0, edge < 0.013 && v > edge:
			continue
		case math.Log(v*t.inverse/(t.a/(edge*edge)+t.b)) <= k*t.logMean-mean-logFactorial(k):
			return int(k)
		}
	}
}

// Binomial draws how many of n are bad, each with probability p.
func (r Rand) Binomial(n int, p float64) int {
	switch {
	case n <= 0 || !(p > 0):
		return 0
	case p >= 1:
		return n
	case p > 0.5:
		return n - r.Binomial(n, 1-p)
	case float64(n)*p >= few:
		return r.binomialByRejection(float64(n), p)
	}
	u, odds := r.Float64(), p/(1-p)
	if u < 1-float64(n)*p { // Bernoulli's inequality: that is less than the chance of none
		return 0
	}
	if r.memo.p != p {
		r.memo.p, r.memo.log = p, math.Log1p(-p)
	}
	q := math.Exp(float64(n) * r.memo.log)
	for k := range n {
		if u < q {
			return k
		}
		u -= q
		q *= odds * float64(n-k) / float64(k+1)
	}
	return n
}

// binomialByRejection is the transformed rejection BTRS of Hörmann (1993), for n·p of 10 and more and p ≤ ½.
func (r Rand) binomialByRejection(n, p float64) int {
	sd := math.Sqrt(n * p * (1 - p))
	b := 1.15 + 2.53*sd
	a := -0.0873 + 0.0248*b + 0.01*p
	c := n*p + 0.5
	alpha := (2.83 + 5.1/b) * sd
	quick := 0.92 - 4.2/b
	logOdds, mode, atMode := 0.0, 0.0, math.NaN() // most draws do without
	for {
		u, v := r.Float64()-0.5, r.Float64()
		edge := 0.5 - math.Abs(u)
		k := math.Floor((2*a/edge+b)*u + c)
		switch {
		case k < 0 || k > n:
			continue
		case edge >= 0.07 && v <= quick:
			return int(k)
		}
		if math.IsNaN(atMode) {
			logOdds, mode = math.Log(p/(1-p)), math.Floor((n+1)*p)
			atMode = logFactorial(mode) + logFactorial(n-mode)
		}
		if math.Log(v*alpha/(a/(edge*edge)+b)) <= atMode-logFactorial(k)-logFactorial(n-k)+(k-mode)*logOdds {
			return int(k)
		}
	}
}

// Gamma draws from the gamma distribution with this shape and scale 1 (Marsaglia and Tsang 2000).
func (r Rand) Gamma(shape float64) float64 {
	if shape < 1 {
		return r.Gamma(shape+1) * math.Exp(-r.ExpFloat64()/shape)
	}
	d := shape - 1.0/3
	c := 1 / math.Sqrt(9*d)
	for {
		x := r.NormFloat64()
		v := 1 + c*x
		if v <= 0 {
			continue
		}
		v = v * v * v
		u := r.Float64()
		if u < 1-0.0331*x*x*x*x || math.Log(u) < x*x/2+d-d*v+d*math.Log(v) { // the first implies the second
			return d * v
		}
	}
}

// Beta draws from the beta distribution.
func (r Rand) Beta(a, b float64) float64 {
	x, y := r.Gamma(a), r.Gamma(b)
	if x+y == 0 { // both are too small for a float
		if r.Float64() < a/(a+b) {
			return 1
		}
		return 0
	}
	return x / (x + y)
}

// Spread returns S of a beta-binomial count of n with dispersion phi (variance over
// that of a binomial): phi = 1 + (n−1)/(S+1). Not below 0.2, where n is too small for
// that dispersion; +Inf for phi = 1.
func Spread(n, phi float64) float64 {
	if phi < 1.001 {
		return math.Inf(1)
	}
	return max((n-phi)/(phi-1), 0.2)
}

// Clustered draws how many of n are bad where bad ones come in clusters: a beta-binomial
// count with mean n·p and dispersion phi. Few and rare ones are drawn as clusters of
// logarithmic size that come at random (a negative binomial count, its limit for small
// p), cut off at n, with the mean kept: that is defined for n < phi as well.
func (r Rand) Clustered(n int, p, phi float64) int {
	switch {
	case phi < 1.001:
		return r.Binomial(n, p)
	case n <= 0 || p <= 0:
		return 0
	case p < 0.05 && float64(n)*p < 4:
		return min(n, r.clusters(float64(n)*p*r.uncut(n, phi), phi))
	}
	s := Spread(float64(n), phi)
	return r.Binomial(n, r.Beta(p*s, (1-p)*s))
}

// learn begins to keep what draws with this dispersion need.
func (m *memo) learn(phi float64) {
	m.phi, m.logPhi = phi, math.Log(phi)
	clear(m.uncut)
}

// clusters draws a negative binomial count with this mean and variance mean·phi.
func (r Rand) clusters(mean, phi float64) int {
	if r.memo.phi != phi {
		r.memo.learn(phi)
	}
	k, share, log := mean/(phi-1), (phi-1)/phi, r.memo.logPhi
	u := r.Float64()
	if u < 1-k*log {
		return 0
	}
	p := math.Exp(-k * log)
	for x := 0; ; x++ {
		if u < p || x > 10000 {
			return x
		}
		u -= p
		p *= share * (k + float64(x)) / float64(x+1)
	}
}

// uncut is by how much the clusters must be more, so that cutting each off at n leaves the mean as it was.
func (r Rand) uncut(n int, phi float64) float64 {
	if float64(n) > 8*phi {
		return 1
	}
	if r.memo.phi != phi {
		r.memo.learn(phi)
	}
	f, known := r.memo.uncut[n]
	if !known {
		f = uncut(n, phi)
		r.memo.uncut[n] = f
	}
	return f
}

func uncut(n int, phi float64) float64 {
	share := (phi - 1) / phi
	full := (phi - 1) // Σ k·shareᵏ/k
	cut, tail, power := 0.0, math.Log(phi), 1.0
	for k := 1; k <= n; k++ {
		power *= share
		cut += power // k · shareᵏ/k
		tail -= power / float64(k)
	}
	return full / (cut + float64(n)*max(tail, 0))
}

// Thin draws how many of bad are among kept, which are chosen at random out of total.
func (r Rand) Thin(bad, kept, total int) int {
	if total <= 0 {
		return 0
	}
	share := float64(kept) / float64(total)
	return min(kept, max(bad-(total-kept), r.Binomial(bad, share)))
}

// logFactorials are those up to the requests of a look of the busiest service, and some.
var logFactorials = func() (table [1 << 14]float64) {
	for k := range table {
		table[k] = computeLogFactorial(float64(k))
	}
	return table
}()

// logFactorial is ln(k!) of a whole k ≥ 0.
func logFactorial(k float64) float64 {
	if k < float64(len(logFactorials)) {
		return logFactorials[int(k)]
	}
	return computeLogFactorial(k)
}

func computeLogFactorial(k float64) float64 {
	if k < 20 {
		v, _ := math.Lgamma(k + 1)
		return v
	}
	k++
	return (k-0.5)*math.Log(k) - k + 0.5*math.Log(2*math.Pi) + 1/(12*k) - 1/(360*k*k*k)
}
