package outbound_test

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/bakewatch/bakewatch/actions"
	"github.com/bakewatch/bakewatch/integrations/outbound"
)

const secretPath = "/hooks/0123456789abcdef-secret"

// post makes one call to the URL.
func post(ctx context.Context, t *testing.T, cfg outbound.Config, url string, unclear actions.Class) (outbound.Reply, error) {
	t.Helper()
	client, err := outbound.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	to, err := outbound.ParseEndpoint(url)
	if err != nil {
		t.Fatal(err)
	}
	return client.Do(ctx, outbound.Call{
		Method: http.MethodPost, To: to, Body: []byte("{}"), Unclear: unclear, Header: http.Header{"Idempotency-Key": {"k"}},
	})
}

func serve(t *testing.T, handler http.HandlerFunc) string {
	t.Helper()
	server := httptest.NewServer(handler)
	t.Cleanup(server.Close)
	return server.URL + secretPath
}

func TestAStatusSaysWhatMayBeDoneNext(t *testing.T) {
	const r, p, u = actions.ClassRetryable, actions.ClassPermanent, actions.ClassUnknown
	for name, c := range map[string]struct {
		status            int
		after             string
		rollback, message actions.Class
	}{
		"301 may come after the deed":           {301, "", u, p},
		"303 may come after the deed":           {303, "", u, p},
		"307 is an order to go elsewhere":       {307, "", p, p},
		"308 is an order to go elsewhere":       {308, "", p, p},
		"400 will never work":                   {400, "", p, p},
		"401 will never work":                   {401, "", p, p},
		"404 will never work":                   {404, "", p, p},
		"408 was not read to its end":           {408, "", r, r},
		"409 may be under way":                  {409, "", u, r},
		"421 went to the wrong server":          {421, "", r, r},
		"425 was too early":                     {425, "", r, r},
		"429 was not done":                      {429, "", r, r},
		"500 may be half done":                  {500, "", u, r},
		"501 will never work":                   {501, "", p, p},
		"502 may be half done":                  {502, "", u, r},
		"503 may come from a proxy":             {503, "", u, r},
		"503 that says when chose not to do it": {503, "5", r, r},
		"504 may be done":                       {504, "", u, r},
		"599 is anything":                       {599, "", u, r},
	} {
		t.Run(name, func(t *testing.T) {
			url := serve(t, func(w http.ResponseWriter, _ *http.Request) {
				if c.after != "" {
					w.Header().Set("Retry-After", c.after)
				}
				w.WriteHeader(c.status)
			})
			reply, err := post(t.Context(), t, outbound.Config{}, url, actions.ClassUnknown)
			if got := actions.Classify(err); err == nil || got != c.rollback || reply.Status != c.status {
				t.Errorf("a rollback: class %d, want %d: %v", got, c.rollback, err)
			}
			_, err = post(t.Context(), t, outbound.Config{}, url, actions.ClassRetryable)
			if got := actions.Classify(err); err == nil || got != c.message {
				t.Errorf("a message: class %d, want %d: %v", got, c.message, err)
			}
		})
	}
}

func TestRetryAfterIsKeptWithinReason(t *testing.T) {
	for name, c := range map[string]struct {
		value    string
		min, max time.Duration
	}{
		"seconds":         {"7", 7 * time.Second, 7 * time.Second},
		"nothing":         {"", 0, 0},
		"a day is cut":    {"86400", time.Hour, time.Hour},
		"nonsense":        {"soon", 0, 0},
		"less than none":  {"-5", 0, 0},
		"a date":          {time.Now().Add(10 * time.Minute).UTC().Format(http.TimeFormat), time.Second, 10 * time.Minute},
		"a date long ago": {"Mon, 02 Jan 2006 15:04:05 GMT", 0, 0},
	} {
		t.Run(name, func(t *testing.T) {
			url := serve(t, func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("Retry-After", c.value)
				w.WriteHeader(http.StatusTooManyRequests)
			})
			_, err := post(t.Context(), t, outbound.Config{}, url, actions.ClassUnknown)
			var typed *actions.Error
			if !errors.As(err, &typed) || typed.After < c.min || typed.After > c.max {
				t.Errorf("%+v", typed)
			}
		})
	}
}

func TestWithoutAConnectionNothingWasSent(t *testing.T) {
	closed, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	refused := "http://" + closed.Addr().String()
	closed.Close()
	var called atomic.Int32
	secure := httptest.NewTLSServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { called.Add(1) }))
	defer secure.Close()
	secure.Config.ErrorLog = nil
	plain := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { called.Add(1) }))
	defer plain.Close()
	for name, url := range map[string]string{
		"refused":                  refused,
		"no such name":             "http://no-such-host.invalid",
		"a certificate of nobody":  secure.URL,
		"TLS to one without":       strings.Replace(plain.URL, "http:", "https:", 1),
		"a port that is no number": "http://127.0.0.1:1",
	} {
		t.Run(name, func(t *testing.T) {
			_, err := post(t.Context(), t, outbound.Config{}, url+secretPath, actions.ClassUnknown)
			if actions.Classify(err) != actions.ClassRetryable {
				t.Errorf("class %d: %v", actions.Classify(err), err)
			}
			if err == nil || strings.Contains(err.Error(), secretPath) || strings.Contains(err.Error(), "Post ") {
				t.Errorf("shows the URL: %v", err)
			}
		})
	}
	if called.Load() != 0 {
		t.Error("something was sent")
	}
}

