package eprocess

import (
	"fmt"
	"math"
	"testing"

	"pgregory.net/rapid"
)

// aim is an improvement that is asked for.
type aim struct {
	times  float64 // so many times better; 0: by points
	points float64
	fewer  bool // fewer are worse, so better is more
}

func (a aim) String() string {
	what := "bad events"
	if a.fewer {
		what = "uses"
	}
	if a.times > 0 {
		return fmt.Sprintf("%vx better in %s", a.times, what)
	}
	return fmt.Sprintf("%v points better in %s", 100*a.points, what)
}

func (a aim) better(p float64) float64 {
	switch {
	case a.fewer && a.times > 0:
		return p * a.times
	case a.fewer:
		return p + a.points
	case a.times > 0:
		return p / a.times
	}
	return max(0, p-a.points)
}

func (a aim) scale() Scale {
	if a.fewer {
		return usage
	}
	return usual
}

var aims = []aim{{times: 1.1}, {times: 2}, {times: 1.1, fewer: true}, {times: 2, fewer: true}, {points: 0.01}, {points: 0.01, fewer: true}}

// exactly is the model of a service of which everything is known.
func (a aim) exactly(share float64) Model {
	return Model{Level: share, Upper: share, Null: share, Edge: share, Dispersion: 1, Block: 1, Fewer: a.fewer}
}

// against is the setup of a version that must be better than its history, and than a control.
func (a aim) against(m Model, controls ...Model) Setup {
	return Setup{
		Bets: Bets{Threshold: 700, Looks: 120}, History: m, Known: true, Fewer: a.fewer, Better: a.better,
		Nulls: []Model{m}, Controls: controls, Matters: a.scale().Worse(m.Level),
	}
}

// alone is the same beside a control of which no history is known.
func (a aim) alone() Setup {
	s := a.against(Model{}, func() Model { m := Fixed(0.01, Model{}, false); m.Fewer = a.fewer; return m }())
	s.Known, s.Nulls = false, nil
	return s
}

// chance is the probability of so many bad events under a beta-binomial.
func chance(bad, total, p, precision float64) float64 {
	gamma := func(x float64) float64 { l, _ := math.Lgamma(x); return l }
	choose := gamma(total+1) - gamma(bad+1) - gamma(total-bad+1)
	if math.IsInf(precision, 1) {
		return math.Exp(choose + bad*math.Log(p) + (total-bad)*math.Log1p(-p))
	}
	a, b := p*precision, (1-p)*precision
	return math.Exp(choose + gamma(bad+a) + gamma(total-bad+b) - gamma(total+precision) - gamma(a) - gamma(b) + gamma(precision))
}

func TestALookThatIsAsGoodAsIsAskedWinsNothingOnAverage(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a := aim{times: 1 + rapid.Float64Range(0.02, 4).Draw(t, "times"), fewer: rapid.Bool().Draw(t, "fewer")}
		m := a.exactly(math.Pow(10, rapid.Float64Range(-3, -0.75).Draw(t, "share")))
		m.Dispersion = rapid.SampledFrom([]float64{1, 2, 5}).Draw(t, "dispersion")
		total := float64(rapid.IntRange(1, 400).Draw(t, "total"))
		s := a.against(m)
		precision := precision(total, m.Dispersion)
		mean, sum := 0.0, 0.0
		for bad := range int(total) + 1 {
			d := newMissed(m, s)
			d.See(Counts{Total: total, Bad: float64(bad)}, 0)
			p := chance(float64(bad), total, a.better(m.Level), precision)
			mean, sum = mean+p*d.Wealth(), sum+p
		}
		if math.Abs(sum-1) > 1e-6 || mean > 1+1e-6 || mean < 0.1 {
			t.Fatalf("%s than %v: the mean wealth is %v of all %v", a, m.Level, mean, sum)
		}
	})
}

func TestASplitThatIsAsGoodAsIsAskedWinsNothingOnAverage(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a := aim{times: 1 + rapid.Float64Range(0.02, 4).Draw(t, "times"), fewer: rapid.Bool().Draw(t, "fewer")}
		p := math.Pow(10, rapid.Float64Range(-2, -0.75).Draw(t, "share"))
		m := a.exactly(p)
		version, control := float64(rapid.IntRange(1, 60).Draw(t, "version")), float64(rapid.IntRange(1, 60).Draw(t, "control"))
		mean := 0.0
		for x := range int(version) + 1 {
			for y := range int(control) + 1 {
				v := newPartner(a.against(m, m), m, m)
				v.See(Counts{version, float64(x)}, Counts{control, float64(y)})
				mean += chance(float64(x), version, a.better(p), math.Inf(1)) * chance(float64(y), control, p, math.Inf(1)) * v.Wealth()
			}
		}
		if mean > 1+1e-6 || mean < 0.1 {
			t.Fatalf("%s than %v: the mean wealth is %v", a, p, mean)
		}
	})
}

