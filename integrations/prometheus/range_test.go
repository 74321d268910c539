package prometheus_test

import (
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/bakewatch/bakewatch/integrations/prometheus"
	"github.com/bakewatch/bakewatch/rules"
)

// flat writes samples in a comparable form, whatever their order.
func flat(samples []rules.Sample) string {
	var lines []string
	for _, s := range samples {
		var b strings.Builder
		for _, name := range slices.Sorted(maps.Keys(s.Labels)) {
			fmt.Fprintf(&b, "%s=%q ", name, s.Labels[name])
		}
		lines = append(lines, fmt.Sprint(b.String(), s.Value))
	}
	slices.Sort(lines)
	return strings.Join(lines, "; ")
}

// ramp is a server whose every range is a ramp: the value is the second, and
// every tenth second is missing.
type ramp struct {
	mu     sync.Mutex
	spans  []int             // how many instants every request asked for
	limit  int               // above so many, the reply is too large
	slow   int               // above so many, there is no reply in time
	rounds bool              // the instants of a range are others than were asked for
	fault  http.HandlerFunc  // what is said to a request with an instant that is bad
	bad    func(at int) bool // nil: none is
}

func (s *ramp) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if text := r.PostFormValue("time"); text != "" {
		at, _ := strconv.Atoi(text)
		s.instant(at)(w, r)
		return
	}
	from, _ := strconv.ParseFloat(r.PostFormValue("start"), 64)
	to, _ := strconv.ParseFloat(r.PostFormValue("end"), 64)
	step, _ := strconv.ParseFloat(r.PostFormValue("step"), 64)
	count := int((to-from)/step+0.5) + 1
	s.mu.Lock()
	s.spans = append(s.spans, count)
	s.mu.Unlock()
	if s.limit > 0 && count > s.limit {
		huge(w, r)
		return
	}
	if s.slow > 0 && count > s.slow {
		<-r.Context().Done()
		return
	}
	s.points(int(from), int(step), count)(w, r)
}

func (s *ramp) points(from, step, count int) http.HandlerFunc {
	var points []string
	for i := range count {
		at := from + i*step
		if s.bad != nil && s.bad(at) {
			return s.fault
		}
		if s.rounds {
			points = append(points, fmt.Sprintf(`[%d.5,"0"]`, at))
		} else if at%10 != 0 {
			points = append(points, fmt.Sprintf(`[%d,"%d"]`, at, at))
		}
	}
	return success("matrix", `[{"metric":{"a":"b"},"values":[`+strings.Join(points, ",")+`]}]`, "")
}

func (s *ramp) instant(at int) http.HandlerFunc {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.spans = append(s.spans, 1)
	if at%10 == 0 {
		return success("vector", "[]", "")
	}
	return success("vector", fmt.Sprintf(`[{"metric":{"a":"b"},"value":[%d,"%d"]}]`, at, at), "")
}

// ramped asks for so many instants and checks that each got its own.
func ramped(t *testing.T, s *prometheus.Sampler, count int) {
	t.Helper()
	from := time.Unix(1_000_001, 0)
	results := s.Range(t.Context(), from, from.Add(time.Duration(count-1)*time.Second), time.Second, []rules.Query{ask("a"), ask("a")})
	for q, result := range results {
		if len(result) != count {
			t.Fatalf("query %d has %d instants, want %d", q, len(result), count)
		}
		for i, got := range result {
			at, want := from.Add(time.Duration(i)*time.Second).Unix(), ""
			if at%10 != 0 {
				want = fmt.Sprintf(`a="b" %v`, float64(at))
			}
			if got.Err != nil || flat(got.Samples) != want {
				t.Fatalf("at %d want %q, got %+v", at, want, got)
			}
		}
	}
}

func TestARangeIsCutIntoRequestsThatPrometheusAccepts(t *testing.T) {
	server := &ramp{}
	ramped(t, newFake(server.ServeHTTP).sampler(t), 25_001)
	if !slices.Equal(server.spans, []int{10_000, 10_000, 5_001}) {
		t.Fatalf("the requests asked for %v instants", server.spans)
	}
}

