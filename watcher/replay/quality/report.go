package quality

import (
	"fmt"
	"math"
	"strings"

	"github.com/bakewatch/bakewatch/rules/counting"
	"github.com/bakewatch/bakewatch/watcher/replay/quality/sim"
)

// Printed says how a result came about.
type Printed struct {
	Command string
	Seed    uint64
	Pooled  bool
	// Accused and Passed are those of Silence, of Silent deployments.
	Accused, Passed, Silent int
}

// Report writes a result as Markdown.
func (r Result) Report(p Printed) string {
	w := &strings.Builder{}
	w.WriteString(preamble)
	fmt.Fprintf(w, "Printed by `%s`, seed %d (tuning: %d).\n\n", p.Command, p.Seed, uint64(TuningSeed))
	r.simulated(w)
	r.targets(w, p)
	r.falseAlarms(w)
	r.peersFalse(w)
	if !p.Pooled {
		r.everyService(w)
	}
	for _, noise := range []sim.Noise{sim.Clean, sim.Clusters4} {
		r.detection(w, noise)
	}
	r.otherNoises(w)
	r.withControls(w)
	r.unjudged(w)
	r.losing(w, p)
	return w.String()
}

// table writes a Markdown table.
func table(w *strings.Builder, head []string, rows [][]string) {
	line := func(cells []string) { fmt.Fprintf(w, "| %s |\n", strings.Join(cells, " | ")) }
	line(head)
	w.WriteString("|" + strings.Repeat("---|", len(head)) + "\n")
	for _, row := range rows {
		line(row)
	}
	w.WriteString("\n")
}

// alarms writes the alarms of a thousand, with their interval.
func (t *Tally) alarms() string {
	if t.Runs == 0 {
		return "–"
	}
	low, high := counting.Wilson(t.Alarms, t.Runs)
	return fmt.Sprintf("%s (%s–%s)", number(t.Per1000()), number(1000*low), number(1000*high))
}

// number writes two significant digits.
func number(v float64) string {
	switch {
	case v == 0:
		return "0"
	case v < 10:
		return fmt.Sprintf("%.1f", v)
	}
	return fmt.Sprintf("%.0f", v)
}

func percent(p float64) string { return fmt.Sprintf("%.4g %%", 100*p) }

// delay writes the median delay and the misses.
func (t *Tally) delay() string {
	if t.Runs == 0 {
		return "–"
	}
	text := "–"
	if seconds, ok := t.Delay(); ok {
		text = fmt.Sprintf("%.0f s", seconds)
	}
	if missed := t.Missed(); missed > 0 {
		text += fmt.Sprintf(", %s %% missed", number(100*missed))
	}
	return text
}

// targets prints the promises.
func (r Result) targets(w *strings.Builder, p Printed) {
	f := r.Figures(p.Pooled)
	met := func(ok bool) string {
		if ok {
			return "met"
		}
		return "**missed**"
	}
	var rows [][]string
	for _, promise := range rarities {
		if row := promise.row(r, p.Pooled); row != nil {
			rows = append(rows, row)
		}
	}
	late, slow := r.tooLate()
	rows = append(rows, [][]string{
		{"median delay, clean, p₁ ≥ 0.5 %", "≤ max(45 s, 1.5 × oracle)", fmt.Sprintf("%d of %d cells later; over the oracle (30 s at least): median %.2f, most %.2f", late, slow, f.DelayMedian, f.DelayMost), met(late == 0)},
		{"misses, clean", "≤ oracle + 2 points", fmt.Sprintf("oracle %+.1f in the worst cell", f.Misses), met(f.Misses <= overMisses)},
		{"misses, φ = 4", "≤ oracle + 10 points", fmt.Sprintf("oracle %+.1f in the worst cell", r.clusteredMisses(p.Pooled)), met(r.clusteredMisses(p.Pooled) <= overCluster)},
		{"beside thresholds and Mann-Whitney, p₁ ≥ 5 %, ≥ 10/s", "≥ 5 × faster", fmt.Sprintf("%.1f × (documented and tuned, median); %.1f × where tuned to the service", f.Speedup, f.SpeedupEach), met(f.Speedup >= quicker)},
		{"Prometheus silent for 24 h", "0 rollbacks, 0 passes", fmt.Sprintf("%d and %d of %d", p.Accused, p.Passed, p.Silent), met(p.Accused+p.Passed == 0)},
	}...)
	w.WriteString("## Targets\n\n")
	table(w, []string{"target", "figure", "measured", ""}, rows)
}

