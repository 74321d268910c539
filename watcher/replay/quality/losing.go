package quality

import (
	"fmt"
	"strings"

	"github.com/bakewatch/bakewatch/rules"
	"github.com/bakewatch/bakewatch/rules/counting"
	"github.com/bakewatch/bakewatch/watcher/replay/quality/sim"
)

// losing prints every cell in which a target is missed or a peer is better.
func (r Result) losing(w *strings.Builder, p Printed) {
	r = r.withAnySize(p.Seed).withBoundOfThree(p.Seed, p.Pooled)
	rows := r.missed(p.Pooled)
	bad(sim.Clean, func(c sim.Case) {
		if row := r.beaten(c); row != nil {
			rows = append(rows, row)
		}
	})
	fmt.Fprintf(w, losingPreamble, rules.Threshold(0))
	if len(rows) == 0 {
		w.WriteString("None.\n\n")
		return
	}
	table(w, []string{"cell", "what", Bound, AnySize, "why"}, rows)
}

// missed are the cells that miss a target.
func (r Result) missed(pooled bool) (rows [][]string) {
	from := r.from(pooled)
	for _, promise := range rarities {
		rows = append(rows, promise.broken(r, pooled)...)
	}
	for _, cell := range r.where(Ours, cleanBad) {
		oracle := judgedBy(cell, Oracle)
		if cell.P1() >= smallEffect && !r.inTime(cell, oracle) {
			what := fmt.Sprintf("delay %s; oracle %s", r[cell].delay(), r.of(oracle).delay())
			rows = append(rows, r.loser(cell, what, r.lateness(cell)))
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
			what := fmt.Sprintf("misses %.1f points more than the oracle: %s %%", more, number(100*r[cell].Missed()))
			rows = append(rows, r.loser(cell, what, r.blindness(cell, points)))
		}
	}
	return rows
}

// loser is the row of a cell of bad deployments, beside what the bounds make of them.
func (r Result) loser(cell Cell, what, why string) []string {
	return []string{describe(cell.Case), what, r.of(judgedBy(cell, Bound)).delay(), r.of(judgedBy(cell, AnySize)).delay(), why}
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
	return r.loser(own, fmt.Sprintf("bakewatch %s; %s", r.of(own).delay(), strings.Join(names, "; ")), why)
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
	switch {
	case c.Rate == 0:
		text = "all services"
	case c.P0 == 0:
		text = fmt.Sprintf("%g/s, three rules", c.Rate)
	}
	if !c.Healthy() {
		text += fmt.Sprintf(" × %g", c.Factor)
	}
	return fmt.Sprintf("%s, %s, control: %s", text, c.Noise, c.Control)
}
