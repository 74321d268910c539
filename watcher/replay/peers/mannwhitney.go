package peers

import (
	"math"
	"slices"
	"time"

	"github.com/bakewatch/bakewatch/watcher/replay"
)

// MannWhitney decides as Kayenta's judge does with one metric that must not increase:
// points of a minute of both arms, a confidence interval of their difference in
// location by the Mann-Whitney test, and a failure when all of it is above a tolerance
// of Tolerance times the absolute Hodges-Lehmann estimate. Points without requests are
// removed, and equal series pass. It looks again every Interval, at all points since
// the deployment. Without another arm the half hour before is the control, as with
// Kayenta's controlOffsetInMinutes: all of it from the beginning, which is more than a
// window that grows would have read by then. Of several metrics, each must pass.
//
// https://netflixtechblog.com/automated-canary-analysis-at-netflix-with-kayenta-3260bc7acc69
// and https://github.com/spinnaker/kayenta/blob/master/docs/canary-config.md; the level
// of 98 % and the tolerance of ¼ are those of its judge.
type MannWhitney struct {
	Level     float64 // of the two-sided confidence interval
	Tolerance float64
	Interval  time.Duration
}

// MannWhitneyDocumented is Kayenta's, run every 5 minutes.
var MannWhitneyDocumented = MannWhitney{Level: 0.98, Tolerance: 0.25, Interval: 5 * time.Minute}

// How long a point is, and the control where that is the past.
const (
	point    = time.Minute
	baseline = 30 * time.Minute
)

// Beside begins to compare with a control beside the new version.
func (m MannWhitney) Beside(step time.Duration) Judge {
	run := m.run(step)
	run.beside = true
	return run
}

// After begins to compare with the half hour before, at looks that were as far apart; it
// returns nil where that holds no request.
func (m MannWhitney) After(step time.Duration, past replay.Past) Judge {
	run := m.run(step)
	n, in := past.Looks(), looks(point, step)
	most := max(1, looks(baseline, step)/in)
	for to := max(n-most*in, n%in) + in; to <= n; to += in {
		until, _ := past.UpTo(to)
		before, _ := past.UpTo(to - in)
		run.ranks.addOld(until.Minus(before))
	}
	if len(run.ranks.old) == 0 {
		return nil
	}
	return run
}

func (m MannWhitney) run(step time.Duration) *whitneyRun {
	return &whitneyRun{
		MannWhitney: m, step: step, z: normalQuantile(0.5 + m.Level/2),
		points: newTimer(time.Duration(looks(point, step)) * step), runs: newTimer(m.Interval),
	}
}

type whitneyRun struct {
	MannWhitney
	step, at     time.Duration // between looks; since the deployment
	beside       bool
	z            float64
	points, runs timer
	fresh, old   replay.Counts // since the last point
	ranks        ranks
}

func (m *whitneyRun) See(l replay.Seen) bool {
	m.at += m.step
	m.fresh, m.old = m.fresh.Plus(l.New), m.old.Plus(l.Control)
	if !m.points.due(m.at) {
		return false
	}
	m.ranks.addFresh(m.fresh)
	if m.beside {
		m.ranks.addOld(m.old)
	}
	m.fresh, m.old = replay.Counts{}, replay.Counts{}
	return m.runs.due(m.at) && m.high()
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
