package web_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/bakewatch/bakewatch/actions"
	"github.com/bakewatch/bakewatch/actions/authority"
	"github.com/bakewatch/bakewatch/integrations/web"
	"github.com/bakewatch/bakewatch/watcher"
)

// issuer is an issuer in memory, at which ana always logs in. A token and a code are good
// that are called after somebody.
type issuer struct {
	fails  error
	begun  []string // state, nonce and verifier of each login
	traded []string // code, nonce and verifier
}

func (i *issuer) Bearer(_ context.Context, token string) (string, error) {
	person, good := strings.CutPrefix(token, "token-of-")
	if !good && i.fails == nil {
		return "", actions.Permanent(errors.New("the token is not good"))
	}
	return person, i.fails
}

func (i *issuer) Begin(_ context.Context, state, nonce, verifier string) (string, error) {
	i.begun = append(i.begun, state, nonce, verifier)
	return "https://issuer.example/authorize?" + url.Values{"state": {state}}.Encode(), i.fails
}

func (i *issuer) Finish(_ context.Context, code, nonce, verifier string) (string, error) {
	i.traded = append(i.traded, code, nonce, verifier)
	person, good := strings.CutPrefix(code, "code-of-")
	if !good && i.fails == nil {
		return "", actions.Permanent(errors.New("the provider does not take the code"))
	}
	return person, i.fails
}

// login is a login at the issuer, on a server that people reach in the clear.
func login(at web.Issuer) *web.Login {
	return &web.Login{
		Issuer: at, Name: "issuer", ExternalURL: "http://127.0.0.1", Session: time.Hour,
		Key: func(context.Context) ([]byte, error) { return []byte(strings.Repeat("k", web.KeyBytes)), nil },
	}
}

func deskOf(d *desk) func(context.Context) (watcher.Desk, error) {
	return func(context.Context) (watcher.Desk, error) { return d, nil }
}

// browser keeps cookies, and goes nowhere by itself.
type browser struct {
	http.Client
	base string
}

func opened(t *testing.T, base string) *browser {
	t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	stay := func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	return &browser{http.Client{Jar: jar, CheckRedirect: stay, Timeout: 10 * time.Second}, base}
}

func (b *browser) goes(t *testing.T, method, path, body string, headers map[string]string) (*http.Response, string) {
	t.Helper()
	return call{method: method, path: path, body: body, headers: headers}.by(t, &b.Client, b.base)
}

// begins begins a login, and returns the state with which it must come back.
func (b *browser) begins(t *testing.T, next string) string {
	t.Helper()
	response, text := b.goes(t, "GET", web.LoginPath+"?next="+url.QueryEscape(next), "", nil)
	to, err := response.Location()
	if err != nil || to.Host != "issuer.example" {
		t.Fatalf("%d %s leads to %v", response.StatusCode, text, to)
	}
	return to.Query().Get("state")
}

// back comes back from the issuer.
func (b *browser) back(t *testing.T, state, code string) (*http.Response, string) {
	t.Helper()
	return b.goes(t, "GET", web.CallbackPath+"?"+url.Values{"state": {state}, "code": {code}}.Encode(), "", nil)
}

// cancels asks for something in somebody's name.
func (b *browser) cancels(t *testing.T, headers map[string]string) (*http.Response, string) {
	t.Helper()
	return b.goes(t, "POST", web.APIPath+"watches/checkout/cancel", `{"reason":"over"}`, headers)
}

// known knows ana alone.
func known(p authority.Proof) (string, error) {
	if p.Way == authority.OIDC && p.Subject == "ana" {
		return "ana", nil
	}
	return "", fmt.Errorf("%s %w", p, authority.ErrUnproved)
}

