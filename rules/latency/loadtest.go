package latency

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/bakewatch/bakewatch/rules"
	"github.com/bakewatch/bakewatch/rules/compare"
	"github.com/bakewatch/bakewatch/rules/eprocess"
	"github.com/bakewatch/bakewatch/rules/quantity"
)

// tested is what the rule takes of a load test: how many requests were slow, and,
// where nothing else tells, what slow is, in seconds; 0: something else does.
type tested struct {
	counts  func(mark float64) (eprocess.Counts, bool)
	longest float64
}

// tested reads the load test, if the rule compares with one. Its counts are the most
// that it may have been: a summary knows a few quantiles only.
func (o *Options) tested(setting rules.Setting) (tested, error) {
	test := setting.LoadTest
	if test == nil || !slices.Contains(setting.CompareTo, rules.LoadTest) {
		return tested{}, nil
	}
	slow := func(limit float64) (eprocess.Counts, bool) {
		share, known := test.Slower(limit)
		return eprocess.Counts{Total: test.Requests, Bad: share * test.Requests}, known
	}
	switch alone := len(setting.CompareTo) == 1; {
	case !o.Max.IsZero():
		counts, known := slow(o.Max.Value())
		if !known {
			return tested{}, untold(*test, fmt.Sprintf("how many requests took longer than %s", o.Max), "a larger max, or a summary with lower percentiles")
		}
		return tested{counts: compare.Tested(counts)}, nil
	case alone:
		longest, known := test.At(o.Quantile)
		if !known {
			return tested{}, untold(*test, percentile(o.Quantile), "a lower quantile, max, or a summary with higher percentiles")
		}
		counts := eprocess.Counts{Total: test.Requests, Bad: slower(o.Quantile) * test.Requests}
		return tested{counts: compare.Tested(counts), longest: longest}, nil
	}
	return tested{counts: slow}, nil
}

// untold blames a summary that lacks a quantile.
func untold(test rules.LoadTestSummary, what, wanted string) error {
	var known []string
	for _, q := range test.Slowest {
		known = append(known, fmt.Sprintf("%s (%s)", percentile(q.Quantile), quantity.Format(q.Seconds, quantity.Seconds)))
	}
	knows := "it knows no quantile"
	if len(known) > 0 {
		knows = "it knows " + strings.Join(known, ", ")
	}
	return &rules.FieldError{
		Key: "load_test", Hint: "give " + wanted,
		Err: errors.New(test.File + " does not tell " + what + ": " + knows),
	}
}
