package web_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/crypto/bcrypt"

	"github.com/bakewatch/bakewatch/actions/authority"
	"github.com/bakewatch/bakewatch/integrations/web"
	"github.com/bakewatch/bakewatch/rules"
	"github.com/bakewatch/bakewatch/watcher"
)

// desk is a Desk in memory: it writes down what it was asked, and fails as it is told to.
type desk struct {
	mu    sync.Mutex
	view  watcher.WatchView
	fails error
	calls []string
}

func (d *desk) called(format string, args ...any) (watcher.WatchView, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.calls = append(d.calls, fmt.Sprintf(format, args...))
	return d.view, d.fails
}

func (d *desk) made() []string {
	d.mu.Lock()
	defer d.mu.Unlock()
	return slices.Clone(d.calls)
}

func (d *desk) List(context.Context) ([]watcher.LaneView, error) {
	return []watcher.LaneView{{Lane: d.view.Lane, Live: "2.4.0", Watch: &d.view}}, d.fails
}

func (d *desk) Show(_ context.Context, ref watcher.Ref) (watcher.WatchView, error) {
	if ref.Name == "nothing" {
		return watcher.WatchView{}, fmt.Errorf("no watch %q: %w", ref.Name, watcher.ErrNotFound)
	}
	return d.view, d.fails
}

func (d *desk) Answer(_ context.Context, ref watcher.Ref, v authority.Vote) (watcher.WatchView, error) {
	v.Person = v.Proof.Subject
	if d.view.Question != nil {
		d.view.Question.Votes = append(d.view.Question.Votes, v)
	}
	return d.called("answer %s %d %s %q by %s", ref.Name, v.Question, v.Choice, v.Reason, v.Proof)
}

func (d *desk) Cancel(_ context.Context, ref watcher.Ref, by authority.Proof, reason string) (watcher.WatchView, error) {
	return d.called("cancel %s in %q: %s by %s", ref.Name, ref.Environment, reason, by)
}

func (d *desk) Rollback(_ context.Context, ref watcher.Ref, by authority.Proof, reason string) (watcher.WatchView, error) {
	return d.called("rollback %s: %s by %s", ref.Name, reason, by)
}

func (d *desk) Wrong(_ context.Context, ref watcher.Ref, by authority.Proof, reason string) (watcher.WatchView, error) {
	return d.called("wrong %s: %s by %s", ref.Name, reason, by)
}

func (d *desk) Disarm(_ context.Context, o watcher.Order) error {
	_, err := d.called("disarm %q: %s by %s, force %t", o.Service, o.Reason, o.By, o.Force)
	return err
}

func (d *desk) Arm(_ context.Context, o watcher.Order) error {
	_, err := d.called("arm %q by %s, force %t", o.Service, o.By, o.Force)
	return err
}

// asking is a desk with an open question.
func asking() *desk {
	at := time.Date(2026, 11, 23, 10, 0, 0, 0, time.UTC)
	return &desk{view: watcher.WatchView{
		ID: "checkout-4711", Watch: 20, Lane: rules.LaneID{Service: "checkout", Environment: "production"},
		Version: "2.4.0", Target: "2.3.9", Phase: watcher.Asking, Opened: at, Reason: "5xx <is> breached",
		Answers: []rules.Answer{{Rule: "5xx", Verdict: rules.Breached, Ceiling: rules.Auto, Why: "4 % of 1 %"}},
		Question: &watcher.QuestionView{
			Question: 23, Asked: at, Deadline: at.Add(time.Hour), Needs: map[string]int{"oncall": 1}, Silence: rules.SilenceKeeps,
		},
	}}
}

// passwords is a web config file that lets ana in, whose password is secret.
func passwords(t *testing.T) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "web.yml")
	hash, err := bcrypt.GenerateFromPassword([]byte("secret"), bcrypt.MinCost)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, []byte("basic_auth_users:\n  ana: "+string(hash)+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

// serveAPI serves the desk until the test ends and returns where.
func serveAPI(t *testing.T, d *desk, change func(*web.APIConfig)) string {
	t.Helper()
	cfg := web.APIConfig{
		Desk:     func(context.Context) (watcher.Desk, error) { return d, nil },
		Identify: func(p authority.Proof) (string, error) { return p.Subject, nil },
	}
	change(&cfg)
	return serve(t, func(c *web.Config) { c.Mounts, c.WebConfigFile = web.API(cfg), cfg.WebConfigFile })
}

// call is one request; a nil body is none.
type call struct {
	method, path, body string
	headers            map[string]string
	password           string // of ana
}

func (c call) do(t *testing.T, base string) (*http.Response, string) {
	t.Helper()
	stay := func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	return c.by(t, &http.Client{Timeout: 10 * time.Second, CheckRedirect: stay}, base)
}

func (c call) by(t *testing.T, client *http.Client, base string) (*http.Response, string) {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), c.method, base+c.path, strings.NewReader(c.body))
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Content-Type", "application/json")
	for name, value := range c.headers {
		request.Header.Set(name, value)
	}
	if host := c.headers["Host"]; host != "" {
		request.Host = host
	}
	if c.password != "" {
		request.SetBasicAuth("ana", c.password)
	}
	response, err := client.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return response, string(text)
}

