package quality

import (
	"fmt"
	"slices"
	"strings"

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
	w.WriteString("## Losing cells\n\nWhere a target is missed, or a peer that keeps to one false alarm in a thousand in clean traffic, clusters and drift of the service is quicker or misses less.\n\n")
	if len(rows) == 0 {
		w.WriteString("None.\n\n")
		return
	}
	table(w, []string{"cell", "what", "why"}, rows)
}

// missed are the cells that miss a target.
func (r Result) missed(pooled bool) (rows [][]string) {
	from := r
	if pooled {
		from = r.Pool()
	}
	for _, cell := range from.where(Ours, func(c sim.Case) bool { return c.Healthy() && slices.Contains(promised, c.Noise) }) {
		t := from[cell]
		if t.Per1000() <= mostFalse {
			continue
		}
		why := "more than promised"
		if low, _ := Wilson(t.Alarms, t.Runs); 1000*low <= mostFalse {
			why = "chance would explain it: the interval reaches what is promised"
		}
		rows = append(rows, []string{describe(cell.Case), "false alarms " + t.alarms(), why})
	}
	for _, cell := range r.where(Ours, cleanBad) {
		best, found := r.of(oracleOf(cell)).Delay()
		if found && cell.P1() >= smallEffect && r.delayOf(cell) > max(quickEnough, overOracle*best) {
			rows = append(rows, []string{describe(cell.Case), fmt.Sprintf("delay %s; oracle %.0f s", r[cell].delay(), best), r.slowness(cell)})
		}
	}
	for _, cell := range from.where(Ours, cleanBad) {
		if more := from.missesOver(cell); more > overMisses {
			rows = append(rows, []string{describe(cell.Case), fmt.Sprintf("misses %.1f points more than the oracle", more), from.slowness(cell)})
		}
	}
	return rows
}

// slowness is why a cell of ours is slower than the oracle, by a bound on what it holds.
func (r Result) slowness(cell Cell) string {
	if cell.Rate == 0 {
		return "services of little traffic: the oracle knows the regression it waits for"
	}
	expected := cell.Rate * sim.Bake * cell.P1()
	switch {
	case expected < 20:
		return fmt.Sprintf("%.0f bad requests in the whole bake; the oracle knows the rate it waits for", expected)
	case cell.Rate*sim.Step*cell.P1() < 1:
		return "less than one bad request a look, and at least three looks must be bad"
	}
	return "the oracle knows both rates; the judge allows for clusters and drift"
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
	return []string{describe(c), fmt.Sprintf("bakewatch %s; %s", r.of(own).delay(), strings.Join(names, "; ")), why}
}

// keeps says whether a contender keeps to one false alarm in a thousand with the
// service, in all promised noises together.
func (r Result) keeps(contender Contender, c sim.Case) bool {
	sum := &Tally{}
	for _, noise := range promised {
		sum.Merge(r.of(Cell{sim.Case{Rate: c.Rate, P0: c.P0, Factor: 1, Noise: noise, Control: contender.home()}, contender.Name}))
	}
	low, _ := Wilson(sum.Alarms, sum.Runs)
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
