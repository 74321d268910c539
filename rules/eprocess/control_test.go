package eprocess

import (
	"math"
	"testing"
	"unsafe"
)

// besides is a judge of a service with a history and one control beside the version.
func besides(level float64) *Judge {
	model := normal(level)
	return NewJudge(Setup{Bets: halfHour, History: model, Known: true, Nulls: []Model{model}, Controls: []Model{model}})
}

// An idle slot is scraped and counts nothing: it knows nothing of the version's trouble.
func TestAControlThatServesNobodyNeitherAccusesNorExcuses(t *testing.T) {
	s := newScene(1, 20, 0.002, 1, 0)
	f, at := finished(besides(0.002), func() (Counts, Counts) { return s.look(50), Counts{} })
	if at == 0 || at > 5 || !f.Alone || f.Held {
		t.Errorf("found after %d looks: %+v", at, f)
	}
}

// Prometheus keeps the last values of series that are gone for five minutes.
func TestAControlThatStopsServingHoldsNothingBack(t *testing.T) {
	version, control := newScene(1, 20, 0.002, 1, 0), newScene(2, 20, 0.002, 1, 0)
	looks := 0
	f, at := finished(besides(0.002), func() (Counts, Counts) {
		looks++
		switch {
		case looks <= 20:
			return version.look(1), control.look(1)
		case looks <= 40:
			return version.look(50), Counts{}
		}
		return version.look(50), Missing
	})
	if at == 0 || at > 25 || !f.Alone {
		t.Errorf("found after %d looks: %+v", at, f)
	}
}

func TestAControlOfFewEventsIsNotTakenForOneThatIsGone(t *testing.T) {
	version, control := newScene(1, 0.1, 0.01, 1, 0), newScene(2, 0.02, 0.01, 1, 0)
	j := besides(0.01)
	for range 120 {
		j.See(version.look(1), []Counts{control.look(1)}, 0)
	}
	if f := j.Finding(); f.Alone || !f.Beside[0].Speaks {
		t.Errorf("%+v", f)
	}
}

// A drained slot is still asked by health checks.
func TestAControlOfHealthChecksAloneHoldsNothingBack(t *testing.T) {
	s := newScene(1, 50, 0.001, 1, 0)
	f, at := finished(besides(0.001), func() (Counts, Counts) { return s.look(8), Counts{Total: 2} })
	if at == 0 || at > 20 || !f.Beside[0].Thin {
		t.Errorf("found after %d looks: %+v", at, f)
	}
}

func TestAThinControlThatSuffersStillExcuses(t *testing.T) {
	version, control := newScene(1, 50, 0.001, 1, 0), newScene(2, 2, 0.001, 1, 0)
	looks := 0
	f, at := finished(besides(0.001), func() (Counts, Counts) {
		if looks++; looks <= 20 {
			return version.look(1), control.look(1)
		}
		return version.look(200), control.look(200)
	})
	if at != 0 || !f.Beside[0].Shared || f.Beside[0].Thin {
		t.Errorf("found after %d looks: %+v", at, f)
	}
}

// A roll-out in stages takes hours; what sets in at its end is found as what sets in at once.
func TestWhatSetsInLongAfterTheBakesLengthIsFoundAsSoon(t *testing.T) {
	for _, late := range []int{130, 400, 1500} {
		version, control := newScene(1, 20, 0.002, 1, 0), newScene(2, 20, 0.002, 1, 0)
		j := besides(0.002)
		for range late {
			j.See(version.look(1), []Counts{control.look(1)}, 0)
		}
		if w := j.Finding().Wealth; w > 10 {
			t.Fatalf("after %d healthy looks the wealth is %v", late, w)
		}
		looks := 0
		for ; looks < 60 && j.Finding().Wealth < halfHour.Threshold; looks++ {
			j.See(version.look(30), []Counts{control.look(1)}, 0)
		}
		if looks > 8 {
			t.Errorf("after %d healthy looks it took %d looks", late, looks)
		}
	}
}