func local(c *web.APIConfig) { c.BelieveLocal = true }

var ben = map[string]string{"Bakewatch-As": "ben"}

func TestEveryMethodOfTheDeskIsServed(t *testing.T) {
	d := asking()
	base := serveAPI(t, d, local)
	for _, test := range []struct {
		call call
		want string
	}{
		{call{method: "POST", path: "watches/checkout/answers", body: `{"question":23,"choice":"keep","reason":"known"}`}, `answer checkout 23 keep "known" by local ben`},
		{call{method: "POST", path: "watches/team%2Fcheckout/cancel?environment=lab", body: `{"reason":"over"}`}, `cancel team/checkout in "lab": over by local ben`},
		{call{method: "POST", path: "watches/20/rollback", body: `{"reason":"bad"}`}, `rollback 20: bad by local ben`},
		{call{method: "POST", path: "watches/20/wrong", body: `{"reason":"noise"}`}, `wrong 20: noise by local ben`},
		{call{method: "POST", path: "disarm", body: `{"service":"*","reason":"moving"}`}, `disarm "": moving by local ben, force false`},
		{call{method: "POST", path: "arm", body: `{"service":"checkout","force":true}`}, `arm "checkout" by local ben, force true`},
	} {
		test.call.path, test.call.headers = web.APIPath+test.call.path, ben
		response, text := test.call.do(t, base)
		if made := d.made(); response.StatusCode != http.StatusOK || len(made) == 0 || made[len(made)-1] != test.want {
			t.Errorf("%s: %d %s, and %q, want %q", test.call.path, response.StatusCode, text, made, test.want)
		}
	}
}

