package eprocess

import (
	"math"
	"testing"
)

func TestAHistoryTellsLevelClustersAndDrift(t *testing.T) {
	for name, c := range map[string]struct {
		rate, share, cluster, drift float64
		dispersion                  [2]float64 // between
		slow                        [2]float64
	}{
		"clean":     {20, 0.005, 1, 0, [2]float64{1, 1.4}, [2]float64{0, 0.15}},
		"clustered": {20, 0.005, 4, 0, [2]float64{3, 6}, [2]float64{0, 0.2}},
		"drifting":  {50, 0.01, 1, 0.4, [2]float64{1, 1.6}, [2]float64{0.2, 0.6}},
	} {
		s := newScene(11, c.rate, c.share, c.cluster, c.drift)
		minutes, looks := s.past(1)
		m, ok := Estimate(minutes, looks, usual)
		if !ok || math.Abs(m.Level-c.share) > 0.3*c.share || m.Null < 1.25*m.Level || m.Upper < m.Level {
			t.Errorf("%s: level %+v", name, m)
		}
		if m.Dispersion < c.dispersion[0] || m.Dispersion > c.dispersion[1] || m.Drift < c.slow[0] || m.Drift > c.slow[1] {
			t.Errorf("%s: noise %+v", name, m)
		}
		if m.Blip != 0 || c.cluster > 1 && m.Block != 1 {
			t.Errorf("%s: block of %d looks, blip of %d", name, m.Block, m.Blip)
		}
	}
}

func TestAQuietServiceKeepsItsFewErrors(t *testing.T) {
	s := newScene(12, 0.1, 0.001, 1, 0)
	minutes, looks := s.past(7)
	m, ok := Estimate(minutes, looks, usual)
	if !ok || m.Level < 0.0005 || m.Level > 0.002 {
		t.Errorf("level %+v", m)
	}
}

func TestAServiceWithoutErrorsHasALevelAboveZero(t *testing.T) {
	minutes := make([]Counts, minutesOfDay)
	for i := range minutes {
		minutes[i].Total = 60
	}
	m, ok := Estimate(minutes, nil, usual)
	if !ok || m.Level <= 0 || m.Null <= m.Level || m.Null > 0.001 || m.Block != 4 {
		t.Errorf("%+v", m)
	}
}

func TestOutliersAreLeftOutOfTheLevelAndKnownAsBlips(t *testing.T) {
	s := newScene(13, 20, 0.001, 1, 0)
	minutes, looks := s.past(1)
	calm, _ := Estimate(minutes, looks, usual)
	for _, at := range []int{200, 700, 1200} {
		minutes[at].Bad = 0.3 * minutes[at].Total
		minutes[at+1].Bad = 0.3 * minutes[at+1].Total
	}
	m, _ := Estimate(minutes, looks, usual)
	if math.Abs(m.Level-calm.Level) > 1e-5 || m.Dispersion > calm.Dispersion+0.01 {
		t.Errorf("with blips %+v, without %+v", m, calm)
	}
	if m.Blip != 20 || calm.Blip != 0 {
		t.Errorf("blips of %d looks, and %d without any", m.Blip, calm.Blip)
	}
}

func TestOneBlipIsNoKnownKind(t *testing.T) {
	s := newScene(14, 20, 0.001, 1, 0)
	minutes, looks := s.past(1)
	minutes[500].Bad = 0.3 * minutes[500].Total
	if m, _ := Estimate(minutes, looks, usual); m.Blip != 0 {
		t.Errorf("%+v", m)
	}
}

func TestMinutesThatAreMissingAreGapsAndNotHealth(t *testing.T) {
	s := newScene(15, 20, 0.01, 4, 0)
	minutes, looks := s.past(1)
	whole, _ := Estimate(minutes, looks, usual)
	for i := range minutes {
		if i%3 == 0 {
			minutes[i] = Missing
		}
	}
	m, ok := Estimate(minutes, looks, usual)
	if !ok || math.Abs(m.Level-whole.Level) > 0.2*whole.Level {
		t.Errorf("%+v, whole %+v", m, whole)
	}
	if _, ok := Estimate([]Counts{Missing, Missing, {0, 0}}, nil, usual); ok {
		t.Error("nothing known is taken for a history")
	}
	if _, ok := Estimate(nil, nil, usual); ok {
		t.Error("nothing at all is taken for a history")
	}
}

func TestAServiceThatIsBurningIsNotJudgedAgainstBetterDays(t *testing.T) {
	s := newScene(16, 50, 0.001, 1, 0)
	minutes, looks := s.past(1)
	for i := len(minutes) - 30; i < len(minutes); i++ {
		minutes[i].Bad = math.Round(0.2 * minutes[i].Total)
	}
	if m, _ := Estimate(minutes, looks, usual); m.Null < 0.15 {
		t.Errorf("%+v", m)
	}
}

func TestTheFewestDaysWithEnoughErrorsAreTaken(t *testing.T) {
	minutes := make([]Counts, 7*minutesOfDay)
	for i := range minutes {
		minutes[i] = Counts{Total: 600, Bad: 6}
		if i >= 6*minutesOfDay {
			minutes[i].Bad = 1
		}
	}
	m, _ := Estimate(minutes, nil, usual)
	if math.Abs(m.Level-1.0/600) > 1e-4 {
		t.Errorf("%+v", m)
	}
}

func TestTheNullIsNeverEverything(t *testing.T) {
	minutes := make([]Counts, minutesOfDay)
	for i := range minutes {
		minutes[i] = Counts{Total: 10, Bad: 10}
	}
	if m, _ := Estimate(minutes, minutes, usual); m.Null > highest || math.IsNaN(m.Drift) {
		t.Errorf("%+v", m)
	}
}

func BenchmarkEstimateOfAWeekOfMinutes(b *testing.B) {
	s := newScene(1, 0.5, 0.001, 4, 0.4)
	minutes, looks := s.past(7)
	b.ReportAllocs()
	for b.Loop() {
		Estimate(minutes, looks, usual)
	}
}

func BenchmarkOneLookOfAJudge(b *testing.B) {
	s := newScene(1, 100, 0.01, 4, 0.4)
	var counts []Counts
	for range 120 {
		counts = append(counts, s.look(1))
	}
	model := normal(0.01)
	model.Dispersion = 4
	setup := Setup{Bets: halfHour, History: model, Known: true, Nulls: []Model{model}, Controls: []Model{model}, Limit: 0.05, Limited: true, Matters: 0.02}
	j := NewJudge(setup)
	b.ReportAllocs()
	i := 0
	for b.Loop() {
		if i%120 == 0 { // a bake
			j = NewJudge(setup)
		}
		j.See(counts[i%120], []Counts{counts[(i+7)%120]}, 0)
		j.Finding()
		i++
	}
}
