package promql

import (
	"fmt"
	"time"

	"github.com/bakewatch/bakewatch/rules"
)

// How far back a series' last value is looked for. A series that comes back after
// more than lookback is told from a newborn one by its values within memory.
const (
	lookback = "5m"
	memory   = "1h"
)

// Remembered is how long all series of a selector may have been gone, from the last
// look that found them, and are still told from newborn ones: memory less lookback.
const Remembered = 55 * time.Minute

// Series are the series of one metric that belong to one deployment.
type Series struct {
	selector *Selector
	only     string // set operators behind an expression of the selector's labels
}

// Count returns the exact count since the look before, summed: of every series
// the increase, or its whole value if it was reset or newly born. A series that
// comes back after more than five minutes counts from then on.
func (s Series) Count(interval rules.Duration) string {
	return fmt.Sprintf("sum(%s)", s.restrict(counter{s.last, s.last, "0", ""}.increase(interval)))
}

// Present returns how many series there are.
func (s Series) Present() string { return fmt.Sprintf("count(%s%s)", s.selector, s.only) }

// Sum returns the sum of the series' values.
func (s Series) Sum() string { return fmt.Sprintf("sum(%s%s)", s.selector, s.only) }

// Distinct returns the sum of the series' values, where series that differ only in
// who exports them count once: every replica of an exporter tells of the same thing.
func (s Series) Distinct() string {
	return fmt.Sprintf("sum(max without (instance,pod) (%s%s))", s.selector, s.only)
}

// level returns each series' last value within span, as it was so long ago.
type level func(span string, ago rules.Duration) string

func (s Series) last(span string, ago rules.Duration) string {
	return fmt.Sprintf("last_over_time(%s[%s]%s)", s.selector, span, offset(ago))
}

func offset(ago rules.Duration) string {
	if ago == 0 {
		return ""
	}
	return " offset " + ago.String()
}

// counter is what the increase is taken of.
type counter struct {
	value    level
	presence level  // any level of the same series; it tells whether they were there
	least    string // a series that grew by less was reset
	guard    string // " and … >= 0": series for which this does not hold were reset as well; or empty
}

// increase returns each series' increase over the interval.
func (c counter) increase(interval rules.Duration) string {
	now, before := c.value(lookback, 0), c.value(lookback, interval)
	returned := fmt.Sprintf("(%s unless %s)", c.presence(memory, interval), c.presence(lookback, interval))
	return fmt.Sprintf("((%s - %s) >= %s%s) or (%s unless %s)", now, before, c.least, c.guard, now, returned)
}

// restrict returns the part of an expression that belongs to the deployment.
func (s Series) restrict(expr string) string {
	if s.only == "" {
		return expr
	}
	return "(" + expr + ")" + s.only
}

// Age returns how many seconds ago the oldest of the times was that the series
// hold as their values.
func (s Series) Age() string { return fmt.Sprintf("time() - min(%s%s)", s.selector, s.only) }

// SampleAge returns how many seconds ago the oldest of the series' samples was taken.
func (s Series) SampleAge() string {
	return fmt.Sprintf("time() - min(timestamp(%s%s))", s.selector, s.only)
}