func TestTheStakesOfABakeAreAllThereIs(t *testing.T) {
	d := NewDetector(normal(0.001), halfHour)
	for range 5 * halfHour.Looks {
		d.See(Counts{}, 0)
	}
	if w := d.Wealth(); math.Abs(w-1) > 1e-9 {
		t.Errorf("nothing has won %v", w)
	}
}

func TestALimitIsProvedByWhatStaysAQuarterAboveIt(t *testing.T) {
	s := newScene(5, 300, 0.013, 1, 0)
	j := NewJudge(Setup{Bets: halfHour, Limit: 0.01, Limited: true})
	if f, at := finished(j, func() (Counts, Counts) { return s.look(1), Missing }); at == 0 || at > 40 {
		t.Errorf("breached after %d looks: %+v", at, f)
	}
	s = newScene(5, 300, 0.01, 1, 0)
	j = NewJudge(Setup{Bets: halfHour, Limit: 0.01, Limited: true})
	if f, at := finished(j, func() (Counts, Counts) { return s.look(1), Missing }); at != 0 {
		t.Errorf("at the limit it is breached after %d looks: %+v", at, f)
	}
}

// Of a service with much traffic every look has some bad events.
func TestLooksThatAreAsBadAsUsualAreNotBadLooks(t *testing.T) {
	j := NewJudge(Setup{Bets: halfHour, History: normal(0.01), Known: true, Nulls: []Model{normal(0.01)}})
	for range 50 {
		j.See(Counts{Total: 1000, Bad: 10}, nil, 0)
	}
	j.See(Counts{Total: 1000, Bad: 300}, nil, 0)
	if f := j.Finding(); f.BadLooks != 1 {
		t.Errorf("%d looks were bad", f.BadLooks)
	}
}

// The split depends on how two arms of one service differ, not on what a load test says.
func TestALoadTestDoesNotBendTheComparisonWithAControl(t *testing.T) {
	history, load := normal(0.0005), normal(0.01)
	j := NewJudge(Setup{Bets: halfHour, History: history, Known: true, Nulls: []Model{load}, Controls: []Model{history}})
	version, control := newScene(1, 50, 0.001, 1, 0), newScene(2, 50, 0.0005, 1, 0)
	for range 20 {
		j.See(version.look(40), []Counts{control.look(4)}, 0)
	}
	if f := j.Finding(); f.Beside[0].Wealth < enoughAgainst {
		t.Errorf("twenty times worse than the control has won %v", f.Beside[0].Wealth)
	}
}

func TestBesideAControlThatCouldNotTellNothingIsTelling(t *testing.T) {
	model := Fixed(0.01, Model{}, false)
	for rate, telling := range map[float64]bool{0.05: false, 20: true} {
		j := NewJudge(Setup{Bets: halfHour, Controls: []Model{model}})
		version, control := newScene(1, 0.5, 0.001, 1, 0), newScene(2, rate, 0.001, 1, 0)
		if f, _ := finished(j, func() (Counts, Counts) { return version.look(1), control.look(1) }); f.Telling != telling {
			t.Errorf("beside %v requests a second: %+v", rate, f)
		}
	}
}

func TestWithManyFalseAlarmsAllowedAControlIsStillAsked(t *testing.T) {
	model := normal(0.01)
	bets := Bets{Threshold: 4, Looks: 120}
	j := NewJudge(Setup{Bets: bets, History: model, Known: true, Nulls: []Model{model}, Controls: []Model{model}})
	for range 4 {
		j.See(Counts{Total: 100, Bad: 5}, []Counts{{Total: 100, Bad: 5}}, 0)
		if f := j.Finding(); f.Wealth >= bets.Threshold {
			t.Fatalf("%+v", f)
		}
	}
	if !j.Finding().Held {
		t.Errorf("the history has won too little for this test: %+v", j.Finding())
	}
}

