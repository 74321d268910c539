package ours

import (
	"math"

	"github.com/bakewatch/bakewatch/rules"
	"github.com/bakewatch/bakewatch/rules/eprocess"
	"github.com/bakewatch/bakewatch/watcher/replay/quality/sim"
)

// Worse is the share of bad requests up to which a version must be spared by the
// default of worse_by.
func Worse(p float64) float64 { return rules.SmallestMargin.Apply(p) }

// scale is that of the simulation.
var scale = eprocess.Scale{LooksPerMinute: sim.Minute, Worse: Worse}

// past is what was learnt of one service.
type past struct {
	model   eprocess.Model
	known   bool
	already bool // it was bad in the half hour before the deployment
}

func learn(h *sim.History) past {
	looks := convert(h.Looks)
	m, ok := eprocess.Estimate(convert(h.Minutes), looks, scale)
	last := looks[max(0, len(looks)-sim.Bake/sim.Step):]
	return past{m, ok, ok && eprocess.Before(m, last, rules.Threshold(0)) >= rules.Threshold(0)}
}

func convert(counts []sim.Counts) []eprocess.Counts {
	out := make([]eprocess.Counts, len(counts))
	for i, c := range counts {
		out[i] = exact(c)
	}
	return out
}

func exact(c sim.Counts) eprocess.Counts {
	return eprocess.Counts{Total: float64(c.Total), Bad: float64(c.Bad)}
}

// New is the sim.Maker of Bakewatch with one rule, `kind = "error-rate"` without a number.
func New(h *sim.History) func(sim.Case) sim.Judge {
	begin := Of([]*sim.History{h})
	return func(c sim.Case) sim.Judge { return single{begin(c)} }
}

// Of learns the histories of several rules that watch one service.
func Of(histories []*sim.History) func(sim.Case) *Watch {
	own, others := make([]past, len(histories)), make([]past, len(histories))
	for i, h := range histories {
		own[i] = learn(h)
	}
	learnt := false
	return func(c sim.Case) *Watch {
		if c.Control == sim.Other && !learnt {
			learnt = true
			for i, h := range histories {
				others[i] = learn(h.Other())
			}
		}
		w := &Watch{lane: newLane(len(histories)), answers: make([]rules.Answer, len(histories))}
		for i := range histories {
			w.rules = append(w.rules, newRule(c.Control, own[i], others[i]))
		}
		return w
	}
}

// rule is one comparison with what was before and with the control there is.
type rule struct {
	judge   *eprocess.Judge
	control sim.Control
	already bool
	other   past
	version []eprocess.Counts
	others  []eprocess.Counts
	seen    int // looks that arrived and had requests
}

func newRule(control sim.Control, own, other past) *rule {
	setup := eprocess.Setup{
		Bets:    eprocess.Bets{Threshold: rules.Threshold(0), Looks: sim.Looks},
		History: own.model, Known: own.known, Matters: scale.Worse(own.model.Level),
	}
	setup.Borrows = control == sim.Other && other.known
	if own.known {
		setup.Nulls = []eprocess.Model{own.model}
		if control.Parts() > 0 {
			setup.Controls = setup.Nulls // the old version is what the history is of
		}
	}
	return &rule{judge: eprocess.NewJudge(setup), control: control, already: own.already, other: other}
}

// see folds a look. One that did not arrive is Missing to all of it.
func (r *rule) see(l sim.Look) {
	version, raised := eprocess.Missing, 0.0
	controls := []eprocess.Counts{eprocess.Missing}
	if !l.Missed {
		r.version = append(r.version, exact(l.New))
		version, controls[0] = exact(l.New), exact(l.Control)
		r.others = append(r.others, exact(l.Other))
		if l.New.Total > 0 {
			r.seen++
		}
	}
	if r.control == sim.Other && r.other.known {
		raised, _ = eprocess.Raised(r.version, eprocess.Station{Looks: r.others, Normal: r.other.model})
	}
	r.judge.See(version, controls, raised)
}

// answer is what the rule says now, before the tests of the plan are combined.
func (r *rule) answer(a *rules.Answer) {
	f := r.judge.Finding()
	a.Verdict, a.Proved, a.Ceiling, a.AtEnd = rules.Inconclusive, f.Proved, rules.Auto, rules.LowTraffic
	switch {
	case r.seen == 0:
		a.Verdict, a.AtEnd = rules.NoData, rules.NoData
	case f.Suspicious(rules.Threshold(0)):
		a.AtEnd = rules.Inconclusive
	case f.Proved:
		a.Verdict = rules.Healthy
	}
	if f.Telling && a.AtEnd == rules.LowTraffic {
		a.AtEnd = rules.Healthy
	}
	if f.Weak(rules.Threshold(0)) {
		a.Ceiling = rules.Ask
	}
	if r.already {
		a.Attribution.Blame = rules.Ambient
		a.Ceiling = min(a.Ceiling, a.Attribution.Blame.Ceiling())
	}
	if a.Test == nil {
		a.Test = &rules.Test{}
	}
	a.Test.Wealth = f.Wealth
	if math.IsNaN(f.Wealth) {
		a.Test.Wealth = 0
	}
}
