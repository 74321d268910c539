package quality

import (
	"fmt"
	"strings"

	"github.com/bakewatch/bakewatch/watcher/replay/quality/sim"
)

// bad calls f for every kind of bad deployment in a noise.
func bad(noise sim.Noise, f func(sim.Case)) {
	for _, p0 := range sim.P0s() {
		for _, factor := range sim.Factors()[1:] {
			for _, rate := range sim.Rates() {
				f(sim.Case{Rate: rate, P0: p0, Factor: factor, Noise: noise, Control: sim.NoControl})
			}
		}
	}
}

// detection prints delays and misses of every bad deployment in one noise.
func (r Result) detection(w *strings.Builder, noise sim.Noise) {
	var rows [][]string
	bad(noise, func(c sim.Case) {
		own := r.of(Cell{c, Ours})
		if own.Runs == 0 {
			return
		}
		rows = append(rows, []string{
			fmt.Sprintf("%s → %s", percent(c.P0), percent(c.P1())), fmt.Sprintf("%g", c.Rate),
			own.delay(), number(own.Requests()), r.of(Cell{c, Oracle}).delay(),
			r.best(c, Documented), r.best(c, ForAll), r.best(c, ForEach),
		})
	})
	fmt.Fprintf(w, "## Bad versions, %s, no control\n\nMedian delay, misses, and the requests that the new version had got by then (median). Of the peers the quickest.\n\n", noise)
	table(w, []string{"errors", "requests/s", "bakewatch", "requests", "oracle", "peers, documented", "peers, tuned", "peers, tuned to the service"}, rows)
}

// best names the peer of a set that is the quickest with these deployments, beside the
// control that it needs.
func (r Result) best(c sim.Case, set Set) string {
	name, best, tally := "", 0.0, &Tally{}
	for _, contender := range Contenders() {
		if contender.Set != set {
			continue
		}
		cell := Cell{c, contender.Name}
		cell.Control = contender.home()
		t := r.of(cell)
		if t.Runs == 0 {
			continue
		}
		if score := r.delayOf(cell) + t.Missed(); name == "" || score < best {
			name, best, tally = contender.Name, score, t
		}
	}
	name, _, _ = strings.Cut(name, ",")
	return fmt.Sprintf("%s (%s)", tally.delay(), name)
}

// otherNoises prints what noise does to detection, all services together.
func (r Result) otherNoises(w *strings.Builder) {
	pool := r.Pool()
	head := []string{"noise"}
	for _, f := range sim.Factors()[1:] {
		head = append(head, fmt.Sprintf("× %g", f))
	}
	var rows [][]string
	for _, noise := range sim.Noises() {
		row, seen := []string{string(noise)}, false
		for _, f := range sim.Factors()[1:] {
			cell := Cell{sim.Case{Factor: f, Noise: noise, Control: sim.NoControl}, Ours}
			t := pool.of(cell)
			seen = seen || t.Runs > 0
			row = append(row, fmt.Sprintf("%s (oracle: %s)", t.delay(), pool.of(judgedBy(cell, Oracle)).delay()))
		}
		if seen {
			rows = append(rows, row)
		}
	}
	w.WriteString("## Bad versions, all services together\n\n")
	table(w, head, rows)
}

// withControls prints what a control does to detection, and what an early pass costs.
func (r Result) withControls(w *strings.Builder) {
	pool := r.Pool()
	var rows [][]string
	for _, noise := range sim.Noises() {
		for _, control := range sim.Controls() {
			sum := &Tally{}
			for _, f := range sim.Factors()[1:] {
				sum.Merge(pool.of(Cell{sim.Case{Factor: f, Noise: noise, Control: control}, Ours}))
			}
			if sum.Runs == 0 {
				continue
			}
			rows = append(rows, []string{
				string(noise), string(control), sum.delay(), sum.byItself(),
				number(100*share(sum.Asked, sum.Alarms)) + " %", number(100*share(sum.Early, sum.Runs)) + " %",
			})
		}
	}
	w.WriteString("All factors together: the first alarm; the rollback without asking (without a control that agrees, twelve looks must be bad for that, and people are asked first); alarms that only asked; and bad versions that passed before the end of their bake.\n\n")
	table(w, []string{"noise", "control", "alarm", "rolls back", "only asks", "passed early"}, rows)
}

// byItself writes the median delay of rollbacks that ask nobody.
func (t *Tally) byItself() string {
	if seconds, ok := t.Alone(); ok {
		return fmt.Sprintf("%.0f s", seconds)
	}
	return "–"
}

// unjudged prints how often a healthy version could be neither passed nor accused.
func (r Result) unjudged(w *strings.Builder) {
	head := []string{"noise"}
	for _, rate := range sim.Rates() {
		head = append(head, fmt.Sprintf("%g/s", rate))
	}
	var rows [][]string
	for _, noise := range sim.Noises() {
		row := []string{string(noise)}
		for _, rate := range sim.Rates() {
			sum := &Tally{}
			for _, p0 := range sim.P0s() {
				sum.Merge(r.of(Cell{sim.Case{Rate: rate, P0: p0, Factor: 1, Noise: noise, Control: sim.NoControl}, Ours}))
			}
			row = append(row, fmt.Sprintf("%s %% (%s %%)", number(100*share(sum.Unjudged, sum.Runs)), number(100*share(sum.Early, sum.Runs))))
		}
		rows = append(rows, row)
	}
	w.WriteString("## Healthy versions that were not passed\n\nThe share that ended as low-traffic or without data; in brackets, the share that passed before the end of its bake.\n\n")
	table(w, head, rows)
}
