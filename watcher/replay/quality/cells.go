package quality

import (
	"fmt"

	"github.com/bakewatch/bakewatch/watcher/replay/quality/sim"
)

// Service is a service in one kind of noise: a cell but for the version and the control.
type Service struct {
	Rate, P0 float64
	Noise    sim.Noise
}

// Services are those of the grid.
func Services() (all []Service) {
	for _, noise := range sim.Noises() {
		for _, rate := range sim.Rates() {
			for _, p0 := range sim.P0s() {
				all = append(all, Service{rate, p0, noise})
			}
		}
	}
	return all
}

func (s Service) String() string { return fmt.Sprintf("%g/s p0=%g %s", s.Rate, s.P0, s.Noise) }

// Cell is what is counted together: one kind of deployment, and a judge.
type Cell struct {
	sim.Case
	Judge string
}

// Result are the counts of all cells.
type Result map[Cell]*Tally

// add returns the counts of a cell to count in.
func (r Result) add(c Cell) *Tally {
	if r[c] == nil {
		r[c] = &Tally{}
	}
	return r[c]
}

// of returns the counts of a cell to read.
func (r Result) of(c Cell) *Tally {
	if t := r[c]; t != nil {
		return t
	}
	return &Tally{}
}

func (r Result) merge(o Result) {
	for cell, tally := range o {
		r.add(cell).Merge(tally)
	}
}
