package peers

import (
	"math"
	"slices"

	"github.com/bakewatch/bakewatch/watcher/replay/quality/sim"
)

// MannWhitney decides as Kayenta's judge does with one metric that must not increase:
// points of a minute of both arms, a confidence interval of their difference in
// location by the Mann-Whitney test, and a failure when all of it is above a tolerance
// of Tolerance times the absolute Hodges-Lehmann estimate. Points without requests are
// removed, and equal series pass. It looks again every Interval, at all points since
// the deployment. Without another arm the half hour before is the control.
//
// https://netflixtechblog.com/automated-canary-analysis-at-netflix-with-kayenta-3260bc7acc69
// and https://github.com/spinnaker/kayenta/blob/master/docs/canary-config.md; the level
// of 98 % and the tolerance of ¼ are those of its judge.
type MannWhitney struct {
	Level     float64 // of the two-sided confidence interval
	Tolerance float64
	Interval  int // seconds
}

// MannWhitneyDocumented is Kayenta's, run every 5 minutes.
var MannWhitneyDocumented = MannWhitney{Level: 0.98, Tolerance: 0.25, Interval: 300}

// Begin begins to compare, with the minutes before.
func (m MannWhitney) Begin(before []sim.Counts, control sim.Control) sim.Judge {
	run := &whitneyRun{MannWhitney: m, control: control, z: normalQuantile(0.5 + m.Level/2)}
	if control == sim.NoControl {
		for _, c := range before[max(0, len(before)-sim.Bake/60):] {
			run.ranks.addOld(c)
		}
	}
	return run
}

type whitneyRun struct {
	MannWhitney
	control      sim.Control
	z            float64
	minute, rest sim.Counts // of the new arm and the control
	ranks        ranks
}

func (m *whitneyRun) See(l sim.Look) bool {
	m.minute, m.rest = m.minute.Plus(l.New), m.rest.Plus(l.Control).Plus(l.Other)
	if l.At%60 != 0 {
		return false
	}
	m.ranks.addFresh(m.minute)
	if m.control != sim.NoControl {
		m.ranks.addOld(m.rest)
	}
	m.minute, m.rest = sim.Counts{}, sim.Counts{}
	return l.At%m.Interval == 0 && m.high()
}

// high says whether the metric is classified as High.
func (m *whitneyRun) high() bool {
	r := &m.ranks
	if len(r.fresh) == 0 || len(r.old) == 0 || slices.Equal(r.fresh, r.old) {
		return false
	}
	if !r.surelyAbove(m.z) { // then the interval begins at 0 or below
		return false
	}
	lower, estimate := Shift(r.fresh, r.old, m.z)
	return lower > m.Tolerance*math.Abs(estimate)
}

// Shift returns the lower end of the confidence interval of by how much a is above b,
// z being the normal quantile of its level, and the Hodges-Lehmann estimate: the
// median of all differences. The interval is that of the normal approximation, with
// ties corrected (Hollander, Wolfe and Chicken 2013, section 4.3).
func Shift(a, b []float64, z float64) (lower, estimate float64) {
	differences := make([]float64, 0, len(a)*len(b))
	for _, x := range a {
		for _, y := range b {
			differences = append(differences, x-y)
		}
	}
	slices.Sort(differences)
	n := len(differences)
	rank := int(math.Round(float64(n)/2 - z*deviation(a, b)))
	lower = math.Inf(-1)
	if rank >= 1 {
		lower = differences[rank-1]
	}
	return lower, (differences[(n-1)/2] + differences[n/2]) / 2
}

// deviation is the standard deviation of the Mann-Whitney statistic under no difference.
func deviation(a, b []float64) float64 {
	all := slices.Concat(a, b)
	slices.Sort(all)
	return deviationOf(all, len(a), len(b))
}

// normalQuantile is the standard normal's.
func normalQuantile(p float64) float64 { return math.Sqrt2 * math.Erfinv(2*p-1) }
