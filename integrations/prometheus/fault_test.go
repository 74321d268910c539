package prometheus_test

import (
	"encoding/json"
	"errors"
	"io"
	"math"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/bakewatch/bakewatch/integrations/prometheus"
	"github.com/bakewatch/bakewatch/rules"
)

// replies makes a handler that always says the same.
func replies(status int, body string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(status)
		_, _ = io.WriteString(w, body)
	}
}

// success stamps the instant that was asked for on every sample of the second 1.
func success(kind, result, rest string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		result := result
		if at := r.FormValue("time"); at != "" {
			result = strings.ReplaceAll(result, "[1,", "["+at+",")
		}
		replies(http.StatusOK, `{"status":"success","data":{"resultType":"`+kind+`","result":`+result+`}`+rest+`}`)(w, r)
	}
}

func apiError(status int, kind, text string) http.HandlerFunc {
	body, _ := json.Marshal(map[string]string{"status": "error", "errorType": kind, "error": text})
	return replies(status, string(body))
}

const one = `[{"metric":{"version":"1"},"value":[1,"7"]}]`

// dated answers with a clock that is off.
func dated(by time.Duration) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Date", time.Now().Add(by).UTC().Format(http.TimeFormat))
		success("vector", one, "")(w, r)
	}
}

func hangs(_ http.ResponseWriter, r *http.Request) {
	_, _ = io.Copy(io.Discard, r.Body) // so that the server notices when the client leaves
	<-r.Context().Done()
}

func breaksOff(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Length", "1000")
	_, _ = io.WriteString(w, `{"status":"success",`)
	panic(http.ErrAbortHandler)
}

func huge(w http.ResponseWriter, r *http.Request) {
	success("vector", `[{"metric":{"a":"`+strings.Repeat("x", 9<<20)+`"},"value":[1,"7"]}]`, "")(w, r)
}

func endless(w http.ResponseWriter, _ *http.Request) {
	_, _ = io.WriteString(w, `{"status":"success","data":"`)
	for piece := strings.Repeat("x", 1<<16); ; {
		if _, err := io.WriteString(w, piece); err != nil {
			return
		}
	}
}

func manySeries(n int) string {
	var b strings.Builder
	for i := range n {
		b.WriteString(`,{"metric":{"i":"` + strconv.Itoa(i) + `"},"value":[1,"1"]}`)
	}
	return "[" + b.String()[1:] + "]"
}

var faults = map[string]struct {
	handler http.HandlerFunc
	want    rules.Reason
	says    string
}{
	"an internal error":                   {apiError(500, "internal", "the disk is on fire"), rules.ServerError, "the disk is on fire"},
	"a server that is overloaded":         {replies(503, "Service Unavailable"), rules.ServerError, "503"},
	"a gateway without a server":          {replies(502, "<html>Bad Gateway</html>"), rules.ServerError, "502"},
	"too many requests":                   {replies(429, "slow down"), rules.Throttled, "429"},
	"the server's own timeout":            {apiError(503, "timeout", "query timed out in expression evaluation"), rules.TimedOut, "query timed out"},
	"a query cancelled at the server":     {apiError(499, "canceled", "query was canceled"), rules.TimedOut, "canceled"},
	"a server that hangs":                 {hangs, rules.TimedOut, "no answer within 300ms"},
	"bad data":                            {apiError(400, "bad_data", "parse error: unexpected end"), rules.BadQuery, "parse error"},
	"a query that cannot be executed":     {apiError(422, "execution", "found duplicate series"), rules.BadQuery, "found duplicate series"},
	"a proxy that refuses":                {replies(400, "<html>Bad Request</html>"), rules.Unreachable, "400"},
	"wrong credentials":                   {replies(401, "Unauthorized"), rules.Unreachable, "401"},
	"forbidden":                           {replies(403, "no"), rules.Unreachable, "403"},
	"a wrong path":                        {replies(404, "404 page not found"), rules.Unreachable, "404"},
	"a redirect to a login page":          {http.RedirectHandler("/login", http.StatusFound).ServeHTTP, rules.Unreachable, "302"},
	"a server that takes no requests":     {replies(405, "no"), rules.Unreachable, "405"},
	"garbage":                             {replies(200, "\x00\x01garbage"), rules.Unreachable, "not the answer of a Prometheus"},
	"an HTML page":                        {replies(200, "<!DOCTYPE html><title>Welcome</title>"), rules.Unreachable, "not the answer of a Prometheus"},
	"an empty body":                       {replies(200, ""), rules.Unreachable, "not the answer of a Prometheus"},
	"JSON of something else":              {replies(200, `{"ok":true}`), rules.WrongType, "nothing"},
	"JSON that is cut":                    {replies(200, `{"status":"success","data":{"resultType":"vector","result":[{"metr`), rules.Unreachable, "not the answer of a Prometheus"},
	"a body that breaks off":              {breaksOff, rules.Unreachable, "EOF"},
	"an error with a good status":         {apiError(200, "internal", "but"), rules.Unreachable, ""},
	"partial data":                        {success("vector", one, `,"warnings":["store 3 is down"]`), rules.Partial, "store 3 is down"},
	"a matrix where a vector is meant":    {success("matrix", `[{"metric":{},"values":[[1,"2"]]}]`, ""), rules.WrongType, "matrix"},
	"a string where a vector is meant":    {success("string", `[1,"a"]`, ""), rules.WrongType, "string"},
	"a histogram where a number is meant": {success("vector", `[{"metric":{},"histogram":[1,{"count":"1","sum":"1","buckets":[]}]}]`, ""), rules.WrongType, "histogram_count"},
	"9 MiB":                               {huge, rules.TooLarge, "8388608 bytes"},
	"a body without an end":               {endless, rules.TooLarge, "8388608 bytes"},
	"413 from the server":                 {replies(413, ""), rules.TooLarge, "413"},
	"too many series":                     {success("vector", manySeries(11), ""), rules.TooLarge, "11 series, more than 10"},
	"a clock an hour behind":              {dated(-time.Hour), rules.Skewed, "clock is -"},
	"a clock ten seconds ahead":           {dated(10 * time.Second), rules.Skewed, "clock is"},
}

