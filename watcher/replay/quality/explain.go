package quality

import (
	"fmt"
	"strings"

	"github.com/bakewatch/bakewatch/watcher/replay/quality/sim"
)

// bounds are what losing cells are held against, what knows more first.
var bounds = []string{Bound, AnySize}

// judgedBy is the cell of another judge on the same deployments; oracles are asked without a control.
func judgedBy(cell Cell, judge string) Cell {
	return Cell{sim.Case{Rate: cell.Rate, P0: cell.P0, Factor: cell.Factor, Noise: cell.Noise, Control: sim.NoControl}, judge}
}

// inTime says whether the cell's median delay is within the target beside that of
// another; where that one misses half, every delay is.
func (r Result) inTime(cell, other Cell) bool {
	seconds, found := r.of(other).Delay()
	return !found || r.delayOf(cell) <= latest(seconds)
}

// latest is the target for a delay where a judge that knows more takes so many seconds.
func latest(seconds float64) float64 { return max(quickEnough, overOracle*seconds) }

// lateness says which bound explains a delay, or how much the last one leaves.
func (r Result) lateness(cell Cell) string {
	for _, name := range bounds {
		if b := judgedBy(cell, name); r.of(b).Runs > 0 && r.inTime(cell, b) {
			return fmt.Sprintf("the %s explains it wholly", name)
		}
	}
	seconds, _ := r.of(judgedBy(cell, AnySize)).Delay()
	return fmt.Sprintf("no bound explains it: it is %.0f s over what the %s allows", r.delayOf(cell)-latest(seconds), AnySize)
}

// blindness says how many of the points over the oracle's misses each bound explains, if
// it is allowed as many as the oracle is, up to the first that explains all.
func (r Result) blindness(cell Cell, points float64) string {
	var parts []string
	over, left := r.missesOver(cell), 0.0
	for _, name := range bounds {
		b := r.of(judgedBy(cell, name))
		if b.Runs == 0 {
			continue
		}
		left = 100 * (r[cell].Missed() - b.Missed())
		if left <= points {
			return strings.Join(append(parts, fmt.Sprintf("the %s explains it wholly: it misses %s", name, pointsOf(over, left))), "; ")
		}
		parts = append(parts, fmt.Sprintf("the %s misses %s", name, pointsOf(over, left)))
	}
	return fmt.Sprintf("%s; %.1f points are left over what that allows", strings.Join(parts, "; "), left-points)
}

// pointsOf writes how many of the points over the oracle's misses a bound misses as well,
// which leaves so many.
func pointsOf(over, left float64) string {
	if left <= 0 {
		return "all of these points"
	}
	return fmt.Sprintf("%.1f of these points", over-left)
}
