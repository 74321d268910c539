package daemon

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	client "github.com/nats-io/nats.go"
	"golang.org/x/crypto/bcrypt"

	"github.com/bakewatch/bakewatch/actions"
	"github.com/bakewatch/bakewatch/configs"
	"github.com/bakewatch/bakewatch/integrations/email"
	"github.com/bakewatch/bakewatch/integrations/exec"
	"github.com/bakewatch/bakewatch/integrations/log"
	"github.com/bakewatch/bakewatch/integrations/nats/events"
	"github.com/bakewatch/bakewatch/integrations/oidc"
	"github.com/bakewatch/bakewatch/integrations/oidc/oidctest"
	"github.com/bakewatch/bakewatch/integrations/web"
	"github.com/bakewatch/bakewatch/rules"
	"github.com/bakewatch/bakewatch/rules/kinds"
	"github.com/bakewatch/bakewatch/watcher"
)

// asksTwo is a plan that asks two of those on call.
const asksTwo = `service = 'checkout'
owner   = 'team'
[[rule]]
kind   = 'query'
expr   = 'vector(0)'
max    = 1
[[rollback]]
use = 'deployer'
[[authority]]
decide  = 'ask'
needs   = { oncall = 2 }
within  = '15m'
silence = 'keep'
[notify]
page = ['log']
`

// everyone are the people of the test: ana, bea and dan are on call, max is not.
const everyone = `
[person.ana]
basic = 'ana'
link  = true
[person.bea]
basic = 'bea'
link  = true
[person.dan]
basic = 'dan'
link  = true
[person.max]
basic = 'max'
link  = true
[group.oncall]
people = ['ana', 'bea', 'dan']
[group.others]
people = ['max']
[executor.deployer]
use     = 'exec'
command = ['/bin/true']
[channel.log]
use = 'log'
`

// written writes the files of a daemon with that plan and those people.
func written(t *testing.T, folder, settings string) Config {
	t.Helper()
	hash, err := bcrypt.GenerateFromPassword([]byte("secret"), bcrypt.MinCost)
	if err != nil {
		t.Fatal(err)
	}
	users := "basic_auth_users:\n"
	for _, user := range []string{"ana", "bea", "dan", "max", "eve"} {
		users += "  " + user + ": " + string(hash) + "\n"
	}
	text := "plans = ['plans/*.toml']\ncluster = 'main'\n[nats]\nstore = 'nats'\nlisten = '127.0.0.1:0'\n[prometheus.main]\nurl = 'http://127.0.0.1:9'\n" +
		"[http]\nlisten = '127.0.0.1:0'\nexternal_url = 'https://bakewatch.example'\n" + settings + everyone
	for name, text := range map[string]string{"web.yml": users, "plans/checkout.toml": asksTwo, "bakewatch.toml": text} {
		file := filepath.Join(folder, name)
		if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	catalog := configs.Catalog{
		Rules: kinds.All(), Build: kinds.Build, Channels: []rules.Kind{log.Kind(), email.Kind()}, Executors: []rules.Kind{exec.Kind()},
		EveryChannel: func() rules.Options { return &actions.EveryChannel{} }, Login: func() rules.Options { return oidc.Defaults() },
	}
	return Config{
		File: filepath.Join(folder, "bakewatch.toml"), Catalog: catalog, Replica: "one", Version: "test", Log: slog.New(slog.DiscardHandler),
	}
}

// served are the settings of a daemon with that plan and those people.
func served(t *testing.T, folder, settings string) Config {
	t.Helper()
	return loaded(t, written(t, folder, settings))
}

// loaded loads the files.
func loaded(t *testing.T, cfg Config) Config {
	t.Helper()
	loaded, problems := configs.Load(cfg.File, cfg.Catalog)
	if loaded == nil {
		t.Fatal(problems)
	}
	cfg.Daemon = loaded
	return cfg
}

// sends sends one request and returns what is answered.
func sends(t *testing.T, d *Daemon, method, path, body string, as func(*http.Request)) (int, string) {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), method, "http://"+d.Addr()+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Content-Type", "application/json")
	as(request)
	response, err := (&http.Client{Timeout: 20 * time.Second}).Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return response.StatusCode, string(text)
}

