package webhook_test

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/bakewatch/bakewatch/actions"
	"github.com/bakewatch/bakewatch/integrations/outbound"
	"github.com/bakewatch/bakewatch/integrations/webhook"
	"github.com/bakewatch/bakewatch/rules"
)

var subject = actions.Subject{
	Service: "checkout", Environment: "production", Strategy: "canary", From: "2.4.0", To: "2.3.9", Watch: "7", Reason: "errors",
}

// tool is a deployment tool with an order, a status and a live endpoint.
type tool struct {
	order, status, live http.HandlerFunc
}

// bind makes an executor for the tool; a nil handler is an endpoint that is not configured.
func (tl tool) bind(t *testing.T) actions.Executor {
	t.Helper()
	mux := http.NewServeMux()
	for pattern, handler := range map[string]http.HandlerFunc{"POST " + path: tl.order, "GET /status": tl.status, "GET /live": tl.live} {
		if handler != nil {
			mux.Handle(pattern, handler)
		}
	}
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	options := executorOptions(t, server.URL)
	if tl.status != nil {
		options.StatusURL = server.URL + "/status"
	}
	if tl.live != nil {
		options.LiveURL = server.URL + "/live"
	}
	binder, err := options.Binder("deployer", slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	executor, err := binder.Bind(nil, subject)
	if err != nil {
		t.Fatal(err)
	}
	return executor
}

// answers answers each call with the next of the replies, the last one again and again.
func answers(status int, replies ...string) http.HandlerFunc {
	var calls atomic.Int32
	return func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(status)
		_, _ = io.WriteString(w, replies[min(int(calls.Add(1)), len(replies))-1])
	}
}

const classDone = actions.Class(99) // no error at all

func classOf(err error) actions.Class {
	if err == nil {
		return classDone
	}
	return actions.Classify(err)
}

func TestTheAnswerToAnOrderIsBelievedOnlyAsFarAsItGoes(t *testing.T) {
	for name, c := range map[string]struct {
		order, status http.HandlerFunc
		want          actions.Class
	}{
		"204 is done":                            {order: answers(204, ""), want: classDone},
		"200 with some text is done":             {order: answers(200, "OK"), want: classDone},
		"200 with JSON about other things is":    {order: answers(200, `{"id": 5}`), want: classDone},
		"200 that says failed is failed":         {order: answers(200, `{"state":"failed","reason":"no such version"}`), want: actions.ClassPermanent},
		"200 that says unknown is unknown":       {order: answers(200, `{"state":"unknown"}`), want: actions.ClassUnknown},
		"200 with a state nobody knows is":       {order: answers(200, `{"state":"finished"}`), want: actions.ClassUnknown},
		"200 with broken JSON is unknown":        {order: answers(200, `{"state":`), want: actions.ClassUnknown},
		"200 that is too long is unknown":        {order: answers(200, strings.Repeat("x", outbound.ReplyLimit+1)), want: actions.ClassUnknown},
		"done, but another version is live":      {order: answers(200, `{"state":"done","live":"2.4.0"}`), want: actions.ClassUnknown},
		"done, and the target is live":           {order: answers(200, `{"state":"done","live":"2.3.9"}`), want: classDone},
		"202 that nobody follows up is unknown":  {order: answers(202, ""), want: actions.ClassUnknown},
		"200 running, not followed up":           {order: answers(200, `{"state":"running"}`), want: actions.ClassUnknown},
		"202 that says done at once is done":     {order: answers(202, `{"state":"done"}`), want: classDone},
		"202, and then it is done":               {answers(202, ""), answers(200, `{"state":"running"}`, `{"state":"done","live":"2.3.9"}`), classDone},
		"202, and then it failed":                {answers(202, ""), answers(200, `{"state":"failed"}`), actions.ClassPermanent},
		"202, and then the status is forbidden":  {answers(202, ""), answers(403, ""), actions.ClassUnknown},
		"202, and then the status is no JSON":    {answers(202, ""), answers(200, "fine"), actions.ClassUnknown},
		"202, and then another version is live":  {answers(202, ""), answers(200, `{"state":"done","live":"9"}`), actions.ClassUnknown},
		"404 to an order is final":               {order: answers(404, ""), want: actions.ClassPermanent},
		"500 that says failed proves nothing":    {order: answers(500, `{"state":"failed"}`), want: actions.ClassUnknown},
		"409: a rollback may already be running": {order: answers(409, ""), want: actions.ClassUnknown},
	} {
		t.Run(name, func(t *testing.T) {
			err := tool{order: c.order, status: c.status}.bind(t).Rollback(t.Context(), "k")
			if got := classOf(err); got != c.want {
				t.Errorf("class %d, want %d: %v", got, c.want, err)
			}
		})
	}
}

