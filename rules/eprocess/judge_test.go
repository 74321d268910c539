package eprocess

import (
	"math"
	"testing"

	"pgregory.net/rapid"
)

// normal is the model of a service of which everything is known: so many bad events, no more.
func normal(share float64) Model {
	return Model{Level: share, Upper: share, Null: 1.25 * share, Dispersion: 1, Block: 1}
}

// finished returns the finding after a bake, and after how many looks it was a breach; 0: never.
func finished(j *Judge, look func() (version, control Counts)) (f Finding, breached int) {
	for k := range halfHour.Looks {
		version, control := look()
		j.See(version, []Counts{control}, 0)
		if f = j.Finding(); f.Wealth >= halfHour.Threshold {
			return f, k + 1
		}
	}
	return f, 0
}

// beside returns the setup of a version with a history and a control of the same service.
func beside(model Model) Setup {
	s := alone(model)
	s.Controls = []Model{model}
	return s
}

// alone returns the setup of a version with nothing but a history.
func alone(model Model) Setup {
	return Setup{Bets: halfHour, History: model, Known: true, Nulls: []Model{model}}
}

// blamed counts in how many of the bakes the version is blamed.
func blamed(bakes int, begin func(seed uint64) (*Judge, func() (version, control Counts))) (n int) {
	for seed := range uint64(bakes) {
		if _, at := finished(begin(seed)); at > 0 {
			n++
		}
	}
	return n
}

// anyCounts are counts of any size, from none to a billion events.
var anyCounts = rapid.Custom(func(t *rapid.T) Counts {
	total := math.Floor(math.Pow(10, rapid.Float64Range(-1, 9).Draw(t, "log total")))
	return Counts{Total: total, Bad: math.Floor(total * rapid.Float64Range(0, 1).Draw(t, "share"))}
})

// anyNoise gives a model any noise.
func anyNoise(t *rapid.T, m Model) Model {
	m.Dispersion = rapid.Float64Range(1, 500).Draw(t, "dispersion")
	m.Drift = rapid.Float64Range(0, 0.8).Draw(t, "drift")
	m.Block, m.Blip = rapid.IntRange(1, 5).Draw(t, "block"), rapid.IntRange(0, 30).Draw(t, "blip")
	return m
}

// staysANumber folds looks of any size, and fails where the wealth is no number then.
func staysANumber(t *rapid.T, j *Judge, looks int) {
	for range rapid.IntRange(1, looks).Draw(t, "looks") {
		j.See(anyCounts.Draw(t, "version"), []Counts{anyCounts.Draw(t, "control")}, 0)
	}
	f := j.Finding()
	for _, w := range []float64{f.Wealth, f.History, f.Beside[0].Wealth, f.Limit} {
		if math.IsNaN(w) || math.IsInf(w, 0) || w < 0 {
			t.Fatalf("%+v", f)
		}
	}
}

func TestTheWealthOfAFairBetIsOneOnAverage(t *testing.T) {
	const runs = 4000
	model := normal(0.01)
	sum, squares := 0.0, 0.0
	for seed := range uint64(runs) {
		s := newScene(seed, 2, model.Null, 1, 0) // as bad as the null allows
		d := NewDetector(model, halfHour)
		for range 40 {
			d.See(s.look(1), 0)
		}
		sum += d.Wealth()
		squares += d.Wealth() * d.Wealth()
	}
	mean := sum / runs
	standard := math.Sqrt((squares/runs - mean*mean) / runs)
	if mean > 1+3*standard {
		t.Errorf("the mean wealth is %.3f ± %.3f", mean, standard)
	}
	if mean < 0.05 {
		t.Errorf("the mean wealth is %.3f: the bets are not fair, they are lost", mean)
	}
}

func TestHealthyVersionsAreBlamedByFewerThanOneInAThousand(t *testing.T) {
	const runs = 3000
	n := blamed(runs, func(seed uint64) (*Judge, func() (Counts, Counts)) {
		s, model := newScene(seed, 3, 0.01, 4, 0), normal(0.01)
		model.Dispersion = 4
		return NewJudge(alone(model)), func() (Counts, Counts) { return s.look(1), Missing }
	})
	if n > 9 { // 1 in 1000 gives more than 9 of 3000 once in 1000 times
		t.Errorf("%d of %d were blamed", n, runs)
	}
}

func TestABadVersionIsFoundInThreeLooksWhereTrafficIsPlenty(t *testing.T) {
	for seed := range uint64(50) {
		s := newScene(seed, 100, 0.001, 1, 0)
		j := NewJudge(alone(normal(0.001)))
		_, at := finished(j, func() (Counts, Counts) { return s.look(50), Missing })
		if at != 3 {
			t.Fatalf("seed %d: found after %d looks", seed, at)
		}
	}
}