// password is the proof of a user.
func password(user string) func(*http.Request) {
	return func(r *http.Request) { r.SetBasicAuth(user, "secret") }
}

// reader is somebody who may look, and is no person.
var reader = password("eve")

func shown(t *testing.T, d *Daemon) (view watcher.WatchView) {
	t.Helper()
	if status, text := sends(t, d, "GET", web.APIPath+"watches/checkout", "", reader); status != http.StatusOK || json.Unmarshal([]byte(text), &view) != nil {
		t.Fatalf("%d %s", status, text)
	}
	return view
}

// deploys lets dan deploy a version, and waits until it is watched.
func deploys(t *testing.T, d *Daemon, version string) {
	t.Helper()
	subject, text, err := events.Encode(rules.Deployment{
		ID: "c-" + version, Service: "checkout", Environment: "production", Version: version, Previous: "1.0", By: "dan",
		Step: rules.Finished, Strategy: rules.Rolling, At: time.Now().UTC(),
	})
	if err != nil {
		t.Fatal(err)
	}
	publish(t, d, &client.Msg{Subject: subject, Data: text})
	until(t, "it is watched", func() bool {
		status, text := sends(t, d, "GET", web.APIPath+"watches/c-"+version, "", reader)
		return status == http.StatusOK && strings.Contains(text, version)
	})
}

func TestAToolHearsTheSameOfAStageOverNATSAndHTTP(t *testing.T) {
	d, _ := start(t, served(t, t.TempDir(), ""))
	subject, text, err := events.Encode(rules.Deployment{
		ID: "c-2.0", Service: "checkout", Environment: "production", Version: "2.0", Previous: "1.0", By: "dan",
		Step: rules.Stage, Stage: "5%", Strategy: rules.Canary, At: time.Now().UTC(),
	})
	if err != nil {
		t.Fatal(err)
	}
	publish(t, d, &client.Msg{Subject: subject, Data: text})
	until(t, "the stage is watched", func() bool {
		status, text := sends(t, d, "GET", web.APIPath+"watches/c-2.0", "", reader)
		return status == http.StatusOK && strings.Contains(text, "5%")
	})
	reply, err := d.conn.NATS().RequestWithContext(t.Context(), "bakewatch.verdict.production.checkout", []byte(`{"version":"2.0","stage":"5%"}`))
	if err != nil {
		t.Fatal(err)
	}
	status, told := sends(t, d, "GET", web.APIPath+"verdict?service=checkout&environment=production&version=2.0&stage=5%25", "", reader)
	var overNATS, overHTTP watcher.Advice
	if err := errors.Join(json.Unmarshal(reply.Data, &overNATS), json.Unmarshal([]byte(told), &overHTTP)); err != nil {
		t.Fatal(err)
	}
	if overNATS != overHTTP || overNATS.Verdict != watcher.Hold || overNATS.Stage != "5%" || status != http.StatusForbidden {
		t.Errorf("over NATS %s; over HTTP %d %s", reply.Data, status, told)
	}
}

func TestWhoeverHasKeptAVersionByALinkReadsSo(t *testing.T) {
	d, _ := start(t, served(t, t.TempDir(), "web_config_file = 'web.yml'\n"))
	deploys(t, d, "2.0")
	if status, text := sends(t, d, "POST", web.APIPath+"watches/checkout/rollback", `{"reason":"customers cannot pay"}`, password("max")); status != http.StatusOK {
		t.Fatalf("%d %s", status, text)
	}
	question := shown(t, d).Question.Question
	for _, vote := range []struct{ person, says string }{
		{"ana", "You answered keep"}, {"bea", "it is kept by the votes of ana, bea. The watch is baking."},
	} {
		if status, text := keepsByLink(t, d, vote.person, question); status != http.StatusOK || !strings.Contains(text, vote.says) {
			t.Errorf("%s: %d %s", vote.person, status, text)
		}
	}
	if status, text := sends(t, d, "POST", web.APIPath+"watches/checkout/cancel", `{"reason":"over"}`, password("max")); status != http.StatusOK {
		t.Fatalf("%d %s", status, text)
	}
	if view := shown(t, d); len(view.KeptBy) != 2 || view.Outcome == "" {
		t.Errorf("once it has ended: %+v", view.KeptBy)
	}
}

