package promql

import (
	"fmt"
	"strconv"

	"github.com/bakewatch/bakewatch/rules"
)

// Histogram is one histogram of one deployment. A plan need not say whether it is
// classic or native, and a fleet may be both: a series counts as native where it
// is, for that knows the limit, and by its classic buckets elsewhere.
type Histogram struct {
	buckets Series // of the classic histogram, where it is not native as well
	all     Series // its last bucket, which counts everything
	native  Series
}

// Histogram returns the histogram of the selector that belongs to the arm.
func (s Scope) Histogram(selector *Selector, a Arm) Histogram {
	buckets := selector.Named(selector.Metric() + "_bucket")
	h := Histogram{
		buckets: s.Of(buckets, a),
		all:     s.Of(buckets.Where(equal("le", "+Inf")), a),
		native:  s.Of(selector, a),
	}
	h.buckets.only += fmt.Sprintf(" unless ignoring (le) histogram_count(%s%s)", h.native.selector, offset(a.Ago))
	return h
}

// Quantile returns the quantile of a classic histogram's observations within span, by
// linear interpolation; nothing where there were none.
func (h Histogram) Quantile(q float64, span rules.Duration) string {
	return fmt.Sprintf("histogram_quantile(%s, sum by (le) (increase(%s[%s])%s))",
		strconv.FormatFloat(q, 'g', -1, 64), h.buckets.selector, span, h.buckets.only)
}

// Buckets returns the exact counts of the classic buckets, by le. That a series
// was reset is told by its last bucket: the others may have grown past what they were.
func (h Histogram) Buckets(interval rules.Duration) string {
	return fmt.Sprintf("sum by (le) (%s)", h.increaseOfBuckets(interval))
}

func (h Histogram) increaseOfBuckets(interval rules.Duration) string {
	buckets := counter{value: h.buckets.last, total: h.all.last, on: " ignoring (le)", least: "0"}
	return h.buckets.restrict(buckets.increase(interval))
}

// Edges returns how many series have each classic bucket, by le.
func (h Histogram) Edges() string {
	return fmt.Sprintf("count by (le) (%s%s)", h.buckets.last(lookback, 0), h.buckets.only)
}

// Total returns the exact count of all observations of the native histogram.
func (h Histogram) Total(interval rules.Duration) string {
	return fmt.Sprintf("sum(%s)", h.increaseOfAll(interval))
}

func (h Histogram) increaseOfAll(interval rules.Duration) string {
	all := counter{value: h.observations, total: h.observations, least: "0"}
	return h.native.restrict(all.increase(interval))
}

// Within returns the count of the observations of the native histogram that are at
// most limit, interpolated within a bucket, and exact otherwise. Rounding can make
// it a little less than nothing, which must not be taken for a reset.
func (h Histogram) Within(limit float64, interval rules.Duration) string {
	return fmt.Sprintf("sum(%s)", h.increaseWithin(limit, interval))
}

func (h Histogram) increaseWithin(limit float64, interval rules.Duration) string {
	edge := strconv.FormatFloat(limit, 'g', -1, 64)
	fast := func(span string, ago rules.Duration) string {
		all := h.observations(span, ago)
		share := fmt.Sprintf("histogram_fraction(-Inf, %s, %s)", edge, h.native.last(span, ago))
		return fmt.Sprintf("(%s * %s >= 0 or %s)", all, share, all) // no observation yet: the share is NaN, the count 0
	}
	within := counter{value: fast, total: h.observations, least: "-0.5"}
	return h.native.restrict(within.increase(interval))
}

// Natives returns how many series the native histogram has.
func (h Histogram) Natives() string {
	return fmt.Sprintf("count(%s%s)", h.observations(lookback, 0), h.native.only)
}

func (h Histogram) observations(span string, ago rules.Duration) string {
	return fmt.Sprintf("histogram_count(%s)", h.native.last(span, ago))
}