func TestTwoBadLooksAreNeverEnough(t *testing.T) {
	j := NewJudge(alone(normal(0.001)))
	for range 2 {
		j.See(Counts{Total: 1e6, Bad: 1e6}, nil, 0)
	}
	if w := j.Finding().Wealth; w >= halfHour.Threshold {
		t.Errorf("two looks have won %v", w)
	}
}

func TestAnOutageThatAllSufferFromIsNotTheVersions(t *testing.T) {
	shared, held := 0, 0
	for seed := range uint64(200) {
		a, b := newScene(seed, 20, 0.001, 1, 0), newScene(seed+1000, 20, 0.001, 1, 0)
		model := normal(0.001)
		j := NewJudge(beside(model))
		looks := 0
		f, at := finished(j, func() (Counts, Counts) {
			looks++
			times := 1.0
			if looks > 20 {
				times = 50
			}
			return a.look(times), b.look(times)
		})
		if at > 0 {
			t.Errorf("seed %d: blamed after %d looks", seed, at)
		}
		if f.Beside[0].Shared {
			shared++
		}
		if f.Held {
			held++
		}
	}
	if shared < 190 || held < 190 {
		t.Errorf("that it is shared was said of %d, that it is held back of %d of 200", shared, held)
	}
}

func TestOutagesOfEverySizeAndTimeAreSeldomTheVersions(t *testing.T) {
	const runs = 600
	n := blamed(runs, func(seed uint64) (*Judge, func() (Counts, Counts)) {
		a, b := newScene(seed, 20, 0.001, 1, 0), newScene(seed+5000, 20, 0.001, 1, 0)
		looks, onset, size := 0, int(seed%60)+10, 5+float64(seed%4)*5
		return NewJudge(beside(normal(0.001))), func() (Counts, Counts) {
			looks++
			if looks > onset {
				return a.look(size), b.look(size)
			}
			return a.look(1), b.look(1)
		}
	})
	if n > 3 { // 1 in 1000 gives more than 3 of 600 once in 300 times
		t.Errorf("%d of %d were blamed", n, runs)
	}
}

func TestRatesThatDriftAreSeldomBlamed(t *testing.T) {
	const runs = 300
	n := blamed(runs, func(seed uint64) (*Judge, func() (Counts, Counts)) {
		s := newScene(seed, 50, 0.01, 1, 0.4)
		minutes, looks := s.past(1)
		model, _ := Estimate(minutes, looks, usual)
		return NewJudge(alone(model)), func() (Counts, Counts) { return s.look(1), Missing }
	})
	if n > 3 { // 1 in 1000 gives more than 3 of 300 once in 3000 times
		t.Errorf("%d of %d were blamed", n, runs)
	}
}

func TestAVersionThatAloneIsBadIsBlamedBesideAControl(t *testing.T) {
	for seed := range uint64(50) {
		a, b := newScene(seed, 10, 0.001, 1, 0), newScene(seed+1000, 10, 0.001, 1, 0)
		model := normal(0.001)
		j := NewJudge(beside(model))
		f, at := finished(j, func() (Counts, Counts) { return a.look(50), b.look(1) })
		if at == 0 || at > 8 || f.Alone || f.Beside[0].Shared {
			t.Errorf("seed %d: after %d looks: %+v", seed, at, f)
		}
	}
}

func TestAControlThatIsGoneNeitherAccusesNorExcuses(t *testing.T) {
	a, b := newScene(1, 10, 0.001, 1, 0), newScene(2, 10, 0.001, 1, 0)
	model := normal(0.001)
	j := NewJudge(beside(model))
	looks := 0
	f, at := finished(j, func() (Counts, Counts) {
		looks++
		if looks <= 30 {
			return a.look(1), b.look(1)
		}
		return a.look(50), Missing
	})
	if at == 0 || !f.Alone {
		t.Errorf("after %d looks: %+v", at, f)
	}
}

func TestABlipOfAKnownKindIsNotEnough(t *testing.T) {
	model := normal(0.001)
	model.Blip = 8
	blip := func(length int) (Finding, int) {
		s := newScene(3, 20, 0.001, 1, 0)
		j := NewJudge(alone(model))
		looks := 0
		return finished(j, func() (Counts, Counts) {
			looks++
			if looks > 40 && looks <= 40+length {
				return s.look(100), Missing
			}
			return s.look(1), Missing
		})
	}
	if f, at := blip(6); at > 0 {
		t.Errorf("blamed after %d looks: %+v", at, f)
	}
	if _, at := blip(30); at == 0 || at > 55 {
		t.Errorf("what lasts longer than any blip was blamed at look %d", at)
	}
}

