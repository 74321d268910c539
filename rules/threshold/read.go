package threshold

import (
	"maps"
	"math"
	"slices"
	"strings"

	"github.com/bakewatch/bakewatch/rules"
)

// One returns the number of a result that is meant to have one series; ok is
// false if it has none. Several, or no finite number, are a *rules.SampleError.
func One(result rules.Result, what string) (value float64, ok bool, err error) {
	switch len(result.Samples) {
	case 0:
		return 0, false, nil
	case 1:
		value = result.Samples[0].Value
		return value, true, finite(value, what)
	}
	return 0, false, rules.Failed(rules.Ambiguous, "%s: %d series where one is meant; they differ in %s",
		what, len(result.Samples), strings.Join(differing(result.Samples), ", "))
}

// CountOf is One for counts, which are never negative.
func CountOf(result rules.Result, what string) (value float64, ok bool, err error) {
	value, ok, err = One(result, what)
	if err == nil && value < 0 {
		return 0, false, rules.Failed(rules.NotANumber, "%s: a negative count, %v", what, value)
	}
	return value, ok, err
}

func finite(value float64, what string) error {
	if math.IsNaN(value) || math.IsInf(value, 0) {
		return rules.Failed(rules.NotANumber, "%s: %v is no number to judge", what, value)
	}
	return nil
}

// differing lists the labels whose values are not the same on all samples.
func differing(samples []rules.Sample) []string {
	labels := map[string]bool{}
	for _, sample := range samples[1:] {
		for name := range merged(samples[0].Labels, sample.Labels) {
			if samples[0].Labels[name] != sample.Labels[name] {
				labels[name] = true
			}
		}
	}
	return slices.Sorted(maps.Keys(labels))
}

func merged(a, b map[string]string) map[string]string {
	all := maps.Clone(a)
	if all == nil {
		all = map[string]string{}
	}
	maps.Copy(all, b)
	return all
}
