package eprocess

import (
	"math"
	"math/rand/v2"
	"testing"
)

// weekOf returns a week of minutes of so many pods, of which some crash at these minutes.
func weekOf(pods float64, crashed map[int]float64) []Counts {
	minutes := make([]Counts, 7*minutesOfDay)
	for i := range minutes {
		minutes[i] = Counts{Total: 60 * pods, Bad: crashed[i]}
	}
	return minutes
}

func TestWhatNeverHappenedMayStillHappen(t *testing.T) {
	const seconds = 3 * 7 * 86400.0
	m, ok := EstimateRate(weekOf(3, nil), usual)
	if !ok || m.Level != 0.5/(seconds+1) || m.Block != 1 || m.Blip != 0 {
		t.Errorf("%+v", m)
	}
	if m.Null < m.Upper || m.Upper < 2/seconds || m.Upper > 6/seconds {
		t.Errorf("a week without one is normal up to %v, which is %v in a week", m.Null, m.Null*seconds)
	}
	if _, ok := EstimateRate(nil, usual); ok {
		t.Error("no minutes tell something")
	}
}

// scattered returns so many things that happen in a week, each so many times, minutes apart.
func scattered(things, times, apart int) map[int]float64 {
	random := rand.New(rand.NewPCG(1, 2))
	at := map[int]float64{}
	for range things {
		minute := random.IntN(7*minutesOfDay-60) / run * run
		for i := range times {
			at[minute+i*apart]++
		}
	}
	return at
}

func TestHowRareThingsComeIsLearntFromTheWholeWeek(t *testing.T) {
	for name, test := range map[string]struct {
		crashed map[int]float64
		block   int
	}{
		"one by one":                    {scattered(40, 1, 0), 1},
		"several in a minute":           {scattered(40, 3, 0), looksPerMinute},
		"in runs of minutes":            {scattered(40, 4, 1), run * looksPerMinute},
		"in runs, but a few":            {scattered(4, 4, 1), run * looksPerMinute},
		"one by one, and one run":       {func() map[int]float64 { at := scattered(60, 1, 0); at[3] += 2; return at }(), 1},
		"in runs longer than one takes": {scattered(40, 3, 8), 1}, // five minutes apart they are not told from others
	} {
		m, ok := EstimateRate(weekOf(3, test.crashed), usual)
		if !ok || m.Block != test.block {
			t.Errorf("%s: %d looks belong together, want %d: %+v", name, m.Block, test.block, m)
		}
	}
}

func TestLooksLongerThanAMinuteAreTheRowsOfTheWeek(t *testing.T) {
	scale := usual
	scale.LooksPerMinute, scale.Row = 0.5, 2
	rows := make([]Counts, 7*minutesOfDay/2)
	for i := range rows {
		rows[i].Total = 360
	}
	for i := range 30 {
		rows[100*i].Bad, rows[100*i+1].Bad, rows[100*i+2].Bad = 1, 1, 1
	}
	if m, _ := EstimateRate(rows, scale); m.Block != run {
		t.Errorf("%d looks belong together: %+v", m.Block, m)
	}
}

func TestMinutesWithoutPodsAreGapsInARate(t *testing.T) {
	minutes := weekOf(3, scattered(40, 1, 0))
	whole, _ := EstimateRate(minutes, usual)
	for i := range minutes {
		if i%2 == 0 {
			minutes[i] = Missing
		}
	}
	half, ok := EstimateRate(minutes, usual)
	if !ok || half.Seen.Total != whole.Seen.Total/2 || math.Abs(half.Level/whole.Level-1) > 0.7 {
		t.Errorf("%+v of half of %+v", half, whole)
	}
}

// loopOf is what the judge must be able to see: a restart every five minutes.
const loopOf = 1.0 / 300

// calmLooks returns how many looks at so many calm pods it takes until a loop would have
// been seen, and until it is proved that there is none; 0: more than there are.
func calmLooks(t *testing.T, pods float64) (telling, proved int) {
	t.Helper()
	m, _ := EstimateRate(weekOf(pods, nil), usual)
	j := NewJudge(Setup{Bets: halfHour, History: m, Known: true, Nulls: []Model{m}, Matters: 1.25 * m.Level, Large: loopOf})
	for k := 1; k <= halfHour.Looks; k++ {
		j.See(Counts{Total: 15 * pods}, nil, 0)
		f := j.Finding()
		if f.Telling && telling == 0 {
			telling = k
		}
		if f.Proved && proved == 0 {
			proved = k
		}
	}
	return telling, proved
}

func TestALoopThatCouldNotBeSeenYetIsNotRuledOut(t *testing.T) {
	for pods, test := range map[float64]struct{ telling, proved int }{1: {60, 0}, 3: {20, 50}, 30: {2, 5}} {
		// Three restarts must be due for the first, and none of them be there for the second.
		if telling, proved := calmLooks(t, pods); telling < test.telling || telling > test.telling+2 || proved > test.proved || proved < test.proved-10 {
			t.Errorf("%v pods: it would have been seen after %d looks, want %d, and is ruled out after %d, want %d", pods, telling, test.telling, proved, test.proved)
		}
	}
}

// A service that crashes all day long is judged by that day.
func TestTheFewestDaysWithEnoughAreTakenOfARateToo(t *testing.T) {
	const day = minutesOfDay
	crashed := map[int]float64{}
	for i := range day {
		if crashed[6*day+i] = float64((i + 1) % 2); i%run == 0 {
			crashed[i]++ // of the first day, in runs
			crashed[i+2]++
		}
	}
	m, _ := EstimateRate(weekOf(3, crashed), usual)
	if m.Seen != (Counts{Total: 3 * 86400, Bad: day / 2}) || m.Block != 1 {
		t.Errorf("%+v", m)
	}
}

func TestAStormOfCrashesTellsNothingOfHowTheyUsuallyCome(t *testing.T) {
	crashed := scattered(40, 4, 1) // in runs
	crashed[5000] += 100           // within a minute
	if m, _ := EstimateRate(weekOf(3, crashed), usual); m.Block != run*looksPerMinute || m.Seen.Bad > 160 {
		t.Errorf("%+v", m)
	}
}
