package prometheus_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/bakewatch/bakewatch/integrations/prometheus"
	"github.com/bakewatch/bakewatch/rules"
)

// fake is a server without a network, for tests under a fake clock.
type fake struct {
	handler atomic.Pointer[http.HandlerFunc]
	asked   atomic.Int64
}

func newFake(h http.HandlerFunc) *fake {
	f := &fake{}
	f.handler.Store(&h)
	return f
}

func (f *fake) becomes(h http.HandlerFunc) { f.handler.Store(&h) }

func (f *fake) RoundTrip(r *http.Request) (*http.Response, error) {
	f.asked.Add(1)
	w := httptest.NewRecorder()
	(*f.handler.Load())(w, r)
	if r.Context().Err() != nil {
		return nil, r.Context().Err()
	}
	return w.Result(), nil
}

func (f *fake) sampler(t *testing.T) *prometheus.Sampler {
	t.Helper()
	return sampler(t, prometheus.Config{URL: "http://fake", Transport: f, Timeout: time.Second})
}

func sampleUp(t *testing.T, s *prometheus.Sampler) rules.Result {
	t.Helper()
	return s.Sample(t.Context(), time.Now(), []rules.Query{ask("up")})[0]
}

// down lets five queries fail, and the probe that they cause.
func down(t *testing.T, s *prometheus.Sampler) {
	t.Helper()
	for range 5 {
		failsWith(t, sampleUp(t, s), rules.ServerError, "")
	}
	failsWith(t, sampleUp(t, s), rules.Unreachable, "not asked: 6 failures in a row")
}

func TestAServerThatIsDownIsGivenUpAndComesBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server := newFake(apiError(500, "internal", "down"))
		s := server.sampler(t)
		down(t, s)
		before := server.asked.Load()
		failsWith(t, sampleUp(t, s), rules.Unreachable, "not asked: 6 failures in a row, the last: server-error: server answered 500: internal: down; next try at ")
		if server.asked.Load() != before {
			t.Fatal("an open breaker let a query through")
		}
		<-time.After(time.Minute)
		failsWith(t, sampleUp(t, s), rules.Unreachable, "7 failures in a row")
		if got := server.asked.Load() - before; got != 1 {
			t.Fatalf("half open, the server was asked %d times, want one probe", got)
		}
		server.becomes(success("vector", one, ""))
		failsWith(t, sampleUp(t, s), rules.Unreachable, "not asked")
		<-time.After(time.Minute)
		if got := sampleUp(t, s); got.Err != nil {
			t.Fatalf("the server is back: %v", got.Err)
		}
		server.becomes(apiError(500, "internal", "down"))
		down(t, s) // counted anew
	})
}

func TestAWholeLookComesBackWithOneProbe(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server := newFake(apiError(500, "internal", "down"))
		s := server.sampler(t)
		down(t, s)
		<-time.After(time.Minute)
		server.becomes(func(w http.ResponseWriter, r *http.Request) {
			<-time.After(100 * time.Millisecond)
			success("vector", one, "")(w, r)
		})
		before := server.asked.Load()
		for i, got := range s.Sample(t.Context(), time.Now(), distinctQueries(30)) {
			if got.Err != nil {
				t.Fatalf("query %d: %v", i, got.Err)
			}
		}
		if got := server.asked.Load() - before; got != 31 {
			t.Fatalf("the server was asked %d times, want 30 and one probe", got)
		}
	})
}

func TestThePausesGrowToHalfAMinute(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server := newFake(apiError(500, "internal", "down"))
		s := server.sampler(t)
		down(t, s)
		before := server.asked.Load()
		for range 3600 {
			<-time.After(time.Second)
			sampleUp(t, s)
		}
		if probes := server.asked.Load() - before; probes < 70 || probes > 200 {
			t.Fatalf("%d probes in an hour, want about 120", probes)
		}
		server.becomes(success("vector", one, ""))
		<-time.After(time.Minute)
		sampleUp(t, s)
		server.becomes(apiError(500, "internal", "down"))
		down(t, s)
		server.becomes(success("vector", one, ""))
		<-time.After(2 * time.Second) // the first pause is short again
		if got := sampleUp(t, s); got.Err != nil {
			t.Fatalf("two seconds after the server was given up anew: %v", got.Err)
		}
	})
}

func TestOneBadQueryDoesNotBlindTheOthers(t *testing.T) {
	for name, broken := range map[string]http.HandlerFunc{
		"a query that is wrong":      apiError(400, "bad_data", "wrong"),
		"a query with a warning":     success("vector", one, `,"warnings":["partial"]`),
		"a query with too much data": replies(413, ""),
	} {
		t.Run(name, func(t *testing.T) {
			server := newFake(func(w http.ResponseWriter, r *http.Request) {
				if strings.Contains(r.PostFormValue("query"), "bad") {
					broken(w, r)
					return
				}
				success("vector", one, "")(w, r)
			})
			s := server.sampler(t)
			for range 20 {
				if got := s.Sample(t.Context(), time.Now(), []rules.Query{ask("bad")})[0]; got.Err == nil {
					t.Fatal("the bad query has a result")
				}
			}
			if got := sampleUp(t, s); got.Err != nil {
				t.Fatalf("after 20 bad queries a good one: %v", got.Err)
			}
		})
	}
}

func TestSlowQueriesDoNotBlindTheOthers(t *testing.T) {
	for name, slow := range map[string]http.HandlerFunc{
		"the server's own timeout": apiError(503, "timeout", "query timed out in expression evaluation"),
		"an error of the server":   apiError(500, "internal", "too much for one query"),
		"no answer in time":        func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() },
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				server := newFake(func(w http.ResponseWriter, r *http.Request) {
					if strings.Contains(r.PostFormValue("query"), "heavy") {
						slow(w, r)
						return
					}
					success("vector", one, "")(w, r)
				})
				s := server.sampler(t)
				for range 20 {
					if got := s.Sample(t.Context(), time.Now(), []rules.Query{ask("heavy")})[0]; got.Err == nil {
						t.Fatal("the heavy query has a result")
					}
				}
				if got := sampleUp(t, s); got.Err != nil {
					t.Fatalf("after 20 heavy queries a light one: %v", got.Err)
				}
				if got := server.asked.Load(); got != 25 {
					t.Fatalf("the server was asked %d times, want 21 and a probe after every fifth failure", got)
				}
			})
		})
	}
}

func TestALookThatIsGivenUpSaysNothingAboutTheServer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server := newFake(func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() })
		s := server.sampler(t)
		for range 10 {
			ctx, cancel := contextFor(t, 10*time.Millisecond)
			failsWith(t, s.Sample(ctx, time.Now(), []rules.Query{ask("up")})[0], rules.TimedOut, "given up")
			cancel()
		}
		server.becomes(success("vector", one, ""))
		if got := sampleUp(t, s); got.Err != nil {
			t.Fatalf("after ten looks that were given up: %v", got.Err)
		}
	})
}

func TestAServerThatComesBackIsAskedAgainOverTheNetwork(t *testing.T) {
	var healthy atomic.Bool
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_ = r.ParseForm() // reads all, so that the connection may be used again
		if !healthy.Load() {
			panic(http.ErrAbortHandler)
		}
		success("vector", one, "")(w, r)
	}))
	t.Cleanup(server.Close)
	s := sampler(t, prometheus.Config{URL: server.URL})
	for range 5 {
		failsWith(t, sampleUp(t, s), rules.Unreachable, "")
	}
	failsWith(t, sampleUp(t, s), rules.Unreachable, "not asked") // the probe found it down, too
	healthy.Store(true)
	eventually(t, s, "up", 7)
}
