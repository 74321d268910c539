package sim

import (
	"math"
	"reflect"
	"testing"
)

// moments draws n times and returns mean and variance.
func moments(n int, draw func() float64) (mean, variance float64) {
	sum, squares := 0.0, 0.0
	for range n {
		x := draw()
		sum += x
		squares += x * x
	}
	mean = sum / float64(n)
	return mean, squares/float64(n) - mean*mean
}

func TestTheSamplersHaveTheRightMeanAndVariance(t *testing.T) {
	r := NewRand(1, 1)
	for name, c := range map[string]struct {
		draw           func() float64
		mean, variance float64
	}{
		"poisson of few":            {func() float64 { return float64(r.Poisson(0.3)) }, 0.3, 0.3},
		"poisson of some":           {func() float64 { return float64(r.Poisson(40)) }, 40, 40},
		"poisson of many":           {func() float64 { return float64(r.Poisson(15000)) }, 15000, 15000},
		"binomial of few":           {func() float64 { return float64(r.Binomial(1500, 0.001)) }, 1.5, 1.5 * 0.999},
		"binomial of many":          {func() float64 { return float64(r.Binomial(15000, 0.01)) }, 150, 150 * 0.99},
		"binomial, mostly bad":      {func() float64 { return float64(r.Binomial(100, 0.95)) }, 95, 95 * 0.05},
		"gamma":                     {func() float64 { return r.Gamma(3.5) }, 3.5, 3.5},
		"gamma of a small shape":    {func() float64 { return r.Gamma(0.2) }, 0.2, 0.2},
		"beta":                      {func() float64 { return r.Beta(2, 6) }, 0.25, 0.25 * 0.75 / 9},
		"clusters among many":       {func() float64 { return float64(r.Clustered(15000, 0.01, 20)) }, 150, 150 * 0.99 * 20},
		"clusters among few":        {func() float64 { return float64(r.Clustered(150, 0.001, 4)) }, 0.15, 0.15 * 4},
		"clusters, many bad":        {func() float64 { return float64(r.Clustered(150, 0.2, 4)) }, 30, 30 * 0.8 * 4},
		"a thinned count":           {func() float64 { return float64(r.Thin(100, 5000, 20000)) }, 25, 25 * 0.75},
		"a mean kept where n < phi": {func() float64 { return float64(r.Clustered(15, 0.01, 20)) }, 0.15, math.NaN()},
		"and of one request":        {func() float64 { return float64(r.Clustered(1, 0.01, 20)) }, 0.01, 0.01 * 0.99},
	} {
		t.Run(name, func(t *testing.T) {
			const draws = 400_000
			mean, variance := moments(draws, c.draw)
			if math.Abs(mean-c.mean) > 0.01*c.mean+3*math.Sqrt(variance/draws) {
				t.Errorf("mean %.4g, want %.4g", mean, c.mean)
			}
			if math.Abs(variance-c.variance) > 0.05*c.variance {
				t.Errorf("variance %.4g, want %.4g", variance, c.variance)
			}
		})
	}
}

func TestADriftHasItsSpreadAndAMeanOfOne(t *testing.T) {
	r := NewRand(2, 1)
	knots := r.drift(400_000)
	i := 0
	mean, variance := moments(len(knots), func() float64 { i++; return math.Log(knots[i-1]) })
	if math.Abs(math.Sqrt(variance)-driftSD) > 0.01 {
		t.Errorf("sd %.3f", math.Sqrt(variance))
	}
	if math.Abs(mean+driftSD*driftSD/2) > 0.01 {
		t.Errorf("mean of the logarithm %.3f", mean)
	}
}

func TestABlipCountsForTheTimeItTakes(t *testing.T) {
	a := &ambient{bumps: []bump{{10, 20, 31}, {100, 130, 11}}}
	next := 0
	for _, c := range []struct {
		from int
		want float64
	}{{0, 1 + 30.0/3}, {15, 1 + 30.0/3}, {30, 1}, {90, 1 + 10.0/3}, {105, 11}, {120, 1 + 20.0/3}, {135, 1}} {
		if got := a.over(c.from, c.from+15, &next); math.Abs(got-c.want) > 1e-9 {
			t.Errorf("from %d s: %g, want %g", c.from, got, c.want)
		}
	}
}

