package eprocess

import "math"

// Askable says whether an improvement on something can be asked for.
type Askable uint8

// The answers.
const (
	// CanAsk: it can.
	CanAsk Askable = iota
	// OutOfReach: it is so good already that nothing could be as much better.
	OutOfReach
	// TooVague: too little is known of it, or it varies too much by itself, to tell an
	// improvement from none, whatever the traffic.
	TooVague
)

// visible is how far, as a power of the factor that is asked for, "unchanged" must be
// from "improved" for the smallest of the bets to win by it.
const visible = 0.3

// Improved returns the model whose null is the least improvement that is asked for on
// what is surely as before. Better returns the level that is just so much better than p.
func (m Model) Improved(better func(p float64) float64) (Model, Askable) {
	out := m
	out.Null = max(lowestLevel, min(highest, better(m.edge())))
	switch unchanged := m.unchanged(); {
	case !m.reachable(better(unchanged)):
		return out, OutOfReach
	case m.timesWorse(unchanged, out.Null) < math.Pow(out.improvement(), visible):
		return out, TooVague
	}
	return out, CanAsk
}

// reachable says whether a version can be so good.
func (m Model) reachable(share float64) bool {
	if m.Fewer {
		return share <= highest
	}
	return share > lowestLevel
}

// timesWorse returns how many times worse one share is than another.
func (m Model) timesWorse(one, than float64) float64 {
	if m.Fewer {
		return than / one
	}
	return one / than
}

// improvement returns how many times better than before the null of an improved model
// is; at least 1.
func (m Model) improvement() float64 {
	return min(mostImprovement, max(1, m.timesWorse(m.edge(), m.Null)))
}

// edge is within what has a logarithm.
func (m Model) edge() float64 { return max(lowestLevel, min(highest, m.Edge)) }

// unchanged returns the share of a version that changes nothing.
func (m Model) unchanged() float64 {
	if m.Seen.Total > 0 {
		return (m.Seen.Bad + 0.5) / (m.Seen.Total + 1)
	}
	return max(lowestLevel, m.Level)
}

// best returns the best share that may have been usual, by what is known.
func (m Model) best() float64 {
	best := m.unchanged()
	switch known := m.Seen.Total > 0; {
	case known && m.Fewer:
		best = max(best, upperOf(m.Seen, m.Dispersion, cautious))
	case known:
		best = min(best, lowerOf(m.Seen, m.Dispersion, cautious))
	}
	drift := math.Exp(1.64 * m.Drift)
	if m.Fewer {
		return min(highest, best*drift)
	}
	return max(lowestLevel, best/drift)
}

// mostImprovement bounds the factor of an improvement.
const mostImprovement = 1e3

// improvementBets are how many times worse than the improvement by the factor is bet on:
// half of it (by its logarithm), unchanged, and worse than before.
func improvementBets(factor float64) *[sizes]float64 {
	return &[sizes]float64{math.Sqrt(factor), factor, factor * factor, 2 * factor, 6 * factor}
}

// splitBets are the same of the bets beside a control.
func splitBets(factor float64) [len(ratios)]float64 {
	return [...]float64{math.Sqrt(factor), factor, 2 * factor, 6 * factor}
}

// asked is how much better than a control beside it a version must be. Where points are
// asked for, how many times better that is depends on the control's share, which only
// what was seen of it tells.
type asked struct {
	better func(p float64) float64
	factor float64 // in this block; at least 1
}

// least sets the factor to what is surely asked for, as bets that it is missed need it.
func (a *asked) least(m Model, control Counts) {
	a.set(m, min(highest, upperOf(control, m.Dispersion, sure)))
}

// most sets the factor to the most that may be asked for, as a proof of it needs it.
func (a *asked) most(m Model, control Counts) {
	a.set(m, lowerOf(control, m.Dispersion, cautious))
}

func (a *asked) set(m Model, share float64) {
	share = max(lowestLevel, share)
	a.factor = min(mostImprovement, max(1, m.timesWorse(share, max(lowestLevel, a.better(share)))))
}

// partner is a control beside the version that it must be better than.
type partner struct {
	*Versus         // bets that it is not
	proof   *lead   // bets that it is
	effect  *Versus // what would be seen of no change in this traffic
	// Of the looks at which both are known.
	version, control Counts
	normal           bool // it is known how the control used to be
}

func newPartner(s Setup, version, control Model) *partner {
	p := &partner{Versus: NewVersus(version, control, s.Bets), effect: NewVersus(version, control, s.Bets), normal: s.Known}
	p.effect.own = nil
	p.asked, p.effect.asked = &asked{s.Better, 1}, &asked{s.Better, 1}
	p.proof = &lead{model: version, asked: asked{s.Better, 1}}
	return p
}

// expect folds one look for all but the bets themselves, which the judge folds.
func (p *partner) expect(version, control Counts) {
	if !version.Known() || !control.Known() {
		p.effect.See(version, control)
		return
	}
	p.proof.See(version, control, p.control)
	p.version, p.control = p.version.plus(version), p.control.plus(control)
	share := p.control.share()
	p.effect.See(Counts{version.Total, version.Total * share}, Counts{control.Total, control.Total * share})
}

// thin says that the control has so little traffic beside the version that not even no
// change at all would show, up to now.
func (p *partner) thin() bool {
	return p.control.Total < thinShare*p.version.Total && p.effect.Wealth() < enoughAgainst && p.Wealth() < enoughAgainst
}

// short says that the version is not as much better in all.
func (p *partner) short() bool {
	return p.version.Total > 0 && p.model.timesWorse(p.version.share(), p.asked.better(p.control.share())) > 1
}

// standing is what the control shows, by the onset that the detector sees.
func (p *partner) standing(d *Detector) Beside {
	b := Beside{Seen: p.Seen(), Wealth: p.Wealth(), Speaks: p.Speaks(d), Shared: p.normal && p.Suffers()}
	switch {
	case !b.Speaks:
	case !p.model.reachable(p.asked.better(p.control.share())):
		b.Speaks, b.Beyond = false, true
	case p.thin():
		b.Speaks, b.Thin = false, true
	}
	return b
}

// lead bets that the version is as much better than a control as is asked, and as much
// again: the ratio test of Well, on how the events are split.
type lead struct {
	model        Model
	asked        asked
	block, other Counts
	filled       int
	proof
}

// enoughToLead is how many events of a control tell how good it is. Points asked of one
// that had fewer could be any number of times better.
const enoughToLead = 30

// See folds one look at both arms, both of them known. Seen is what was seen of the
// control before it.
func (l *lead) See(version, control, seen Counts) {
	if seen.Bad < enoughToLead {
		return
	}
	if l.filled == 0 || l.filled >= max(1, l.model.Block) {
		l.block, l.other, l.filled, l.before = Counts{}, Counts{}, 0, 0
		l.asked.most(l.model, seen)
	}
	l.filled++
	l.block, l.other = l.block.plus(version), l.other.plus(control)
	if l.block.Total == 0 || l.other.Total == 0 {
		return
	}
	events := Counts{Bad: l.block.Bad, Total: l.block.Bad + l.other.Bad}
	split := func(better float64) float64 { return l.model.split(1/better, l.block, l.other) }
	l.add(logRatio(events, split(l.asked.factor*l.asked.factor), split(l.asked.factor), precision(events.Total, l.model.Dispersion)))
}
