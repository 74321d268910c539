package eprocess

import (
	"math"
	"testing"

	"pgregory.net/rapid"
)

// used is the model of a feature of which everything is known: so many sessions use it, no fewer.
func used(share float64) Model {
	return Model{Level: share, Upper: share, Null: share / 1.25, Dispersion: 1, Block: 1, Fewer: true}
}

var usage = Scale{LooksPerMinute: looksPerMinute, Worse: func(p float64) float64 { return p / 1.25 }, Fewer: true}

func judgeOfUse(model Model, controls ...Model) *Judge {
	return NewJudge(Setup{Bets: halfHour, History: model, Known: true, Fewer: true, Nulls: []Model{model}, Controls: controls, Matters: model.Level / 1.25})
}

func TestTheWealthOfAFairBetOnLessUseIsOneOnAverage(t *testing.T) {
	const runs = 4000
	model := used(0.05)
	sum, squares := 0.0, 0.0
	for seed := range uint64(runs) {
		s := newScene(seed, 2, model.Null, 1, 0) // as little use as the null allows
		d := NewDetector(model, halfHour)
		for range 40 {
			d.See(s.look(1), 0)
		}
		sum += d.Wealth()
		squares += d.Wealth() * d.Wealth()
	}
	mean := sum / runs
	standard := math.Sqrt((squares/runs - mean*mean) / runs)
	if mean > 1+3*standard || mean < 0.05 {
		t.Errorf("the mean wealth is %.3f ± %.3f", mean, standard)
	}
}

func TestUseThatIsAsBeforeIsSeldomBlamed(t *testing.T) {
	const runs = 200
	for name, scene := range map[string]struct{ share, cluster, drift float64 }{
		"seldom used": {0.02, 1, 0}, "used by most": {0.8, 1, 0}, "used by all": {1, 1, 0},
		"in clusters": {0.05, 4, 0}, "that drifts": {0.05, 1, 0.4},
	} {
		blamed, passed := 0, 0
		for seed := range uint64(runs) {
			s := newScene(seed, 20, scene.share, scene.cluster, scene.drift)
			minutes, looks := s.past(1)
			model, _ := Estimate(minutes, looks, usage)
			if model.Null >= model.Level {
				t.Fatalf("%s: %+v", name, model)
			}
			f, at := finished(judgeOfUse(model), func() (Counts, Counts) { return s.look(1), Missing })
			if at > 0 {
				blamed++
			}
			if f.Telling {
				passed++
			}
		}
		if blamed > 2 || passed < runs/2 { // 1 in 1000 gives more than 2 of 200 once in 1000 times
			t.Errorf("%s: %d of %d were blamed, %d could be told", name, blamed, runs, passed)
		}
	}
}

func TestLessUseThanBeforeIsFound(t *testing.T) {
	for share, most := range map[float64]int{0.05: 25, 0.5: 8, 1: 5} {
		for seed := range uint64(30) {
			s := newScene(seed, 20, share, 1, 0)
			minutes, looks := s.past(1)
			model, _ := Estimate(minutes, looks, usage)
			f, at := finished(judgeOfUse(model), func() (Counts, Counts) { return s.look(0.4), Missing })
			if at < 3 || at > most {
				t.Errorf("of %v, seed %d: found after %d looks: %+v", share, seed, at, f)
			}
		}
	}
}

func TestLessUseIsHeldAgainstAControl(t *testing.T) {
	for seed := range uint64(50) {
		a, b := newScene(seed, 20, 0.05, 1, 0), newScene(seed+1000, 20, 0.05, 1, 0)
		model := used(0.05)
		alone, at := finished(judgeOfUse(model, model), func() (Counts, Counts) { return a.look(0.3), b.look(1) })
		if at == 0 || at > 25 || alone.Alone || alone.Beside[0].Shared {
			t.Errorf("seed %d: found after %d looks: %+v", seed, at, alone)
		}
		shared, at := finished(judgeOfUse(model, model), func() (Counts, Counts) { return a.look(0.3), b.look(0.3) })
		if at > 0 || !shared.Beside[0].Shared {
			t.Errorf("seed %d: what both suffer is blamed after %d looks: %+v", seed, at, shared)
		}
	}
}

