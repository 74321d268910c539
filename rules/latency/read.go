package latency

import (
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"

	"github.com/bakewatch/bakewatch/rules"
	"github.com/bakewatch/bakewatch/rules/quantity"
	"github.com/bakewatch/bakewatch/rules/threshold"
)

// slower returns the share of requests that may be slower than the quantile: 0.01
// for 0.99, and not 0.010000000000000009.
func slower(q float64) float64 { return math.Round((1-q)*1e12) / 1e12 }

func cutSuffix(metric string) (base string, suffixed bool) {
	for _, suffix := range []string{"_bucket", "_count", "_sum"} {
		if base, found := strings.CutSuffix(metric, suffix); found {
			return base, true
		}
	}
	return metric, false
}

// The queries of a look, in their order.
const (
	buckets = iota
	edges
	total
	within
	natives
)

// read reads the five results of a look. Instances with a native histogram and
// those with a classic one only are counted together.
func read(got []rules.Result, limit float64) (threshold.Look, error) {
	_, native, err := threshold.CountOf(got[natives], "series of the histogram")
	classic := len(got[edges].Samples) > 0
	switch {
	case native && len(got[within].Samples) == 0:
		return threshold.Look{}, rules.Failed(rules.Unbound, "how many requests of a native histogram are slow can be asked only with max")
	case err != nil:
		return threshold.Look{}, err
	case !native && !classic:
		return threshold.Look{}, rules.Failed(rules.Empty, "no series of the histogram")
	case !native:
		return readClassic(got[buckets], got[edges], limit)
	case !classic:
		return readNative(got[total], got[within])
	}
	look, errClassic := readClassic(got[buckets], got[edges], limit)
	more, errNative := readNative(got[total], got[within])
	look.Bad, look.Total = look.Bad+more.Bad, look.Total+more.Total
	return look, errors.Join(errClassic, errNative)
}

// readNative reads the counts of native histograms. One that lowers its resolution
// spreads its past anew: for that look, nobody knows how many were slow.
func readNative(all, fast rules.Result) (threshold.Look, error) {
	count, _, errCount := threshold.CountOf(all, "requests")
	kept, _, errKept := threshold.One(fast, "requests within the limit")
	if err := errors.Join(errCount, errKept); err != nil {
		return threshold.Look{}, err
	}
	if kept > count+0.5 {
		return threshold.Look{}, rules.Failed(rules.NotANumber, "%.0f requests within the limit of %.0f in all: the histogram changed its resolution", kept, count)
	}
	return threshold.Look{Bad: slow(count, kept), Total: count, Shown: within}, nil
}

func readClassic(counts, series rules.Result, limit float64) (threshold.Look, error) {
	have, errHave := byEdge(series)
	counted, errCounted := byEdge(counts)
	if err := errors.Join(errHave, errCounted); err != nil {
		return threshold.Look{}, err
	}
	edge, err := pick(have, limit)
	if err != nil {
		return threshold.Look{}, err
	}
	total := counted[math.Inf(1)]
	look := threshold.Look{Bad: slow(total, counted[edge]), Total: total}
	if !same(edge, limit) {
		look.Note = "judged at the next bucket edge, " + quantity.Format(edge, quantity.Seconds)
	}
	return look, nil
}

// slow returns the requests that were not fast. Rounding may make that a little
// less than nothing.
func slow(total, fast float64) float64 { return max(0, total-fast) }

func same(a, b float64) bool { return math.Abs(a-b) <= 1e-9*math.Abs(b) }

// byEdge adds up a result by the number that le stands for: 0.5 and 0.50 are one edge.
func byEdge(result rules.Result) (map[float64]float64, error) {
	counts := map[float64]float64{}
	for _, sample := range result.Samples {
		edge, err := strconv.ParseFloat(sample.Labels["le"], 64)
		if err != nil || math.IsNaN(edge) {
			return nil, rules.Failed(rules.WrongType, "a bucket has the edge le=%q", sample.Labels["le"])
		}
		if math.IsNaN(sample.Value) || math.IsInf(sample.Value, 0) || sample.Value < 0 {
			return nil, rules.Failed(rules.NotANumber, "the bucket le=%q counts %v", sample.Labels["le"], sample.Value)
		}
		counts[edge] += sample.Value
	}
	return counts, nil
}

// pick returns the lowest edge that is not below the limit and that every series
// has. A bucket that only some series have would count the others' requests as slow.
func pick(series map[float64]float64, limit float64) (float64, error) {
	everywhere := series[math.Inf(1)]
	if everywhere == 0 {
		return 0, rules.Failed(rules.WrongType, "the histogram has no bucket le=\"+Inf\"")
	}
	best := math.Inf(1)
	for edge, n := range series {
		if n == everywhere && edge < best && (edge >= limit || same(edge, limit)) {
			best = edge
		}
	}
	if math.IsInf(best, 1) {
		return 0, rules.Failed(rules.WrongType, "%s", fmt.Sprintf("no bucket edge that all series share lies at or above %s", quantity.Format(limit, quantity.Seconds)))
	}
	return best, nil
}
