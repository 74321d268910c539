package eprocess

import "math"

const (
	// wrongPass is how often a version with the smallest effect that matters may be
	// called well before its bake is over.
	wrongPass = 0.01
	// atLeastLooks are needed for a proof: no look may add more than a quarter of it.
	atLeastLooks = 4
)

// Well bets that the version is not worse by the smallest effect that matters: a
// sequential probability ratio test (Wald 1945), made cautious of clusters and drift.
type Well struct {
	model     Model
	good, bad float64 // shares
	block     Counts
	filled    int
	total     float64
	known     int
	proof
}

// proof adds up what blocks of looks say for a version.
type proof struct {
	before float64 // of the block, up to the last look
	sum    float64
}

// add adds what the block says with one more look. What was proved is forgotten as fast
// as it can be disproved: a version that was well in a small stage must prove it anew
// under load.
func (p *proof) add(logRatio float64) {
	const atMost = 1.0 / atLeastLooks
	p.sum = min((1+atMost)*math.Log(1/wrongPass), p.sum+min(atMost*math.Log(1/wrongPass), logRatio-p.before))
	p.before = logRatio
}

// Proved says whether the version is proved well.
func (p *proof) Proved() bool { return p.sum >= math.Log(1/wrongPass) }

// NewWell begins the bets. Matters returns the level that is worse than p by the
// smallest effect that matters; it is at least twice the null, or at most half of it.
func NewWell(m Model, matters float64) *Well {
	if m.Fewer {
		bad := min(matters, m.Null/2) * math.Exp(1.64*m.Drift)
		bad = max(lowestLevel, min(bad, m.Upper/1.5))
		return &Well{model: m, bad: bad, good: max(bad*1.01, min(m.Level, 10*bad, highest))}
	}
	bad := min(0.9, max(matters, 2*m.Null)) * math.Exp(-1.64*m.Drift)
	bad = min(highest, max(bad, 1.5*m.Upper))
	return &Well{model: m, bad: bad, good: min(bad*0.99, max(m.Level, 0.1*bad))}
}

// newWellBelow begins the bets that the version keeps a limit, with the noise of the
// model: that it does not reach it, and not that it stays below twice the limit.
func newWellBelow(limit float64, m Model) *Well {
	if m.Fewer {
		return &Well{model: m, bad: limit, good: min((1+limit)/2, max(2*limit, min(m.Level, 10*limit)))}
	}
	return &Well{model: m, bad: limit, good: min(limit/2, max(m.Level, limit/10))}
}

// newWellImproved begins the bets that the version is as much better than before as is
// asked, however good it may have been before; false if that can never be proved.
func newWellImproved(m Model, better func(p float64) float64) (*Well, bool) {
	before := m.best()
	bad := better(before)
	if !m.reachable(bad) {
		return nil, false
	}
	return &Well{model: m, bad: bad, good: max(lowestLevel, min(bad*bad/before, (1+bad)/2))}, true
}

// See folds one look.
func (w *Well) See(c Counts) {
	if !c.Known() {
		return
	}
	if w.filled >= max(1, w.model.Block) {
		w.block, w.filled, w.before = Counts{}, 0, 0
	}
	w.filled++
	w.known++
	w.total += c.Total
	w.block = w.block.plus(c)
	mean := w.total / float64(w.known)
	w.add(logRatio(w.block, w.good, w.bad, precision(float64(max(1, w.model.Block))*mean, w.model.Dispersion)))
}
