package compare

import (
	"github.com/bakewatch/bakewatch/rules/eprocess"
	"github.com/bakewatch/bakewatch/rules/quantity"
)

// Rate is what a kind says whose bad events are not some of all events, but happen now and
// then, seldom. Its total is a time, in units so short that hardly ever two of them fall
// into one: then the binomial distribution is as good as Poisson's.
type Rate struct {
	// Unit is that of a rate: bad events in each unit of the total.
	Unit quantity.Unit
	// Large is the rate that must not go unseen: healthy at the end of a bake means that it
	// would have been proved, an early proof rules it out, and the target of a rollback stays
	// below it.
	Large float64
	// Fewest is the total that a history must hold to tell what is normal.
	Fewest float64
}

// large is Rate.Large, or 0 for shares.
func (c Config) large() float64 {
	if c.Rate == nil {
		return 0
	}
	return c.Rate.Large
}

// unknown is a level to take where no history tells one: only the ratio of two of them
// matters to the split between two arms, and that is 1. Whether a control is worse than
// it used to be cannot be said by it, and is not (evidence.untold).
func (c Config) unknown() float64 {
	const share = 0.01
	if c.Rate == nil {
		return share
	}
	return c.Rate.Large / 10
}

// fewest is the total that a history must hold to tell what is normal.
func (c Config) fewest() float64 {
	if c.Rate == nil {
		return fewestEvents
	}
	return c.Rate.Fewest
}

// fewestToVerify is the total that the target of a rollback is judged on; 0: as many as
// its limit takes. A time in which it must not happen once would be long.
func (c Config) fewestToVerify() int {
	if c.Rate == nil {
		return 0
	}
	return 1
}

// estimate estimates what is normal.
func (c Config) estimate(minutes, looks []eprocess.Counts) (eprocess.Model, bool) {
	if c.Rate == nil {
		return eprocess.Estimate(minutes, looks, c.scale())
	}
	return eprocess.EstimateRate(minutes, c.scale())
}
