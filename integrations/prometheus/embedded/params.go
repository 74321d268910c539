package embedded

import (
	"errors"
	"fmt"
	"math"
	"net/http"
	"strconv"
	"time"

	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/storage"
	"github.com/prometheus/prometheus/util/annotations"
)

// The bounds of time that a TSDB can hold.
var (
	firstInstant = time.UnixMilli(math.MinInt64 / 2)
	lastInstant  = time.UnixMilli(math.MaxInt64 / 2)
)

// instantOf reads a time: seconds since the epoch, or RFC 3339.
func instantOf(r *http.Request, name string, fallback time.Time) (time.Time, error) {
	text := r.FormValue(name)
	if text == "" {
		return fallback, nil
	}
	if seconds, err := strconv.ParseFloat(text, 64); err == nil && !math.IsNaN(seconds) && math.Abs(seconds) < math.MaxInt64/1000 {
		return time.UnixMilli(int64(math.Round(seconds * 1000))).UTC(), nil
	}
	at, err := time.Parse(time.RFC3339Nano, text)
	if err != nil {
		return time.Time{}, invalid(name, fmt.Errorf("cannot parse %q to a valid timestamp", text))
	}
	return at, nil
}

// durationOf reads a duration: seconds, or as Prometheus writes them; absent: zero.
func durationOf(r *http.Request, name string) (time.Duration, error) {
	text := r.FormValue(name)
	if text == "" {
		return 0, nil
	}
	if seconds, err := strconv.ParseFloat(text, 64); err == nil && math.Abs(seconds) < math.MaxInt64/float64(time.Second) {
		return time.Duration(seconds * float64(time.Second)), nil
	}
	length, err := model.ParseDuration(text)
	if err != nil {
		return 0, invalid(name, fmt.Errorf("cannot parse %q to a valid duration", text))
	}
	return time.Duration(length), nil
}

// window reads start and end; missing: why they are needed, if they are.
func window(r *http.Request, needed string) (from, to time.Time, err error) {
	for _, name := range []string{"start", "end"} {
		if needed != "" && r.FormValue(name) == "" {
			return from, to, invalid(name, errors.New(needed))
		}
	}
	if from, err = instantOf(r, "start", firstInstant); err != nil {
		return from, to, err
	}
	if to, err = instantOf(r, "end", lastInstant); err != nil {
		return from, to, err
	}
	if to.Before(from) {
		return from, to, invalid("end", errors.New("end timestamp must not be before start time"))
	}
	return from, to, nil
}

// metadata is a question about series, names or values.
type metadata struct {
	store     storage.Queryable
	from, to  time.Time
	limit     int // 0: none
	selectors [][]*labels.Matcher
}

func (a *api) metadataOf(r *http.Request) (metadata, error) {
	m := metadata{store: a.store}
	var err error
	if m.from, m.to, err = window(r, ""); err != nil {
		return m, err
	}
	if text := r.FormValue("limit"); text != "" {
		if m.limit, err = strconv.Atoi(text); err != nil || m.limit < 0 {
			return m, invalid("limit", fmt.Errorf("%q is no count", text))
		}
	}
	m.selectors, err = a.parser.ParseMetricSelectors(r.Form["match[]"])
	if err != nil {
		return m, invalid("match[]", err)
	}
	for _, selector := range m.selectors {
		if matchesAll(selector) {
			return m, invalid("match[]", errors.New("match[] must contain at least one non-empty matcher"))
		}
	}
	return m, nil
}

func (m metadata) open() (storage.Querier, error) {
	return m.store.Querier(m.from.UnixMilli(), m.to.UnixMilli())
}

// hint is one more than the limit, so that what is cut off is noticed.
func (m metadata) hint() int {
	if m.limit == 0 {
		return 0
	}
	return m.limit + 1
}

func matchesAll(selector []*labels.Matcher) bool {
	for _, matcher := range selector {
		if !matcher.Matches("") {
			return false
		}
	}
	return true
}

func truncated[T any](found []T, limit int, warnings annotations.Annotations) data {
	if limit > 0 && len(found) > limit {
		found = found[:limit]
		warnings = warnings.Add(errTruncated)
	}
	return data{value: found, warnings: warnings}
}
