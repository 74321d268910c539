package quality

import (
	"cmp"
	"fmt"
	"math"
	"slices"

	"github.com/bakewatch/bakewatch/watcher/replay/quality/sim"
)

// The targets.
const (
	mostFalse   = 1.0   // of 1000 healthy deployments
	quickEnough = 45.0  // seconds
	overOracle  = 1.5   // times the oracle's delay
	overMisses  = 2.0   // points more than the oracle misses, clean
	overCluster = 10.0  // the same with φ = 4
	smallEffect = 0.005 // the delay is promised from this share of bad requests on
	plainEffect = 0.05  // the speed beside thresholds from this one on
	busy        = 10.0  // and from so many requests a second on
	quicker     = 5.0
	inFull      = 10_000 // healthy runs of a cell of the full form
)

// Figures are the one line at the end.
type Figures struct {
	False, FalseControl    float64 // of 1000 healthy deployments, in the worst cell
	DelayMedian, DelayMost float64 // over the oracle's, or over 30 s where that is less
	Misses                 float64 // points over the oracle's, in the worst cell
	Speedup                float64 // how many times as long thresholds and Mann-Whitney take, median
	SpeedupEach            float64 // the same of those tuned to the very service
	Healthy                int     // runs in the smallest cell that False is taken from
}

func (f Figures) String() string {
	return fmt.Sprintf("quality: false_per_1000_worst=%.2f false_per_1000_control_worst=%.2f delay_over_oracle_median=%.2f delay_over_oracle_worst=%.2f misses_over_oracle_points_worst=%.1f speedup_over_thresholds_median=%.1f healthy_runs_per_cell=%d",
		f.False, f.FalseControl, f.DelayMedian, f.DelayMost, f.Misses, f.Speedup, f.Healthy)
}

// promised are the noises in which false alarms are promised to be few.
var promised = []sim.Noise{sim.Clean, sim.Clusters4, sim.Clusters, sim.Drift}

// Pool puts the services of one noise together: cells with a rate and error rate of 0.
func (r Result) Pool() Result {
	pool := Result{}
	for _, cell := range r.cells() {
		to := cell
		to.Rate, to.P0 = 0, 0
		pool.add(to).Merge(r[cell])
	}
	return pool
}

// cells returns all cells in a fixed order.
func (r Result) cells() []Cell {
	cells := make([]Cell, 0, len(r))
	for c := range r {
		cells = append(cells, c)
	}
	slices.SortFunc(cells, func(a, b Cell) int {
		return cmp.Or(
			cmp.Compare(a.Judge, b.Judge), cmp.Compare(a.Noise, b.Noise), cmp.Compare(a.Control, b.Control),
			cmp.Compare(a.Rate, b.Rate), cmp.Compare(a.P0, b.P0), cmp.Compare(a.Factor, b.Factor),
		)
	})
	return cells
}

// where returns the cells of a judge that fit, in order.
func (r Result) where(judge string, fits func(sim.Case) bool) (cells []Cell) {
	for _, c := range r.cells() {
		if c.Judge == judge && fits(c.Case) {
			cells = append(cells, c)
		}
	}
	return cells
}

// Figures sums it up. Pooled takes false alarms and misses from the services together,
// so that each rests on more runs.
func (r Result) Figures(pooled bool) Figures {
	from := r.from(pooled)
	alone, beside := rareAlone.of(r, pooled), rareBeside.of(r, pooled)
	var f Figures
	f.Healthy = alone.fewest()
	if n := beside.fewest(); n > 0 && (f.Healthy == 0 || n < f.Healthy) {
		f.Healthy = n
	}
	f.False, f.FalseControl = alone.most(), beside.most()
	f.DelayMedian, f.DelayMost = r.delays()
	for _, cell := range from.where(Ours, cleanBad) {
		f.Misses = max(f.Misses, from.missesOver(cell))
	}
	f.Speedup = r.speedup(Documented, ForAll)
	f.SpeedupEach = r.speedup(ForEach)
	return f
}

// from is what false alarms and misses are taken from.
func (r Result) from(pooled bool) Result {
	if pooled {
		return r.Pool()
	}
	return r
}

// most are the false alarms of 1000 healthy deployments in the worst cell.
func (r Result) most() float64 {
	_, worst := r.worst()
	return worst.Per1000()
}

// cleanBad says that delay and misses are promised there.
func cleanBad(c sim.Case) bool {
	return !c.Healthy() && c.Noise == sim.Clean && c.Control == sim.NoControl
}

// clusteredBad says that misses are promised there, beside an oracle that knows the clusters.
func clusteredBad(c sim.Case) bool {
	return !c.Healthy() && c.Noise == sim.Clusters4 && c.Control == sim.NoControl
}

// missesOver is by how many points the cell's judge misses more than the oracle.
func (r Result) missesOver(cell Cell) float64 {
	return 100 * (r[cell].Missed() - r.of(judgedBy(cell, Oracle)).Missed())
}

// delays returns median and largest of how many times the oracle's delay ours is, over
// the cells that both find half of; the oracle's counts for at least 30 s, so that 1.5
// times it is the target.
func (r Result) delays() (median, most float64) {
	var ratios []float64
	for _, cell := range r.where(Ours, func(c sim.Case) bool { return cleanBad(c) && c.P1() >= smallEffect }) {
		best, found := r.of(judgedBy(cell, Oracle)).Delay()
		delay, ok := r[cell].Delay()
		if !found || !ok {
			continue
		}
		ratios = append(ratios, delay/max(quickEnough/overOracle, best))
	}
	return medianOf(ratios), largest(ratios)
}

// speedup is the median of how many times as long as ours thresholds and Mann-Whitney
// take, where traffic and regression are plain; one that misses half counts as a bake.
func (r Result) speedup(sets ...Set) float64 {
	var ratios []float64
	for _, c := range Contenders() {
		if !c.Threshold || !slices.Contains(sets, c.Set) {
			continue
		}
		for _, cell := range r.where(c.Name, func(s sim.Case) bool { return s.Control == c.home() && plain(s) }) {
			own := cell
			own.Judge = Ours
			delay, ok := r.of(own).Delay()
			if !ok {
				continue
			}
			ratios = append(ratios, r.delayOf(cell)/delay)
		}
	}
	return medianOf(ratios)
}

// plain says that every judge should see the regression.
func plain(c sim.Case) bool {
	return !c.Healthy() && c.Noise == sim.Clean && c.Rate >= busy && c.P1() >= plainEffect
}

// home is the control beside which a contender is at its best.
func (c Contender) home() sim.Control {
	if c.Blind || !c.Threshold {
		return sim.NoControl
	}
	return sim.OneToOne
}

// delayOf is the cell's median delay; a whole bake where half are missed.
func (r Result) delayOf(cell Cell) float64 {
	if t, known := r[cell]; known {
		if delay, ok := t.Delay(); ok {
			return delay
		}
	}
	return sim.Bake
}

func medianOf(values []float64) float64 {
	if len(values) == 0 {
		return math.NaN()
	}
	values = slices.Clone(values)
	slices.Sort(values)
	return (values[(len(values)-1)/2] + values[len(values)/2]) / 2
}

func largest(values []float64) float64 {
	if len(values) == 0 {
		return math.NaN()
	}
	return slices.Max(values)
}
