package peers

import "github.com/bakewatch/bakewatch/watcher/replay/quality/sim"

// Past is the sum of all looks before a deployment up to each of them, from nothing on.
// Judges of several deployments share it.
type Past []sim.Counts

// Sum sums looks for judges that remember what was before.
func Sum(before []sim.Counts) Past {
	p := make(Past, 1, len(before)+1)
	for i, c := range before {
		p = append(p, p[i].Plus(c))
	}
	return p
}

// window sums the counts of the last looks, as rate() over a range does.
type window struct {
	past    Past
	sums    []sim.Counts // up to each look since, the past included
	arrived []int        // scrapes up to each of them, likewise
}

func newWindow(past Past) *window {
	if past == nil {
		past = Sum(nil)
	}
	return &window{past: past, sums: make([]sim.Counts, 0, sim.Looks), arrived: make([]int, 0, sim.Looks)}
}

func (w *window) add(c sim.Counts, missed bool) {
	sum, seen := w.upTo(w.looks())
	if !missed {
		seen++
	}
	w.sums, w.arrived = append(w.sums, sum.Plus(c)), append(w.arrived, seen)
}

// looks is how many there are, those of the past included.
func (w *window) looks() int { return len(w.past) - 1 + len(w.sums) }

// upTo returns what was counted, and how many scrapes arrived, in the first looks.
func (w *window) upTo(look int) (sum sim.Counts, arrived int) {
	if look < len(w.past) {
		return w.past[look], look
	}
	i := look - len(w.past)
	return w.sums[i], w.arrived[i]
}

// last returns the counts of the last looks and how many scrapes of them arrived; of
// fewer where there are not that many.
func (w *window) last(looks int) (c sim.Counts, scrapes int) {
	n := w.looks()
	before, missing := w.upTo(max(0, n-looks))
	all, arrived := w.upTo(n)
	return sim.Counts{Total: all.Total - before.Total, Bad: all.Bad - before.Bad}, arrived - missing
}
