package threshold

import (
	"errors"
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

// Value reads a look of one expression that gives one number.
func Value(got []rules.Result) (Look, error) {
	value, present, err := One(got[0], "value")
	if err == nil && !present {
		err = rules.Failed(rules.Empty, "the expression gives nothing")
	}
	return Look{Value: value}, err
}

// Beside reads a look of two counts and of how many series the second has: a missing
// first, which missing then says, is zero only beside a present second.
func Beside(got []rules.Result, first, second string) (part, total float64, missing bool, err error) {
	part, found, errPart := CountOf(got[0], first)
	total, _, errTotal := CountOf(got[1], second)
	_, present, errPresent := CountOf(got[2], "series of "+second)
	if err := errors.Join(errPart, errTotal, errPresent); err != nil {
		return 0, 0, false, err
	}
	if !present {
		return 0, 0, false, rules.Failed(rules.Empty, "no series of %s", second)
	}
	return part, total, !found, nil
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
