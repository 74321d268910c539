package embedded

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"
)

// noon is an instant of the seeded data.
var noon = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

func seeded(t *testing.T) *Server {
	t.Helper()
	s := open(t, Config{Store: t.TempDir(), Scrape: nobody, QuerySamples: 100, Retention: 100 * 365 * 24 * time.Hour})
	seed(t, s, noon, 60, "__name__", "requests_total", "version", "1")
	seed(t, s, noon, 60, "__name__", "requests_total", "version", "2")
	seed(t, s, noon, 10, "__name__", "up", "job", "shop")
	return s
}

// asked is one request to the API with its documented answer.
type asked struct {
	call string
	form url.Values
	code int
	want string // in the body
}

func requests() map[string]asked {
	at, before := "1772366400", "1772366390"
	return map[string]asked{
		"a vector":                  {"query", url.Values{"query": {"up"}, "time": {at}}, 200, `"value":[1772366400,"10"]`},
		"a scalar":                  {"query", url.Values{"query": {"1+1"}, "time": {at}}, 200, `"resultType":"scalar","result":[1772366400,"2"]`},
		"a string":                  {"query", url.Values{"query": {`"a"`}, "time": {at}}, 200, `"resultType":"string"`},
		"raw samples":               {"query", url.Values{"query": {"up[3s]"}, "time": {at}}, 200, `"resultType":"matrix"`},
		"nothing":                   {"query", url.Values{"query": {"none"}, "time": {at}}, 200, `"result":[]`},
		"a time in RFC 3339":        {"query", url.Values{"query": {"up"}, "time": {"2026-03-01T12:00:00Z"}}, 200, `"10"`},
		"NaN":                       {"query", url.Values{"query": {"0/0"}, "time": {at}}, 200, `"NaN"`},
		"an info":                   {"query", url.Values{"query": {"rate(up[5s])"}, "time": {at}}, 200, `"infos":["PromQL info`},
		"a warning":                 {"query", url.Values{"query": {"quantile(2, up)"}, "time": {at}}, 200, `"warnings":["PromQL warning`},
		"a broken query":            {"query", url.Values{"query": {"up{"}, "time": {at}}, 400, `"errorType":"bad_data"`},
		"no query":                  {"query", url.Values{"time": {at}}, 400, `"errorType":"bad_data"`},
		"a broken time":             {"query", url.Values{"query": {"up"}, "time": {"noon"}}, 400, `invalid parameter \"time\"`},
		"an impossible query":       {"query", url.Values{"query": {"requests_total * on() requests_total"}, "time": {at}}, 422, `"errorType":"execution"`},
		"too many samples":          {"query", url.Values{"query": {"requests_total[1h]"}, "time": {at}}, 422, "too many samples"},
		"a broken timeout":          {"query", url.Values{"query": {"up"}, "time": {at}, "timeout": {"1ns"}}, 400, "timeout"},
		"a range":                   {"query_range", url.Values{"query": {"up"}, "start": {before}, "end": {at}, "step": {"5"}}, 200, `"values":[[1772366395,"5"],[1772366400,"10"]]`},
		"a range of a scalar":       {"query_range", url.Values{"query": {"1"}, "start": {before}, "end": {at}, "step": {"10s"}}, 200, `"resultType":"matrix"`},
		"a range without a step":    {"query_range", url.Values{"query": {"up"}, "start": {before}, "end": {at}}, 400, `\"step\"`},
		"a range without an end":    {"query_range", url.Values{"query": {"up"}, "start": {before}, "step": {"1"}}, 400, `\"end\"`},
		"a range back in time":      {"query_range", url.Values{"query": {"up"}, "start": {at}, "end": {before}, "step": {"1"}}, 400, "before start"},
		"too many points":           {"query_range", url.Values{"query": {"up"}, "start": {before}, "end": {at}, "step": {"0.0001"}}, 400, "11000 points"},
		"series":                    {"series", url.Values{"match[]": {"up", "requests_total"}}, 200, `"version":"2"`},
		"series of no selector":     {"series", nil, 400, "no match[] parameter provided"},
		"series of everything":      {"series", url.Values{"match[]": {`{a=""}`}}, 400, "at least one non-empty matcher"},
		"series, cut off":           {"series", url.Values{"match[]": {"requests_total"}, "limit": {"1"}}, 200, "results truncated due to limit"},
		"series at another time":    {"series", url.Values{"match[]": {"up"}, "start": {"1"}, "end": {"2"}}, 200, `"data":[]`},
		"names of labels":           {"labels", nil, 200, `["__name__","job","version"]`},
		"names of some labels":      {"labels", url.Values{"match[]": {"up"}}, 200, `["__name__","job"]`},
		"names of no labels":        {"labels", url.Values{"match[]": {"none"}}, 200, `"data":[]`},
		"values of a label":         {"label/version/values", nil, 200, `["1","2"]`},
		"values of two selectors":   {"label/__name__/values", url.Values{"match[]": {"up", "requests_total"}}, 200, `["requests_total","up"]`},
		"values of a label, cut":    {"label/version/values", url.Values{"limit": {"1"}}, 200, `["1"]`},
		"values of an unused label": {"label/none/values", nil, 200, `"data":[]`},
		"a limit that is no number": {"labels", url.Values{"limit": {"x"}}, 400, `\"limit\"`},
	}
}

func TestTheAPIAnswersAsDocumented(t *testing.T) {
	s := seeded(t)
	for name, test := range requests() {
		t.Run(name, func(t *testing.T) {
			code, body := get(t, s, test.call, test.form)
			if code != test.code || !strings.Contains(body, test.want) {
				t.Fatalf("want %d with %s, got %d: %s", test.code, test.want, code, body)
			}
		})
	}
}

func TestAQueryThatRunsTooLongIsATimeout(t *testing.T) {
	s := open(t, Config{Store: t.TempDir(), Scrape: nobody})
	slow := url.Values{"query": {"count_over_time(vector(1)[500000s:1s])"}, "timeout": {"0.001"}}
	if code, body := get(t, s, "query", slow); code != http.StatusServiceUnavailable || !strings.Contains(body, `"errorType":"timeout"`) {
		t.Fatalf("want 503 timeout, got %d: %s", code, body)
	}
}

func TestNothingElseIsServed(t *testing.T) {
	s := seeded(t)
	for _, call := range []string{"write", "admin/tsdb/snapshot", "read", "otlp/v1/metrics", ""} {
		if code, _ := get(t, s, call, nil); code != http.StatusNotFound {
			t.Errorf("%q is answered with %d", call, code)
		}
	}
}
