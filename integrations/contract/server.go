package contract

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// Web is a fake of a tool that is reached by HTTP.
type Web struct {
	*httptest.Server
	Elsewhere func() int

	mu    sync.Mutex
	calls []Call
}

// retryAfter is what a Web with the conduct TriesNot asks for.
const retryAfter = 7 * time.Second

// StartWeb serves the conduct on 127.0.0.1 until the test ends. read turns a
// request into the call it stands for, or fails the test; works answers a call
// as the tool does when all is well.
func StartWeb(t *testing.T, conduct Conduct, read func(*http.Request, []byte) Call, works func(http.ResponseWriter, Call)) *Web {
	t.Helper()
	var elsewhere atomic.Int32
	other := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { elsewhere.Add(1) }))
	t.Cleanup(other.Close)
	web := &Web{Elsewhere: func() int { return int(elsewhere.Load()) }}
	ended := make(chan struct{})
	web.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			return // the caller went away
		}
		call := read(r, body)
		web.mu.Lock()
		web.calls = append(web.calls, call)
		web.mu.Unlock()
		switch conduct {
		case Works:
			works(w, call)
		case TriesNot:
			w.Header().Set("Retry-After", "7")
			http.Error(w, "rate_limited", http.StatusTooManyRequests)
		case Refuses:
			http.Error(w, "invalid_payload", http.StatusBadRequest)
		case Unclear:
			http.Error(w, "rollup_error", http.StatusInternalServerError)
		case Hangs:
			select {
			case <-r.Context().Done():
			case <-ended:
			}
		case Floods:
			flood(w, r)
		case Redirects:
			http.Redirect(w, r, other.URL, http.StatusSeeOther) // one that clients follow without sending the body again
		case Echoes:
			w.WriteHeader(http.StatusBadGateway)
			_ = r.Write(w)
			_, _ = w.Write(body)
		}
	}))
	t.Cleanup(func() {
		close(ended)
		web.Close()
	})
	return web
}

// Calls returns what reached the tool, oldest first.
func (w *Web) Calls() []Call {
	w.mu.Lock()
	defer w.mu.Unlock()
	return append([]Call(nil), w.calls...)
}

// Outside is the Web as the suites take it.
func (w *Web) Outside(conduct Conduct) Outside {
	outside := Outside{Calls: w.Calls, Elsewhere: w.Elsewhere}
	if conduct == TriesNot {
		outside.After = retryAfter
	}
	return outside
}

// flood answers until the caller hangs up.
func flood(w http.ResponseWriter, r *http.Request) {
	chunk := strings.Repeat("x", 32<<10)
	for r.Context().Err() == nil {
		if _, err := io.WriteString(w, chunk); err != nil {
			return
		}
	}
}
