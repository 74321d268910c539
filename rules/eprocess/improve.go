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