func TestWhoSpeaksIsWhatTheServerFound(t *testing.T) {
	everybody := func(c *web.APIConfig) { *c = web.APIConfig{Desk: c.Desk, Identify: c.Identify} }
	users := func(c *web.APIConfig) { c.WebConfigFile = passwords(t); c.BelieveLocal = true }
	empty := func(c *web.APIConfig) {
		c.WebConfigFile = filepath.Join(t.TempDir(), "web.yml")
		if err := os.WriteFile(c.WebConfigFile, []byte("basic_auth_users: {}\n"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	as := func(more map[string]string) map[string]string { more["Bakewatch-As"] = "ben"; return more }
	for name, test := range map[string]struct {
		config func(*web.APIConfig)
		call   call
		status int
		says   string
	}{
		"a password":                               {users, call{password: "secret"}, 200, "by basic ana"},
		"a password, whatever else is said":        {users, call{password: "secret", headers: ben}, 200, "by basic ana"},
		"a wrong password":                         {users, call{password: "guess"}, 401, ""},
		"no password":                              {users, call{headers: ben}, 401, ""},
		"a password where nobody logs in":          {everybody, call{password: "secret"}, 403, "basic_auth_users"},
		"a password where the file names nobody":   {empty, call{password: "secret"}, 403, "basic_auth_users"},
		"a name where this machine is not trusted": {everybody, call{headers: ben}, 403, "believe_local"},
		"a name from this machine":                 {local, call{headers: as(map[string]string{"Host": "localhost:9595"})}, 200, "by local ben"},
		"no name from this machine":                {local, call{}, 403, "Bakewatch-As"},
		"a name through a proxy":                   {local, call{headers: as(map[string]string{"X-Forwarded-For": "10.0.0.1"})}, 403, "a proxy has passed it on"},
		"a name under another host":                {local, call{headers: as(map[string]string{"Host": "rebound.example"})}, 403, "no name of this machine"},
	} {
		t.Run(name, func(t *testing.T) {
			d := asking()
			base := serveAPI(t, d, test.config)
			test.call.method, test.call.path, test.call.body = "POST", web.APIPath+"watches/checkout/cancel", `{"reason":"over"}`
			response, text := test.call.do(t, base)
			if said := text + strings.Join(d.made(), ""); response.StatusCode != test.status || !strings.Contains(said, test.says) {
				t.Errorf("%d %s, want %d with %q", response.StatusCode, said, test.status, test.says)
			}
			if test.status != http.StatusOK && len(d.made()) > 0 {
				t.Errorf("the desk was asked: %q", d.made())
			}
		})
	}
}

func TestAPasswordIsCheckedAlsoWhereTheServerLetsEverybodyIn(t *testing.T) {
	d := asking()
	handlers := web.API(web.APIConfig{Desk: func(context.Context) (watcher.Desk, error) { return d, nil }, WebConfigFile: passwords(t)})
	base := serve(t, func(c *web.Config) { c.Mounts = handlers }) // as while its file named nobody
	for password, status := range map[string]int{"guess": http.StatusUnauthorized, "": http.StatusUnauthorized, "secret": http.StatusOK} {
		response, text := call{method: "POST", path: web.APIPath + "watches/checkout/cancel", body: `{"reason":"over"}`, password: password}.do(t, base)
		if response.StatusCode != status || (status == http.StatusUnauthorized) != (response.Header.Get("WWW-Authenticate") != "") {
			t.Errorf("%q: %d %s, want %d", password, response.StatusCode, text, status)
		}
	}
}

func TestWhatGoesWrongIsSaidWithWhatToDo(t *testing.T) {
	cancels := func(body string) call {
		return call{method: "POST", path: web.APIPath + "watches/checkout/cancel", body: body, headers: ben}
	}
	with := func(c call, name, value string) call {
		c.headers = map[string]string{"Bakewatch-As": "ben", name: value}
		return c
	}
	for name, test := range map[string]struct {
		call   call
		fails  error
		status int
		says   string
	}{
		"no such watch":          {call{method: "GET", path: web.APIPath + "watches/nothing"}, nil, 404, "no watch"},
		"refused":                {cancels(`{"reason":"x"}`), fmt.Errorf("%w: too late", watcher.ErrRefused), 422, "too late"},
		"nobody's":               {cancels(`{"reason":"x"}`), fmt.Errorf("%w: %w", watcher.ErrRefused, authority.ErrUnproved), 403, "person.NAME"},
		"a conflict":             {cancels(`{"reason":"x"}`), fmt.Errorf("lane: %w", watcher.ErrConflict), 409, "ask again"},
		"not active":             {cancels(`{"reason":"x"}`), fmt.Errorf("%w: bakewatch-2 is", watcher.ErrStopped), 503, "bakewatch-2"},
		"too late":               {cancels(`{"reason":"x"}`), context.DeadlineExceeded, 503, "ask again"},
		"unexpected":             {cancels(`{"reason":"x"}`), io.ErrUnexpectedEOF, 500, "log"},
		"a field nobody knows":   {cancels(`{"reason":"x","by":"eve"}`), nil, 400, "by"},
		"no JSON":                {cancels(`reason=x`), nil, 400, "cannot be read"},
		"two objects":            {cancels(`{"reason":"x"}{}`), nil, 400, "more follows"},
		"no reason":              {cancels(`{}`), nil, 400, "reason is missing"},
		"a long reason":          {cancels(`{"reason":"` + strings.Repeat("x", 1001) + `"}`), nil, 400, "at most 1000"},
		"a large body":           {cancels(`{"reason":"` + strings.Repeat("x", 20<<10) + `"}`), nil, 413, "16 KiB"},
		"another kind of body":   {with(cancels(`{"reason":"x"}`), "Content-Type", "text/plain"), nil, 415, "application/json"},
		"a page of another site": {with(cancels(`{"reason":"x"}`), "Sec-Fetch-Site", "cross-site"), nil, 403, "another origin"},
		"another origin":         {with(cancels(`{"reason":"x"}`), "Origin", "https://evil.example"), nil, 403, "another origin"},
		"no question":            {call{method: "POST", path: web.APIPath + "watches/20/answers", body: `{"choice":"keep"}`, headers: ben}, nil, 400, "question is missing"},
		"disarming of nothing":   {call{method: "POST", path: web.APIPath + "disarm", body: `{}`, headers: ben}, nil, 400, "service is missing"},
		"no such path":           {call{method: "GET", path: web.APIPath + "nonsense"}, nil, 404, "openapi.json"},
		"another method":         {call{method: "DELETE", path: web.APIPath + "watches/20"}, nil, 404, "openapi.json"},
	} {
		t.Run(name, func(t *testing.T) {
			d := asking()
			d.fails = test.fails
			response, text := test.call.do(t, serveAPI(t, d, local))
			var problem web.Problem
			if err := json.Unmarshal([]byte(text), &problem); err != nil || response.Header.Get("Content-Type") != "application/problem+json" {
				t.Fatalf("no problem: %v %s", err, text)
			}
			if response.StatusCode != test.status || problem.Status != test.status || !strings.Contains(text, test.says) || problem.Hint == "" {
				t.Errorf("%d %s, want %d with %q", response.StatusCode, text, test.status, test.says)
			}
			if response.Header.Get("Access-Control-Allow-Origin") != "" {
				t.Error("said to every origin")
			}
		})
	}
}

func TestAVerdictGoesThroughTheGateThatItIsFor(t *testing.T) {
	for name, test := range map[string]struct {
		query   string
		change  func(*watcher.WatchView)
		verdict watcher.StageVerdict
		status  int
	}{
		"while people are asked it holds":               {"", func(*watcher.WatchView) {}, watcher.Hold, 403},
		"while it bakes it holds":                       {"", func(v *watcher.WatchView) { v.Phase = watcher.Baking }, watcher.Hold, 403},
		"what has passed is promoted":                   {"", func(v *watcher.WatchView) { v.Phase, v.Outcome = watcher.Ended, watcher.Passed }, watcher.Promote, 200},
		"of another version nothing is known":           {"&version=2.5.0", func(v *watcher.WatchView) { v.Phase, v.Outcome = watcher.Ended, watcher.Passed }, watcher.Hold, 403},
		"of this version it is":                         {"&version=2.4.0", func(v *watcher.WatchView) { v.Phase, v.Outcome = watcher.Ended, watcher.Passed }, watcher.Promote, 200},
		"what is decided is rolled back":                {"", func(v *watcher.WatchView) { v.Phase, v.Decision = watcher.Acting, &watcher.Decision{} }, watcher.RollBack, 403},
		"and goes through the gate of rollbacks":        {"&gate=roll-back", func(v *watcher.WatchView) { v.Phase, v.Decision = watcher.Acting, &watcher.Decision{} }, watcher.RollBack, 200},
		"what failed to roll back is not promoted":      {"", func(v *watcher.WatchView) { v.Phase, v.Outcome = watcher.Ended, watcher.RollbackFailed }, watcher.RollBack, 403},
		"what could not be judged is not promoted":      {"", func(v *watcher.WatchView) { v.Phase, v.Outcome = watcher.Ended, watcher.Undecided }, watcher.Hold, 403},
		"what people kept is not rolled back":           {"&gate=roll-back", func(v *watcher.WatchView) { v.Phase, v.Outcome = watcher.Ended, watcher.Kept }, watcher.Hold, 403},
		"a stage that is well is promoted":              {"&stage=25%25", at("25%", true), watcher.Promote, 200},
		"also when no stage is named":                   {"", at("25%", true), watcher.Promote, 200},
		"one that bakes holds":                          {"&stage=25%25", at("25%", false), watcher.Hold, 403},
		"that a stage is well says nothing of the next": {"&stage=50%25", at("25%", true), watcher.Hold, 403},
		"without a gate every verdict is told with 200": {"&gate=none", func(*watcher.WatchView) {}, watcher.Hold, 200},
	} {
		t.Run(name, func(t *testing.T) {
			d := asking()
			test.change(&d.view)
			base := serveAPI(t, d, func(*web.APIConfig) {})
			for _, method := range []string{"GET", "POST"} {
				response, text := call{method: method, path: web.APIPath + "verdict?service=checkout&environment=production" + test.query}.do(t, base)
				var said struct {
					Verdict watcher.StageVerdict
					Why     string
				}
				if err := json.Unmarshal([]byte(text), &said); err != nil {
					t.Fatal(err)
				}
				if response.StatusCode != test.status || said.Verdict != test.verdict || said.Why == "" {
					t.Errorf("%s: %d %s, want %d %s", method, response.StatusCode, text, test.status, test.verdict)
				}
			}
		})
	}
	t.Run("of a service that is not known there is none", func(t *testing.T) {
		base := serveAPI(t, asking(), func(*web.APIConfig) {})
		for query, status := range map[string]int{"service=nothing": 404, "service=20": 404, "": 400, "service=checkout&gate=open": 400} {
			if response, text := (call{method: "GET", path: web.APIPath + "verdict?" + query}).do(t, base); response.StatusCode != status {
				t.Errorf("%s: %d %s, want %d", query, response.StatusCode, text, status)
			}
		}
	})
}

// at puts the watch at a stage, about which nobody is asked.
func at(stage string, well bool) func(*watcher.WatchView) {
	return func(v *watcher.WatchView) {
		v.Phase, v.Question, v.Stage = watcher.Rolling, nil, &watcher.StageView{Name: stage, Since: time.Unix(1, 0)}
		if well {
			v.Stage.Passed = time.Unix(2, 0)
		}
	}
}
