package prometheus_test

import (
	"net/http"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/bakewatch/bakewatch/integrations/prometheus"
	"github.com/bakewatch/bakewatch/rules"
)

// first is where the ranges of these tests begin.
const first = 1_000_001

// among asks for so many instants and returns those that failed, all for this reason.
func among(t *testing.T, server *ramp, count int, want rules.Reason) (failed []int) {
	t.Helper()
	s := sampler(t, prometheus.Config{URL: "http://fake", Transport: newFake(server.ServeHTTP), MaxBody: 1 << 18})
	from := time.Unix(first, 0)
	results := s.Range(t.Context(), from, from.Add(time.Duration(count-1)*time.Second), time.Second, []rules.Query{ask("a")})[0]
	for i, got := range results {
		if got.Err != nil {
			failsWith(t, got, want, "")
			failed = append(failed, i)
		} else if (len(got.Samples) == 0) != ((first+i)%10 == 0) {
			t.Fatalf("instant %d has the samples %v", i, got.Samples)
		}
	}
	return failed
}

func TestOneInstantThatFailsLeavesItsNeighboursTheirAnswers(t *testing.T) {
	for name, fault := range map[string]struct {
		handler http.HandlerFunc
		want    rules.Reason
	}{
		"a many-to-many match": {apiError(422, "execution", "found duplicate series"), rules.BadQuery},
		"a warning":            {success("matrix", "[]", `,"warnings":["store 3 is down"]`), rules.Partial},
		"a native histogram":   {success("matrix", `[{"metric":{},"histograms":[[1,{"count":"1","sum":"1","buckets":[]}]]}]`, ""), rules.WrongType},
		"too many series":      {replies(413, ""), rules.TooLarge},
		"too many bytes":       {replies(200, strings.Repeat("x", 1<<19)), rules.TooLarge},
	} {
		for _, culprits := range [][]int{{0}, {7}, {499}, {249, 250}, {0, 499}, {3, 100, 101, 102, 400}} {
			t.Run(name, func(t *testing.T) {
				server := &ramp{fault: fault.handler, bad: func(at int) bool { return slices.Contains(culprits, at-first) }}
				if failed := among(t, server, 500, fault.want); !slices.Equal(failed, culprits) {
					t.Fatalf("the instants %v failed, want %v", failed, culprits)
				}
				if most := 4 + 18*len(culprits); len(server.spans) > most {
					t.Fatalf("%d requests, want at most %d", len(server.spans), most)
				}
			})
		}
	}
}

func TestAQueryThatAlwaysFailsIsNotSearched(t *testing.T) {
	server := &ramp{fault: apiError(400, "bad_data", "parse error"), bad: func(int) bool { return true }}
	if failed := among(t, server, 500, rules.BadQuery); len(failed) != 500 {
		t.Fatalf("%d instants failed, want all", len(failed))
	}
	if !slices.Equal(server.spans, []int{500, 1, 1, 1}) {
		t.Fatalf("the requests asked for %v instants", server.spans)
	}
}

func TestTheSearchForManyCulpritsIsBounded(t *testing.T) {
	isBad := func(at int) bool { return (at-first)%2 == 1 }
	server := &ramp{fault: apiError(422, "execution", "found duplicate series"), bad: isBad}
	failed := among(t, server, 5001, rules.BadQuery)
	if len(failed) < 4900 || failed[0] != 1 || failed[1] != 3 {
		t.Fatalf("%d instants failed, the first are %v", len(failed), failed[:2])
	}
	if len(server.spans) > 110 {
		t.Fatalf("%d requests", len(server.spans))
	}
}

func TestARangeThatIsTooSlowIsShortened(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server := &ramp{slow: 30}
		ramped(t, newFake(server.ServeHTTP).sampler(t), 100)
		if !slices.Equal(server.spans, []int{100, 50, 25, 25, 25, 25}) {
			t.Fatalf("the requests asked for %v instants", server.spans)
		}
	})
}

func TestAServerThatHangsIsNotAskedForEveryInstant(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server := newFake(func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() })
		from := time.Unix(first, 0)
		results := server.sampler(t).Range(t.Context(), from, from.Add(499*time.Second), time.Second, []rules.Query{ask("a")})[0]
		for _, got := range results {
			failsWith(t, got, rules.Unreachable, "not asked: 6 failures in a row")
		}
		if got := server.asked.Load(); got != 6 {
			t.Fatalf("%d requests, want five and a probe", got)
		}
	})
}