func TestAJudgeKeepsAtMostSixtyKilobytes(t *testing.T) {
	model := normal(0.001)
	j := NewJudge(Setup{Bets: halfHour, History: model, Known: true, Nulls: []Model{model}, Controls: []Model{model}, Limit: 0.01, Limited: true})
	for range 5000 {
		j.See(Counts{Total: 100, Bad: 1}, []Counts{{Total: 100}}, 0)
	}
	bytes := uintptr(0)
	for _, d := range []*Detector{j.nulls[0], j.limit, j.effect, j.beside[0].own} {
		bytes += uintptr(cap(d.past))*unsafe.Sizeof(evidence{}) + unsafe.Sizeof(*d)
	}
	bytes += uintptr(cap(j.beside[0].past))*unsafe.Sizeof(Counts{}) + uintptr(cap(j.beside[0].beside))*8
	if bytes > 60_000 {
		t.Errorf("it keeps %d bytes", bytes)
	}
}

func TestAShareAboveTheLimitIsNeverProvedWell(t *testing.T) {
	for name, known := range map[string]bool{"with a history": true, "without": false} {
		s := newScene(5, 300, 0.012, 1, 0)
		j := NewJudge(Setup{Bets: halfHour, History: normal(0.002), Known: known, Limit: 0.01, Limited: true})
		for range 120 {
			if j.See(s.look(1), nil, 0); j.Finding().Proved {
				t.Fatalf("%s: %+v", name, j.Finding())
			}
		}
		s = newScene(6, 300, 0.002, 1, 0)
		j = NewJudge(Setup{Bets: halfHour, History: normal(0.002), Known: known, Limit: 0.01, Limited: true})
		for range 20 {
			j.See(s.look(1), nil, 0)
		}
		if !j.Finding().Proved {
			t.Errorf("%s: far below the limit is not proved", name)
		}
	}
}

func TestAProofIsForgottenAsFastAsItIsDisproved(t *testing.T) {
	s := newScene(6, 2, 0.01, 1, 0)
	w := NewWell(normal(0.01), 0.0125)
	for range 2000 {
		w.See(s.look(1))
	}
	for range 20 {
		w.See(s.look(5))
	}
	if w.Proved() {
		t.Error("five times as bad for five minutes is still called well")
	}
}

// Pods that are shut down fail some requests, and are gone then.
func TestAControlThatSufferedWhileItWasDrainedHoldsNothingBack(t *testing.T) {
	version, control := newScene(1, 20, 0.002, 1, 0), newScene(2, 20, 0.002, 1, 0)
	looks := 0
	f, at := finished(besides(0.002), func() (Counts, Counts) {
		looks++
		switch {
		case looks <= 16:
			return version.look(1), control.look(1)
		case looks <= 20:
			return version.look(1), control.look(50)
		}
		return version.look(50), Counts{}
	})
	if at == 0 || at > 25 || !f.Alone {
		t.Errorf("found after %d looks: %+v", at, f)
	}
}

func TestAShortSilenceOfAQuietControlIsChance(t *testing.T) {
	j := besides(0.001)
	for k := range 80 {
		j.See(Counts{Total: 1}, []Counts{{Total: float64((k / 2) % 2)}}, 0)
	}
	j.See(Counts{Total: 1, Bad: 1}, []Counts{{Total: 1}}, 0)
	for range 5 {
		j.See(Counts{Total: 1, Bad: 1}, []Counts{{}}, 0)
	}
	if look, ok := j.Onset(); look != 80 || !ok {
		t.Fatalf("the onset is at look %d", look)
	}
	if f := j.Finding(); !f.Beside[0].Speaks {
		t.Errorf("%+v", f.Beside[0])
	}
}

func TestWhatIsRememberedExplainsTheWholeWealthHoweverLongTheWatchIs(t *testing.T) {
	s := newScene(3, 1, 0.001, 1, 0)
	d := NewDetector(normal(0.001), halfHour)
	for range 1100 {
		d.See(s.look(1), 0)
	}
	left := make([]float64, len(d.past))
	d.without(0, left) // a window of no length
	for from, w := range left {
		if math.Abs(w/d.wealth[0]-1) > 1e-9 {
			t.Fatalf("without nothing at look %d the wealth is %v, and not %v", from, w, d.wealth[0])
		}
	}
}
