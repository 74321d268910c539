package prometheus_test

import (
	"context"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/bakewatch/bakewatch/rules"
)

func TestAProbeThatIsGivenUpIsNotRepeated(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server := newFake(apiError(500, "internal", "down"))
		s := server.sampler(t)
		down(t, s)
		<-time.After(time.Minute)
		before := server.asked.Load()
		server.becomes(func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() })
		ctx, cancel := contextFor(t, 10*time.Millisecond)
		defer cancel()
		failsWith(t, s.Sample(ctx, time.Now(), []rules.Query{ask("up")})[0], rules.TimedOut, "given up")
		if got := server.asked.Load() - before; got != 1 {
			t.Fatalf("the server was asked %d times, want the one probe", got)
		}
	})
}

func TestALookThatHasEndedAsksNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server := newFake(apiError(500, "internal", "down"))
		s := server.sampler(t)
		down(t, s)
		<-time.After(time.Minute) // half open: the next query would probe
		before := server.asked.Load()
		server.becomes(success("vector", one, ""))
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		for _, got := range s.Sample(ctx, time.Now(), distinctQueries(100)) {
			failsWith(t, got, rules.TimedOut, "given up")
		}
		if got := server.asked.Load() - before; got != 0 {
			t.Fatalf("a look that had ended asked the server %d times", got)
		}
	})
}
