package quality

import (
	"fmt"
	"sync"
	"sync/atomic"

	"github.com/bakewatch/bakewatch/watcher/replay/quality/ours"
	"github.com/bakewatch/bakewatch/watcher/replay/quality/sim"
)

// The seeds. What is reported was never seen while anything was tuned.
const (
	TuningSeed    = 20_260_101
	ReportingSeed = 20_260_731
)

// Config says how much is simulated.
type Config struct {
	Seed uint64
	// Runs returns how many healthy deployments are simulated of a service, per control,
	// and how many bad ones per factor (at most as many).
	Runs func(Service) (healthy, bad int)
	// Controls that are tried, out of Healthy and of Bad deployments.
	Healthy, Bad []sim.Control
	// Several is how many healthy deployments of a service are judged by three rules.
	Several func(Service) int
	Workers int
	// Progress is told now and then how many of all services' deployments are done; nil: nobody is.
	Progress func(done, all int)
}

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

// chunk is how many worlds are simulated at a stretch.
const chunk = 50

// job is a stretch of worlds of one service.
type job struct {
	service  Service
	from, to int
	bad      int // worlds below it have bad deployments as well
	several  bool
}

// jobs cuts the work into pieces.
func (c Config) jobs() (jobs []job, all int) {
	cut := func(s Service, runs, bad int, several bool) {
		for from := 0; from < runs; from += chunk {
			jobs = append(jobs, job{s, from, min(from+chunk, runs), bad, several})
		}
		all += runs
	}
	for _, s := range Services() {
		healthy, bad := c.Runs(s)
		cut(s, healthy, bad, false)
		if s.P0 == sim.P0s()[0] && c.Several != nil {
			cut(s, c.Several(s), 0, true)
		}
	}
	return jobs, all
}

// Run simulates everything. The result depends on the seed and the numbers of runs, not on the workers.
func Run(c Config) Result {
	jobs, all := c.jobs()
	results := make([]Result, len(jobs))
	var next, done atomic.Int64
	var workers sync.WaitGroup
	for range max(1, c.Workers) {
		workers.Go(func() {
			for i := int(next.Add(1)) - 1; i < len(jobs); i = int(next.Add(1)) - 1 {
				if jobs[i].several {
					results[i] = c.several(jobs[i])
				} else {
					results[i] = c.simulate(jobs[i])
				}
				if n := done.Add(int64(jobs[i].to - jobs[i].from)); c.Progress != nil {
					c.Progress(int(n), all)
				}
			}
		})
	}
	workers.Wait()
	sum := Result{}
	for _, r := range results { // in order, so that what is kept of a median is the same each time
		for cell, tally := range r {
			sum.add(cell).Merge(tally)
		}
	}
	return sum
}

func (c Config) simulate(j job) Result {
	r := Result{}
	contenders := Contenders()
	for n := j.from; n < j.to; n++ {
		base := sim.Case{Rate: j.service.Rate, P0: j.service.P0, Factor: 1, Noise: j.service.Noise}
		w := sim.NewWorld(base, c.Seed, uint64(n))
		begin := make([]func(sim.Case) sim.Judge, len(contenders))
		for i := range contenders {
			begin[i] = contenders[i].Maker(w.History)
		}
		for _, factor := range sim.Factors() {
			controls := c.Bad
			if factor == 1 {
				controls = c.Healthy
			} else if n >= j.bad {
				break
			}
			for _, control := range controls {
				deployment := base
				deployment.Factor, deployment.Control = factor, control
				r.judge(deployment, w.Deploy(factor, control), contenders, begin)
			}
		}
	}
	return r
}

// judge shows one deployment to all contenders.
func (r Result) judge(c sim.Case, looks []sim.Look, contenders []Contender, begin []func(sim.Case) sim.Judge) {
	for i := range contenders {
		if contenders[i].Blind && c.Control != sim.NoControl {
			continue
		}
		r.add(Cell{c, contenders[i].Name}).add(watch(begin[i](c), looks))
	}
}

// watch shows the looks to a judge until it rolls back.
func watch(j sim.Judge, looks []sim.Look) (o outcome) {
	w, asks := j.(interface{ End() ours.Ended }) // only Bakewatch asks first
	requests := 0
	for i, l := range looks {
		requests += l.New.Total
		if j.See(l) && o.look == 0 {
			o.look, o.requests = i+1, requests
		}
		if o.look > 0 && (!asks || w.End().Decided) {
			o.alone = i + 1
			break
		}
	}
	ending(j, &o)
	return o
}