func TestALoginInABrowserIsAProofUntilItIsOver(t *testing.T) {
	d, at, now := asking(), &issuer{}, time.Now()
	base := serveAPI(t, d, func(c *web.APIConfig) {
		c.Login, c.Identify, c.Now = login(at), known, func() time.Time { return now }
	})
	b := opened(t, base)
	if response, text := b.cancels(t, nil); response.StatusCode != http.StatusUnauthorized || response.Header.Get("WWW-Authenticate") != `Bearer realm="bakewatch"` {
		t.Fatalf("before: %d %s %v", response.StatusCode, text, response.Header)
	}
	state := b.begins(t, "/answer/x?y=z")
	response, text := b.back(t, state, "code-of-ana")
	if response.StatusCode != http.StatusFound || response.Header.Get("Location") != "http://127.0.0.1/answer/x?y=z" {
		t.Fatalf("%d %s, on to %q", response.StatusCode, text, response.Header.Get("Location"))
	}
	if at.begun[1] != at.traded[1] || at.begun[2] != at.traded[2] || len(at.begun[2]) < 43 || at.begun[0] == at.begun[1] {
		t.Errorf("begun with %q, traded %q", at.begun, at.traded)
	}
	for _, cookie := range response.Cookies() {
		if !cookie.HttpOnly || cookie.SameSite != http.SameSiteLaxMode || cookie.Path != "/" || strings.Contains(cookie.Value, "ana") {
			t.Errorf("the cookie is %+v", cookie)
		}
	}
	if response, text := b.cancels(t, nil); response.StatusCode != http.StatusOK || d.made()[0] != `cancel checkout in "": over by oidc ana` {
		t.Fatalf("%d %s %q", response.StatusCode, text, d.made())
	}
	if _, text := b.goes(t, "GET", web.LoginPath, "", nil); !strings.Contains(text, "You are logged in as ana") || !strings.Contains(text, `action="logout"`) {
		t.Error(text)
	}
	for _, headers := range []map[string]string{{"Sec-Fetch-Site": "cross-site"}, {"Sec-Fetch-Site": "same-site"}, {"Origin": "https://evil.example"}} {
		if response, text := b.cancels(t, headers); response.StatusCode != http.StatusForbidden {
			t.Errorf("for a page of another origin (%v): %d %s", headers, response.StatusCode, text)
		}
	}
	if response, _ := b.goes(t, "GET", web.CallbackPath+"?state="+state+"&code=code-of-ana", "", nil); response.StatusCode != http.StatusUnauthorized {
		t.Errorf("the same login again: %d", response.StatusCode)
	}
	now = now.Add(time.Hour)
	if response, text := b.cancels(t, nil); response.StatusCode != http.StatusUnauthorized || len(d.made()) != 1 {
		t.Errorf("once it is over: %d %s %q", response.StatusCode, text, d.made())
	}
}

func TestWhoLogsOutIsNobodyAgain(t *testing.T) {
	d := asking()
	b := opened(t, serveAPI(t, d, func(c *web.APIConfig) { c.Login, c.Identify = login(&issuer{}), known }))
	b.back(t, b.begins(t, ""), "code-of-ana")
	if response, _ := b.goes(t, "POST", web.LogoutPath, "", map[string]string{"Sec-Fetch-Site": "cross-site"}); response.StatusCode != http.StatusForbidden {
		t.Errorf("by a page of another site: %d", response.StatusCode)
	}
	if response, text := b.goes(t, "POST", web.LogoutPath, "", nil); response.StatusCode != http.StatusOK || !strings.Contains(text, "logged out") {
		t.Errorf("%d %s", response.StatusCode, text)
	}
	if response, text := b.cancels(t, nil); response.StatusCode != http.StatusUnauthorized {
		t.Errorf("%d %s", response.StatusCode, text)
	}
}

func TestALoginThatIsNotTheBrowsersOwnIsRefused(t *testing.T) {
	for name, test := range map[string]struct {
		login  func(*testing.T, *browser) (*http.Response, string)
		status int
		says   string
	}{
		"with another state": {func(t *testing.T, b *browser) (*http.Response, string) {
			b.begins(t, "")
			return b.back(t, "other", "code-of-ana")
		}, 401, "has not begun in this browser"},
		"without a state": {func(t *testing.T, b *browser) (*http.Response, string) {
			b.begins(t, "")
			return b.back(t, "", "code-of-ana")
		}, 401, "has not begun in this browser"},
		"that another browser has begun": {func(t *testing.T, b *browser) (*http.Response, string) {
			return b.back(t, opened(t, b.base).begins(t, ""), "code-of-ana")
		}, 401, "has not begun in this browser"},
		"with a code that is not good": {func(t *testing.T, b *browser) (*http.Response, string) {
			return b.back(t, b.begins(t, ""), "stolen")
		}, 401, "does not take the code"},
		"without a code": {func(t *testing.T, b *browser) (*http.Response, string) {
			return b.back(t, b.begins(t, ""), "")
		}, 401, "sends no code"},
		"that the provider refuses": {func(t *testing.T, b *browser) (*http.Response, string) {
			return b.goes(t, "GET", web.CallbackPath+"?error=access_denied&error_description=%3Cb%3E&state="+b.begins(t, ""), "", nil)
		}, 401, "access_denied &lt;b&gt;"},
		"of somebody who is not known": {func(t *testing.T, b *browser) (*http.Response, string) {
			return b.back(t, b.begins(t, ""), "code-of-eve")
		}, 403, "oidc eve"},
	} {
		t.Run(name, func(t *testing.T) {
			b := opened(t, serveAPI(t, asking(), func(c *web.APIConfig) { c.Login, c.Identify = login(&issuer{}), known }))
			response, text := test.login(t, b)
			if response.StatusCode != test.status || !strings.Contains(text, test.says) {
				t.Errorf("%d %s, want %d with %q", response.StatusCode, text, test.status, test.says)
			}
			if response, text := b.cancels(t, nil); response.StatusCode != http.StatusUnauthorized {
				t.Errorf("and is logged in: %d %s", response.StatusCode, text)
			}
		})
	}
}