func TestTheSameSeedDrawsTheSameWorld(t *testing.T) {
	c := Case{Rate: 1, P0: 0.01, Noise: Drift}
	one, other := NewWorld(c, 7, 3), NewWorld(c, 7, 3)
	if !reflect.DeepEqual(one.History.Minutes, other.History.Minutes) || !reflect.DeepEqual(one.History.Other().Looks, other.History.Other().Looks) || !reflect.DeepEqual(one.Deploy(5, Other), other.Deploy(5, Other)) {
		t.Error("they differ")
	}
	if reflect.DeepEqual(one.History.Looks, NewWorld(c, 7, 4).History.Looks) || reflect.DeepEqual(one.History.Looks, NewWorld(c, 8, 3).History.Looks) {
		t.Error("another world is the same")
	}
	if !reflect.DeepEqual(one.Deploy(1, NoControl)[5].New, one.Deploy(1, NineToOne)[5].New) {
		t.Error("what the new arm does depends on the control")
	}
}

func TestHistoryReachesBackOnlyAsFarAsItMust(t *testing.T) {
	for _, c := range []struct {
		rate, p0 float64
		days     int
	}{{0.1, 0.001, 7}, {1, 0.01, 1}, {1000, 0.001, 1}, {1, 0.001, 7}} {
		h := NewWorld(Case{Rate: c.rate, P0: c.p0, Noise: Clean}, 1, 1).History
		if got := len(h.Minutes) / 1440; got != c.days || len(h.Looks) != 5760 {
			t.Errorf("%g/s, p0 %g: %d days, %d looks", c.rate, c.p0, got, len(h.Looks))
		}
		var all Counts
		for _, m := range h.Minutes {
			all = all.Plus(m)
		}
		if level := float64(all.Bad) / float64(all.Total); level < 0.7*c.p0 || level > 1.4*c.p0 {
			t.Errorf("%g/s: level %g, want about %g", c.rate, level, c.p0)
		}
	}
}

func TestWhatAMissedScrapeCountedIsInTheNext(t *testing.T) {
	full, lossy := NewWorld(Case{Rate: 10, P0: 0.01, Noise: Clean}, 1, 1), NewWorld(Case{Rate: 10, P0: 0.01, Noise: Missed}, 1, 1)
	var want, got Counts
	missed := 0
	for i, l := range lossy.Deploy(1, OneToOne) {
		want, got = want.Plus(full.Deploy(1, OneToOne)[i].New), got.Plus(l.New)
		if l.Missed {
			missed++
		}
	}
	if want != got || missed < 8 || missed > 30 {
		t.Errorf("%v, want %v; %d missed", got, want, missed)
	}
}

func TestEveryNoiseDoesWhatItSays(t *testing.T) {
	sum := func(noise Noise, factor float64) (all Counts) {
		for i := range uint64(100) {
			for _, l := range NewWorld(Case{Rate: 10, P0: 0.01, Noise: noise}, 3, i).Deploy(factor, NoControl) {
				all = all.Plus(l.New)
			}
		}
		return all
	}
	clean := sum(Clean, 1)
	for noise, check := range map[Noise]func(Counts) bool{
		Outage:  func(c Counts) bool { return c.Bad > 2*clean.Bad },
		Resets:  func(c Counts) bool { return c.Total < clean.Total*995/1000 && c.Total > clean.Total*95/100 },
		Ramp:    func(c Counts) bool { return c.Total < clean.Total*9/10 },
		Nothing: func(c Counts) bool { return c == Counts{} },
		Down:    func(c Counts) bool { return c == Counts{} },
		Missed:  func(c Counts) bool { return c == clean },
	} {
		if got := sum(noise, 1); !check(got) {
			t.Errorf("%s: %v, clean %v", noise, got, clean)
		}
	}
	if got := sum(Clean, 50); math.Abs(float64(got.Bad)/float64(got.Total)-0.5) > 0.01 {
		t.Errorf("50 times 1 %%: %v", got)
	}
}

func BenchmarkHistory(b *testing.B) {
	for _, c := range []Case{{Rate: 0.1, P0: 0.001, Noise: Clean}, {Rate: 0.1, P0: 0.001, Noise: Clusters}, {Rate: 1, P0: 0.001, Noise: Drift}, {Rate: 1000, P0: 0.01, Noise: Clusters}, {Rate: 1000, P0: 0.01, Noise: Clean}} {
		b.Run(c.String(), func(b *testing.B) {
			for i := range b.N {
				NewWorld(c, 1, uint64(i))
			}
		})
	}
}