func TestARangeWhoseReplyIsTooLargeIsHalved(t *testing.T) {
	server := &ramp{limit: 30}
	ramped(t, newFake(server.ServeHTTP).sampler(t), 100)
	if !slices.Equal(server.spans, []int{100, 50, 25, 25, 50, 25, 25}) {
		t.Fatalf("the requests asked for %v instants", server.spans)
	}
}

func TestAnOutageKeepsTheAnswersBeforeItAndAsksNoMore(t *testing.T) {
	server := &ramp{}
	requests := 0
	s := newFake(func(w http.ResponseWriter, r *http.Request) {
		if requests++; requests == 2 {
			apiError(500, "internal", "gone")(w, r)
			return
		}
		server.ServeHTTP(w, r)
	}).sampler(t)
	from := time.Unix(1_000_000, 0)
	got := s.Range(t.Context(), from, from.Add(25_000*time.Second), time.Second, []rules.Query{ask("a")})[0]
	for i, got := range got {
		if i >= 10_000 {
			failsWith(t, got, rules.ServerError, "gone")
		} else if got.Err != nil {
			t.Fatalf("instant %d was answered before: %v", i, got.Err)
		}
	}
	if requests != 2 {
		t.Fatalf("%d requests, want none after the outage", requests)
	}
}

func TestARangeOfNoInstantsIsEmpty(t *testing.T) {
	server := newFake(success("matrix", "[]", ""))
	now := time.Now()
	got := server.sampler(t).Range(t.Context(), now, now.Add(-time.Second), time.Second, []rules.Query{ask("a")})
	if len(got) != 1 || len(got[0]) != 0 || server.asked.Load() != 0 {
		t.Fatalf("want one empty answer and no request, got %v after %d", got, server.asked.Load())
	}
}

func TestARangeThatTheServerRoundsIsAskedForOneByOne(t *testing.T) {
	server := &ramp{rounds: true}
	ramped(t, newFake(server.ServeHTTP).sampler(t), 100)
	if !slices.Equal(server.spans, slices.Concat([]int{100}, slices.Repeat([]int{1}, 100))) {
		t.Fatalf("the requests asked for %v instants", server.spans)
	}
}

func TestARangeOfTooManySeriesIsTooLarge(t *testing.T) {
	var b strings.Builder
	for i := range 11 {
		fmt.Fprintf(&b, `,{"metric":{"i":"%d"},"values":[]}`, i)
	}
	s := faulty(t, success("matrix", "["+b.String()[1:]+"]", ""))
	got := s.Range(t.Context(), time.Unix(0, 0), time.Unix(0, 0), time.Second, []rules.Query{ask("a")})
	failsWith(t, got[0][0], rules.TooLarge, "11 series")
}

func TestARangeOfHistogramsIsNoNumber(t *testing.T) {
	s := newFake(success("matrix", `[{"metric":{},"histograms":[[1,{"count":"1","sum":"1","buckets":[]}]]}]`, "")).sampler(t)
	got := s.Range(t.Context(), time.Unix(1, 0), time.Unix(1, 0), time.Second, []rules.Query{ask("a")})
	failsWith(t, got[0][0], rules.WrongType, "native histogram")
}

func TestServersAreAskedNotToRoundInstants(t *testing.T) {
	for _, at := range []string{"http://fake", "http://fake?extra_label=a"} {
		var told []string
		server := newFake(func(w http.ResponseWriter, r *http.Request) {
			told = append(told, r.FormValue("nocache")+r.FormValue("extra_label"))
			success("matrix", "[]", "")(w, r)
		})
		s := sampler(t, prometheus.Config{URL: at, Transport: server})
		s.Range(t.Context(), time.Unix(0, 0), time.Unix(9, 0), time.Second, []rules.Query{ask("a")})
		if want := "1" + strings.TrimPrefix(strings.TrimPrefix(at, "http://fake"), "?extra_label="); !slices.Equal(told, []string{want}) {
			t.Errorf("%s: the server was told %q, want %q", at, told, want)
		}
	}
}
