package quality

import (
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
		worlds, histories := make([]*sim.World, len(severalP0s)), make([]*sim.History, len(severalP0s))
		for i, p0 := range severalP0s {
			base := sim.Case{Rate: j.Rate, P0: p0, Factor: 1, Noise: j.Noise}
			worlds[i] = sim.NewWorld(base, c.Seed+uint64(i)+1, uint64(n))
			histories[i] = worlds[i].History
		}
		begin := ours.Of(histories)
		for _, control := range severalControls {
			deployment := sim.Case{Rate: j.Rate, Factor: 1, Noise: j.Noise, Control: control}
			looks := make([][]sim.Look, len(worlds))
			for i, w := range worlds {
				looks[i] = w.Deploy(1, control)
			}
			r.add(Cell{deployment, ThreeRules}).add(together(begin(deployment), looks))
		}
	}
	return r
}

func together(w *ours.Watch, looks [][]sim.Look) (o outcome) {
	now := make([]sim.Look, len(looks))
	for i := range looks[0] {
		for rule := range looks {
			now[rule] = looks[rule][i]
		}
		if w.See(now...) {
			o.look = i + 1
			break
		}
	}
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
