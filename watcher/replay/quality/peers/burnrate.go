package peers

import "github.com/bakewatch/bakewatch/watcher/replay/quality/sim"

// BurnRate decides as a multi-window, multi-burn-rate alert does: the error budget of
// the whole service is spent Fast times as quickly as it would last, over an hour and
// over 5 minutes, or Slow times, over 6 hours and over 30 minutes. It sees the service,
// whatever version answers, and what was before the deployment.
//
// https://sre.google/workbook/alerting-on-slos/, table 5-8.
type BurnRate struct {
	Budget     float64 // the share of bad requests that the objective allows
	Fast, Slow float64
}

// BurnRateDocumented is the workbook's, for the strictest number of nines that the
// service keeps: its base rate is its budget.
func BurnRateDocumented(base float64) BurnRate {
	return BurnRate{Budget: nines(base), Fast: 14.4, Slow: 6}
}

// nines returns the least of 10 %, 1 %, 0.1 %, … that is not clearly below the base rate.
func nines(base float64) float64 {
	budget := 0.1
	for budget/10 > base*0.7 && budget > 1e-6 {
		budget /= 10
	}
	return budget
}

// Begin begins to watch, with the sums of the looks of the last hours before.
func (b BurnRate) Begin(past Past) sim.Judge { return &burnRun{BurnRate: b, window: newWindow(past)} }

// Hours sums the looks of the six hours before, which is as far as a BurnRate sees.
func Hours(before []sim.Counts) Past {
	const most = 6 * 60 * sim.Minute
	return Sum(before[max(0, len(before)-most):])
}

type burnRun struct {
	BurnRate
	*window
}

func (b *burnRun) See(l sim.Look) bool {
	b.add(l.New.Plus(l.Control), l.Missed)
	burns := func(minutes int, times float64) bool {
		c, _ := b.last(minutes * sim.Minute)
		share, ok := c.Share()
		return ok && share > times*b.Budget
	}
	return burns(5, b.Fast) && burns(60, b.Fast) || burns(30, b.Slow) && burns(360, b.Slow)
}