func faulty(t *testing.T, handler http.HandlerFunc) *prometheus.Sampler {
	t.Helper()
	server := httptest.NewServer(handler)
	t.Cleanup(server.Close)
	return sampler(t, prometheus.Config{URL: server.URL, Timeout: 20 * time.Second, MaxSeries: 10})
}

func TestEveryFaultIsTyped(t *testing.T) {
	for name, fault := range faults {
		t.Run(name, func(t *testing.T) {
			s := faulty(t, fault.handler)
			if strings.Contains(name, "hangs") {
				s = hasty(t, fault.handler)
			}
			now := time.Now()
			instant := s.Sample(t.Context(), now, []rules.Query{ask("up")})[0]
			failsWith(t, instant, fault.want, fault.says)
			if fault.want == rules.WrongType || fault.says == "11 series, more than 10" {
				return // a matrix is right in a range
			}
			for _, result := range s.Range(t.Context(), now.Add(-2*time.Second), now, time.Second, []rules.Query{ask("up")})[0] {
				failsWith(t, result, fault.want, "")
			}
		})
	}
}

// hasty is a sampler with a short timeout.
func hasty(t *testing.T, handler http.HandlerFunc) *prometheus.Sampler {
	t.Helper()
	server := httptest.NewServer(handler)
	t.Cleanup(server.Close)
	return sampler(t, prometheus.Config{URL: server.URL, Timeout: 300 * time.Millisecond})
}

func failsWith(t *testing.T, got rules.Result, want rules.Reason, says string) {
	t.Helper()
	var failed *rules.SampleError
	if !errors.As(got.Err, &failed) || failed.Reason != want || !strings.Contains(failed.Error(), says) {
		t.Fatalf("want %s with %q, got %v, %v", want, says, got.Err, got.Samples)
	}
	if got.Samples != nil {
		t.Fatalf("a failed result has samples: %v", got.Samples)
	}
	meaning := rules.Blind
	if want == rules.Unbound || want == rules.Empty {
		meaning = rules.NoData
	}
	if got := rules.VerdictOf(got.Err); got != meaning {
		t.Fatalf("%s means %v, want %v", want, got, meaning)
	}
}

