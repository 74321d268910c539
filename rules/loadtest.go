package rules

// LoadTestSummary is what a load test measured before the deployment.
type LoadTestSummary struct {
	File     string  `json:"file"`     // as the plan names it
	Requests float64 `json:"requests"` // that were made
	Errors   float64 `json:"errors"`   // of them
	// Slowest are how long requests took at most, in seconds, by quantile (0.99), ascending.
	Slowest []LoadTestQuantile `json:"slowest,omitempty"`
}

// LoadTestQuantile says that a share of the requests took at most so many seconds.
type LoadTestQuantile struct {
	Quantile float64 `json:"quantile"`
	Seconds  float64 `json:"seconds"`
}

// Slower returns a share that the requests slower than the limit, in seconds, did not
// exceed; ok is false if the summary does not tell.
func (s LoadTestSummary) Slower(limit float64) (share float64, ok bool) {
	for _, q := range s.Slowest {
		if q.Seconds <= limit {
			share, ok = 1-q.Quantile, true
		}
	}
	return share, ok
}

// At returns how long requests took at most, at the lowest known quantile that is not
// below this one.
func (s LoadTestSummary) At(quantile float64) (seconds float64, ok bool) {
	for _, q := range s.Slowest {
		if q.Quantile >= quantile-1e-9 {
			return q.Seconds, true
		}
	}
	return 0, false
}