// meanWealth is that after forty looks of a version that is just as good as is asked.
func meanWealth(runs int, a aim, setup Setup, share float64, beside bool) (mean, standard float64) {
	sum, squares := 0.0, 0.0
	for seed := range uint64(runs) {
		version, control := newScene(seed, 4, a.better(share), 1, 0), newScene(seed+1e6, 4, share, 1, 0)
		j := NewJudge(setup)
		for range 40 {
			controls := []Counts{Missing}
			if beside {
				controls[0] = control.look(1)
			}
			j.See(version.look(1), controls, 0)
		}
		var bets interface{ Wealth() float64 } = j.onset // of the history
		if beside {
			bets = j.beside[0]
		}
		won := bets.Wealth()
		sum, squares = sum+won, squares+won*won
	}
	mean = sum / float64(runs)
	return mean, math.Sqrt((squares/float64(runs) - mean*mean) / float64(runs))
}

func TestTheWealthAgainstAnImprovementThatIsReachedIsOneOnAverageAtMost(t *testing.T) {
	const share = 0.05
	for _, a := range aims {
		m := a.exactly(share)
		for name, test := range map[string]struct {
			setup  Setup
			beside bool
		}{"before": {a.against(m), false}, "beside": {a.against(m, m), true}, "beside, without a history": {a.alone(), true}} {
			mean, standard := meanWealth(500, a, test.setup, share, test.beside)
			if mean > 1+3*standard || mean < 0.05 {
				t.Errorf("%s than %s: the mean wealth is %.3f ± %.3f", a, name, mean, standard)
			}
		}
	}
}

// watched is how a bake went.
type watched struct {
	Finding
	at int // the look of a breach; 0: none
}

// watch lets a version bake that is so many times as good as is asked, after a history
// and beside a control of the same noise.
func (a aim) watch(seed uint64, s Setup, noise scene, share float64) (w watched) {
	version, control := newScene(seed, noise.rate, share, noise.cluster, noise.drift), newScene(seed+1e6, noise.rate, noise.share, noise.cluster, noise.drift)
	j := NewJudge(s)
	for k := range s.Looks {
		controls := make([]Counts, len(s.Controls))
		for i := range controls {
			controls[i] = control.look(1)
		}
		j.See(version.look(1), controls, 0)
		if w.Finding = j.Finding(); w.Wealth >= s.Threshold && w.at == 0 {
			w.at = k + 1
		}
	}
	return w
}

func TestVersionsThatAreAsGoodAsIsAskedAreSeldomBlamed(t *testing.T) {
	const runs = 250
	for _, a := range []aim{{times: 1.1}, {times: 1.1, fewer: true}, {times: 2}, {times: 2, fewer: true}} {
		blamed, judged := 0, 0
		for _, noise := range []scene{{rate: 20, share: 0.05, cluster: 4}, {rate: 200, share: 0.05, cluster: 4}, {rate: 20, share: 0.05, cluster: 1, drift: 0.1}} {
			var m Model
			for seed := range uint64(runs) {
				if seed%50 == 0 {
					minutes, looks := newScene(seed+1e7, noise.rate, noise.share, noise.cluster, noise.drift).past(1)
					m, _ = Estimate(minutes, looks, a.scale())
				}
				s := a.against(m)
				if _, can := m.Improved(a.better); can != CanAsk || noise.drift == 0 && seed%2 == 0 {
					s = a.against(m, m)
					s.Nulls = nil
				}
				if noise.drift > 0 && len(s.Controls) > 0 {
					continue // two scenes do not drift together
				}
				judged++
				if a.watch(seed, s, noise, a.better(noise.share)).at > 0 {
					blamed++
				}
			}
		}
		if judged < runs || blamed > 4 { // 1 in 1000 gives more than 4 of 750 once in 1000 times
			t.Errorf("%s: %d of %d were blamed", a, blamed, judged)
		}
	}
}