// tooLate counts the clean cells that are later than promised, and all of them.
func (r Result) tooLate() (late, all int) {
	for _, cell := range r.where(Ours, func(c sim.Case) bool { return cleanBad(c) && c.P1() >= smallEffect }) {
		oracle := judgedBy(cell, Oracle)
		if _, found := r.of(oracle).Delay(); !found {
			continue
		}
		all++
		count(&late, !r.inTime(cell, oracle))
	}
	return late, all
}

func (r Result) clusteredMisses(pooled bool) float64 {
	r = r.from(pooled)
	most := math.Inf(-1)
	for _, cell := range r.where(Ours, clusteredBad) {
		most = max(most, r.missesOver(cell))
	}
	return most
}

// falseAlarms prints ours by noise and control.
func (r Result) falseAlarms(w *strings.Builder) {
	pool := r.Pool()
	var rows [][]string
	for _, noise := range sim.Noises() {
		row := []string{string(noise)}
		for _, control := range sim.Controls() {
			row = append(row, pool.of(Cell{sim.Case{Factor: 1, Noise: noise, Control: control}, Ours}).alarms())
		}
		row = append(row, pool.of(Cell{sim.Case{Factor: 1, Noise: noise}, ThreeRules}).alarms())
		for _, control := range severalControls[:1] {
			row[len(row)-1] = pool.of(Cell{sim.Case{Factor: 1, Noise: noise, Control: control}, ThreeRules}).alarms()
		}
		rows = append(rows, row)
	}
	w.WriteString("## False alarms of 1,000 healthy deployments\n\nAll services together, with 95 % intervals (Wilson).\n\n")
	table(w, []string{"noise", "no control", "1:1", "9:1", "other service", "three rules, no control"}, rows)
	w.WriteString(kinds)
}

// peersFalse prints all judges' false alarms beside what they look at.
func (r Result) peersFalse(w *strings.Builder) {
	pool := r.Pool()
	head := []string{"judge"}
	for _, n := range sim.Noises() {
		head = append(head, string(n))
	}
	var rows [][]string
	for _, c := range Contenders() {
		row := []string{c.Name}
		for _, noise := range sim.Noises() {
			row = append(row, number(pool.of(Cell{sim.Case{Factor: 1, Noise: noise, Control: c.home()}, c.Name}).Per1000()))
		}
		rows = append(rows, row)
	}
	w.WriteString("The same of all judges; Mann-Whitney beside a 1:1 control, the others without one.\n\n")
	table(w, head, rows)
}

// everyService prints ours for each service where something is promised.
func (r Result) everyService(w *strings.Builder) {
	w.WriteString("### Each service\n\n")
	head := []string{"noise", "control"}
	for _, rate := range sim.Rates() {
		for _, p0 := range sim.P0s() {
			head = append(head, fmt.Sprintf("%g/s, %s", rate, percent(p0)))
		}
	}
	var rows [][]string
	for _, noise := range sim.Noises() {
		for _, control := range sim.Controls() {
			row := []string{string(noise), string(control)}
			for _, rate := range sim.Rates() {
				for _, p0 := range sim.P0s() {
					row = append(row, r.of(Cell{sim.Case{Rate: rate, P0: p0, Factor: 1, Noise: noise, Control: control}, Ours}).alarms())
				}
			}
			rows = append(rows, row)
		}
	}
	table(w, head, rows)
}
