package rules

import (
	"cmp"
	"math"
	"slices"
)

// Test is what a rule that bets against "nothing got worse" has won so far.
type Test struct {
	// Wealth is the evidence: 1 at the start, more the better it is explained by
	// something being worse. Never negative; P(ever ≥ w) ≤ 1/w while nothing is worse.
	Wealth float64 `json:"wealth"`
	// Held says that the evidence may not be acted on yet, however much there is, and
	// why: a single blip of a known shape, a control that suffers as well. Empty: it may.
	Held string `json:"held,omitempty"`
}

// threshold is the wealth at which one rule alone is breached at baseline false alarms.
// That it keeps 1 in 1000 was measured (docs/decision-quality.md): by 300 to 500, one
// request a second with rates that drift or errors in clusters is blamed up to twice as
// often. A bound that needs no measurement, 1/α, would miss more.
const (
	threshold = 700
	baseline  = 1.0 / 1000
)

// Threshold returns the wealth that all tests of a plan must have together, on
// average, for a breach at this chance of a false alarm; 0: the default of 1 in 1000.
func Threshold(falseAlarms Chance) float64 {
	if falseAlarms <= 0 {
		falseAlarms = baseline
	}
	return threshold * baseline / float64(falseAlarms)
}

// Combine marks the answers of one plan whose tests prove a breach, all of them
// together keeping to the chance of a false alarm: breached when the mean of the
// wealths reaches the threshold. Blamed are the rules that Holm's procedure finds, and
// always the one with the most wealth. Rules without a test take no part.
//
// The mean of e-values is an e-value (Vovk and Wang 2021), whatever ties them together.
func Combine(answers []Answer, falseAlarms Chance) {
	var tests []int
	sum := 0.0
	for i := range answers {
		if answers[i].Test == nil {
			continue
		}
		tests = append(tests, i)
		if answers[i].Test.Held == "" {
			sum += answers[i].Test.Wealth
		}
	}
	needed := Threshold(falseAlarms)
	if len(tests) == 0 || !(sum/float64(len(tests)) >= needed) {
		return
	}
	wealth := func(i int) float64 {
		if answers[i].Test.Held != "" {
			return 0
		}
		return answers[i].Test.Wealth
	}
	slices.SortStableFunc(tests, func(a, b int) int { return cmp.Compare(wealth(b), wealth(a)) })
	for rank, i := range tests {
		if rank > 0 && wealth(i) < needed*float64(len(tests)-rank) || math.IsNaN(wealth(i)) {
			return
		}
		answers[i].Verdict = Breached
	}
}