func TestACookieIsGoodForWhatItWasMadeForAlone(t *testing.T) {
	now := time.Now()
	at := func(change func(*web.Login)) *browser {
		return opened(t, serveAPI(t, asking(), func(c *web.APIConfig) {
			c.Login, c.Identify, c.Now = login(&issuer{}), known, func() time.Time { return now }
			change(c.Login)
		}))
	}
	own := at(func(*web.Login) {})
	state := own.begins(t, "")
	here, err := url.Parse(own.base)
	if err != nil {
		t.Fatal(err)
	}
	attempt := own.Jar.Cookies(here)[0].Value
	own.back(t, state, "code-of-ana")
	session := own.Jar.Cookies(here)[0]
	for name, test := range map[string]struct {
		server *browser
		value  string
		status int
	}{
		"on another replica":            {at(func(*web.Login) {}), session.Value, 200},
		"a login that has only begun":   {at(func(*web.Login) {}), attempt, 401},
		"one that was changed":          {at(func(*web.Login) {}), "A" + session.Value[1:], 401},
		"one that is cut off":           {at(func(*web.Login) {}), session.Value[:20], 401},
		"nothing":                       {at(func(*web.Login) {}), "", 401},
		"one that is very long":         {at(func(*web.Login) {}), session.Value + strings.Repeat("A", 5000), 401},
		"where another issuer is asked": {at(func(l *web.Login) { l.Name = "other" }), session.Value, 401},
		"where the key is another": {at(func(l *web.Login) {
			l.Key = func(context.Context) ([]byte, error) { return []byte(strings.Repeat("o", web.KeyBytes)), nil }
		}), session.Value, 401},
		"where the key is not there yet": {at(func(l *web.Login) {
			l.Key = func(context.Context) ([]byte, error) { return nil, watcher.ErrStopped }
		}), session.Value, 503},
	} {
		t.Run(name, func(t *testing.T) {
			if response, text := test.server.cancels(t, map[string]string{"Cookie": session.Name + "=" + test.value}); response.StatusCode != test.status {
				t.Errorf("%d %s, want %d", response.StatusCode, text, test.status)
			}
		})
	}
}

func TestOverTLSACookieIsForTLSAndForThisHostAlone(t *testing.T) {
	b := opened(t, serveAPI(t, asking(), func(c *web.APIConfig) {
		c.Login, c.Identify = login(&issuer{}), known
		c.Login.ExternalURL = "https://bakewatch.example/"
	}))
	response, _ := b.goes(t, "GET", web.LoginPath, "", nil)
	for _, cookie := range response.Cookies() {
		if !cookie.Secure || !strings.HasPrefix(cookie.Name, "__Host-") || cookie.Domain != "" {
			t.Errorf("the cookie is %+v", cookie)
		}
	}
	if len(response.Cookies()) == 0 {
		t.Error("there is no cookie")
	}
}

func TestALoginLeadsNowhereElse(t *testing.T) {
	for next, want := range map[string]string{
		"/answer/x": "/answer/x", "": "/login", "https://evil.example/": "/login", "//evil.example/": "/login", "/\\evil.example": "/login",
		"/%2f/evil.example": "/login", "evil": "/login", "javascript:alert(1)": "/login", "/x\r\nSet-Cookie: a=b": "/login", "@evil.example": "/login",
		"/" + strings.Repeat("x", 600): "/login",
	} {
		b := opened(t, serveAPI(t, asking(), func(c *web.APIConfig) { c.Login, c.Identify = login(&issuer{}), known }))
		response, _ := b.back(t, b.begins(t, next), "code-of-ana")
		if to := response.Header.Get("Location"); to != "http://127.0.0.1"+want {
			t.Errorf("%q leads to %q", next, to)
		}
		again, _ := b.goes(t, "GET", web.LoginPath+"?next="+url.QueryEscape(next), "", nil) // logged in already
		if to := again.Header.Get("Location"); (to == "") != (want == "/login") || to != "" && to != "http://127.0.0.1"+want {
			t.Errorf("then %q leads to %q", next, to)
		}
	}
}