func TestALookThatIsMissingSaysNothing(t *testing.T) {
	model := normal(0.001)
	j := NewJudge(Setup{Bets: halfHour, History: model, Known: true, Nulls: []Model{model}, Limit: 0.01, Limited: true, Controls: []Model{model}})
	for _, c := range []Counts{Missing, {Total: -1}, {Total: 1, Bad: 2}, {Total: 5, Bad: math.NaN()}, {Total: math.Inf(1)}} {
		for range 40 {
			j.See(c, []Counts{c}, 0)
		}
	}
	if f := j.Finding(); f.Wealth > 1+1e-9 || f.Proved || f.Telling || f.Held || f.BadLooks != 0 {
		t.Errorf("nothing says %+v", f)
	}
}

func TestLooksThatAreAsUsualAreNotBadOnes(t *testing.T) {
	s := newScene(9, 1000, 0.001, 1, 0) // every look has bad events
	j := NewJudge(alone(normal(0.001)))
	for range 60 {
		j.See(s.look(1), nil, 0)
	}
	before := j.Finding().BadLooks
	for range 5 {
		j.See(s.look(20), nil, 0)
	}
	if after := j.Finding().BadLooks; before > 5 || after < 5 || after > before+5 {
		t.Errorf("%d bad looks of 60 as usual, %d with 5 bad ones", before, after)
	}
}

func TestALimitIsProvedToBeExceeded(t *testing.T) {
	for name, c := range map[string]struct {
		share    float64
		breached bool
	}{"far above": {0.05, true}, "below": {0.003, false}, "at the limit": {0.01, false}} {
		s := newScene(5, 20, c.share, 1, 0)
		j := NewJudge(Setup{Bets: halfHour, Limit: 0.01, Limited: true})
		if f, at := finished(j, func() (Counts, Counts) { return s.look(1), Missing }); at > 0 != c.breached {
			t.Errorf("%s: breached after %d looks: %+v", name, at, f)
		}
	}
}

func TestAHealthyVersionIsProvedWellBeforeTheEnd(t *testing.T) {
	s := newScene(6, 100, 0.001, 1, 0)
	j := NewJudge(Setup{Bets: halfHour, History: normal(0.001), Known: true, Nulls: []Model{normal(0.001)}, Matters: 0.00125})
	for k := range 120 {
		j.See(s.look(1), nil, 0)
		if f := j.Finding(); f.Proved {
			if k < 3 || !f.Telling {
				t.Errorf("proved after %d looks, telling: %v", k+1, f.Telling)
			}
			return
		}
	}
	t.Error("never proved")
}

func TestWrongPassesAreFew(t *testing.T) {
	passed := 0
	const runs = 1000
	for seed := range uint64(runs) {
		s := newScene(seed, 5, 0.01, 1, 0)
		w := NewWell(normal(0.01), 0.0125)
		for range 120 {
			w.See(s.look(2.5)) // just what must not pass
			if w.Proved() {
				passed++
				break
			}
		}
	}
	if passed > 20 { // 1.2 % were measured; 20 of 1000 come once in 100 times
		t.Errorf("%d of %d passed", passed, runs)
	}
}

func TestTooLittleTrafficIsNotTelling(t *testing.T) {
	for rate, telling := range map[float64]bool{0.005: false, 5: true} {
		s := newScene(7, rate, 0.001, 1, 0)
		j := NewJudge(alone(normal(0.001)))
		f, _ := finished(j, func() (Counts, Counts) { return s.look(1), Missing })
		if f.Telling != telling {
			t.Errorf("at %v requests a second: telling is %v", rate, f.Telling)
		}
	}
}

func TestTroubleBeforeTheDeploymentIsSeen(t *testing.T) {
	before := func(times float64) float64 {
		s := newScene(8, 20, 0.001, 1, 0)
		var looks []Counts
		for k := range 120 {
			if k < 90 {
				looks = append(looks, s.look(1))
				continue
			}
			looks = append(looks, s.look(times))
		}
		return Before(normal(0.001), looks, 300)
	}
	if w := before(30); w < 300 {
		t.Errorf("a change ten minutes before has won %v", w)
	}
	if w := before(1); w > 20 {
		t.Errorf("nothing has won %v", w)
	}
}

func TestEvidenceStaysANumberWhateverIsCounted(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		setup := beside(anyNoise(t, normal(math.Pow(10, rapid.Float64Range(-9, -0.5).Draw(t, "level")))))
		setup.Limit, setup.Limited, setup.Matters = 0.1, true, 0.2
		staysANumber(t, NewJudge(setup), 700)
	})
}
