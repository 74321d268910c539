package compare

import (
	"math"
	"time"

	"github.com/bakewatch/bakewatch/rules"
	"github.com/bakewatch/bakewatch/rules/eprocess"
)

// mostPoints of a curve; beyond it two points become one.
const mostPoints = 120

// curve keeps what a plot needs, ever coarser, so that its size is bounded.
type curve struct {
	from   time.Time
	step   time.Duration
	each   int // looks a point
	filled int // of the last point
	new    []eprocess.Counts
	other  []eprocess.Counts
	wealth []float64
}

func (c *curve) add(at time.Time, interval time.Duration, version eprocess.Counts, beside []eprocess.Counts, wealth float64) {
	if c.each == 0 {
		c.from, c.step, c.each, c.filled = at, interval, 1, 1
	}
	if c.filled == c.each {
		if len(c.new) == mostPoints {
			c.halve()
		}
		c.new, c.other, c.wealth = append(c.new, eprocess.Counts{}), append(c.other, eprocess.Counts{}), append(c.wealth, 0)
		c.filled = 0
	}
	c.filled++
	last := len(c.new) - 1
	c.new[last] = both(c.new[last], version)
	if len(beside) > 0 {
		c.other[last] = both(c.other[last], beside[0])
	}
	c.wealth[last] = wealth
}

// both adds up two looks, as far as they are known.
func both(a, b eprocess.Counts) eprocess.Counts {
	switch {
	case !b.Known():
		return a
	case !a.Known():
		return b
	}
	return eprocess.Counts{Total: a.Total + b.Total, Bad: a.Bad + b.Bad}
}

// halve makes one point of two.
func (c *curve) halve() {
	for i := 0; i+1 < len(c.new); i += 2 {
		c.new[i/2] = both(c.new[i], c.new[i+1])
		c.other[i/2] = both(c.other[i], c.other[i+1])
		c.wealth[i/2] = c.wealth[i+1]
	}
	half := len(c.new) / 2
	c.new, c.other, c.wealth = c.new[:half], c.other[:half], c.wealth[:half]
	c.each *= 2
	c.step *= 2
	c.filled = c.each
}

func (c *curve) points(limit float64) rules.Curve {
	out := rules.Curve{From: c.from, Step: rules.Duration(c.step), Limit: rounded(limit)}
	beside := total(c.other).Total > 0
	for i := range c.new {
		out.New = append(out.New, point(c.new[i]))
		out.Wealth = append(out.Wealth, rounded(c.wealth[i]))
		if beside {
			out.Control = append(out.Control, point(c.other[i]))
		}
	}
	return out
}

// point is the share of bad events; -1 where there were none at all.
func point(c eprocess.Counts) float64 {
	if !(c.Total > 0) {
		return -1
	}
	return rounded(c.Bad / c.Total)
}

// rounded keeps three digits.
func rounded(v float64) float64 {
	if math.Abs(v) < 1e-300 || math.IsNaN(v) || math.IsInf(v, 0) {
		return 0
	}
	unit := math.Pow(10, math.Floor(math.Log10(math.Abs(v)))-2)
	return math.Round(v/unit) * unit
}
