package quality

import (
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
	// Runs returns how many healthy deployments are simulated of a service beside a
	// control, and how many bad ones per factor (at most as many).
	Runs func(Service, sim.Control) (healthy, bad int)
	// Several is how many healthy deployments of a service are judged by three rules; nil: none.
	Several func(Service) int
	Workers int
	// Progress is told now and then how many of all services' deployments are done; nil: nobody is.
	Progress func(done, all int)
	// Kept returns what Keep was given of a part by a run of the same seed and numbers, so
	// that it is not simulated again; nil: nothing is kept. Keep is called by the workers.
	Kept func(Part) (Result, bool)
	Keep func(Part, Result)
}

// Part are all deployments of one service, or all that three rules judge.
type Part struct {
	Service
	Several bool // of the three rules
}

// chunk is how many worlds are simulated at a stretch.
const chunk = 50

// batch is a part at work.
type batch struct {
	Part
	results []Result // of its jobs
	left    atomic.Int64
	sum     Result
}

// job is a stretch of the worlds of one part.
type job struct {
	*batch
	number   int // in the batch
	from, to int
}

// parts are all that there is to simulate; the three rules do not ask for the error rate.
func (c Config) parts() (parts []Part) {
	for _, s := range Services() {
		parts = append(parts, Part{s, false})
		if s.P0 == sim.P0s()[0] && c.Several != nil {
			parts = append(parts, Part{s, true})
		}
	}
	return parts
}

// runs is how many worlds a part takes.
func (c Config) runs(p Part) (most int) {
	if p.Several {
		return c.Several(p.Service)
	}
	for _, control := range sim.Controls() {
		healthy, _ := c.Runs(p.Service, control)
		most = max(most, healthy)
	}
	return most
}

// batches cuts the work into pieces; what was kept is done.
func (c Config) batches() (batches []*batch, jobs []job, all int) {
	for _, p := range c.parts() {
		b := &batch{Part: p}
		batches = append(batches, b)
		if c.Kept != nil {
			if kept, ok := c.Kept(p); ok {
				b.sum = kept
				continue
			}
		}
		runs := c.runs(p)
		for from := 0; from < runs; from += chunk {
			jobs = append(jobs, job{b, len(b.results), from, min(from+chunk, runs)})
			b.results = append(b.results, nil)
		}
		all += runs
		b.left.Store(int64(len(b.results)))
	}
	return batches, jobs, all
}

// Run simulates everything. The result depends on the seed and the numbers of runs, not
// on the workers, nor on what of it was kept.
func Run(c Config) Result {
	batches, jobs, all := c.batches()
	var next, done atomic.Int64
	var workers sync.WaitGroup
	for range max(1, c.Workers) {
		workers.Go(func() {
			for i := int(next.Add(1)) - 1; i < len(jobs); i = int(next.Add(1)) - 1 {
				c.do(jobs[i])
				if n := done.Add(int64(jobs[i].to - jobs[i].from)); c.Progress != nil {
					c.Progress(int(n), all)
				}
			}
		})
	}
	workers.Wait()
	sum := Result{}
	for _, b := range batches {
		sum.merge(b.sum)
	}
	return sum
}

// do does a job; the last of a batch sums up.
func (c Config) do(j job) {
	if j.Several {
		j.results[j.number] = c.several(j)
	} else {
		j.results[j.number] = c.simulate(j)
	}
	if j.left.Add(-1) > 0 {
		return
	}
	j.sum = Result{}
	for _, r := range j.results { // in order, so that what is kept of a median is the same each time
		j.sum.merge(r)
	}
	j.results = nil
	if c.Keep != nil {
		c.Keep(j.Part, j.sum)
	}
}

func (c Config) simulate(j job) Result {
	r := Result{}
	contenders := Contenders()
	for n := j.from; n < j.to; n++ {
		base := sim.Case{Rate: j.Rate, P0: j.P0, Factor: 1, Noise: j.Noise}
		w := sim.NewWorld(base, c.Seed, uint64(n))
		begin := make([]func(sim.Case) sim.Judge, len(contenders))
		for i := range contenders {
			begin[i] = contenders[i].Maker(w.History)
		}
		for _, control := range sim.Controls() {
			healthy, bad := c.Runs(j.Service, control)
			for _, factor := range sim.Factors() {
				if n >= healthy || factor != 1 && n >= bad {
					continue
				}
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