func TestAGoalIsProvedToBeMissed(t *testing.T) {
	goal := func(times float64) (Finding, int) {
		s := newScene(3, 20, 0.05, 1, 0)
		return finished(NewJudge(Setup{Bets: halfHour, Fewer: true, Limit: 0.05, Limited: true}), func() (Counts, Counts) { return s.look(times), Missing })
	}
	if f, at := goal(0.4); at == 0 || at > 25 {
		t.Errorf("missed, found after %d looks: %+v", at, f)
	}
	for _, times := range []float64{1.2, 3} {
		if f, at := goal(times); at > 0 || times == 3 && !f.Proved || !f.Telling {
			t.Errorf("met %v times, blamed after %d looks: %+v", times, at, f)
		}
	}
}

func TestUseIsNotProvedWellWhileItMayBeHalfOrMissTheGoal(t *testing.T) {
	const runs = 1000
	goal := used(0.05)
	goal.Null = goal.Level
	for name, test := range map[string]struct {
		well  func() *Well
		times float64 // just what must not pass
	}{
		"half":     {func() *Well { return NewWell(used(0.05), 0.04) }, 0.4},
		"the goal": {func() *Well { return newWellBelow(0.05, goal) }, 1},
	} {
		passed := 0
		for seed := range uint64(runs) {
			s := newScene(seed, 5, 0.05, 1, 0)
			w := test.well()
			for range 120 {
				w.See(s.look(test.times))
				if w.Proved() {
					passed++
					break
				}
			}
		}
		if passed > 20 { // 20 of 1000 come once in 100 times
			t.Errorf("%s: %d of %d passed", name, passed, runs)
		}
	}
}

func TestEvidenceOfLessUseStaysANumberWhateverIsCounted(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		setup := beside(anyNoise(t, used(math.Pow(10, rapid.Float64Range(-12, 0).Draw(t, "level")))))
		setup.Fewer, setup.Limit, setup.Limited, setup.Matters = true, 0.1, true, 0.1
		staysANumber(t, NewJudge(setup), 300)
	})
}

func TestASmallControlThatIsUsedEnoughSpeaksOfLessUse(t *testing.T) {
	for rate, thin := range map[float64]bool{0.3: true, 60: false} {
		version, control := newScene(9, 2000, 0.05, 1, 0), newScene(10, rate, 0.05, 1, 0)
		j := judgeOfUse(used(0.05), used(0.05))
		for range 30 {
			j.See(version.look(0.3), []Counts{control.look(1)}, 0)
		}
		if f := j.Finding(); f.Beside[0].Thin != thin || f.Wealth < halfHour.Threshold {
			t.Errorf("%v sessions a second beside 2000: %+v", rate, f)
		}
	}
}

func TestTheSplitAloneTellsOfLessUseWhereThereIsNoHistory(t *testing.T) {
	wealth := func(times float64) float64 {
		a, b := newScene(5, 20, 0.05, 1, 0), newScene(6, 20, 0.05, 1, 0)
		j := NewJudge(Setup{Bets: halfHour, Fewer: true, Controls: []Model{used(0.05)}})
		f, _ := finished(j, func() (Counts, Counts) { return a.look(times), b.look(1) })
		return f.Wealth
	}
	if less, more := wealth(0.2), wealth(3); less < halfHour.Threshold || more > 2 {
		t.Errorf("a fifth has won %v, three times as much %v", less, more)
	}
}

func TestAShortHistoryOfUseLeavesMuchPossible(t *testing.T) {
	minutes := make([]Counts, 60)
	for i := range minutes {
		minutes[i] = Counts{Total: 10}
		if i%6 == 0 {
			minutes[i].Bad = 1
		}
	}
	m, ok := Estimate(minutes, nil, usage)
	if !ok || m.Null > m.Upper || m.Upper <= 0 || m.Upper > 0.7*m.Level {
		t.Errorf("%+v", m)
	}
}

// How healthy a control could be tells whether it could excuse: that is, by use and not
// by none.
func TestAControlThatIsUsedIsNotThin(t *testing.T) {
	model := used(0.05)
	d, v := NewDetector(model, halfHour), NewVersus(model, model, halfHour)
	for range 10 {
		d.See(Counts{Total: 30000, Bad: 300}, 0)
		v.See(Counts{Total: 30000, Bad: 1500}, Counts{Total: 900, Bad: 45}) // not accused yet
	}
	if v.Wealth() >= enoughAgainst || v.Suffers() || v.Thin(d) {
		t.Errorf("the split has won %v, it suffers: %v, thin: %v", v.Wealth(), v.Suffers(), v.Thin(d))
	}
}
