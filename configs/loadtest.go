package configs

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strconv"

	"github.com/bakewatch/bakewatch/rules"
)

// maxLoadTest bounds a summary's size, in bytes.
const maxLoadTest = 4 << 20

// ReadLoadTest reads the summary of a load test: what k6 writes by
// `--summary-export` or handleSummary, or the statistics.json of a JMeter report.
func ReadLoadTest(text []byte) (rules.LoadTestSummary, error) {
	if len(text) > maxLoadTest {
		return rules.LoadTestSummary{}, fmt.Errorf("it is larger than %d MiB", maxLoadTest>>20)
	}
	var file struct {
		Metrics map[string]json.RawMessage `json:"metrics"`
		Total   *jmeterTotal               `json:"Total"`
	}
	if err := json.Unmarshal(text, &file); err != nil {
		return rules.LoadTestSummary{}, fmt.Errorf("it is no JSON summary: %w", err)
	}
	var summary rules.LoadTestSummary
	var err error
	switch {
	case file.Metrics != nil:
		summary, err = readK6(file.Metrics)
	case file.Total != nil:
		summary, err = file.Total.summary()
	default:
		err = errors.New(`it has neither "metrics" (k6) nor "Total" (JMeter's statistics.json)`)
	}
	if err != nil {
		return rules.LoadTestSummary{}, err
	}
	return summary, checkLoadTest(&summary)
}

// checkLoadTest puts the quantiles in order, and refuses numbers that cannot be.
func checkLoadTest(s *rules.LoadTestSummary) error {
	slices.SortFunc(s.Slowest, func(a, b rules.LoadTestQuantile) int {
		return cmp.Or(cmp.Compare(a.Quantile, b.Quantile), cmp.Compare(a.Seconds, b.Seconds))
	})
	if !(s.Requests >= 1) || !(s.Errors >= 0) || s.Errors > s.Requests {
		return fmt.Errorf("%v errors of %v requests cannot be", s.Errors, s.Requests)
	}
	for i, q := range s.Slowest {
		if !(q.Seconds > 0) || i > 0 && q.Seconds < s.Slowest[i-1].Seconds {
			return fmt.Errorf("a quantile of %v cannot take %v s", q.Quantile, q.Seconds)
		}
	}
	return nil
}

// jmeterTotal is what JMeter's report says of all samples. Times are milliseconds;
// the three percentiles are 90, 95 and 99 unless JMeter was told otherwise.
type jmeterTotal struct {
	Samples float64  `json:"sampleCount"`
	Errors  *float64 `json:"errorCount"`
	P90     float64  `json:"pct1ResTime"`
	P95     float64  `json:"pct2ResTime"`
	P99     float64  `json:"pct3ResTime"`
}

func (t jmeterTotal) summary() (rules.LoadTestSummary, error) {
	if t.Errors == nil {
		return rules.LoadTestSummary{}, errors.New(`"Total" has no errorCount`)
	}
	s := rules.LoadTestSummary{Requests: t.Samples, Errors: *t.Errors}
	for quantile, ms := range map[float64]float64{0.9: t.P90, 0.95: t.P95, 0.99: t.P99} {
		if ms > 0 {
			s.Slowest = append(s.Slowest, rules.LoadTestQuantile{Quantile: quantile, Seconds: ms / 1000})
		}
	}
	return s, nil
}

var k6Percentile = regexp.MustCompile(`^p\((\d+(?:\.\d+)?)\)$`)

// readK6 reads the metrics of k6. handleSummary has the numbers under "values",
// --summary-export beside the names. Of http_req_failed, "passes" are the failures.
func readK6(metrics map[string]json.RawMessage) (rules.LoadTestSummary, error) {
	requests, err := k6Values(metrics, "http_reqs")
	if err != nil {
		return rules.LoadTestSummary{}, err
	}
	failed, err := k6Values(metrics, "http_req_failed")
	if err != nil {
		return rules.LoadTestSummary{}, err
	}
	failures, counted := failed["passes"]
	if !counted {
		return rules.LoadTestSummary{}, errors.New("k6 counted no passes of http_req_failed, which are the failures")
	}
	s := rules.LoadTestSummary{Requests: requests["count"], Errors: failures}
	durations, err := k6Values(metrics, "http_req_duration")
	if err != nil {
		return rules.LoadTestSummary{}, err
	}
	for name, ms := range durations {
		match := k6Percentile.FindStringSubmatch(name)
		if match == nil {
			continue
		}
		percent, err := strconv.ParseFloat(match[1], 64)
		if err == nil && percent > 0 && percent < 100 {
			s.Slowest = append(s.Slowest, rules.LoadTestQuantile{Quantile: percent / 100, Seconds: ms / 1000})
		}
	}
	return s, nil
}

// k6Values returns the numbers of one metric.
func k6Values(metrics map[string]json.RawMessage, name string) (map[string]float64, error) {
	text, ok := metrics[name]
	if !ok {
		return nil, fmt.Errorf("k6 measured no %s", name)
	}
	var fields map[string]json.RawMessage
	if err := json.Unmarshal(text, &fields); err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	if values, nested := fields["values"]; nested {
		fields = nil
		if err := json.Unmarshal(values, &fields); err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
	}
	numbers := map[string]float64{}
	for key, field := range fields {
		var number float64
		if json.Unmarshal(field, &number) == nil {
			numbers[key] = number
		}
	}
	return numbers, nil
}