func TestAStatusThatIsNotThereYetIsAskedAgain(t *testing.T) {
	var ids []string // of the calls, one after another
	remember := func(r *http.Request) { ids = append(ids, r.Header.Get("webhook-id")) }
	executor := tool{order: func(w http.ResponseWriter, r *http.Request) {
		remember(r)
		w.WriteHeader(http.StatusAccepted)
	}, status: func(w http.ResponseWriter, r *http.Request) {
		remember(r)
		if r.Header.Get("Idempotency-Key") != "k" || webhook.Verify(outbound.NewSecret(secret), r.Header, nil) != nil {
			t.Error("the question is not signed, or not about the key")
		}
		switch len(ids) {
		case 2:
			w.WriteHeader(http.StatusNotFound)
		case 3:
			w.WriteHeader(http.StatusBadGateway)
		default:
			_, _ = io.WriteString(w, `{"state":"done"}`)
		}
	}}.bind(t)
	if err := executor.Rollback(t.Context(), "k"); err != nil || len(ids) != 4 {
		t.Fatalf("%d calls: %v", len(ids), err)
	}
	slices.Sort(ids)
	if len(slices.Compact(ids)) != 4 || slices.Contains(ids, "") {
		t.Errorf("a receiver that drops what it has seen drops some of %q", ids)
	}
}

func TestAStatusIsNotAskedForBeforeItsServerWants(t *testing.T) {
	var asked []time.Time
	executor := tool{order: answers(202, ""), status: func(w http.ResponseWriter, _ *http.Request) {
		if asked = append(asked, time.Now()); len(asked) == 1 {
			w.Header().Set("Retry-After", "2")
			w.WriteHeader(http.StatusTooManyRequests)
			return
		}
		_, _ = io.WriteString(w, `{"state":"done"}`)
	}}.bind(t)
	if err := executor.Rollback(t.Context(), "k"); err != nil || len(asked) != 2 || asked[1].Sub(asked[0]) < 2*time.Second {
		t.Errorf("asked at %v: %v", asked, err)
	}
}

func TestAnOutcomeThatDoesNotComeInTimeIsUnknown(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	executor := tool{order: answers(202, ""), status: func(w http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(w, `{"state":"running"}`)
		cancel()
	}}.bind(t)
	if err := executor.Rollback(ctx, "k"); err == nil || actions.Classify(err) != actions.ClassUnknown {
		t.Error(err)
	}
}

func TestLiveTellsAVersionOrThatItCannot(t *testing.T) {
	for name, c := range map[string]struct {
		live  http.HandlerFunc
		want  string
		again bool // the question failed, and may be asked again
	}{
		"a version":           {answers(200, `{"version":"2.3.9"}`), "2.3.9", false},
		"no version":          {answers(200, `{"version":""}`), "", false},
		"a sentence":          {answers(200, `{"version":"I do not know"}`), "", false},
		"no JSON":             {answers(200, `2.3.9`), "", false},
		"a refusal":           {answers(403, ""), "", false},
		"a version, but 500":  {answers(500, `{"version":"2.3.9"}`), "", true},
		"nobody there yet":    {answers(503, ""), "", true},
		"too many questions":  {answers(429, ""), "", true},
		"a broken connection": {func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }, "", true},
		"no such endpoint":    {nil, "", false},
	} {
		t.Run(name, func(t *testing.T) {
			live, err := tool{order: answers(204, ""), live: c.live}.bind(t).Live(t.Context())
			if live != c.want || (err == nil) != (c.want != "") || err != nil && errors.Is(err, actions.ErrCannotTell) == c.again {
				t.Errorf("live %q, %v; want %q, ask again %v", live, err, c.want, c.again)
			}
		})
	}
	t.Run("the question names the subject in headers and nothing in the URL", func(t *testing.T) {
		executor := tool{live: func(w http.ResponseWriter, r *http.Request) {
			if r.Header.Get("Bakewatch-Service") != "checkout" || r.Header.Get("Bakewatch-Environment") != "production" || r.URL.RawQuery != "" || r.URL.Path != "/live" {
				t.Errorf("%s %v", r.URL, r.Header)
			}
			if err := webhook.Verify(outbound.NewSecret(secret), r.Header, nil); err != nil {
				t.Error(err)
			}
			_, _ = io.WriteString(w, `{"version":"2.3.9"}`)
		}}.bind(t)
		if _, err := executor.Live(t.Context()); err != nil {
			t.Error(err)
		}
	})
}

