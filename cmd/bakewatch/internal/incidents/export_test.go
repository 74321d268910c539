package incidents

// SlowerThan gives its tests slowerThan.
func SlowerThan(limit, p50, p90, p95, p99 float64) float64 {
	return slowerThan(limit, percentiles{p50, p90, p95, p99})
}
