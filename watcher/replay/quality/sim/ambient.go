package sim

import "math"

// Of the noise kinds that bend the error rate.
const (
	driftSD     = 0.4
	driftKnot   = 15 * 60 // seconds between two points of the drift
	driftMemory = 60 * 60 // seconds after which it has forgotten most
	blipsEvery  = 6 * 60 * 60
)

// bump is a stretch of time in which errors are more frequent.
type bump struct {
	from, to int // seconds, relative to the deployment
	factor   float64
}

// ambient is by what the error rate of a service is multiplied, whoever serves it, over
// its history and the bake.
type ambient struct {
	begin int       // seconds, negative: the begin of the history
	knots []float64 // of the drift, from begin on
	bumps []bump    // in order
}

// newAmbient draws what happens to one service from days before the deployment on.
func (r Rand) newAmbient(noise Noise, days int) *ambient {
	a := &ambient{begin: -days * Day}
	switch noise {
	case Drift:
		a.knots = r.drift((Bake - a.begin) / driftKnot)
	case Blips:
		a.bumps = r.blips(a.begin, Bake)
	default:
	}
	return a
}

// drift draws the exponential of an Ornstein-Uhlenbeck process at n+2 points; its mean is 1.
func (r Rand) drift(n int) []float64 {
	keep := math.Exp(-float64(driftKnot) / driftMemory)
	fresh := driftSD * math.Sqrt(1-keep*keep)
	knots := make([]float64, n+2)
	x := driftSD * r.NormFloat64()
	for i := range knots {
		knots[i] = math.Exp(x - driftSD*driftSD/2)
		x = keep*x + fresh*r.NormFloat64()
	}
	return knots
}

func (r Rand) blips(from, to int) (bumps []bump) {
	for t := float64(from); ; {
		t += r.ExpFloat64() * blipsEvery
		if t >= float64(to) {
			return bumps
		}
		length := 15 + 60*r.Float64()
		bumps = append(bumps, bump{int(t), int(t + length), math.Exp(math.Log(10) * (1 + r.Float64()))})
	}
}

// outage draws one that begins during the bake and is shared by all.
func (r Rand) outage() bump {
	from := int(r.Float64() * (Bake - 5*60))
	return bump{from, from + 120 + int(480*r.Float64()), 20}
}

// over returns the mean factor from..to seconds. Asked in order of time, it needs no search.
func (a *ambient) over(from, to int, next *int) float64 {
	f := 1.0
	if len(a.knots) > 0 {
		at := float64((from+to)/2-a.begin) / driftKnot
		i := min(int(at), len(a.knots)-2)
		f = a.knots[i] + (at-float64(i))*(a.knots[i+1]-a.knots[i])
	}
	for *next < len(a.bumps) && a.bumps[*next].to <= from {
		*next++
	}
	for _, b := range a.bumps[*next:] {
		if b.from >= to {
			break
		}
		share := float64(min(b.to, to)-max(b.from, from)) / float64(to-from)
		f *= 1 + share*(b.factor-1)
	}
	return f
}