func TestASignatureIsThatOfTheSpecification(t *testing.T) {
	body := []byte(`{"test": 2432232314}`)
	header, err := webhook.Sign(outbound.NewSecret(secret), "msg_p5jXN8AQM9LWM0D4loKWxJek", time.Unix(1614265330, 0), body)
	if err != nil {
		t.Fatal(err)
	}
	if got := header.Get("webhook-signature"); got != "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=" {
		t.Errorf("signature %s", got)
	}
	if webhook.Verify(outbound.NewSecret(secret), header, body) == nil {
		t.Error("years old, and accepted")
	}
	header, err = webhook.Sign(outbound.NewSecret(secret), "id", time.Now(), body)
	if err != nil {
		t.Fatal(err)
	}
	if err := webhook.Verify(outbound.NewSecret(secret), header, body); err != nil {
		t.Error(err)
	}
	if webhook.Verify(outbound.NewSecret(secret), header, append(body, ' ')) == nil {
		t.Error("changed, and accepted")
	}
}

func TestASecretThatIsNoneIsRefusedWithoutShowingIt(t *testing.T) {
	for name, bad := range map[string]string{
		"no prefix": "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "too short": "whsec_c2hvcnQ=", "no base64": "whsec_!!hunter2!!!!!!!!!!!!!!!!!!!!!!!!", "none": "",
	} {
		t.Run(name, func(t *testing.T) {
			if err := webhook.CheckSecret(outbound.NewSecret(bad)); err == nil || bad != "" && strings.Contains(err.Error(), bad) {
				t.Error(err)
			}
		})
	}
}

func TestOptionsAreCheckedAtLoad(t *testing.T) {
	for name, c := range map[string]struct {
		change func(*webhook.ExecutorOptions)
		want   string
	}{
		"no URL":              {func(o *webhook.ExecutorOptions) { o.URL = "" }, "url_file: missing"},
		"two URLs":            {func(o *webhook.ExecutorOptions) { o.URLEnv = "X" }, "url: set twice"},
		"a placeholder":       {func(o *webhook.ExecutorOptions) { o.URL += "/$service" }, "url: the URL has a placeholder"},
		"no secret":           {func(o *webhook.ExecutorOptions) { o.SecretFile = "" }, "secret_file: missing"},
		"a token in place":    {func(o *webhook.ExecutorOptions) { o.Headers = map[string]string{"authorization": "Bearer x"} }, "headers.authorization: a secret"},
		"an api key in place": {func(o *webhook.ExecutorOptions) { o.Headers = map[string]string{"X-Api-Key": "x"} }, "a secret written in place"},
		"a header of ours":    {func(o *webhook.ExecutorOptions) { o.Headers = map[string]string{"Webhook-Id": "x"} }, "set by Bakewatch"},
		"two headers in one":  {func(o *webhook.ExecutorOptions) { o.Headers = map[string]string{"X-A": "x\r\nX-B: y"} }, "not a header"},
		"half a certificate":  {func(o *webhook.ExecutorOptions) { o.TLS = &outbound.TLS{CertFile: "x"} }, "tls: "},
		"no time":             {func(o *webhook.ExecutorOptions) { o.Timeout = 0 }, "timeout: "},
		"a bad status_url":    {func(o *webhook.ExecutorOptions) { o.StatusURL = "status" }, "status_url: "},
		"a bad live_url":      {func(o *webhook.ExecutorOptions) { o.LiveURL = "ftp://x/" }, "live_url: "},
		"a bad proxy":         {func(o *webhook.ExecutorOptions) { o.ProxyURL = "http://u:p@x/" }, "proxy_url: "},
	} {
		t.Run(name, func(t *testing.T) {
			options := webhook.ExecutorKind().New().(*webhook.ExecutorOptions)
			options.URL, options.SecretFile = "https://deploy.example.com/rollback", "/secret"
			if err := options.Check(); err != nil {
				t.Fatalf("before the change: %v", err)
			}
			c.change(options)
			if err := options.Check(); err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("%v; want %q", err, c.want)
			}
		})
	}
}

