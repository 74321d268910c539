package eprocess

import "math"

// Counts are the events of one look or one minute: all of them, and the bad ones.
type Counts struct {
	Total float64
	Bad   float64
}

// Missing stands for a look or minute of which nothing is known.
var Missing = Counts{Total: math.NaN()}

// mostEvents is more than anything counts in a look, or a float counts exactly. One
// look beyond it would make every later one no number.
const mostEvents = 1e15

// Known says whether the counts can be judged: 0 ≤ Bad ≤ Total ≤ 10¹⁵.
func (c Counts) Known() bool {
	return c.Bad >= 0 && c.Total >= c.Bad && c.Total <= mostEvents
}

func (c Counts) plus(d Counts) Counts { return Counts{Total: c.Total + d.Total, Bad: c.Bad + d.Bad} }

// share returns the share of bad events; 0 where there are none at all.
func (c Counts) share() float64 {
	if c.Total <= 0 {
		return 0
	}
	return c.Bad / c.Total
}
