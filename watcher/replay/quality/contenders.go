package quality

import (
	"github.com/bakewatch/bakewatch/rules"
	"github.com/bakewatch/bakewatch/watcher/replay"
	"github.com/bakewatch/bakewatch/watcher/replay/peers"
	"github.com/bakewatch/bakewatch/watcher/replay/quality/oracle"
	"github.com/bakewatch/bakewatch/watcher/replay/quality/ours"
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
		{Name: Oracle, Maker: knowing, Blind: true},
		{Name: Bound, Maker: bound, Blind: true},
	}
	learn := lately(learn)
	for _, f := range families {
		add := func(p replay.Peer, set Set) {
			all = append(all, Contender{Name: p.Name, Maker: shownTo(p.Begin, learn), Blind: f.blind, Threshold: f.threshold, Set: set})
		}
		add(f.Documented(), Documented)
		add(f.Tuned(), ForAll)
		all = append(all, Contender{Name: f.Name + ", tuned to the service", Maker: f.tunedToService(learn), Blind: f.blind, Threshold: f.threshold, Set: ForEach})
	}
	return all
}

// knowing is the oracle: it waits for the regression that there is; for a healthy
// version, for tenfold errors.
func knowing(*sim.History) func(sim.Case) sim.Judge {
	return func(c sim.Case) sim.Judge {
		if c.Healthy() {
			return oracle.For(c, 10)
		}
		return oracle.New(c)
	}
}

// bound waits as the oracle does, and must spare what Bakewatch must spare.
func bound(*sim.History) func(sim.Case) sim.Judge {
	return func(c sim.Case) sim.Judge {
		if c.Healthy() {
			c.Factor = 10
		}
		return oracle.Bound(c, ours.Worse(c.P0))
	}
}

// family is a peer with the settings that are tried.
type family struct {
	peers.Tool
	times     []float64
	counts    []int
	blind     bool
	threshold bool
}

var families = []family{
	{Tool: peers.ArgoRollouts, times: multiples, counts: []int{0, 1, 2, 3, 5, 8}, blind: true, threshold: true},
	{Tool: peers.FluxFlagger, times: multiples, counts: []int{1, 2, 3, 4, 6, 10}, blind: true, threshold: true},
	{Tool: peers.ConsecutiveChecks, times: multiples, counts: []int{0, 1, 2, 3, 5, 10}, blind: true, threshold: true},
	{
		Tool: peers.Kayenta, threshold: true,
		times: []float64{0.05, 0.02, 0.01, 0.005, 0.002, 0.001, 0.0005, 0.0002, 0.0001, 0.00003, 0.00001}, counts: []int{1, 5},
	},
	{
		Tool:  peers.BurnRateAlert, // sees the service: the arms together
		times: []float64{0.05, 0.1, 0.2, 0.3, 0.5, 0.7, 1, 1.5, 2, 3, 5}, counts: []int{1, 2, 4},
	},
}

// multiples are the limits that are tried, in multiples of the service's error rate.
var multiples = []float64{1.5, 2, 2.5, 3, 4, 5, 7, 10, 15, 20, 30, 50, 80, 120, 200, 300, 500, 800}

// tunedToService is the peer set as tuned for the service's own traffic and error rate.
func (f family) tunedToService(learn learner) sim.Maker {
	return func(h *sim.History) func(sim.Case) sim.Judge {
		known := learn(h)
		return func(c sim.Case) sim.Judge {
			return show(f.At(f.tunedSetting(c.Rate, c.P0)), known, c.Control)
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
