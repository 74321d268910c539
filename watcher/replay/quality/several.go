package quality

import (
	"maps"

	"github.com/bakewatch/bakewatch/watcher/replay/quality/oracle"
	"github.com/bakewatch/bakewatch/watcher/replay/quality/ours"
	"github.com/bakewatch/bakewatch/watcher/replay/quality/sim"
)

// ThreeRules is the contender with three rules in one plan: the false alarms of them together.
const ThreeRules = "bakewatch, three rules"

// severalP0s are the shares of bad events that the rules watch.
var severalP0s = []float64{0.001, 0.01, 0.01}

// severalControls are those that are tried.
var severalControls = []sim.Control{sim.NoControl, sim.OneToOne}

// several judges healthy deployments by three rules on counts of their own. What they
// count is drawn apart, which gives chance the most room.
func (c Config) several(j job) Result {
	r := Result{}
	for n := j.from; n < j.to; n++ {
		worlds := threeWorlds(c.Seed, j.Service, n)
		histories := make([]*sim.History, len(worlds))
		for i, w := range worlds {
			histories[i] = w.History
		}
		begin := ours.Of(histories)
		for _, control := range severalControls {
			deployment := sim.Case{Rate: j.Rate, Factor: 1, Noise: j.Noise, Control: control}
			r.add(Cell{deployment, ThreeRules}).add(together(begin(deployment), deployed(worlds, control)))
		}
	}
	return r
}

// threeWorlds draws what three rules watch of a service.
func threeWorlds(seed uint64, s Service, n int) (worlds []*sim.World) {
	for i, p0 := range severalP0s {
		base := sim.Case{Rate: s.Rate, P0: p0, Factor: 1, Noise: s.Noise}
		worlds = append(worlds, sim.NewWorld(base, seed+uint64(i)+1, uint64(n)))
	}
	return worlds
}

// deployed are the looks at a healthy deployment, by rule.
func deployed(worlds []*sim.World, control sim.Control) (looks [][]sim.Look) {
	for _, w := range worlds {
		looks = append(looks, w.Deploy(1, control))
	}
	return looks
}

// BoundOfThree is the bound of three rules in one plan. Like AnySize it is no contender:
// it is shown the deployments of the cells that it is to explain.
const BoundOfThree = "bound, three rules"

// withBoundOfThree adds what the bound makes of the cells in which three rules together
// alarm more often than promised.
func (r Result) withBoundOfThree(seed uint64, pooled bool) Result {
	all, broken := maps.Clone(r), rareTogether.tooMany(r, pooled)
	for cell, own := range r {
		key := cell
		if pooled {
			key.Rate, key.P0 = 0, 0
		}
		if _, is := broken[key]; is {
			all[judgedBy(cell, BoundOfThree)] = boundOfThree(seed, Service{Rate: cell.Rate, Noise: cell.Noise}, own.Runs)
		}
	}
	return all
}

// boundOfThree waits, as the bound of one rule does, for tenfold errors.
func boundOfThree(seed uint64, s Service, runs int) *Tally {
	t := &Tally{}
	cases, spared := make([]sim.Case, len(severalP0s)), make([]float64, len(severalP0s))
	for i, p0 := range severalP0s {
		cases[i], spared[i] = sim.Case{Rate: s.Rate, P0: p0, Factor: 10, Noise: s.Noise}, ours.Worse(p0)
	}
	for n := range runs {
		bound := oracle.BoundTogether(cases, spared)
		t.add(firstAlarm(deployed(threeWorlds(seed, s, n), sim.NoControl), bound.See))
	}
	return t
}

// firstAlarm shows the looks of several rules until there is an alarm.
func firstAlarm(looks [][]sim.Look, see func([]sim.Look) bool) (o outcome) {
	now := make([]sim.Look, len(looks))
	for i := range looks[0] {
		for rule := range looks {
			now[rule] = looks[rule][i]
		}
		if see(now) {
			o.look = i + 1
			break
		}
	}
	return o
}

func together(w *ours.Watch, looks [][]sim.Look) outcome {
	o := firstAlarm(looks, func(now []sim.Look) bool { return w.See(now...) })
	ending(w, &o)
	return o
}

// Silence shows Bakewatch a day without a scrape after so many deployments, and counts
// those that were rolled back or asked about, and those that passed.
func Silence(seed uint64, deployments int) (accused, passed int) {
	for n := range deployments {
		c := sim.Case{Rate: 10, P0: 0.001, Factor: 1, Noise: sim.Down}
		w := ours.Of([]*sim.History{sim.NewWorld(c, seed, uint64(n)).History})(c)
		for at := sim.Step; at <= sim.Day; at += sim.Step {
			if w.See(sim.Look{At: at, Missed: true}) {
				accused++
				break
			}
		}
		count(&passed, w.End().Passed)
	}
	return accused, passed
}
