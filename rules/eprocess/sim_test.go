package eprocess

import (
	"math"
	"math/rand/v2"

	"gonum.org/v1/gonum/stat/distuv"
)

// scene makes counts of a service as it may be: so many requests a second, of which a
// share is bad, in clusters, with a rate that drifts.
type scene struct {
	random  *rand.Rand
	rate    float64 // requests a second
	share   float64
	cluster float64 // dispersion within one look; 1: none
	drift   float64 // standard deviation of the logarithm of the share, over hours
	state   float64
}

// looksPerMinute of all scenes.
const looksPerMinute = 4

func newScene(seed uint64, rate, share, cluster, drift float64) *scene {
	s := &scene{random: rand.New(rand.NewPCG(seed, 7)), rate: rate, share: share, cluster: cluster, drift: drift}
	s.state = s.random.NormFloat64()
	return s
}

// look returns the counts of a look of 15 s in which the share is so many times the usual.
func (s *scene) look(times float64) Counts {
	keep := math.Exp(-15.0 / 3600)
	s.state = keep*s.state + math.Sqrt(1-keep*keep)*s.random.NormFloat64()
	p := min(1, s.share*times*math.Exp(s.drift*s.state-s.drift*s.drift/2))
	n := poisson(s.random, s.rate*15)
	return Counts{Total: n, Bad: s.bad(n, p)}
}

func (s *scene) bad(n, p float64) float64 {
	if n == 0 {
		return 0
	}
	if s.cluster > 1 {
		size := precision(n, s.cluster)
		p = distuv.Beta{Alpha: max(1e-9, p*size), Beta: max(1e-9, (1-p)*size), Src: s.random}.Rand()
	}
	return binomial(s.random, n, p)
}

// past returns a history: minutes of so many days, and the looks of the last one.
func (s *scene) past(days int) (minutes, looks []Counts) {
	all := days * minutesOfDay
	for m := range all {
		var minute Counts
		for range looksPerMinute {
			c := s.look(1)
			minute = minute.plus(c)
			if m >= all-minutesOfDay {
				looks = append(looks, c)
			}
		}
		minutes = append(minutes, minute)
	}
	return minutes, looks
}

func poisson(random *rand.Rand, mean float64) float64 {
	if mean > 500 {
		return max(0, math.Round(mean+math.Sqrt(mean)*random.NormFloat64()))
	}
	return distuv.Poisson{Lambda: mean, Src: random}.Rand()
}

func binomial(random *rand.Rand, n, p float64) float64 {
	if p <= 0 || math.IsNaN(p) {
		return 0
	}
	if p >= 1 {
		return n
	}
	if n*p < 50 && p < 0.1 { // by gaps between the bad ones
		count, at := 0.0, 0.0
		for {
			at += math.Floor(math.Log(1-random.Float64())/math.Log1p(-p)) + 1
			if at > n {
				return count
			}
			count++
		}
	}
	return distuv.Binomial{N: n, P: p, Src: random}.Rand()
}

var usual = Scale{LooksPerMinute: looksPerMinute, Worse: func(p float64) float64 { return 1.25 * p }}

var halfHour = Bets{Threshold: 300, Looks: 120}