// A history of an hour is known worse than a watch of half an hour with more traffic.
func TestAShortHistoryBlamesNobodyByItsOwnChance(t *testing.T) {
	for _, a := range []aim{{times: 1.1}, {times: 1.1, fewer: true}} {
		blamed, vague := 0, 0
		for seed := range uint64(300) {
			s := newScene(seed+1e7, 20, 0.05, 1, 0)
			minutes, looks := s.past(1)
			m, _ := Estimate(minutes[:60], looks[:240], a.scale())
			if _, can := m.Improved(a.better); can != CanAsk {
				vague++
				continue
			}
			if a.watch(seed, a.against(m), scene{rate: 1000, share: 0.05, cluster: 1}, a.better(0.05)).at > 0 {
				blamed++
			}
		}
		if blamed > 3 || vague > 250 {
			t.Errorf("%s: %d were blamed, %d could not be asked", a, blamed, vague)
		}
	}
}

func TestNoImprovementIsFoundAndAnImprovementIsReached(t *testing.T) {
	noise := scene{rate: 400, share: 0.05, cluster: 1}
	for _, a := range aims {
		m := a.exactly(noise.share)
		for name, s := range map[string]Setup{"before": a.against(m), "beside": a.against(m, m), "beside, without a history": a.alone()} {
			if w := a.watch(1, s, noise, noise.share); w.at == 0 || !w.Short || w.Proved || !w.Telling {
				t.Errorf("%s than %s, unchanged, is found at look %d: %+v", a, name, w.at, w.Finding)
			}
			if w := a.watch(2, s, noise, a.better(a.better(a.better(noise.share)))); w.at != 0 || w.Short || !w.Proved || !w.Telling || w.Held {
				t.Errorf("%s than %s, and twice as much again, is found at look %d: %+v", a, name, w.at, w.Finding)
			}
		}
	}
}

func TestWrongProofsOfAnImprovementAreFew(t *testing.T) {
	const runs = 500
	noise := scene{rate: 40, share: 0.05, cluster: 1}
	for _, a := range []aim{{times: 1.1}, {times: 2, fewer: true}, {points: 0.01}} {
		m := a.exactly(noise.share)
		for name, s := range map[string]Setup{"before": a.against(m), "beside, without a history": a.alone()} {
			proved := 0
			for seed := range uint64(runs) {
				if a.watch(seed, s, noise, a.better(noise.share)).Proved {
					proved++
				}
			}
			if proved > 12 { // 1 in 100 gives more than 12 of 500 once in 100 times
				t.Errorf("%s than %s: %d of %d on the very border are proved", a, name, proved, runs)
			}
		}
	}
}

func TestOfARateThatMayRiseByItselfNoImprovementIsEverProved(t *testing.T) {
	a := aim{times: 1.3, fewer: true}
	m := a.exactly(0.6)
	noise := scene{rate: 50, share: 0.6, cluster: 1}
	for drift, want := range map[float64]bool{0: true, 0.5: false} {
		m.Drift = drift
		if w := a.watch(1, a.against(m), noise, 0.93); w.Proved != want || w.Short {
			t.Errorf("with a drift of %v: %+v", drift, w.Finding)
		}
	}
}

func TestInLittleTrafficNoImprovementIsNotTelling(t *testing.T) {
	for rate, telling := range map[float64]bool{0.02: false, 50: true} {
		for _, a := range []aim{{times: 1.5}, {times: 1.5, fewer: true}} {
			m := a.exactly(0.05)
			for name, s := range map[string]Setup{"before": a.against(m), "beside": a.against(m, m), "beside, without a history": a.alone()} {
				if w := a.watch(3, s, scene{rate: rate, share: 0.05, cluster: 1}, 0.05); w.Telling != telling || (w.at > 0) != telling {
					t.Errorf("%s than %s at %v a second: found at look %d, %+v", a, name, rate, w.at, w.Finding)
				}
			}
		}
	}
}

// A rate that has fallen since yesterday hides nothing where a control runs beside the version.
func TestTheControlBesideTellsAndNotTheHistory(t *testing.T) {
	a := aim{times: 1.5, fewer: true}
	m := a.exactly(0.2)
	noise := scene{rate: 50, share: 0.1, cluster: 1} // half of what it was
	m.Dispersion = 1
	s := a.against(m, a.exactly(0.1))
	if w := a.watch(4, s, noise, 0.18); w.at > 0 || w.Proved || !w.Short || w.Alone {
		t.Errorf("better than beside, not than before: found at look %d, %+v", w.at, w.Finding)
	}
	rising := a.against(a.exactly(0.05), a.exactly(0.1))
	if w := a.watch(4, rising, noise, 0.1); w.at == 0 || w.Proved {
		t.Errorf("better than before, not than beside: found at look %d, %+v", w.at, w.Finding)
	}
}

