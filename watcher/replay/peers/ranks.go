package peers

import (
	"math"
	"slices"

	"github.com/bakewatch/bakewatch/watcher/replay"
)

// ranks are the points of two arms, with the Mann-Whitney statistic kept up as they come.
type ranks struct {
	fresh, old []float64
	sorted     []float64 // all of them
	above      float64   // pairs in which the fresh one is above, a tie being half of one
}

// addFresh adds a minute of the new arm, if it had requests.
func (r *ranks) addFresh(c replay.Counts) {
	x, ok := c.Share()
	if !ok {
		return
	}
	for _, y := range r.old {
		r.above += above(x, y)
	}
	r.fresh = append(r.fresh, x)
	r.rank(x)
}

// addOld adds one of the control.
func (r *ranks) addOld(c replay.Counts) {
	y, ok := c.Share()
	if !ok {
		return
	}
	for _, x := range r.fresh {
		r.above += above(x, y)
	}
	r.old = append(r.old, y)
	r.rank(y)
}

func above(x, y float64) float64 {
	switch {
	case x > y:
		return 1
	case x == y:
		return 0.5
	}
	return 0
}

func (r *ranks) rank(x float64) {
	at, _ := slices.BinarySearch(r.sorted, x)
	r.sorted = slices.Insert(r.sorted, at, x)
}

// surelyAbove says whether the rank test alone rejects, z > 0 being the quantile of its level.
func (r *ranks) surelyAbove(z float64) bool {
	n, m := len(r.fresh), len(r.old)
	excess := r.above - float64(n)*float64(m)/2
	return excess > -1 && excess > z*deviationOf(r.sorted, n, m)-1
}

// deviationOf is the standard deviation of the statistic of n and m points, which are
// all of the sorted ones.
func deviationOf(sorted []float64, n, m int) float64 {
	ties := 0.0
	for i := 0; i < len(sorted); {
		j := i
		for j < len(sorted) && sorted[j] == sorted[i] {
			j++
		}
		t := float64(j - i)
		ties += t*t*t - t
		i = j
	}
	k := float64(len(sorted))
	return math.Sqrt(float64(n) * float64(m) / 12 * (k + 1 - ties/(k*(k-1))))
}
