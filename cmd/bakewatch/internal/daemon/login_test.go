package daemon

import (
	"fmt"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/bakewatch/bakewatch/actions"
	"github.com/bakewatch/bakewatch/integrations/oidc/oidctest"
	"github.com/bakewatch/bakewatch/integrations/web"
)

// Those who log in: eve is known to the provider and to nobody here.
var (
	ana   = oidctest.User{Sub: "1", Email: "ana@example.com", Verified: true}
	maxim = oidctest.User{Sub: "2", Email: "max@example.com", Verified: true}
	eve   = oidctest.User{Sub: "3", Email: "eve@example.com", Verified: true}
)

// redirect is where the provider leads back to. Our requests go to where the daemon listens.
const redirect = "http://127.0.0.1:9595" + web.CallbackPath

// loggingIn are the settings of a daemon at whose provider people log in by address.
func loggingIn(t *testing.T, folder string, at *oidctest.Provider, more string) Config {
	t.Helper()
	cfg := written(t, folder, more+"[http.oidc]\nissuer = '"+at.Issuer()+"'\nclient_id = '"+at.ClientID+"'\nclient_secret_file = 'secret'\nclaim = 'email'\n")
	text, err := os.ReadFile(cfg.File)
	if err != nil {
		t.Fatal(err)
	}
	file := strings.Replace(string(text), "https://bakewatch.example", strings.TrimSuffix(redirect, web.CallbackPath), 1)
	for _, person := range []string{"ana", "max"} {
		file = strings.Replace(file, "basic = '"+person+"'\n", "basic = '"+person+"'\noidc = '"+person+"@example.com'\n", 1)
	}
	for name, text := range map[string]string{cfg.File: file, filepath.Join(folder, "secret"): at.ClientSecret} {
		if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return loaded(t, cfg)
}

// token is the proof of somebody who has a token of the provider.
func token(t *testing.T, at *oidctest.Provider, user oidctest.User) func(*http.Request) {
	bearer := "Bearer " + at.Token(t, at.Claims(user))
	return func(r *http.Request) { r.Header.Set("Authorization", bearer) }
}

// browsing returns the cookies of a browser in which the user has logged in, and where it
// was led.
func browsing(t *testing.T, d *Daemon, at *oidctest.Provider, user oidctest.User) (cookies func(*http.Request), last *http.Response) {
	t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	stay := func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	client := &http.Client{Jar: jar, CheckRedirect: stay, Timeout: 20 * time.Second}
	gets := func(path string) *http.Response {
		request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+d.Addr()+path, nil)
		if err != nil {
			t.Fatal(err)
		}
		response, err := client.Do(request)
		if err != nil {
			t.Fatal(err)
		}
		_ = response.Body.Close()
		return response
	}
	begun := gets(web.LoginPath)
	to, err := begun.Location()
	if err != nil || !strings.HasPrefix(to.String(), at.AuthorizationEndpoint()) {
		t.Fatalf("%d leads to %v", begun.StatusCode, to)
	}
	last = gets(web.CallbackPath + "?" + at.LogIn(t, to.String(), user).RawQuery)
	here := &url.URL{Scheme: "http", Host: d.Addr()}
	return func(r *http.Request) {
		for _, cookie := range jar.Cookies(here) {
			r.AddCookie(cookie)
		}
	}, last
}

