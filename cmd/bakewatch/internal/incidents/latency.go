package incidents

import (
	"math"
	"slices"
)

// percentiles are the latencies in seconds that 50, 90, 95 and 99 % of requests kept.
type percentiles [4]float64

// slowerShare is the share of requests slower than each percentile.
var slowerShare = [4]float64{0.5, 0.1, 0.05, 0.01}

// slowerThan estimates the share of requests slower than the limit from percentiles.
// Between two of them the logarithm of the share is interpolated over the logarithm of
// the latency, which a Pareto tail makes exact; beyond the last the same line goes on.
// Below the median more than half are slower: that half is all that is known. NaN where
// a percentile is missing, or they contradict each other.
func slowerThan(limit float64, p percentiles) float64 {
	for i, latency := range p {
		if math.IsNaN(latency) || latency <= 0 || i > 0 && latency < p[i-1] {
			return math.NaN()
		}
	}
	if limit <= p[0] {
		return slowerShare[0]
	}
	i := 1
	for i < len(p)-1 && limit > p[i] {
		i++
	}
	low, high := math.Log(p[i-1]), math.Log(p[i])
	if high-low < 1e-9 {
		return slowerShare[i]
	}
	way := (math.Log(limit) - low) / (high - low)
	from, to := math.Log(slowerShare[i-1]), math.Log(slowerShare[i])
	return math.Exp(from + way*(to-from))
}

// usualP99 returns the median of the rows' 99th percentiles: the limit of a latency
// that about one request in a hundred exceeds.
func (t petTable) usualP99() float64 {
	var all []float64
	for _, row := range t.rows {
		if p99 := row.latency[3]; !math.IsNaN(p99) && p99 > 0 {
			all = append(all, p99)
		}
	}
	if len(all) == 0 {
		return math.NaN()
	}
	slices.Sort(all)
	return all[len(all)/2]
}
