package quality

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/bakewatch/bakewatch/watcher/replay/peers"
	"github.com/bakewatch/bakewatch/watcher/replay/quality/sim"
)

// tuning names a peer in front of a service.
type tuning struct {
	peer     string
	rate, p0 float64
}

// tunedSetting returns the setting of a peer for a service; where nothing was tuned, the
// most patient one that is tried.
func (f family) tunedSetting(rate, p0 float64) peers.Setting {
	if s, ok := tunedSettings[tuning{f.Name, rate, p0}]; ok {
		return s
	}
	return f.settings()[0]
}

// settings are all that are tried, the most patient first.
func (f family) settings() (all []peers.Setting) {
	for _, count := range slices.Backward(f.counts) {
		for _, times := range slices.Backward(f.times) {
			all = append(all, peers.Setting{Times: times, Count: count})
		}
	}
	return all
}

// The noises that a tuned setting keeps its false alarms in, taken together.
var tunedNoises = []sim.Noise{sim.Clean, sim.Clusters4, sim.Clusters, sim.Drift}

// tuneFactors are the regressions by which the quickest setting is chosen.
var tuneFactors = []float64{5, 10, 20, 50}

// trial is what a setting did.
type trial struct {
	peers.Setting
	wrong  int
	misery int // seconds to all alarms, a miss being twice a bake
}

// Tune chooses, for each peer, among its settings those that accuse at most one healthy
// deployment in a thousand (of the tuned noises together): for each service the one that
// is quickest with bad versions of it; and for all services the one that keeps to that
// with each of them, and is quickest over all. With none that does, it is the one that
// accuses least. Runs is the number of healthy deployments of a service in each noise.
// The results are the Go sources of settings.go, here and in package peers.
func Tune(seed uint64, runs int, progress func(string)) (each, all string) {
	each = "package quality\n\nimport \"github.com/bakewatch/bakewatch/watcher/replay/peers\"\n\n// tunedSettings are what Tune found on the tuning seed, by peer and service. Written by\n" +
		"// `make quality-tune`; not by hand.\nvar tunedSettings = map[tuning]peers.Setting{\n"
	all = "package peers\n\n// tuned are the settings for all services, by tool. Written by `make quality-tune`; not by hand.\n" +
		"var tuned = map[string]Setting{\n"
	line := func(to *string, key string, best trial) {
		text := fmt.Sprintf("\t%s: {Times: %g, Count: %d}, // %d wrong\n", key, best.Times, best.Count, best.wrong)
		*to += text
		progress(strings.TrimSpace(text))
	}
	for _, f := range families {
		sum := f.trials()
		for _, rate := range sim.Rates() {
			for _, p0 := range sim.P0s() {
				trials := f.tryAll(seed, runs, rate, p0)
				line(&each, fmt.Sprintf("{%q, %g, %g}", f.Name, rate, p0), choose(trials, allowed(runs)))
				for i, t := range trials {
					sum[i].wrong = max(sum[i].wrong, t.wrong)
					sum[i].misery += t.misery
				}
			}
		}
		line(&all, fmt.Sprintf("%q", f.Name), choose(sum, allowed(runs)))
	}
	return each + "}\n", all + "}\n"
}

// allowed is how many false alarms a setting may have in the runs of all tuned noises.
func allowed(runs int) int { return runs * len(tunedNoises) / 1000 }

func (f family) trials() (trials []trial) {
	for _, s := range f.settings() {
		trials = append(trials, trial{Setting: s})
	}
	return trials
}

// choose returns the quickest trial that accuses few enough, or the one that accuses least.
func choose(trials []trial, allowed int) trial {
	return slices.MinFunc(trials, func(a, b trial) int {
		if d := cmp.Compare(max(a.wrong, allowed), max(b.wrong, allowed)); d != 0 {
			return d
		}
		return cmp.Compare(a.misery, b.misery)
	})
}

// tryAll shows deployments of one service to the peer at every setting.
func (f family) tryAll(seed uint64, runs int, rate, p0 float64) []trial {
	trials := f.trials()
	for _, noise := range tunedNoises {
		c := sim.Case{Rate: rate, P0: p0, Factor: 1, Noise: noise, Control: f.control()}
		for n := range runs {
			f.try(trials, c, sim.NewBake(c, seed, uint64(n)))
		}
	}
	for _, factor := range tuneFactors {
		c := sim.Case{Rate: rate, P0: p0, Factor: factor, Noise: sim.Clean, Control: f.control()}
		for n := range max(20, runs/20) {
			f.try(trials, c, sim.NewBake(c, seed, uint64(n)))
		}
	}
	return trials
}

// control is what the peer is tuned beside.
func (f family) control() sim.Control {
	if f.blind {
		return sim.NoControl
	}
	return sim.OneToOne
}

// try shows one deployment to the peer at every setting.
func (f family) try(trials []trial, c sim.Case, w *sim.World) {
	looks, known := w.Deploy(c.Factor, c.Control), learn(w.History)
	known.Level = c.P0
	for i := range trials {
		o := watch(show(f.At(trials[i].Setting), known, c.Control), looks)
		switch {
		case c.Healthy() && o.look > 0:
			trials[i].wrong++
		case c.Healthy():
		case o.look > 0:
			trials[i].misery += o.look * sim.Step
		default:
			trials[i].misery += 2 * sim.Bake
		}
	}
}
