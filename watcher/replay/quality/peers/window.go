package peers

import "github.com/bakewatch/bakewatch/watcher/replay/quality/sim"

// window sums the counts of the last looks, as rate() over a range does.
type window struct {
	sums    []sim.Counts // up to each look, from before the first one on
	arrived []int        // scrapes up to each look
}

func newWindow(before []sim.Counts) *window {
	w := &window{sums: make([]sim.Counts, 1, len(before)+sim.Looks+1), arrived: make([]int, 1, len(before)+sim.Looks+1)}
	for _, c := range before {
		w.add(c, false)
	}
	return w
}

func (w *window) add(c sim.Counts, missed bool) {
	n := len(w.sums) - 1
	w.sums = append(w.sums, w.sums[n].Plus(c))
	seen := w.arrived[n]
	if !missed {
		seen++
	}
	w.arrived = append(w.arrived, seen)
}

// last returns the counts of the last looks and how many scrapes of them arrived; of
// fewer where there are not that many.
func (w *window) last(looks int) (c sim.Counts, scrapes int) {
	n := len(w.sums) - 1
	from := max(0, n-looks)
	a, b := w.sums[from], w.sums[n]
	return sim.Counts{Total: b.Total - a.Total, Bad: b.Bad - a.Bad}, w.arrived[n] - w.arrived[from]
}