func TestWhatIsForTheRulesToSayIsNoFault(t *testing.T) {
	for name, test := range map[string]struct {
		handler http.HandlerFunc
		want    []float64
	}{
		"NaN":                      {success("vector", `[{"metric":{},"value":[1,"NaN"]}]`, ""), []float64{math.NaN()}},
		"an infinity":              {success("vector", `[{"metric":{},"value":[1,"-Inf"]}]`, ""), []float64{math.Inf(-1)}},
		"nothing at all":           {success("vector", `[]`, ""), nil},
		"a scalar":                 {success("scalar", `[1,"2.5"]`, ""), []float64{2.5}},
		"an info is no warning":    {success("vector", one, `,"infos":["metric might not be a counter"]`), []float64{7}},
		"a clock within 5 seconds": {dated(-4 * time.Second), []float64{7}},
		"as many series as may be": {success("vector", manySeries(10), ""), []float64{1, 1, 1, 1, 1, 1, 1, 1, 1, 1}},
	} {
		t.Run(name, func(t *testing.T) {
			got := faulty(t, test.handler).Sample(t.Context(), time.Now(), []rules.Query{ask("up")})[0]
			if got.Err != nil || len(got.Samples) != len(test.want) {
				t.Fatalf("want %v, got %+v", test.want, got)
			}
			for i, want := range test.want {
				if v := got.Samples[i].Value; v != want && !(math.IsNaN(v) && math.IsNaN(want)) {
					t.Fatalf("want %v, got %+v", test.want, got)
				}
			}
		})
	}
}

func TestAReplyOfAnotherInstantIsNotBelieved(t *testing.T) {
	at := time.UnixMilli(1_030_000)
	for name, test := range map[string]struct {
		kind, result string
		believed     bool
	}{
		"a vector of another instant":  {"vector", `[{"metric":{},"value":[1000,"7"]}]`, false},
		"a scalar of another instant":  {"scalar", `[1000,"7"]`, false},
		"a vector two milliseconds on": {"vector", `[{"metric":{},"value":[1030.002,"7"]}]`, false},
		"a vector that was rounded":    {"vector", `[{"metric":{},"value":[1030.001,"7"]}]`, true},
		"a scalar of the instant":      {"scalar", `[1030,"7"]`, true},
	} {
		t.Run(name, func(t *testing.T) {
			got := newFake(success(test.kind, test.result, "")).sampler(t).Sample(t.Context(), at, []rules.Query{ask("up")})[0]
			if !test.believed {
				failsWith(t, got, rules.WrongType, "raise settle")
			} else if got.Err != nil {
				t.Fatal(got.Err)
			}
		})
	}
}

func TestNobodyListeningIsUnreachable(t *testing.T) {
	server := httptest.NewServer(http.NotFoundHandler())
	server.Close()
	got := sampler(t, prometheus.Config{URL: server.URL}).Sample(t.Context(), time.Now(), []rules.Query{ask("up")})[0]
	failsWith(t, got, rules.Unreachable, "connection refused")
}

func TestAQueryThatCannotBeAskedIsTypedAndDisturbsNoOther(t *testing.T) {
	s := faulty(t, success("vector", one, ""))
	got := s.Sample(t.Context(), time.Now(), []rules.Query{
		{Source: "elsewhere", Template: "up"},
		ask(`up{version="$version"}`),
		ask(`up{`),
		ask(`up`),
	})
	failsWith(t, got[0], rules.BadQuery, "no [prometheus.elsewhere]; known: main")
	failsWith(t, got[1], rules.Unbound, "version")
	failsWith(t, got[2], rules.BadQuery, "")
	if got[3].Err != nil {
		t.Fatalf("the good one: %v", got[3].Err)
	}
}

func TestAServerThatTakesNoPOSTIsAskedByGET(t *testing.T) {
	for _, status := range []int{http.StatusMethodNotAllowed, http.StatusNotImplemented} {
		s := faulty(t, func(w http.ResponseWriter, r *http.Request) {
			if r.Method != http.MethodGet {
				replies(status, "<html>only GET</html>")(w, r)
				return
			}
			success("vector", one, "")(w, r)
		})
		if got := sampleUp(t, s); got.Err != nil {
			t.Errorf("POST is answered with %d: %v", status, got.Err)
		}
	}
}

func TestTheSkewIsReported(t *testing.T) {
	s := faulty(t, dated(-time.Hour))
	if s.Skew() != 0 {
		t.Fatalf("skew %v before any reply", s.Skew())
	}
	s.Sample(t.Context(), time.Now(), []rules.Query{ask("up")})
	if off := s.Skew() + time.Hour; off.Abs() > 3*time.Second {
		t.Fatalf("skew %v, want about an hour behind", s.Skew())
	}
}