// keepsByLink follows a person's link and says keep; it returns the status and what was said.
func keepsByLink(t *testing.T, d *Daemon, person string, question uint64) (int, string) {
	t.Helper()
	links, err := d.links(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	address, err := links.URL(web.Link{Watch: fmt.Sprint(shown(t, d).Watch), Question: question, Person: person, Expires: time.Now().Add(time.Hour).Unix()})
	if err != nil {
		t.Fatal(err)
	}
	form := func(r *http.Request) { r.Header.Set("Content-Type", "application/x-www-form-urlencoded") }
	return sends(t, d, "POST", strings.TrimPrefix(address, "https://bakewatch.example"), url.Values{"choice": {"keep"}}.Encode(), form)
}

func TestOrdersOverHTTPCountOnlyOfThoseWhoAreKnown(t *testing.T) {
	d, _ := start(t, served(t, t.TempDir(), "web_config_file = 'web.yml'\n"))
	deploys(t, d, "2.0")
	for _, test := range []struct {
		what, path, body string
		as               func(*http.Request)
		status           int
		says             string
	}{
		{"disarming by nobody", "disarm", `{"service":"*"}`, password("eve"), 403, "person.NAME"},
		{"by one who does not log in", "disarm", `{"service":"*"}`, func(*http.Request) {}, 401, ""},
		{"of a service that is not known", "disarm", `{"service":"chekout"}`, password("max"), 422, "known: checkout"},
		{"disarming", "disarm", `{"service":"checkout","reason":"moving"}`, password("max"), 200, "checkout"},
		{"a rollback while disarmed", "watches/checkout/rollback", `{"reason":"bad"}`, password("ana"), 422, "moving"},
		{"arming", "arm", `{"service":"checkout"}`, password("max"), 200, "checkout"},
		{"a false alarm of an open watch", "watches/checkout/wrong", `{"reason":"noise"}`, password("ana"), 422, "still open"},
		{"cancelling by nobody", "watches/checkout/cancel", `{"reason":"over"}`, password("eve"), 403, "person.NAME"},
		{"cancelling", "watches/checkout/cancel", `{"reason":"over"}`, password("ana"), 200, "cancelled"},
		{"cancelling again", "watches/checkout/cancel", `{"reason":"over"}`, password("ana"), 422, ""},
		{"a false alarm", "watches/checkout/wrong", `{"reason":"noise"}`, password("ana"), 200, `"wrong":true`},
	} {
		if status, text := sends(t, d, "POST", web.APIPath+test.path, test.body, test.as); status != test.status || !strings.Contains(text, test.says) {
			t.Errorf("%s: %d %s, want %d with %q", test.what, status, text, test.status, test.says)
		}
	}
}

func TestNoPasswordIsAskedOfWhoeverCannotHaveOne(t *testing.T) {
	at := oidctest.New(t, redirect)
	d, _ := start(t, loggingIn(t, t.TempDir(), at, "web_config_file = 'web.yml'\n"))
	open := slices.Sorted(maps.Keys(d.mounts().Open))
	if want := []string{"/answer/", "GET /callback", "GET /login", "GET /question/{watch}", "POST /api/v1/pagerduty/webhook", "POST /api/v1/slack/actions", "POST /logout", "POST /question/{watch}"}; !slices.Equal(open, want) {
		t.Errorf("%q are open", open)
	}
	for _, path := range []string{"/api/v1/pagerduty/webhook", "/api/v1/slack/actions"} {
		until(t, path+" is answered by what it is for", func() bool {
			status, text := sends(t, d, "POST", path, "{}", func(*http.Request) {})
			return status != http.StatusServiceUnavailable && text != "Unauthorized\n" // as who asks for a password says it
		})
		if status, text := sends(t, d, "GET", path, "", func(*http.Request) {}); status != http.StatusUnauthorized {
			t.Errorf("GET %s: %d %s", path, status, text)
		}
	}
}

func TestAStandbySaysWhoIsActive(t *testing.T) {
	d, _ := start(t, served(t, t.TempDir(), ""))
	d.desk.Store(nil) // as of a replica that has not got the lease
	d.cfg.Replica = "two"
	status, text := sends(t, d, "GET", web.APIPath+"watches", "", reader)
	if status != http.StatusServiceUnavailable || !strings.Contains(text, "not active: one is") {
		t.Errorf("%d %s", status, text)
	}
}

func TestLinksHoldAcrossARestart(t *testing.T) {
	folder := t.TempDir()
	link := web.Link{Watch: "1", Question: 2, Person: "ana", Expires: time.Now().Add(time.Hour).Unix()}
	var made []string
	for range 2 {
		d, stop := start(t, served(t, folder, ""))
		until(t, "there are links", func() bool { _, err := d.links(context.Background()); return err == nil })
		links, err := d.links(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		address, err := links.URL(link)
		if err != nil {
			t.Fatal(err)
		}
		made = append(made, address)
		stop()
	}
	if made[0] != made[1] || !strings.HasPrefix(made[0], "https://bakewatch.example/answer/") {
		t.Errorf("%q", made)
	}
}

// mailbox is a channel that reaches one person.
func mailbox(person string) string {
	return "[channel.mail]\nuse = 'email'\nperson = '" + person + "'\nserver = '127.0.0.1:25'\nencryption = 'none'\nfrom = 'b@example.com'\nto = ['ana@example.com']\n"
}

func TestAQuestionToOnePersonCarriesTheLinkToAnswerBy(t *testing.T) {
	d, _ := start(t, served(t, t.TempDir(), mailbox("ana")))
	deploys(t, d, "2.0")
	channel, others := d.cfg.Daemon.Channels["mail"], d.cfg.Daemon.Channels["log"]
	question := actions.Message{Watch: "7", Links: map[string]string{"runbook": "https://wiki.example"}, Question: &actions.Asked{Watch: "7", Question: 9}}
	linked := d.linked(t.Context(), channel, question)
	path, ours := strings.CutPrefix(linked.Links[answerLink], "https://bakewatch.example")
	if !ours || linked.Links["runbook"] == "" || len(question.Links) != 1 {
		t.Fatalf("%q, of %q", linked.Links, question.Links)
	}
	if status, text := sends(t, d, "GET", path, "", func(*http.Request) {}); status != http.StatusNotFound || !strings.Contains(text, "7") {
		t.Errorf("of a watch that is not there: %d %s", status, text)
	}
	for what, links := range map[string]map[string]string{
		"what asks nothing":         d.linked(t.Context(), channel, actions.Message{Watch: "7"}).Links,
		"a channel of other people": d.linked(t.Context(), others, actions.Message{Question: question.Question}).Links,
	} {
		if links[answerLink] != "" {
			t.Errorf("%s carries a link", what)
		}
	}
}

func TestAChannelOfOnePersonIsCheckedWhenTheFileIsRead(t *testing.T) {
	for name, test := range map[string]struct{ settings, says string }{
		"a person with links":   {mailbox("ana"), ""},
		"nobody":                {mailbox("eve"), "there is no [person.eve] with link = true"},
		"one without links":     {mailbox("zoe") + "[person.zoe]\nbasic = 'zoe'\n", "there is no [person.zoe] with link = true"},
		"the log":               {"[channel.journal]\nuse = 'log'\nperson = 'ana'\n", "whoever reads the log"},
		"a server without name": {"external_url = 'bakewatch'\n", "is no address of a server"},
	} {
		t.Run(name, func(t *testing.T) {
			settings := test.settings
			cfg := written(t, t.TempDir(), settings)
			text, err := os.ReadFile(cfg.File)
			if err != nil {
				t.Fatal(err)
			}
			if strings.HasPrefix(settings, "external_url") {
				text = []byte(strings.Replace(string(text), "external_url = 'https://bakewatch.example'\n", "", 1))
			}
			if err := os.WriteFile(cfg.File, text, 0o600); err != nil {
				t.Fatal(err)
			}
			_, problems := configs.Load(cfg.File, cfg.Catalog)
			if said := fmt.Sprint(problems); test.says == "" && problems.Failed() || !strings.Contains(said, test.says) {
				t.Errorf("%s, want %q", said, test.says)
			}
		})
	}
}
