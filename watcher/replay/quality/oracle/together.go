package oracle

import (
	"math"

	"github.com/bakewatch/bakewatch/watcher/replay/quality/sim"
)

// Together are the bounds of several rules of one plan, which must keep to one promise:
// they alarm once the mean of their likelihood ratios has reached 1000. The mean of such
// ratios is one as well, whatever ties them together (Vovk and Wang 2021), so that
// P(false alarm) ≤ 1 in 1000.
type Together struct{ each []*run }

// BoundTogether is Bound for several rules, each with its case and what it must spare.
func BoundTogether(cases []sim.Case, spared []float64) Together {
	var t Together
	for i, c := range cases {
		t.each = append(t.each, newBound(c, spared[i]))
	}
	return t
}

// See takes the looks of all rules at one instant, in their order.
func (t Together) See(looks []sim.Look) bool {
	mean := 0.0
	for i, o := range t.each {
		o.add(looks[i])
		mean += math.Exp(o.sum) / float64(len(t.each))
	}
	return mean >= 1/chance
}
