package prometheus_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/common/model"
	"pgregory.net/rapid"

	"github.com/bakewatch/bakewatch/integrations/prometheus"
	"github.com/bakewatch/bakewatch/rules"
)

func distinctQueries(n int) []rules.Query { return queriesTo("main", n) }

func queriesTo(source string, n int) []rules.Query {
	queries := make([]rules.Query, n)
	for i := range queries {
		queries[i] = rules.Query{Source: source, Template: fmt.Sprintf(`up{i="%d"}`, i)}
	}
	return queries
}

// contextFor is cancelled, and does not run out, after a while.
func contextFor(t *testing.T, d time.Duration) (context.Context, context.CancelFunc) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	timer := time.AfterFunc(d, cancel)
	return ctx, func() { timer.Stop(); cancel() }
}

// echo answers with the query as a label.
func echo(w http.ResponseWriter, r *http.Request) {
	success("vector", fmt.Sprintf(`[{"metric":{"query":%q},"value":[1,"1"]}]`, r.PostFormValue("query")), "")(w, r)
}

func TestEveryQueryGetsItsOwnAnswerAndEqualOnesAreAskedOnce(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		server := newFake(echo)
		source, err := prometheus.NewSource("main", prometheus.Config{URL: "http://fake", Transport: server, PerSecond: 1e6})
		if err != nil {
			t.Fatal(err)
		}
		s, err := prometheus.NewSampler(nil, source)
		if err != nil {
			t.Fatal(err)
		}
		versions := rapid.SliceOfN(rapid.SampledFrom([]string{"1", "2", `"} or up{x="`, "ü", "$version"}), 0, 30).Draw(t, "versions")
		queries, distinct := make([]rules.Query, len(versions)), map[string]bool{}
		for i, v := range versions {
			queries[i] = rules.Query{Source: "main", Template: `up{version="$version"}`, Values: map[string]string{"version": v}}
			distinct[v] = true
		}
		for i, got := range s.Sample(context.Background(), time.Now(), queries) {
			want := fmt.Sprintf(`up{version=%q}`, versions[i])
			if got.Err != nil || got.Samples[0].Labels["query"] != want {
				t.Fatalf("query %d is answered with %+v, want %s", i, got, want)
			}
		}
		if int(server.asked.Load()) != len(distinct) {
			t.Fatalf("%d requests for %d distinct queries", server.asked.Load(), len(distinct))
		}
	})
}

func TestTheBudgetIsKept(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var under, most atomic.Int64
		server := newFake(func(w http.ResponseWriter, r *http.Request) {
			most.Store(max(most.Load(), under.Add(1)))
			<-time.After(100 * time.Millisecond)
			under.Add(-1)
			success("vector", one, "")(w, r)
		})
		s := sampler(t, prometheus.Config{URL: "http://fake", Transport: server, Concurrency: 3, PerSecond: 10})
		began := time.Now()
		for i, got := range s.Sample(t.Context(), began, distinctQueries(60)) {
			if got.Err != nil {
				t.Fatalf("query %d: %v", i, got.Err)
			}
		}
		if most.Load() != 3 {
			t.Errorf("%d queries were under way at once, want 3", most.Load())
		}
		// The first ten may go at once, the other fifty at ten a second.
		if took := time.Since(began); took < 5*time.Second || took > 6*time.Second {
			t.Errorf("60 queries at 10 a second took %v", took)
		}
	})
}

func TestWhatTheBudgetLeavesNoTimeForTimesOut(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server := newFake(success("vector", one, ""))
		s := sampler(t, prometheus.Config{URL: "http://fake", Transport: server, PerSecond: 1})
		ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
		defer cancel()
		answered := 0
		for _, got := range s.Sample(ctx, time.Now(), distinctQueries(20)) {
			if got.Err == nil {
				answered++
				continue
			}
			failsWith(t, got, rules.TimedOut, "before the look's deadline")
		}
		if answered < 5 || answered > 6 {
			t.Fatalf("%d of 20 were answered in 5 s at one a second", answered)
		}
	})
}

func TestALookAtASlowSourceDoesNotHoldUpALookAtAnother(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		slow := newFake(func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() })
		a, errA := prometheus.NewSource("slow", prometheus.Config{URL: "http://slow", Transport: slow})
		b, errB := prometheus.NewSource("main", prometheus.Config{URL: "http://main", Transport: newFake(success("vector", one, ""))})
		s, err := prometheus.NewSampler(nil, a, b)
		if err := errors.Join(errA, errB, err); err != nil {
			t.Fatal(err)
		}
		began := time.Now()
		late := make(chan []rules.Result, 1)
		go func() { late <- s.Sample(t.Context(), began, queriesTo("slow", 10)) }()
		synctest.Wait() // all that may be asked of the slow one at a time is under way
		for i, got := range s.Sample(t.Context(), began, queriesTo("main", 10)) {
			if got.Err != nil || time.Since(began) > 0 {
				t.Fatalf("query %d of the fast one has %v after %v", i, got.Err, time.Since(began))
			}
		}
		failsWith(t, (<-late)[0], rules.TimedOut, "no answer within 10s")
	})
}

func TestTheServerIsToldATimeoutThatItCanRead(t *testing.T) {
	for timeout, want := range map[time.Duration]string{
		90 * time.Second: "1m30s", 1500 * time.Millisecond: "2s", 250*time.Millisecond + time.Microsecond: "251ms",
	} {
		var told atomic.Pointer[string]
		server := newFake(func(w http.ResponseWriter, r *http.Request) {
			got := r.PostFormValue("timeout")
			told.Store(&got)
			success("vector", one, "")(w, r)
		})
		sampleUp(t, sampler(t, prometheus.Config{URL: "http://fake", Transport: server, Timeout: timeout}))
		if got := *told.Load(); got != want {
			t.Errorf("%v is told as %q, want %q", timeout, got, want)
		}
		if _, err := model.ParseDuration(want); err != nil {
			t.Error(err)
		}
	}
}
