package quality

import (
	"maps"

	"github.com/bakewatch/bakewatch/watcher/replay/quality/oracle"
	"github.com/bakewatch/bakewatch/watcher/replay/quality/ours"
	"github.com/bakewatch/bakewatch/watcher/replay/quality/sim"
)

// AnySize names the bound that does not know what it waits for. It is no contender:
// what Run simulates stays as it is, and the bound is shown the bad deployments that it
// explains when the report is written.
const AnySize = "bound of any size"

// withAnySize adds the cells of the bound of any size, wherever misses are promised.
func (r Result) withAnySize(seed uint64) Result {
	all := maps.Clone(r)
	for _, own := range r.where(Ours, func(c sim.Case) bool { return cleanBad(c) || clusteredBad(c) }) {
		all[judgedBy(own, AnySize)] = again(seed, own.Case, r[own].Runs, func(c sim.Case) sim.Judge {
			return oracle.AnySize(c, ours.Worse(c.P0))
		})
	}
	return all
}

// again shows another judge the very deployments that those of Run saw in a cell. The
// noise must not reach back into the past, and the judge needs none: it is drawn short.
func again(seed uint64, c sim.Case, runs int, begin func(sim.Case) sim.Judge) *Tally {
	t := &Tally{}
	for n := range runs {
		t.add(watch(begin(c), sim.NewBake(c, seed, uint64(n)).Deploy(c.Factor, c.Control)))
	}
	return t
}
