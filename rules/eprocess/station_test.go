package eprocess

import (
	"math"
	"testing"
)

// borrowing is the setup of a version without a control of its own that borrows another service.
func borrowing(model Model) Setup {
	s := alone(model)
	s.Borrows = true
	return s
}

// station folds the looks of a service that is borrowed.
type station struct{ Station }

func (s *station) raised(look Counts) float64 {
	s.Looks = append(s.Looks, look)
	by, _ := Raised(nil, s.Station)
	return by
}

// busy are the looks of a version with plenty of traffic.
var busy = []Counts{{1e6, 0}}

func TestWhatOthersSufferRaisesTheNull(t *testing.T) {
	others := Station{Looks: []Counts{{100, 0}, {100, 5}, {100, 5}, {100, 5}, {100, 5}}, Normal: normal(0.001)}
	if raised, ok := Raised(busy, others); !ok || raised < 0.05 || raised > 0.1 {
		t.Errorf("raised by %v", raised)
	}
	well := Station{Looks: []Counts{{1e6, 1000}, {1e6, 1000}, {1e6, 1000}, {1e6, 1000}}, Normal: normal(0.001)}
	if raised, ok := Raised(busy, well); !ok || raised > 0.0001 {
		t.Errorf("a healthy service raises by %v", raised)
	}
}

func TestServicesWithoutEnoughEventsRaiseNothing(t *testing.T) {
	for name, stations := range map[string][]Station{
		"none at all":         nil,
		"nothing known":       {{Looks: []Counts{Missing, {0, 0}}, Normal: normal(0.001)}},
		"a few, all bad":      {{Looks: []Counts{{5, 5}, {5, 5}, {5, 5}, {5, 5}}, Normal: normal(0.001)}},
		"many, but long ago":  {{Looks: []Counts{{1000, 900}, Missing, Missing, Missing, Missing}, Normal: normal(0.001)}},
		"two of a few events": {{Looks: []Counts{{10, 10}}, Normal: normal(0.001)}, {Looks: []Counts{{10, 10}}, Normal: normal(0.001)}},
	} {
		if raised, ok := Raised(busy, stations...); ok || raised != 0 {
			t.Errorf("%s: raised by %v", name, raised)
		}
	}
}

func TestAVersionOfFewEventsIsExcusedByAsFew(t *testing.T) {
	other := Station{Looks: []Counts{{2, 1}, {1, 0}, {2, 1}, {1, 0}}, Normal: normal(0.001)}
	for name, test := range map[string]struct {
		version []Counts
		want    bool
	}{
		"as few":             {[]Counts{{2, 0}, {2, 0}, Missing, {2, 0}}, true},
		"many":               {[]Counts{{20, 0}, {20, 0}, {20, 0}, {20, 0}}, false},
		"many, but long ago": {[]Counts{{1e6, 0}, {2, 0}, {2, 0}, {2, 0}, {2, 0}}, true},
	} {
		if _, ok := Raised(test.version, other); ok != test.want {
			t.Errorf("%s: %v", name, ok)
		}
	}
}

// Base rates differ: a service that falls silent must not leave the others' rates for a rise.
func TestServicesOfDifferentRatesAreHeldAgainstTheirOwn(t *testing.T) {
	quiet := Station{Looks: []Counts{{1e6, 1000}}, Normal: normal(0.001)}
	noisy := Station{Looks: []Counts{{1e6, 50000}}, Normal: normal(0.05)}
	for name, stations := range map[string][]Station{"both": {quiet, noisy}, "one is silent": {{Normal: quiet.Normal}, noisy}} {
		if raised, _ := Raised(busy, stations...); raised > 0.001 {
			t.Errorf("%s: raised by %v", name, raised)
		}
	}
	quiet.Looks[0].Bad += 10000
	if raised, _ := Raised(busy, quiet, noisy); math.Abs(raised-1.25*0.005) > 0.0005 {
		t.Errorf("one percent of half of the events raises by %v", raised)
	}
}

func TestASharedOutageIsNoBreachWhereAnotherServiceIsBorrowed(t *testing.T) {
	const runs = 200
	alarms := func(setup Setup) (n, excused int) {
		for seed := range uint64(runs) {
			version, other := newScene(seed, 20, 0.001, 1, 0), &station{Station{Normal: normal(0.001)}}
			elsewhere := newScene(seed+1000, 20, 0.001, 1, 0)
			j, breached := NewJudge(setup), false
			for k := range halfHour.Looks {
				times := 1.0
				if k >= 40 && k < 60 {
					times = 20
				}
				j.See(version.look(times), nil, other.raised(elsewhere.look(times)))
				f := j.Finding()
				breached = breached || f.Wealth >= halfHour.Threshold
				if k == 50 && f.Excused && f.Held && f.Suspicious(halfHour.Threshold) {
					excused++
				}
			}
			if breached {
				n++
			}
		}
		return n, excused
	}
	if n, _ := alarms(alone(normal(0.001))); n < runs*9/10 {
		t.Errorf("without it only %d of %d are blamed: the outage is none", n, runs)
	}
	if n, excused := alarms(borrowing(normal(0.001))); n > 0 || excused < runs*9/10 {
		t.Errorf("%d of %d are blamed, %d excused", n, runs, excused)
	}
}

