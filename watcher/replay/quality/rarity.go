package quality

import (
	"fmt"
	"maps"
	"slices"

	"github.com/bakewatch/bakewatch/rules/counting"
	"github.com/bakewatch/bakewatch/watcher/replay/quality/sim"
)

// rarity is a promise that in some cells healthy deployments are seldom blamed.
type rarity struct {
	name   string
	atMost float64 // of 1000 healthy deployments
	in     func(Cell) bool
}

// The first two are those of the one line at the end.
var (
	rareAlone  = rarity{"false alarms, without a control", mostFalse, healthyIn(promised, uncontrolled)}
	rareBeside = rarity{"false alarms, beside a control", mostFalse, healthyIn(promised, controlled)}

	rareTogether = rarity{"three rules together", mostFalse, func(c Cell) bool { return c.Judge == ThreeRules && slices.Contains(promised, c.Noise) }}

	rarities = []rarity{
		rareAlone, rareBeside, rareTogether,
		{"blips, without a control", 5, healthyIn([]sim.Noise{sim.Blips}, uncontrolled)},
		{"blips, beside the old version", 1, healthyIn([]sim.Noise{sim.Blips}, besideOld)},
		{"shared outage beside the old version, ≥ 10/s", 1, healthyIn([]sim.Noise{sim.Outage}, func(c sim.Case) bool { return besideOld(c) && c.Rate >= busy })},
		{"shared outage beside the old version, 1/s", 16, healthyIn([]sim.Noise{sim.Outage}, func(c sim.Case) bool { return besideOld(c) && c.Rate == 1 })},
	}
)

func uncontrolled(c sim.Case) bool { return c.Control == sim.NoControl }
func controlled(c sim.Case) bool   { return c.Control != sim.NoControl }
func besideOld(c sim.Case) bool    { return c.Control.Parts() > 0 }

// healthyIn are the cells of healthy deployments that Bakewatch judged in some noises.
func healthyIn(noises []sim.Noise, fits func(sim.Case) bool) func(Cell) bool {
	return func(c Cell) bool {
		return c.Judge == Ours && c.Healthy() && slices.Contains(noises, c.Noise) && fits(c.Case)
	}
}

// of returns the cells that the promise is about; pooled: each noise and control with all
// its services together, so that it rests on more runs. Where some cells were run in
// full, those are all: a single alarm in a few hundred runs says nothing.
func (p rarity) of(r Result, pooled bool) Result {
	cells, whole := Result{}, Result{}
	for cell, t := range r {
		if p.in(cell) {
			cells[cell] = t
		}
	}
	if pooled {
		cells = cells.Pool()
	}
	for cell, t := range cells {
		if t.Runs >= inFull {
			whole[cell] = t
		}
	}
	if len(whole) > 0 {
		return whole
	}
	return cells
}

// worst are the cell with the most false alarms, and its counts.
func (r Result) worst() (worst Cell, counts *Tally) {
	counts = &Tally{}
	for _, cell := range r.cells() {
		if t := r[cell]; counts.Runs == 0 || t.Per1000() > counts.Per1000() {
			worst, counts = cell, t
		}
	}
	return worst, counts
}

// fewest is how many runs the smallest cell rests on.
func (r Result) fewest() (runs int) {
	for _, t := range r {
		if runs == 0 || t.Runs < runs {
			runs = t.Runs
		}
	}
	return runs
}

// row says whether the promise is kept in its worst cell; nil: nothing was run.
func (p rarity) row(r Result, pooled bool) []string {
	cells := p.of(r, pooled)
	cell, t := cells.worst()
	if t.Runs == 0 {
		return nil
	}
	verdict := "met"
	if t.Per1000() > p.atMost {
		verdict = "**missed**"
		if low, _ := counting.Wilson(t.Alarms, t.Runs); 1000*low <= p.atMost {
			verdict = "too few runs to say"
		}
	}
	measured := fmt.Sprintf("%s, worst of the cells, of %d runs and more", t.alarms(), cells.fewest())
	if t.Alarms > 0 {
		measured += fmt.Sprintf(" (%s)", describe(cell.Case))
	}
	return []string{p.name, fmt.Sprintf("≤ %g in 1,000", p.atMost), measured, verdict}
}

// tooMany are the cells in which the promise is not kept.
func (p rarity) tooMany(r Result, pooled bool) Result {
	cells := p.of(r, pooled)
	maps.DeleteFunc(cells, func(_ Cell, t *Tally) bool { return t.Per1000() <= p.atMost })
	return cells
}

// broken are the rows of the cells in which the promise is not kept.
func (p rarity) broken(r Result, pooled bool) (rows [][]string) {
	cells, all := p.tooMany(r, pooled), r.from(pooled)
	for _, cell := range cells.cells() {
		name := Bound
		if cell.Judge == ThreeRules {
			name = BoundOfThree
		}
		t, bound := cells[cell], all.of(judgedBy(cell, name))
		rows = append(rows, []string{describe(cell.Case), "false alarms " + t.alarms(), bound.alarms(), "–", p.falseness(cell, t, bound)})
	}
	return rows
}

// falseness is why there are more false alarms than promised: where the bound does not
// keep the promise either, that; else chance, if it would do.
func (p rarity) falseness(cell Cell, t, bound *Tally) string {
	low, _ := counting.Wilson(t.Alarms, t.Runs)
	boundLow, _ := counting.Wilson(bound.Alarms, bound.Runs)
	requests := cell.Rate * sim.Step
	switch beyond := 1000*boundLow > p.atMost; {
	case beyond && cell.Noise == sim.Blips:
		return "the bound has more: without a control a blip is a regression that ends"
	case beyond && cell.Noise == sim.Drift:
		return "the bound does not keep it either: it is proved for rates that stay"
	case beyond && cell.Rate > 0 && requests < cell.Noise.Phi():
		return fmt.Sprintf("the bound does not keep it either: with %g requests a look, a dispersion of %g is none of a beta-binomial count", requests, cell.Noise.Phi())
	case 1000*low <= p.atMost:
		return "chance would explain it: the interval reaches what is promised"
	}
	return "more than promised"
}
