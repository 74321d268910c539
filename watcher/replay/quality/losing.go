package quality

import (
	"fmt"
	"strings"

	"github.com/bakewatch/bakewatch/rules/counting"
	"github.com/bakewatch/bakewatch/watcher/replay/quality/sim"
)

// losing prints every cell in which a target is missed or a peer is better.
func (r Result) losing(w *strings.Builder, pooled bool) {
	rows := r.missed(pooled)
	bad(sim.Clean, func(c sim.Case) {
		if row := r.beaten(c); row != nil {
			rows = append(rows, row)
		}
	})
	w.WriteString("## Losing cells\n\nWhere a target is missed, or a peer that keeps to one false alarm in a thousand in clean traffic, clusters and drift of the service is quicker or misses less. The **bound** is an oracle that must, as plans say by worse_by, spare a version that is 1.25 times worse. It is no limit to every rule: its false alarms are proved to be few, and a limit that is set for one service, whose false alarms were only counted there, can miss less. It explains a cell wholly where ours is within the target of the bound instead of the oracle.\n\n")
	if len(rows) == 0 {
		w.WriteString("None.\n\n")
		return
	}
	table(w, []string{"cell", "what", "bound", "why"}, rows)
}

// missed are the cells that miss a target.
func (r Result) missed(pooled bool) (rows [][]string) {
	from := r.from(pooled)
	for _, cell := range from.promised() {
		t := from[cell]
		if t.Per1000() <= mostFalse {
			continue
		}
		rows = append(rows, []string{describe(cell.Case), "false alarms " + t.alarms(), from.of(boundOf(cell)).alarms(), from.falseness(cell)})
	}
	for _, cell := range r.where(Ours, cleanBad) {
		best, found := r.of(oracleOf(cell)).Delay()
		if found && cell.P1() >= smallEffect && r.delayOf(cell) > max(quickEnough, overOracle*best) {
			rows = append(rows, []string{describe(cell.Case), fmt.Sprintf("delay %s; oracle %.0f s", r[cell].delay(), best), r.of(boundOf(cell)).delay(), r.lateness(cell)})
		}
	}
	rows = append(rows, from.missedMore(cleanBad, overMisses)...)
	return append(rows, from.missedMore(clusteredBad, overCluster)...)
}

// missedMore are the cells in which more than so many points more are missed than the
// oracle misses.
func (r Result) missedMore(promised func(sim.Case) bool, points float64) (rows [][]string) {
	for _, cell := range r.where(Ours, promised) {
		if more := r.missesOver(cell); more > points {
			rows = append(rows, []string{
				describe(cell.Case), fmt.Sprintf("misses %.1f points more than the oracle: %s %%", more, number(100*r[cell].Missed())),
				r.of(boundOf(cell)).delay(), r.blindness(cell, points),
			})
		}
	}
	return rows
}

// lateness says whether the bound explains a delay.
func (r Result) lateness(cell Cell) string {
	if seconds, ok := r.of(boundOf(cell)).Delay(); !ok || r.delayOf(cell) <= max(quickEnough, overOracle*seconds) {
		return "the bound explains it wholly"
	}
	return "the bound does not explain it; " + slowness(cell)
}

// blindness says how many of the points over the oracle's misses the bound explains, if
// it is allowed as many as the oracle is.
func (r Result) blindness(cell Cell, points float64) string {
	over := r.missesOver(cell)
	left := 100 * (r[cell].Missed() - r.of(boundOf(cell)).Missed())
	if left <= points {
		return fmt.Sprintf("the bound explains it wholly: it misses %.1f of these points", over-left)
	}
	return fmt.Sprintf("the bound explains it in part: it misses %.1f of these points; for the rest, %s", over-left, slowness(cell))
}

// slowness is why a cell of ours is slower than the bound.
func slowness(cell Cell) string {
	if cell.Rate == 0 {
		return "at services of little traffic the bound knows the regression it waits for"
	}
	expected := cell.Rate * sim.Bake * cell.P1()
	switch {
	case expected < 20:
		return fmt.Sprintf("%.0f bad requests are expected in the whole bake, and the bound knows both rates", expected)
	case cell.Rate*sim.Step*cell.P1() < 1:
		return "less than one bad request a look, and at least three looks must be bad"
	}
	return "the bound knows both rates; the judge allows for clusters and drift, and three looks must be bad"
}

// falseness is why there are more false alarms than promised.
func (r Result) falseness(cell Cell) string {
	if low, _ := counting.Wilson(r[cell].Alarms, r[cell].Runs); 1000*low <= mostFalse {
		return "chance would explain it: the interval reaches what is promised"
	}
	bound := r.of(boundOf(cell))
	low, _ := counting.Wilson(bound.Alarms, bound.Runs)
	if requests := cell.Rate * sim.Step; cell.Rate > 0 && 1000*low > mostFalse && requests < cell.Noise.Phi() {
		return fmt.Sprintf("more than promised; the bound does not keep it either: with %g requests a look, a dispersion of %g is none of a beta-binomial count", requests, cell.Noise.Phi())
	}
	return "more than promised"
}

// beaten is the row of a clean cell in which a peer that keeps to our false alarms is better.
func (r Result) beaten(c sim.Case) []string {
	own := Cell{c, Ours}
	if r.of(own).Runs == 0 {
		return nil
	}
	var names []string
	best := sim.Bake * 2.0
	for _, contender := range Contenders() {
		cell := Cell{c, contender.Name}
		cell.Control = contender.home()
		if contender.Set == Itself || r.of(cell).Runs == 0 || !r.keeps(contender, c) {
			continue
		}
		quicker := r.delayOf(cell) < r.delayOf(own)
		if quicker || r.of(cell).Missed() < r.of(own).Missed()-overMisses/100 {
			names = append(names, fmt.Sprintf("%s: %s", contender.Name, r.of(cell).delay()))
			best = min(best, r.delayOf(cell))
		}
	}
	if names == nil {
		return nil
	}
	why := "it was set for this very traffic and noise"
	if r.delayOf(own) <= quickEnough {
		why = "three looks must be bad before Bakewatch alarms, so that no two do"
	}
	return []string{describe(c), fmt.Sprintf("bakewatch %s; %s", r.of(own).delay(), strings.Join(names, "; ")), r.of(boundOf(own)).delay(), why}
}

// keeps says whether a contender keeps to one false alarm in a thousand with the
// service, in all promised noises together.
func (r Result) keeps(contender Contender, c sim.Case) bool {
	sum := &Tally{}
	for _, noise := range promised {
		sum.Merge(r.of(Cell{sim.Case{Rate: c.Rate, P0: c.P0, Factor: 1, Noise: noise, Control: contender.home()}, contender.Name}))
	}
	low, _ := counting.Wilson(sum.Alarms, sum.Runs)
	return sum.Runs > 0 && 1000*low <= mostFalse
}

func describe(c sim.Case) string {
	text := fmt.Sprintf("%g/s, %s", c.Rate, percent(c.P0))
	if c.Rate == 0 {
		text = "all services"
	}
	if !c.Healthy() {
		text += fmt.Sprintf(" × %g", c.Factor)
	}
	return fmt.Sprintf("%s, %s, control: %s", text, c.Noise, c.Control)
}