func TestWhatIsWorseThanTheWeatherIsFound(t *testing.T) {
	for seed := range uint64(50) {
		version, other := newScene(seed, 20, 0.001, 1, 0), &station{Station{Normal: normal(0.001)}}
		elsewhere := newScene(seed+1000, 20, 0.001, 1, 0)
		j, at := NewJudge(borrowing(normal(0.001))), 0
		for k := 0; k < halfHour.Looks && at == 0; k++ {
			j.See(version.look(100), nil, other.raised(elsewhere.look(10)))
			if j.Finding().Wealth >= halfHour.Threshold {
				at = k + 1
			}
		}
		if at == 0 || at > 10 {
			t.Errorf("seed %d: found after %d looks", seed, at)
		}
	}
}

// A control that runs in the same minutes knows better than another service.
func TestAControlOfItsOwnIsNotOverruledByAnotherService(t *testing.T) {
	setup := borrowing(normal(0.001))
	setup.Controls = []Model{normal(0.001)}
	version, control := newScene(1, 20, 0.001, 1, 0), newScene(2, 20, 0.001, 1, 0)
	j, at := NewJudge(setup), 0
	for k := 0; k < 20 && at == 0; k++ {
		j.See(version.look(30), []Counts{control.look(1)}, 0.5)
		if f := j.Finding(); f.Wealth >= halfHour.Threshold && !f.Borrows {
			at = k + 1
		}
	}
	if at == 0 || at > 5 {
		t.Errorf("found after %d looks", at)
	}
}

// The old version serves while the new one is rolled out, and is gone in the middle of an outage.
func TestAnOutageStaysExcusedWhenTheControlIsGone(t *testing.T) {
	for _, borrows := range []bool{false, true} {
		setup := beside(normal(0.001))
		setup.Borrows = borrows
		version, control := newScene(1, 20, 0.001, 1, 0), newScene(2, 20, 0.001, 1, 0)
		elsewhere, other := newScene(3, 20, 0.001, 1, 0), &station{Station{Normal: normal(0.001)}}
		j, breached := NewJudge(setup), false
		for k := range 60 {
			times, beside := 1.0, Missing
			if k >= 10 {
				times = 20
			}
			if k < 15 {
				beside = control.look(times)
			}
			j.See(version.look(times), []Counts{beside}, other.raised(elsewhere.look(times)))
			breached = breached || j.Finding().Wealth >= halfHour.Threshold
		}
		if breached == borrows {
			t.Errorf("borrows: %v, breached: %v", borrows, breached)
		}
	}
}

// What was a week ago does not know the weather of today.
func TestAControlOfAnotherTimeDoesNotKeepFromBorrowing(t *testing.T) {
	for _, elsewhen := range []bool{false, true} {
		setup := beside(normal(0.001))
		setup.Borrows, setup.Elsewhen = true, []bool{elsewhen}
		version, then := newScene(1, 20, 0.001, 1, 0), newScene(2, 20, 0.001, 1, 0)
		elsewhere, other := newScene(3, 20, 0.001, 1, 0), &station{Station{Normal: normal(0.001)}}
		j, breached := NewJudge(setup), false
		for range 60 {
			j.See(version.look(20), []Counts{then.look(1)}, other.raised(elsewhere.look(20)))
			breached = breached || j.Finding().Wealth >= halfHour.Threshold
		}
		if breached == elsewhen {
			t.Errorf("of another time: %v, breached: %v", elsewhen, breached)
		}
	}
}

func TestALimitIsNotRaisedByWhatOthersSuffer(t *testing.T) {
	setup := borrowing(normal(0.001))
	setup.Limit, setup.Limited = 0.005, true
	s, j := newScene(1, 100, 0.02, 1, 0), NewJudge(setup)
	for range 20 {
		j.See(s.look(1), nil, 0.5)
	}
	if f := j.Finding(); f.Limit < halfHour.Threshold || f.History >= halfHour.Threshold || !f.Excused {
		t.Errorf("%+v", f)
	}
}