func TestAfterSendingAFailureIsUnclear(t *testing.T) {
	for name, answer := range map[string]http.HandlerFunc{
		"the connection breaks": func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) },
		"the reply breaks off": func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", "100")
			_, _ = io.WriteString(w, "half")
			w.(http.Flusher).Flush()
			panic(http.ErrAbortHandler)
		},
		"no answer in time": func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() },
	} {
		t.Run(name, func(t *testing.T) {
			var calls atomic.Int32
			url := serve(t, func(w http.ResponseWriter, r *http.Request) {
				calls.Add(1)
				_, _ = io.Copy(io.Discard, r.Body)
				answer(w, r)
			})
			_, err := post(t.Context(), t, outbound.Config{Timeout: 2 * time.Second}, url, actions.ClassUnknown)
			if err == nil || actions.Classify(err) != actions.ClassUnknown {
				t.Errorf("class %d: %v", actions.Classify(err), err)
			}
			if calls.Load() != 1 {
				t.Errorf("sent %d times", calls.Load())
			}
		})
	}
}

func TestEveryCallHasAConnectionOfItsOwn(t *testing.T) {
	var connections atomic.Int32
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	server.Config.ConnState = func(_ net.Conn, state http.ConnState) {
		if state == http.StateNew {
			connections.Add(1)
		}
	}
	server.Start()
	defer server.Close()
	client, err := outbound.New(outbound.Config{})
	if err != nil {
		t.Fatal(err)
	}
	to, err := outbound.ParseEndpoint(server.URL)
	if err != nil {
		t.Fatal(err)
	}
	for range 3 {
		if _, err := client.Do(t.Context(), outbound.Call{Method: http.MethodPost, To: to}); err != nil {
			t.Fatal(err)
		}
	}
	if connections.Load() != 3 {
		t.Errorf("%d connections: a reused one that breaks is a call sent twice", connections.Load())
	}
}

func TestAReplyIsCutAtItsLimit(t *testing.T) {
	url := serve(t, func(w http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(w, strings.Repeat("x", outbound.ReplyLimit+1))
	})
	reply, err := post(t.Context(), t, outbound.Config{}, url, actions.ClassUnknown)
	if err != nil || len(reply.Body) != outbound.ReplyLimit || !reply.Cut {
		t.Errorf("%d bytes, cut %v, %v", len(reply.Body), reply.Cut, err)
	}
}

// environmentsProxy tells a test process that its proxy is to be left alone: package
// http reads the environment once, so it must be set before the process begins.
const environmentsProxy = "BAKEWATCH_TEST_ENVIRONMENTS_PROXY"

func TestTheEnvironmentsProxyIsNotUsed(t *testing.T) {
	if os.Getenv(environmentsProxy) != "" {
		if reply, err := post(t.Context(), t, outbound.Config{}, "http://no-such-host.invalid/", actions.ClassUnknown); err == nil {
			t.Errorf("someone answered: %+v", reply)
		}
		// That package http sees the variable is what makes the above a test.
		if resp, err := http.Get("http://no-such-host.invalid/"); err != nil { //nolint:noctx // a test process
			t.Errorf("the environment names no proxy: %v", err)
		} else {
			_ = resp.Body.Close()
		}
		return
	}
	var proxied atomic.Int32
	proxy := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { proxied.Add(1) }))
	defer proxy.Close()
	test := exec.CommandContext(t.Context(), os.Args[0], "-test.run", "^"+t.Name()+"$") //nolint:gosec // this test
	test.Env = append(os.Environ(), environmentsProxy+"=1", "HTTP_PROXY="+proxy.URL, "http_proxy="+proxy.URL, "NO_PROXY=", "no_proxy=")
	if out, err := test.CombinedOutput(); err != nil || proxied.Load() != 1 {
		t.Errorf("%v, %d calls went through the proxy: %s", err, proxied.Load(), out)
	}
}

func TestTheProxyOfTheOptionsIsUsed(t *testing.T) {
	var proxied atomic.Int32
	proxy := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { proxied.Add(1) }))
	defer proxy.Close()
	if _, err := post(t.Context(), t, outbound.Config{Proxy: proxy.URL}, "http://no-such-host.invalid/", actions.ClassUnknown); err != nil || proxied.Load() != 1 {
		t.Errorf("%d calls went through it: %v", proxied.Load(), err)
	}
}

func TestAWishToWaitIsKeptOnlyWhereTheCallMayBeMadeAgain(t *testing.T) {
	for status, want := range map[int]time.Duration{429: 7 * time.Second, 503: 7 * time.Second, 400: 0, 404: 0, 500: 0, 502: 0} {
		url := serve(t, func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Retry-After", "7")
			w.WriteHeader(status)
		})
		_, err := post(t.Context(), t, outbound.Config{}, url, actions.ClassUnknown)
		var typed *actions.Error
		if !errors.As(err, &typed) || typed.After != want {
			t.Errorf("%d: %+v, want %s", status, typed, want)
		}
	}
}