func TestALoginAtTheProviderCountsAsThePersonItSpeaksFor(t *testing.T) {
	at := oidctest.New(t, redirect)
	for settings, more := range map[string]string{"alone": "", "beside passwords": "web_config_file = 'web.yml'\n"} {
		t.Run(settings, func(t *testing.T) {
			d, _ := start(t, loggingIn(t, t.TempDir(), at, more))
			deploys(t, d, "2.0")
			status, text := sends(t, d, "POST", web.APIPath+"watches/checkout/rollback", `{"reason":"customers cannot pay"}`, token(t, at, maxim))
			question := shown(t, d).Question
			if status != http.StatusOK || question == nil {
				t.Fatalf("%d %s", status, text)
			}
			session, led := browsing(t, d, at, ana)
			if led.Header.Get("Location") != strings.TrimSuffix(redirect, web.CallbackPath)+web.LoginPath {
				t.Fatalf("%d leads to %q", led.StatusCode, led.Header.Get("Location"))
			}
			stranger, led := browsing(t, d, at, eve)
			if led.StatusCode != http.StatusForbidden {
				t.Errorf("a stranger is led on: %d", led.StatusCode)
			}
			unverified := ana
			unverified.Verified = false
			keep := fmt.Sprintf(`{"question":%d,"choice":"keep"}`, question.Question)
			for _, test := range []struct {
				what   string
				as     func(*http.Request)
				status int
			}{
				{"a stranger's token", token(t, at, eve), 403},
				{"a stranger's browser", stranger, 401},
				{"an address that nobody has verified", token(t, at, unverified), 401},
				{"a forged token", func(r *http.Request) {
					r.Header.Set("Authorization", "Bearer "+at.Forged(t, at.Claims(ana))["signed by another key under the same name"])
				}, 401},
				{"somebody who is not asked", token(t, at, maxim), 422},
				{"the browser, from a page of another origin", func(r *http.Request) { session(r); r.Header.Set("Sec-Fetch-Site", "same-site") }, 403},
				{"one of those who are asked", session, 200},
				{"the same person by a token", token(t, at, ana), 422}, // has voted
			} {
				if status, text := sends(t, d, "POST", web.APIPath+"watches/checkout/answers", keep, test.as); status != test.status {
					t.Errorf("%s: %d %s, want %d", test.what, status, text, test.status)
				}
			}
			if status, _ := sends(t, d, "GET", "/metrics", "", session); status == http.StatusOK && more != "" {
				t.Error("a login opens more than the API")
			}
		})
	}
}

func TestAQuestionToManyCarriesThePageForWhoeverLogsIn(t *testing.T) {
	at := oidctest.New(t, redirect)
	d, _ := start(t, loggingIn(t, t.TempDir(), at, ""))
	deploys(t, d, "2.0")
	if status, text := sends(t, d, "POST", web.APIPath+"watches/checkout/rollback", `{"reason":"customers cannot pay"}`, token(t, at, maxim)); status != http.StatusOK {
		t.Fatalf("%d %s", status, text)
	}
	view := shown(t, d)
	asked := actions.Asked{Watch: fmt.Sprint(view.Watch), Question: view.Question.Question}
	linked := d.linked(t.Context(), d.cfg.Daemon.Channels["log"], actions.Message{Watch: asked.Watch, Question: &asked})
	path, ours := strings.CutPrefix(linked.Links[answerLink], strings.TrimSuffix(redirect, web.CallbackPath))
	if !ours {
		t.Fatalf("%q", linked.Links)
	}
	session, _ := browsing(t, d, at, ana)
	if status, text := sends(t, d, "GET", path, "", session); status != http.StatusOK || !strings.Contains(text, "<button") {
		t.Errorf("%d %s", status, text)
	}
	form := url.Values{"question": {fmt.Sprint(asked.Question)}, "choice": {"keep"}}.Encode()
	status, text := sends(t, d, "POST", path, form, func(r *http.Request) {
		session(r)
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	})
	if votes := shown(t, d).Question.Votes; status != http.StatusOK || len(votes) != 1 || votes[0].Person != "ana" {
		t.Errorf("%d %s %+v", status, text, votes)
	}
}

func TestADaemonStartsAndJudgesWhileItsProviderIsAway(t *testing.T) {
	at := oidctest.New(t, redirect)
	at.Down(true)
	folder := t.TempDir()
	d, stop := start(t, loggingIn(t, folder, at, ""))
	deploys(t, d, "2.0") // it is watched
	if status, text := sends(t, d, "GET", web.LoginPath, "", func(*http.Request) {}); status != http.StatusServiceUnavailable || !strings.Contains(text, "nobody can log in now") {
		t.Errorf("%d %s", status, text)
	}
	at.Down(false)
	until(t, "people can log in", func() bool {
		status, _ := sends(t, d, "POST", web.APIPath+"disarm", `{"service":"*"}`, token(t, at, ana))
		return status == http.StatusOK
	})
	session, _ := browsing(t, d, at, ana)
	stop()
	again, _ := start(t, loggingIn(t, folder, at, ""))
	until(t, "the login holds across a restart", func() bool {
		status, _ := sends(t, again, "POST", web.APIPath+"arm", `{"service":"*"}`, session)
		return status == http.StatusOK
	})
}