func TestATokenIsAProofBesideAPassword(t *testing.T) {
	file := passwords(t)
	away := &issuer{fails: actions.Retryable(errors.New("connection refused"))}
	for name, test := range map[string]struct {
		file    string
		at      *issuer
		headers map[string]string
		user    string
		acts    int // the status of an order
		reads   int
	}{
		"a token":                                        {"", &issuer{}, map[string]string{"Authorization": "Bearer token-of-ana"}, "", 200, 200},
		"a token, in other letters":                      {"", &issuer{}, map[string]string{"Authorization": "bearer token-of-ana"}, "", 200, 200},
		"a token where there are passwords":              {file, &issuer{}, map[string]string{"Authorization": "Bearer token-of-ana"}, "", 200, 200},
		"a token that is not good":                       {"", &issuer{}, map[string]string{"Authorization": "Bearer nonsense"}, "", 401, 401},
		"one that is not good where there are passwords": {file, &issuer{}, map[string]string{"Authorization": "Bearer nonsense"}, "", 401, 401},
		"one of a stranger is the desk's to refuse":      {"", &issuer{}, map[string]string{"Authorization": "Bearer token-of-eve"}, "", 200, 200},
		"one of a stranger where there are passwords":    {file, &issuer{}, map[string]string{"Authorization": "Bearer token-of-eve"}, "", 403, 403},
		"nothing":                                  {"", &issuer{}, nil, "", 401, 200},
		"nothing where there are passwords":        {file, &issuer{}, nil, "", 401, 401},
		"a password beside logins":                 {file, &issuer{}, nil, "secret", 200, 200},
		"a wrong password":                         {file, &issuer{}, nil, "guess", 401, 401},
		"a name of this machine":                   {"", &issuer{}, ben, "", 401, 200},
		"a token while the issuer is away":         {"", away, map[string]string{"Authorization": "Bearer token-of-ana"}, "", 503, 503},
		"a password while the issuer is away":      {file, away, nil, "secret", 200, 200},
		"a token in a query":                       {"", &issuer{}, map[string]string{"X-Query": "access_token=token-of-ana"}, "", 401, 200},
		"a token of a page of another origin":      {"", &issuer{}, map[string]string{"Authorization": "Bearer token-of-ana", "Sec-Fetch-Site": "cross-site"}, "", 403, 200},
		"the header of another scheme with a name": {"", &issuer{}, map[string]string{"Authorization": "Digest token-of-ana"}, "", 401, 200},
	} {
		t.Run(name, func(t *testing.T) {
			base := serveAPI(t, asking(), func(c *web.APIConfig) {
				c.Login, c.WebConfigFile, c.BelieveLocal = login(test.at), test.file, true
				c.Identify = func(p authority.Proof) (string, error) {
					if p.Way == authority.Basic {
						return p.Subject, nil
					}
					return known(p)
				}
			})
			query := ""
			if q := test.headers["X-Query"]; q != "" {
				query = "?" + q
			}
			acts := call{method: "POST", path: web.APIPath + "watches/checkout/cancel" + query, body: `{"reason":"over"}`, headers: test.headers, password: test.user}
			if response, text := acts.do(t, base); response.StatusCode != test.acts {
				t.Errorf("%d %s, want %d", response.StatusCode, text, test.acts)
			}
			reads := call{method: "GET", path: web.APIPath + "watches" + query, headers: test.headers, password: test.user}
			if response, text := reads.do(t, base); response.StatusCode != test.reads {
				t.Errorf("to read: %d %s, want %d", response.StatusCode, text, test.reads)
			}
		})
	}
}

func TestWhileTheIssuerIsAwayALoginSaysSo(t *testing.T) {
	at := &issuer{fails: actions.Retryable(errors.New("connection refused"))}
	b := opened(t, serveAPI(t, asking(), func(c *web.APIConfig) { c.Login, c.Identify = login(at), known }))
	if response, text := b.goes(t, "GET", web.LoginPath, "", nil); response.StatusCode != http.StatusServiceUnavailable || !strings.Contains(text, "nobody can log in now") {
		t.Errorf("%d %s", response.StatusCode, text)
	}
	at.fails = nil
	if response, text := b.back(t, b.begins(t, ""), "code-of-ana"); response.StatusCode != http.StatusFound {
		t.Errorf("then: %d %s", response.StatusCode, text)
	}
}

