package sim

import "sync"

// World is one service with its past, in which deployments can be tried. What is
// drawn for one deployment does not depend on which others were.
type World struct {
	Case    Case // of the service; its factor and control are of no account
	History *History

	seed, number uint64
	own, other   *ambient
}

// The streams of random numbers of one world.
const (
	streamPast = iota
	streamOther
	streamBake // and on
)

// NewWorld draws the service and its history.
func NewWorld(c Case, seed, number uint64) *World {
	w := &World{Case: c, seed: seed, number: number}
	past := w.rand(streamPast)
	w.own = past.newAmbient(c.Noise, Days)
	w.History = past.history(c, w.own)
	elsewhere := w.rand(streamOther)
	w.other = elsewhere.newAmbient(c.Noise, Days)
	w.History.other = sync.OnceValue(func() *History { return elsewhere.history(c, w.other) })
	if c.Noise == Outage {
		shared := past.outage()
		w.own.bumps, w.other.bumps = append(w.own.bumps, shared), append(w.other.bumps, shared)
	}
	return w
}

// shortPast is how many seconds NewBake draws of the past.
const shortPast = 6 * 60 * 60

// NewBake draws a world with a short past: the looks and minutes of six hours. It is
// for judges that need no more.
func NewBake(c Case, seed, number uint64) *World {
	w := &World{Case: c, seed: seed, number: number, History: &History{}}
	r := w.rand(streamPast)
	w.own, w.other = r.newAmbient(c.Noise, 1), r.newAmbient(c.Noise, 1)
	w.History.Looks = r.looks(c, w.own, shortPast)
	w.History.Minutes = minutes(w.History.Looks)
	return w
}

// looks draws what was counted in the last seconds before the deployment.
func (r Rand) looks(c Case, a *ambient, seconds int) []Counts {
	looks, next := make([]Counts, seconds/Step), 0
	for i := range looks {
		from := -seconds + i*Step
		looks[i] = r.counts(c.Rate*Step, c.P0*a.over(from, from+Step, &next), c.Noise.Phi())
	}
	return looks
}

// minutes sums looks.
func minutes(looks []Counts) []Counts {
	sums := make([]Counts, len(looks)/Minute)
	for i, l := range looks[:len(sums)*Minute] {
		sums[i/Minute] = sums[i/Minute].Plus(l)
	}
	return sums
}

// rand returns one of the world's streams.
func (w *World) rand(stream int) Rand {
	mixed := w.seed ^ (w.number+1)*0x9e3779b97f4a7c15
	return NewRand(mixed, uint64(stream)+uint64(w.Case.Rate*1000)<<8+uint64(w.Case.P0*1e6)<<32)
}

// history draws the last day at every look and as many days before it as it takes to
// have enough bad requests: a judge of the past looks no further.
func (r Rand) history(c Case, a *ambient) *History {
	h := &History{Looks: r.looks(c, a, Day)}
	bad := 0
	for _, l := range h.Looks {
		bad += l.Bad
	}
	days := 1
	var older [Days][]Counts // by how many days ago they ended
	for _, more := range []int{2, 4, 7} {
		if bad >= Enough {
			break
		}
		for ; days < more; days++ {
			older[days] = r.day(c, a, days)
			for _, m := range older[days] {
				bad += m.Bad
			}
		}
	}
	h.Minutes = make([]Counts, 0, days*Day/60)
	for ago := days - 1; ago > 0; ago-- {
		h.Minutes = append(h.Minutes, older[ago]...)
	}
	h.Minutes = append(h.Minutes, minutes(h.Looks)...)
	return h
}

// day draws the minutes of the day that ended so many days ago.
func (r Rand) day(c Case, a *ambient, ago int) []Counts {
	minutes, next := make([]Counts, Day/60), 0
	for i := range minutes {
		from := -(ago+1)*Day + i*60
		minutes[i] = r.counts(c.Rate*60, c.P0*a.over(from, from+60, &next), c.Noise.Phi())
	}
	return minutes
}

// counts draws how many requests there are, and how many of them are bad.
func (r Rand) counts(mean, p, phi float64) Counts {
	n := r.Poisson(mean)
	return Counts{n, r.Clustered(n, min(p, Most), phi)}
}

// Deploy draws the looks at one deployment: of a version that raises the error rate by
// factor, beside this control.
func (w *World) Deploy(factor float64, control Control) []Look {
	c := w.Case
	c.Factor, c.Control = factor, control
	stream := streamBake
	for i, f := range Factors() {
		if f == factor {
			stream += i * 2
		}
	}
	looks := w.newArm(c, stream)
	w.besides(c, looks, stream+1)
	w.lose(looks, w.rand(stream+100))
	return looks
}

// newArm draws what the new version serves.
func (w *World) newArm(c Case, stream int) []Look {
	r, looks, next := w.rand(stream), make([]Look, Looks), 0
	for i := range looks {
		from := i * Step
		rate := c.Rate
		switch c.Noise {
		case Ramp:
			rate *= min(1, 0.1+0.9*float64(from)/600)
		case Nothing:
			rate = 0
		default:
		}
		looks[i].At = from + Step
		looks[i].New = r.counts(rate*Step, c.P1()*w.own.over(from, from+Step, &next), c.Noise.Phi())
	}
	return looks
}

// besides draws what the old version and the other service serve meanwhile.
func (w *World) besides(c Case, looks []Look, stream int) {
	r, own, other := w.rand(stream), 0, 0
	for i := range looks {
		from := i * Step
		if parts := c.Control.Parts(); parts > 0 {
			looks[i].Control = r.counts(c.Rate*parts*Step, c.P0*w.own.over(from, from+Step, &own), c.Noise.Phi())
		}
		if c.Control == Other {
			looks[i].Other = r.counts(c.Rate*Step, c.P0*w.other.over(from, from+Step, &other), c.Noise.Phi())
		}
	}
}

// lose takes from the looks what never reached Prometheus.
func (w *World) lose(looks []Look, r Rand) {
	switch w.Case.Noise {
	case Resets:
		for i := range looks {
			for _, arm := range []*Counts{&looks[i].New, &looks[i].Control} {
				if r.Float64() >= Step/600.0 {
					continue
				}
				kept := int(float64(arm.Total) * r.Float64())
				*arm = Counts{kept, r.Thin(arm.Bad, kept, arm.Total)}
			}
		}
	case Missed:
		gap := r.IntN(len(looks) - 2*Minute)
		for i := range len(looks) - 1 {
			if r.Float64() < 0.05 || i >= gap && i < gap+2*Minute {
				looks[i].postpone(&looks[i+1])
			}
		}
	case Down:
		for i := range looks {
			looks[i] = Look{At: looks[i].At, Missed: true}
		}
	default:
	}
}

// postpone makes the look one that did not arrive: counters say it all at the next.
func (l *Look) postpone(next *Look) {
	next.New, next.Control, next.Other = next.New.Plus(l.New), next.Control.Plus(l.Control), next.Other.Plus(l.Other)
	*l = Look{At: l.At, Missed: true}
}
