package quality

import (
	"github.com/bakewatch/bakewatch/rules"
	"github.com/bakewatch/bakewatch/watcher/replay/quality/ours"
	"github.com/bakewatch/bakewatch/watcher/replay/quality/peers"
	"github.com/bakewatch/bakewatch/watcher/replay/quality/sim"
)

// Contender is a judge of the benchmark.
type Contender struct {
	Name  string
	Maker sim.Maker
	// Blind says that it does not look at a control, so that it is asked without one only.
	Blind bool
	// Set says how its setting was chosen.
	Set Set
	// Threshold says that it is one of "thresholds and Mann-Whitney".
	Threshold bool
}

// Set is how the setting of a peer was chosen.
type Set int

// The ways.
const (
	Itself     Set = iota // it has none
	Documented            // as its documentation has it
	ForAll                // on tuning seeds: the quickest that keeps to our false alarms with every service
	ForEach               // on tuning seeds, for the very traffic, error rate and noise of each service
)

// The contenders that figures name.
const (
	Ours   = "bakewatch"
	Oracle = "oracle"
	Bound  = "bound"
)

// Contenders are all judges, ours first.
func Contenders() []Contender {
	all := []Contender{
		{Name: Ours, Maker: ours.New},
		{Name: Oracle, Maker: oracle, Blind: true},
		{Name: Bound, Maker: bound, Blind: true},
	}
	for _, f := range families {
		all = append(all,
			Contender{Name: f.name, Maker: f.documented, Blind: f.blind, Threshold: f.threshold, Set: Documented},
			Contender{Name: f.name + ", tuned", Maker: f.tuned(false), Blind: f.blind, Threshold: f.threshold, Set: ForAll},
			Contender{Name: f.name + ", tuned to the service", Maker: f.tuned(true), Blind: f.blind, Threshold: f.threshold, Set: ForEach})
	}
	return all
}

// oracle waits for the regression that there is; for a healthy version, for tenfold errors.
func oracle(*sim.History) func(sim.Case) sim.Judge {
	return func(c sim.Case) sim.Judge {
		if c.Healthy() {
			return peers.OracleFor(c, 10)
		}
		return peers.Oracle(c)
	}
}

// bound waits as the oracle does, and must spare what Bakewatch must spare.
func bound(*sim.History) func(sim.Case) sim.Judge {
	return func(c sim.Case) sim.Judge {
		if c.Healthy() {
			c.Factor = 10
		}
		return peers.Bound(c, ours.Worse(c.P0))
	}
}

// Setting is one way to set a peer: a limit in multiples of the service's own error
// rate (of Mann-Whitney: one minus the level), and how many times or how long.
type Setting struct {
	Times float64
	Count int
}

// family is a peer at all its settings.
type family struct {
	name       string
	documented sim.Maker
	learn      func(h *sim.History, base float64) func(c sim.Control, s Setting) sim.Judge
	times      []float64 // that are tried
	counts     []int
	blind      bool
	threshold  bool
}

var families = []family{
	{
		name: "argo rollouts", blind: true, threshold: true,
		documented: always(peers.ArgoDocumented.Begin),
		learn: limit(func(base float64, s Setting) sim.Judge {
			return peers.Argo{Max: base * s.Times, Interval: 60, FailureLimit: s.Count, ConsecutiveErrorLimit: 4}.Begin()
		}),
		times: multiples, counts: []int{0, 1, 2, 3, 5, 8},
	},
	{
		name: "flagger", blind: true, threshold: true,
		documented: always(peers.FlaggerDocumented.Begin),
		learn: limit(func(base float64, s Setting) sim.Judge {
			return peers.Flagger{Max: base * s.Times, Threshold: s.Count}.Begin()
		}),
		times: multiples, counts: []int{1, 2, 3, 4, 6, 10},
	},
	{
		name: "consecutive checks", blind: true, threshold: true,
		documented: always(peers.ConsecutiveDocumented.Begin),
		learn: limit(func(base float64, s Setting) sim.Judge {
			return peers.Consecutive{Max: base * s.Times, Window: 60, For: 60 * s.Count}.Begin()
		}),
		times: multiples, counts: []int{0, 1, 2, 3, 5, 10},
	},
	{
		name: "mann-whitney", threshold: true,
		documented: func(h *sim.History) func(sim.Case) sim.Judge {
			return func(c sim.Case) sim.Judge { return peers.MannWhitneyDocumented.Begin(h.Minutes, c.Control) }
		},
		learn: func(h *sim.History, _ float64) func(sim.Control, Setting) sim.Judge {
			return func(c sim.Control, s Setting) sim.Judge {
				return peers.MannWhitney{Level: 1 - s.Times, Tolerance: 0.25, Interval: 60 * s.Count}.Begin(h.Minutes, c)
			}
		},
		times: []float64{0.05, 0.02, 0.01, 0.005, 0.002, 0.001, 0.0005, 0.0002, 0.0001, 0.00003, 0.00001}, counts: []int{1, 5},
	},
	{
		name: "burn rate", // sees the service: the arms together
		documented: func(h *sim.History) func(sim.Case) sim.Judge {
			base, past := h.Level(), peers.Hours(h.Looks)
			return func(sim.Case) sim.Judge { return peers.BurnRateDocumented(base).Begin(past) }
		},
		learn: func(h *sim.History, base float64) func(sim.Control, Setting) sim.Judge {
			past := peers.Hours(h.Looks)
			return func(_ sim.Control, s Setting) sim.Judge {
				return peers.BurnRate{Budget: base * s.Times, Fast: 14.4, Slow: 6 / float64(s.Count)}.Begin(past)
			}
		},
		times: []float64{0.05, 0.1, 0.2, 0.3, 0.5, 0.7, 1, 1.5, 2, 3, 5}, counts: []int{1, 2, 4},
	},
}

// limit learns nothing but the service's error rate.
func limit(begin func(base float64, s Setting) sim.Judge) func(*sim.History, float64) func(sim.Control, Setting) sim.Judge {
	return func(_ *sim.History, base float64) func(sim.Control, Setting) sim.Judge {
		return func(_ sim.Control, s Setting) sim.Judge { return begin(base, s) }
	}
}

// multiples are the limits that are tried, in multiples of the service's error rate.
var multiples = []float64{1.5, 2, 2.5, 3, 4, 5, 7, 10, 15, 20, 30, 50, 80, 120, 200, 300, 500, 800}

func always(begin func() sim.Judge) sim.Maker {
	return func(*sim.History) func(sim.Case) sim.Judge {
		return func(sim.Case) sim.Judge { return begin() }
	}
}

// tuned is the peer set as tuned: for the service's own traffic and error rate, or for all.
func (f family) tuned(each bool) sim.Maker {
	return func(h *sim.History) func(sim.Case) sim.Judge {
		begin, all := f.learn(h, h.Level()), tunedSetting(f.name, 0, 0)
		return func(c sim.Case) sim.Judge {
			if each {
				return begin(c.Control, tunedSetting(f.name, c.Rate, c.P0))
			}
			return begin(c.Control, all)
		}
	}
}

// ending reads from a judge of ours how the watch ended.
func ending(j any, o *outcome) {
	w, ok := j.(interface{ End() ours.Ended })
	if !ok {
		return
	}
	end := w.End()
	o.early = end.Early
	o.unjudged = o.look == 0 && !end.Passed && end.Verdict != rules.Healthy
}
