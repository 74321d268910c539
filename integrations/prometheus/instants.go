package prometheus

import (
	"time"

	"github.com/prometheus/common/model"
)

// instants are from, from+step, …: count of them.
type instants struct {
	from  time.Time
	step  time.Duration
	count int
}

func instantsBetween(from, to time.Time, step time.Duration) instants {
	step = max(step, time.Millisecond)
	if to.Before(from) {
		return instants{from: from, step: step}
	}
	return instants{from: from, step: step, count: int(to.Sub(from)/step) + 1}
}

// at returns the i-th instant.
func (n instants) at(i int) time.Time { return n.from.Add(time.Duration(i) * n.step) }

// part returns count instants, beginning with the i-th.
func (n instants) part(i, count int) instants {
	return instants{from: n.at(i), step: n.step, count: count}
}

// index says which instant a sample is of.
func (n instants) index(of model.Time) (int, bool) {
	i := int((of.Time().Sub(n.from) + n.step/2) / n.step)
	return i, i >= 0 && i < n.count && isOf(of, n.at(i))
}

// isOf says whether a sample's time is the instant; Prometheus keeps milliseconds.
func isOf(of model.Time, at time.Time) bool { return of.Time().Sub(at).Abs() <= time.Millisecond }