func TestWhoeverHasLoggedInAnswersTheQuestionThatIsShown(t *testing.T) {
	d := asking()
	b := opened(t, serveAPI(t, d, func(c *web.APIConfig) { c.Login, c.Identify = login(&issuer{}), known }))
	votes := func(form string, headers map[string]string) (*http.Response, string) {
		t.Helper()
		sent := map[string]string{"Content-Type": "application/x-www-form-urlencoded"}
		maps.Copy(sent, headers)
		return b.goes(t, "POST", web.QuestionPath+"20", form, sent)
	}
	if response, text := b.goes(t, "GET", web.QuestionPath+"20", "", nil); response.Header.Get("Location") != "http://127.0.0.1/login?next=%2Fquestion%2F20" {
		t.Errorf("to nobody: %d %s", response.StatusCode, text)
	}
	if response, text := votes("question=23&choice=keep", nil); response.StatusCode != http.StatusUnauthorized || len(d.made()) > 0 {
		t.Errorf("by nobody: %d %s %q", response.StatusCode, text, d.made())
	}
	response, _ := b.back(t, b.begins(t, web.QuestionPath+"20"), "code-of-ana")
	if to := response.Header.Get("Location"); to != "http://127.0.0.1/question/20" {
		t.Fatalf("leads to %q", to)
	}
	if _, text := b.goes(t, "GET", web.QuestionPath+"20", "", nil); !strings.Contains(text, `name="question" value="23"`) || !strings.Contains(text, `value="keep"`) || !strings.Contains(text, "You are logged in as ana.") {
		t.Error(text)
	}
	for form, status := range map[string]int{"choice=keep": 400, "question=x&choice=keep": 400, "question=23&choice=explode": 400, "question=23&choice=withdraw": 400, strings.Repeat("x", 20<<10): 400} {
		if response, text := votes(form, nil); response.StatusCode != status {
			t.Errorf("%.40q: %d %s", form, response.StatusCode, text)
		}
	}
	if response, _ := votes("question=23&choice=keep", map[string]string{"Sec-Fetch-Site": "same-site"}); response.StatusCode != http.StatusForbidden || len(d.made()) > 0 {
		t.Fatalf("by a page of another origin: %d %q", response.StatusCode, d.made())
	}
	if response, text := votes("question=23&choice=keep", nil); response.StatusCode != http.StatusOK || !slices.Equal(d.made(), []string{`answer 20 23 keep "" by oidc ana`}) || !strings.Contains(text, "You answered keep") {
		t.Errorf("%d %s %q", response.StatusCode, text, d.made())
	}
	d.view.Question, d.view.Phase = nil, watcher.Baking
	if _, text := b.goes(t, "GET", web.QuestionPath+"20", "", nil); !strings.Contains(text, "Nothing is asked about checkout 2.4.0 now") || strings.Contains(text, "<button") {
		t.Error(text)
	}
}

func TestTheCookiesOfAnAddressInLargeLettersAreAsSafe(t *testing.T) {
	for external, safe := range map[string]bool{"https://bakewatch.example": true, "HTTPS://bakewatch.example": true, "http://127.0.0.1": false} {
		base := serveAPI(t, asking(), func(c *web.APIConfig) {
			c.Login, c.Identify = login(&issuer{}), known
			c.Login.ExternalURL = external
		})
		response, text := call{method: "GET", path: web.LoginPath}.do(t, base)
		cookies := response.Cookies()
		if len(cookies) != 1 {
			t.Fatalf("%s: %d %s", external, response.StatusCode, text)
		}
		if c := cookies[0]; c.Secure != safe || strings.HasPrefix(c.Name, "__Host-") != safe {
			t.Errorf("%s: %+v", external, c)
		}
	}
}

func TestWhatFailsInsideIsSaidInTheLogAndNotToStrangers(t *testing.T) {
	var log strings.Builder
	base := serveAPI(t, asking(), func(c *web.APIConfig) {
		c.Login, c.Identify, c.Log = login(&issuer{}), known, slog.New(slog.NewTextHandler(&log, nil))
		c.Login.Key = func(context.Context) ([]byte, error) { return nil, errors.New("open /etc/bakewatch/inside: denied") }
		c.Links = func(context.Context) (*web.Links, error) {
			return nil, errors.New("open /etc/bakewatch/inside: denied")
		}
	})
	for _, path := range []string{web.LoginPath, web.AnswerPath + "x"} {
		log.Reset()
		response, text := call{method: "GET", path: path}.do(t, base)
		if response.StatusCode != http.StatusInternalServerError || strings.Contains(text, "inside") || !strings.Contains(text, "log") {
			t.Errorf("%s says %d %s", path, response.StatusCode, text)
		}
		if !strings.Contains(log.String(), "inside") {
			t.Errorf("%s: the log says %q", path, log.String())
		}
	}
}
