package oracle

import (
	"math"

	"github.com/bakewatch/bakewatch/watcher/replay/quality/sim"
)

// What AnySize expects. These are the sizes and the stakes that the design gives the
// judge, written down here again: a bound that followed the judge would bound nothing.
const (
	atOnce    = 0.8   // is bet on the first look, the rest spread over the bake
	fewestBad = 3     // looks before an alarm
	most      = 1e100 // is where bets are cut off, to stay numbers; that can only lower the wealth
)

var sizes = [...]float64{2, 4, 10, 30, 100}

// AnySize is a bound for those who know what is normal and do not know what to wait for.
// It knows the rate of the healthy version and how errors cluster, and must spare, as
// Bound must, every version whose rate is at most spared; but not how much worse a
// version is, nor since when. It begins with a wealth of 1 and bets it against "at most
// spared", as likelihood ratios of beta-binomial counts with the true clusters:
//
//	M = unspent + 1/5 Σ R(ρ) over ρ ∈ {2, 4, 10, 30, 100}
//	R(ρ) ← (R(ρ) + stake) · P(x of n | min(ρ·spared, ½ + ½·spared)) / P(x of n | spared)
//
// where R(ρ) begins at 0.8 and each look of a bake is staked an equal part of the other
// 0.2. It alarms once M has ever been 1000 and three looks were worse than spared.
//
// Assumed is that looks are independent and no rate is above spared while a version is to be
// spared. Then M is a nonnegative supermartingale: each factor has a mean of 1 at spared,
// and of less below it, for it grows with x, and more errors are the less likely the
// lower the rate. So P(M ever ≥ 1000) ≤ 1 in 1000 (Ville 1939), and an alarm that waits
// for a third bad look is no likelier.
//
// Every test with such a proof bets like this, by some mixture (Ramdas, Ruf, Larsson and
// Koolen 2020), and none grows faster on average over the sizes and onsets that are
// mixed here (Kelly 1956; Grünwald, de Heide and Koolen 2024). One that stakes more on a
// size is quicker there and slower elsewhere; one whose false alarms were only counted
// needs less than 1000. Three bad looks are asked for in the weakest way: once there are
// three, one of them may have proved it all.
func AnySize(c sim.Case, spared float64) sim.Judge { return newAnySize(c.Noise.Phi(), spared) }

type anySize struct {
	spared, phi float64
	bets        [len(sizes)]float64
	unspent     float64
	left        int // looks that are staked on
	bad         int // looks worse than spared
	proved      bool
}

func newAnySize(phi, spared float64) *anySize {
	a := &anySize{spared: spared, phi: phi, unspent: 1 - atOnce, left: sim.Looks}
	for i := range a.bets {
		a.bets[i] = atOnce
	}
	return a
}

func (a *anySize) See(l sim.Look) bool {
	n, x := float64(l.New.Total), float64(l.New.Bad)
	if x > n*a.spared {
		a.bad++
	}
	stake := a.stake()
	for i, size := range sizes {
		a.bets[i] += stake
		if n > 0 {
			worse := min(size*a.spared, 0.5+0.5*a.spared)
			a.bets[i] = min(most, a.bets[i]*math.Exp(ratio(n, x, worse, a.spared, sim.Spread(n, a.phi))))
		}
	}
	a.proved = a.proved || a.wealth() >= 1/chance
	return a.proved && a.bad >= fewestBad
}

// stake takes from what is unspent the part of one look.
func (a *anySize) stake() float64 {
	if a.left == 0 {
		return 0
	}
	stake := a.unspent / float64(a.left)
	a.left--
	a.unspent -= stake
	return stake
}

func (a *anySize) wealth() float64 {
	sum := 0.0
	for _, bet := range a.bets {
		sum += bet
	}
	return a.unspent + sum/float64(len(sizes))
}