func TestEachControlThatSpeaksMustShowThatAnImprovementIsMissed(t *testing.T) {
	a := aim{times: 1.5, fewer: true}
	m := a.exactly(0.1)
	j := NewJudge(a.against(m, m, a.exactly(0.05)))
	version, one, other := newScene(1, 50, 0.1, 1, 0), newScene(2, 50, 0.1, 1, 0), newScene(3, 50, 0.05, 1, 0)
	for range 120 {
		j.See(version.look(1), []Counts{one.look(1), other.look(1)}, 0)
	}
	if f := j.Finding(); f.Wealth >= 700 || f.Beside[0].Wealth < 700 || f.Beside[1].Shared || f.Proved || !f.Short {
		t.Errorf("%+v", f)
	}
}

// An outage adds as much to both: what is better does not show then.
func TestInAnOutageOfAllAnImprovementIsNotMissed(t *testing.T) {
	a := aim{times: 2}
	m := a.exactly(0.01)
	j := NewJudge(a.against(m, m))
	version, control := newScene(1, 50, 0.205, 1, 0), newScene(2, 50, 0.21, 1, 0)
	for range 60 {
		j.See(version.look(1), []Counts{control.look(1)}, 0)
		if f := j.Finding(); f.Wealth >= 700 {
			t.Fatalf("%+v", f)
		}
	}
	if f := j.Finding(); !f.Held || !f.Beside[0].Shared {
		t.Errorf("%+v", f)
	}
}

func TestBesideAControlThatAloneIsBrokenNoImprovementIsReached(t *testing.T) {
	a := aim{times: 2}
	m := a.exactly(0.01)
	for times, held := range map[float64]bool{1: false, 20: true} {
		j := NewJudge(a.against(m, m))
		version, control := newScene(1, 50, 0.002, 1, 0), newScene(2, 50, 0.01, 1, 0)
		for range 60 {
			j.See(version.look(1), []Counts{control.look(times)}, 0)
		}
		if f := j.Finding(); f.Held != held || f.Proved == held {
			t.Errorf("%v times the errors in the control: %+v", times, f)
		}
	}
}

func TestWhereNothingRunsBesideTheVersionTheHistoryTells(t *testing.T) {
	a := aim{times: 2, fewer: true}
	m := a.exactly(0.1)
	for name, control := range map[string]Counts{"gone": Missing, "idle": {}, "asked by health checks alone": {Total: 2}} {
		j := NewJudge(a.against(m, m))
		s := newScene(1, 50, 0.1, 1, 0)
		for range 40 {
			j.See(s.look(1), []Counts{control}, 0)
		}
		if f := j.Finding(); f.Wealth < 700 || !f.Alone {
			t.Errorf("%s: %+v", name, f)
		}
	}
}

func TestAnImprovementIsOnlyAskedOfWhatCanTellIt(t *testing.T) {
	more, fewer := aim{times: 1.5, fewer: true}, aim{times: 1.5}
	drifting := func(a aim) Model { m := a.exactly(0.1); m.Edge = a.worse(0.1); return m }
	for name, test := range map[string]struct {
		aim  aim
		m    Model
		want Askable
	}{
		"uses":                      {more, more.exactly(0.1), CanAsk},
		"bad events":                {fewer, fewer.exactly(0.1), CanAsk},
		"uses of nearly all":        {more, more.exactly(0.7), OutOfReach},
		"points of nearly nothing":  {aim{points: 0.005}, fewer.exactly(0.004), OutOfReach},
		"points above everything":   {aim{points: 0.2, fewer: true}, more.exactly(0.8), OutOfReach},
		"uses that drift":           {more, drifting(more), TooVague},
		"bad events that drift":     {fewer, drifting(fewer), TooVague},
		"hardly any bad events yet": {fewer, Model{Level: 1e-4, Edge: 1e-3, Null: 1e-3, Dispersion: 2, Block: 1, Seen: Counts{5000, 0}}, TooVague},
	} {
		if m, got := test.m.Improved(test.aim.better); got != test.want || got == CanAsk && m.Null != test.aim.better(0.1) {
			t.Errorf("%s: %v, null %v", name, got, m.Null)
		}
	}
}

