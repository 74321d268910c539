package rules

import (
	"cmp"
	"math"
	"slices"
	"strconv"
)

// Test is what a rule that bets against "nothing got worse" has won so far.
type Test struct {
	// Wealth is the evidence: 1 at the start, more the better it is explained by
	// something being worse. Never negative; P(ever ≥ w) ≤ 1/w while nothing is worse.
	Wealth float64 `json:"wealth"`
	// Held says that the evidence may not be acted on yet, however much there is, and
	// why: a single blip of a known shape, a control that suffers as well. Empty: it may.
	Held string `json:"held,omitempty"`
	// Needed is the wealth at which the rule is blamed, as the plan's other tests stand.
	// Combine fills it in.
	Needed float64 `json:"needed,omitempty"`
}

// Standing returns what the answer's test stands at when the tests of a plan are taken
// together, before being what it had won when it last had a verdict. Without one now it
// is held: nothing is proved by it, but the other rules' share of the false alarms does
// not grow. Wealth that is no number proves nothing; JSON knows no infinity.
func (a Answer) Standing(before float64) Test {
	test := Test{Wealth: before}
	if a.Test != nil {
		test = *a.Test
	}
	if math.IsNaN(test.Wealth) {
		test.Wealth, test.Held = 0, "its wealth is no number"
	}
	test.Wealth = min(test.Wealth, math.MaxFloat64)
	if test.Held == "" && (a.Test == nil || a.Verdict == NoData || a.Verdict == Blind) {
		test.Held = "no verdict: " + a.Verdict.String()
	}
	return test
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
// always the one with the most wealth. Rules without a test take no part. What each
// test has won, and what it takes, is added to its answer's sentence.
//
// The mean of e-values is an e-value (Vovk and Wang 2021), whatever ties them together.
func Combine(answers []Answer, falseAlarms Chance) {
	var tests []int
	sum := 0.0
	for i := range answers {
		if answers[i].Test != nil {
			tests = append(tests, i)
			sum += answers[i].Test.counts()
		}
	}
	needed := Threshold(falseAlarms)
	together := needed * float64(len(tests))
	slices.SortStableFunc(tests, func(a, b int) int { return cmp.Compare(answers[b].Test.counts(), answers[a].Test.counts()) })
	proved, bar := sum >= together, 0.0
	for rank, i := range tests {
		a := &answers[i]
		if proved || rank == 1 { // once one is not proved, no weaker one is
			bar = needed * float64(len(tests)-rank)
		}
		if rank == 0 {
			bar = 0 // all of them together are what it takes
		}
		won := a.Test.counts()
		a.Test = &Test{Wealth: a.Test.Wealth, Held: a.Test.Held, Needed: max(together-(sum-won), bar)}
		if proved = proved && won >= bar; proved {
			a.Verdict = Breached
		}
		a.weighed()
	}
}

// counts returns the wealth as far as it may be acted on.
func (t *Test) counts() float64 {
	if t.Held != "" || math.IsNaN(t.Wealth) {
		return 0
	}
	return min(t.Wealth, mostWealth)
}

// mostWealth keeps sums finite: what is beyond it is proved beyond any doubt.
const mostWealth = 1e300

// weighed adds to the sentence what the test has won, and what it takes. What is
// proved well says that instead, and where the test is held there is no verdict.
func (a *Answer) weighed() {
	if a.Why == "" || a.Test.Held != "" || a.Proved && a.Verdict != Breached {
		return
	}
	a.Why += "; evidence " + amount(a.Test.Wealth) + ", " + amount(a.Test.Needed) + " is enough"
}

// amount writes evidence: it needs no digits, and grows beyond all bounds.
func amount(wealth float64) string {
	switch {
	case wealth >= 1e6:
		return "over 10^" + strconv.Itoa(int(math.Log10(wealth)))
	case wealth >= 10:
		return strconv.FormatFloat(wealth, 'f', 0, 64)
	}
	return strconv.FormatFloat(wealth, 'g', 2, 64)
}
