package peers

import (
	"time"

	"github.com/bakewatch/bakewatch/watcher/replay"
)

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
// service keeps: its usual share of bad requests is its budget.
func BurnRateDocumented(level float64) BurnRate {
	return BurnRate{Budget: nines(level), Fast: 14.4, Slow: 6}
}

// nines returns the least of 10 %, 1 %, 0.1 %, … that is not clearly below the usual share.
func nines(level float64) float64 {
	budget := 0.1
	for budget/10 > level*0.7 && budget > 1e-6 {
		budget /= 10
	}
	return budget
}

// Begin begins to watch, after looks that were as far apart.
func (b BurnRate) Begin(step time.Duration, past replay.Past) Judge {
	return &burnRun{BurnRate: b, window: window{step: step, past: past}}
}

type burnRun struct {
	BurnRate
	window
}

func (b *burnRun) See(l replay.Seen) bool {
	b.add(l.Service, l.Missed)
	return b.burns(5*time.Minute, b.Fast) && b.burns(time.Hour, b.Fast) ||
		b.burns(30*time.Minute, b.Slow) && b.burns(6*time.Hour, b.Slow)
}

// burns says whether the budget is spent so many times too quickly.
func (b *burnRun) burns(over time.Duration, times float64) bool {
	c, _ := b.last(over)
	share, ok := c.Share()
	return ok && share > times*b.Budget
}