// worse is what is half as good again as a share.
func (a aim) worse(p float64) float64 {
	if a.fewer {
		return p / 1.5
	}
	return p * 1.5
}

func TestWhatNothingCouldBeBetterThanDoesNotSpeak(t *testing.T) {
	a := aim{times: 1.5, fewer: true}
	j := NewJudge(a.alone())
	version, control := newScene(1, 20, 0.8, 1, 0), newScene(2, 20, 0.8, 1, 0)
	for range 60 {
		j.See(version.look(1), []Counts{control.look(1)}, 0)
	}
	if f := j.Finding(); !f.Alone || !f.Beside[0].Beyond || f.Wealth > 0 || f.Proved {
		t.Errorf("%+v", f)
	}
}

func TestALimitBesideAnImprovementIsJudgedAsWell(t *testing.T) {
	a := aim{times: 2}
	m := a.exactly(0.01)
	s := a.against(m)
	s.Limit, s.Limited = 0.004, true
	// Better by as much as is asked and more, and not below the limit.
	if w := a.watch(5, s, scene{rate: 400, share: 0.01, cluster: 1}, 0.0048); w.Limit < 700 || w.History > 2 || w.Proved {
		t.Errorf("%+v", w)
	}
	s.Nulls = nil
	if w := a.watch(5, s, scene{rate: 400, share: 0.01, cluster: 1}, 0.0001); w.Proved || w.Telling {
		t.Errorf("with nothing to be better than: %+v", w)
	}
}

func TestWhatBecameNoBetterBeganWithTheVersion(t *testing.T) {
	a := aim{times: 2, fewer: true}
	for name, s := range map[string]Setup{"before": a.against(a.exactly(0.1)), "beside, without a history": a.alone()} {
		j := NewJudge(s)
		version, control := newScene(1, 50, 0.1, 1, 0), newScene(2, 50, 0.1, 1, 0)
		if _, ok := j.Onset(); ok {
			t.Errorf("%s: it began before anything was seen", name)
		}
		for range 40 {
			j.See(version.look(1), []Counts{control.look(1)}, 0)
		}
		if look, ok := j.Onset(); !ok || look > 2 {
			t.Errorf("%s: it began at look %d, %v", name, look, ok)
		}
	}
}

func TestEvidenceAgainstAnImprovementStaysANumberWhateverIsCounted(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a := aim{fewer: rapid.Bool().Draw(t, "fewer"), times: math.Pow(10, rapid.Float64Range(0.001, 3).Draw(t, "log times"))}
		if rapid.Bool().Draw(t, "points") {
			a.times, a.points = 0, math.Pow(10, rapid.Float64Range(-6, -0.01).Draw(t, "log points"))
		}
		m := anyNoise(t, a.exactly(math.Pow(10, rapid.Float64Range(-12, 0).Draw(t, "level"))))
		s := a.against(m, m)
		s.Limit, s.Limited = 0.1, true
		staysANumber(t, NewJudge(s), 300)
		alone := a.alone()
		staysANumber(t, NewJudge(alone), 100)
	})
}

func TestABetterLookNeverSpeaksForAMissedImprovement(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a := aim{fewer: rapid.Bool().Draw(t, "fewer"), times: rapid.Float64Range(1.02, 5).Draw(t, "times")}
		m := a.exactly(math.Pow(10, rapid.Float64Range(-4, -0.5).Draw(t, "level")))
		one, better := NewJudge(a.against(m, m)), NewJudge(a.against(m, m))
		for range rapid.IntRange(1, 30).Draw(t, "looks") {
			version, control := anyCounts.Draw(t, "version"), anyCounts.Draw(t, "control")
			one.See(version, []Counts{control}, 0)
			more := rapid.Float64Range(0, 1).Draw(t, "better")
			if a.fewer {
				version.Bad += math.Floor(more * (version.Total - version.Bad))
			} else {
				version.Bad -= math.Floor(more * version.Bad)
			}
			better.See(version, []Counts{control}, 0)
		}
		for i, pair := range [][2]float64{{one.nulls[0].Wealth(), better.nulls[0].Wealth()}, {one.beside[0].Wealth(), better.beside[0].Wealth()}} {
			if pair[1] > pair[0]*(1+1e-9) {
				t.Fatalf("part %d has won %v, and %v where more was better", i, pair[0], pair[1])
			}
		}
	})
}
