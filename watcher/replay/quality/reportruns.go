package quality

import (
	"fmt"
	"strings"

	"github.com/bakewatch/bakewatch/watcher/replay/quality/sim"
)

// simulated prints what was simulated in full, and how much of the rest.
func (r Result) simulated(w *strings.Builder) {
	w.WriteString("## What was simulated\n\n")
	if whole := r.whole(); whole != "" {
		fmt.Fprintf(w, "In full, by at least 10,000 healthy deployments of each service: %s. All else rests on fewer.\n\n", whole)
	} else {
		w.WriteString("A little of everything: where services are taken together, intervals say how much that is worth.\n\n")
	}
	w.WriteString("Deployments of each service: healthy ones, and bad ones of each factor.\n\n")
	head := []string{"noise"}
	for _, c := range sim.Controls() {
		head = append(head, heading(c))
	}
	var rows [][]string
	for _, noise := range sim.Noises() {
		row := []string{string(noise)}
		for _, c := range sim.Controls() {
			healthy := r.runs(noise, c, sim.Factors()[0])
			bad := r.runs(noise, c, sim.Factors()[1])
			row = append(row, fmt.Sprintf("%s and %s", healthy, bad))
		}
		rows = append(rows, append(row, r.severalRuns(noise)))
	}
	table(w, append(head, "three rules"), rows)
}

func heading(c sim.Control) string {
	if c == sim.NoControl {
		return "no control"
	}
	return string(c)
}

// span are the fewest and the most runs of some cells.
type span struct{ least, most int }

func (s span) String() string {
	if s.least == s.most {
		return fmt.Sprint(s.least)
	}
	return fmt.Sprintf("%d–%d", s.least, s.most)
}

func (s *span) add(runs int, first bool) {
	if first {
		s.least = runs
	}
	s.least, s.most = min(s.least, runs), max(s.most, runs)
}

// runs are those of the services in one noise, beside one control.
func (r Result) runs(noise sim.Noise, control sim.Control, factor float64) (s span) {
	for i, service := range services(noise) {
		s.add(r.of(Cell{sim.Case{Rate: service.Rate, P0: service.P0, Factor: factor, Noise: noise, Control: control}, Ours}).Runs, i == 0)
	}
	return s
}

func (r Result) severalRuns(noise sim.Noise) string {
	var s span
	for i, rate := range sim.Rates() {
		s.add(r.of(Cell{sim.Case{Rate: rate, Factor: 1, Noise: noise, Control: severalControls[0]}, ThreeRules}).Runs, i == 0)
	}
	return s.String()
}

func services(noise sim.Noise) (all []Service) {
	for _, s := range Services() {
		if s.Noise == noise {
			all = append(all, s)
		}
	}
	return all
}

// whole names the noises, by control, that were run in full with every service, and the
// services where only some were.
func (r Result) whole() string {
	var parts []string
	for _, control := range sim.Controls() {
		var names []string
		for _, noise := range sim.Noises() {
			if name := r.wholeOf(noise, control); name != "" {
				names = append(names, name)
			}
		}
		if names != nil {
			parts = append(parts, fmt.Sprintf("control %s: %s", control, strings.Join(names, ", ")))
		}
	}
	return strings.Join(parts, "; ")
}

func (r Result) wholeOf(noise sim.Noise, control sim.Control) string {
	var some []string
	all := services(noise)
	for _, s := range all {
		if r.of(Cell{sim.Case{Rate: s.Rate, P0: s.P0, Factor: 1, Noise: noise, Control: control}, Ours}).Runs >= inFull {
			some = append(some, fmt.Sprintf("%g/s with %s", s.Rate, percent(s.P0)))
		}
	}
	switch len(some) {
	case 0:
		return ""
	case len(all):
		return string(noise)
	}
	return fmt.Sprintf("%s (only %s)", noise, strings.Join(some, " and "))
}
