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
	only     string         // set operators behind an expression of the selector's labels
	ago      rules.Duration // how long before the look
	lately   string         // so far back values still hold; empty: as Prometheus has it
}

// Lately returns the series with their last values of a day, for what is no longer
// exported: a scanner tells of the images that run.
func (s Series) Lately() Series {
	s.lately = "1d"
	return s
}

// values returns the series' values as they are at the look.
func (s Series) values() string {
	if s.lately == "" {
		return s.selector.String() + offset(s.ago) + s.only
	}
	return s.last(s.lately, 0) + s.only
}

// Count returns the exact count since the look before, summed: of every series
// the increase, or its whole value if it was reset or newly born. A series that
// comes back after more than five minutes counts from then on, unless it was reset
// meanwhile, as its falling below its last value shows.
func (s Series) Count(interval rules.Duration) string {
	return fmt.Sprintf("sum(%s)", s.restrict(s.counter().increase(interval)))
}

func (s Series) counter() counter { return counter{value: s.last, total: s.last, least: "0"} }

// Present returns how many series there are.
func (s Series) Present() string { return fmt.Sprintf("count(%s)", s.values()) }

// Time returns for how many seconds in all the series were there over the interval:
// so many as there are now, each for all of it.
func (s Series) Time(interval rules.Duration) string {
	return fmt.Sprintf("%s * %g", s.Present(), time.Duration(interval).Seconds())
}

// Sum returns the sum of the series' values.
func (s Series) Sum() string { return fmt.Sprintf("sum(%s)", s.values()) }

// level returns each series' last value within span, as it was so long ago.
type level func(span string, ago rules.Duration) string

func (s Series) last(span string, ago rules.Duration) string {
	return fmt.Sprintf("last_over_time(%s[%s]%s)", s.selector, span, offset(s.ago+ago))
}

func offset(ago rules.Duration) string {
	if ago == 0 {
		return ""
	}
	return " offset " + ago.String()
}

// counter is what the increase is taken of.
type counter struct {
	value level
	total level  // counts everything; it tells whether the series was there, and whether it was reset
	on    string // how a value finds its total: " ignoring (le)"; or empty
	least string // a series that grew by less was reset
}

// increase returns each series' increase over the interval.
func (c counter) increase(interval rules.Duration) string {
	now, before := c.value(lookback, 0), c.value(lookback, interval)
	return fmt.Sprintf("((%s - %s) >= %s%s) or (%s unless%s %s)", now, before, c.least, c.guard(interval), now, c.on, c.returned(interval))
}

// guard returns set operators for a value that its total must vouch for: it may
// have grown past what it was before a reset.
func (c counter) guard(interval rules.Duration) string {
	if c.on == "" && c.least == "0" {
		return ""
	}
	return fmt.Sprintf(" and%s (%s - %s) >= 0", c.on, c.total(lookback, 0), c.total(lookback, interval))
}

// returned returns the series that were gone and came back no smaller than they
// were. One that came back smaller was reset, and counts like a newborn one.
func (c counter) returned(interval rules.Duration) string {
	return fmt.Sprintf("(%s >= %s unless %s)", c.total(lookback, 0), c.total(memory, interval), c.total(lookback, interval))
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
func (s Series) Age() string { return fmt.Sprintf("time() - min(%s)", s.values()) }
