package promql

import (
	"fmt"
	"maps"
	"math"
	"slices"

	"github.com/prometheus/prometheus/model/labels"

	"github.com/bakewatch/bakewatch/rules"
)

// instance is the label by which Prometheus tells scraped targets apart.
const instance = "instance"

// CountBy returns the exact count over the span before the look, by instance.
func (s Series) CountBy(span rules.Duration) string {
	return fmt.Sprintf("sum by (%s) (%s)", instance, s.restrict(s.counter().increase(span)))
}

// Rest is the arm of the service's other versions, or of its other slot; told is false
// where they cannot be told from the deployment's.
func (s Scope) Rest(d rules.Deployment, selectors ...*Selector) (a Arm, told bool) {
	for _, selector := range selectors {
		if !s.tellsRest(selector, d) {
			return Arm{}, false
		}
	}
	return Arm{Deployment: d, Rest: true}, len(selectors) > 0
}

func (s Scope) tellsRest(selector *Selector, d rules.Deployment) bool {
	switch {
	case selector.Uses("version"), selector.Uses("slot"), d.Strategy == rules.FeatureToggle:
		return false
	case s.version != "":
		return !selector.Settles(s.version)
	case s.join != nil:
		return true
	}
	other, missing := s.otherSlot(d)
	return missing == "" && !slices.ContainsFunc(s.slots[other.Deployment.Slot], func(m *labels.Matcher) bool { return selector.Settles(m.Name) })
}

// rest returns the selector's series that belong to the arm that Rest returned.
func (s Scope) rest(selector *Selector, d rules.Deployment) Series {
	switch {
	case s.version != "":
		other := labels.MustNewMatcher(labels.MatchNotEqual, s.version, "$version")
		return Series{selector: selector.Where(s.match...).and(other)}
	case s.join != nil:
		return Series{selector: selector.Where(s.match...), only: s.others()}
	}
	other, _ := s.otherSlot(d)
	return s.Series(selector, other.Deployment)
}

// BucketsBy returns the exact counts of the classic buckets over the span, by
// instance and le.
func (h Histogram) BucketsBy(span rules.Duration) string {
	return fmt.Sprintf("sum by (%s, le) (%s)", instance, h.increaseOfBuckets(span))
}

// TotalBy returns the exact count of all observations of the native histogram over
// the span, by instance; WithinBy those that are at most limit.
func (h Histogram) TotalBy(span rules.Duration) string {
	return fmt.Sprintf("sum by (%s) (%s)", instance, h.increaseOfAll(span))
}

// WithinBy is Within over the span, by instance.
func (h Histogram) WithinBy(limit float64, span rules.Duration) string {
	return fmt.Sprintf("sum by (%s) (%s)", instance, h.increaseWithin(limit, span))
}

// InstanceOf returns the instance that a sample is of.
func InstanceOf(s rules.Sample) string { return s.Labels[instance] }

// ByInstance adds up counts by instance. What is no count is a *rules.SampleError.
func ByInstance(result rules.Result) (map[string]float64, error) {
	counts := map[string]float64{}
	for _, sample := range result.Samples {
		if math.IsNaN(sample.Value) || math.IsInf(sample.Value, 0) {
			return nil, rules.Failed(rules.NotANumber, "instance %q counts %v", InstanceOf(sample), sample.Value)
		}
		counts[InstanceOf(sample)] += max(sample.Value, 0) // rounding may make a share of a histogram a little less than nothing
	}
	return counts, nil
}

// Instances pairs the counts of bad and of all events, sorted by name.
func Instances(bad, total map[string]float64) []rules.Instance {
	all := make([]rules.Instance, 0, len(total))
	for _, name := range slices.Sorted(maps.Keys(total)) {
		all = append(all, rules.Instance{Name: name, Bad: bad[name], Total: total[name]})
	}
	return all
}