func TestAChannelsTimeoutIsOneThatIsWaitedFor(t *testing.T) {
	for timeout, fine := range map[time.Duration]bool{0: false, time.Second: true, 30 * time.Second: true, 31 * time.Second: false} {
		options := webhook.ChannelKind().New().(*webhook.ChannelOptions)
		options.URL, options.Timeout = "https://chat.example.com/", rules.Duration(timeout)
		if err := options.Check(); (err == nil) != fine || !fine && !strings.Contains(err.Error(), "timeout: ") {
			t.Errorf("%s: %v", timeout, err)
		}
	}
}

func TestATokenGoesToItsHostAloneAndEncrypted(t *testing.T) {
	const fine, plain, elsewhere = "https://deploy.example.com/rollback", "http://deploy.example.com/live", "https://other.example.com/live"
	for name, c := range map[string]struct {
		url, status, live string
		says              string // empty: fine
	}{
		"all encrypted, on one host":   {fine, "https://DEPLOY.example.com:8443/status", "https://deploy.example.com/live", ""},
		"all on this machine":          {"http://127.0.0.1:1/x", "http://127.0.0.1:2/x", "http://127.0.0.1/x", ""},
		"an order in clear":            {"http://deploy.example.com/x", "", "", "use https"},
		"a status in clear":            {fine, plain, "", "use https"},
		"a live in clear":              {fine, "", plain, "use https"},
		"a status elsewhere":           {fine, elsewhere, "", "the same host"},
		"a live elsewhere":             {fine, "", elsewhere, "the same host"},
		"this machine, then elsewhere": {"http://localhost:1/x", elsewhere, "", "the same host"},
	} {
		t.Run(name, func(t *testing.T) {
			options := executorOptions(t, c.url)
			options.StatusURL, options.LiveURL = c.status, c.live
			_, err := options.Binder("deployer", slog.New(slog.DiscardHandler))
			if (err == nil) != (c.says == "") || err != nil && (!strings.Contains(err.Error(), c.says) || strings.Contains(err.Error(), token)) {
				t.Errorf("where the URL is secret: %v; want %q", err, c.says)
			}
			options.URL, options.URLEnv = c.url, ""
			checked := options.Check()
			var blamed *rules.FieldError
			if (checked == nil) != (c.says == "") || checked != nil && (!errors.As(checked, &blamed) || !strings.Contains(blamed.Hint, c.says)) {
				t.Errorf("at load: %v (%+v); want the hint %q", checked, blamed, c.says)
			}
			options.TokenEnv = ""
			if err := options.Check(); err != nil {
				t.Errorf("without a token: %v", err)
			}
		})
	}
	t.Run("of a channel, too", func(t *testing.T) {
		options := webhook.ChannelKind().New().(*webhook.ChannelOptions)
		options.URL, options.TokenEnv = "http://deploy.example.com/x", "WEBHOOK_TOKEN"
		t.Setenv("WEBHOOK_TOKEN", token)
		if err := options.Check(); err == nil {
			t.Error("accepted at load")
		}
		if _, err := options.Notifier("chat", slog.New(slog.DiscardHandler)); err == nil {
			t.Error("accepted")
		}
	})
}
