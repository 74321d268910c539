package daemon

import (
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	client "github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/micro"
	"golang.org/x/crypto/bcrypt"

	"github.com/bakewatch/bakewatch/actions"
	"github.com/bakewatch/bakewatch/actions/authority"
	"github.com/bakewatch/bakewatch/configs"
	"github.com/bakewatch/bakewatch/integrations/log"
	"github.com/bakewatch/bakewatch/integrations/nats"
	"github.com/bakewatch/bakewatch/integrations/nats/signing"
	"github.com/bakewatch/bakewatch/integrations/oidc"
	"github.com/bakewatch/bakewatch/integrations/oidc/oidctest"
	"github.com/bakewatch/bakewatch/integrations/pagerduty"
	"github.com/bakewatch/bakewatch/integrations/pagerduty/pagerdutytest"
	"github.com/bakewatch/bakewatch/integrations/slack"
	"github.com/bakewatch/bakewatch/integrations/slack/slacktest"
	"github.com/bakewatch/bakewatch/integrations/web"
	"github.com/bakewatch/bakewatch/integrations/webhook"
	"github.com/bakewatch/bakewatch/rules"
	"github.com/bakewatch/bakewatch/rules/kinds"
	"github.com/bakewatch/bakewatch/watcher"
)

const votingDaemon = `
plans   = ["plan.toml"]
cluster = "polls"
[nats]
store  = "nats"
listen = "127.0.0.1:0"
[prometheus.main]
url = "http://127.0.0.1:9"
[executor.tool]
use         = "webhook"
url         = "http://127.0.0.1:9/rollback"
secret_file = "secret"
[group.oncall]
people = ["ana", "ben", "eve", "dan", "pia"]
[group.managers]
people = ["zoe"]
[person.dan]
oidc = "dan@example.org"
[person.pia]
oidc = "pia@example.org"
`

// polls is a daemon that runs, with a question for each cell.
type polls struct {
	*Daemon
	slack *slacktest.App
	keys  map[role]signing.Key
	at    *oidctest.Provider
	cells []cell
}

// trustingPolls is a daemon that believes whoever is on its machine.
func trustingPolls(t *testing.T) *polls {
	t.Helper()
	p := &polls{slack: slacktest.Start(t)}
	p.cells = everyCell([]transport{
		{name: "NATS without a signature", way: authority.Local, choice: authority.RollBack, send: p.unsigned},
		{name: "HTTP from this machine", way: authority.Local, choice: authority.RollBack, send: p.local},
		{
			name: "a signed link", way: authority.Link, choice: authority.RollBack, send: p.link,
			shows: map[role]showing{disabled: vouched, unknown: unproved}, hint: map[role]string{unknown: "this link is not good"},
		},
		{name: "a button in Slack, by Socket Mode", way: authority.Slack, choice: authority.RollBack, shows: strangers, send: p.socket},
		{name: "a button in Slack, by a callback", way: authority.Slack, choice: authority.RollBack, shows: strangers, send: p.callback},
		{name: "PagerDuty", way: authority.PagerDuty, choice: authority.Looking, latest: true, silent: true, shows: strangers, send: p.acknowledgement},
	})
	p.start(t, trustingDaemon(p.slack.URL))
	return p
}

// trustingDaemon is the file of such a daemon, with a Slack and a PagerDuty.
func trustingDaemon(slackURL string) string {
	text := votingDaemon
	for who, name := range voters {
		if who != unknown && who != disabled {
			text += fmt.Sprintf("[person.%s]\nslack = %q\npagerduty = %q\nlink = true\n", name, slackID(who), pagerID(who))
		}
	}
	return text + fmt.Sprintf(`
[http]
listen        = "127.0.0.1:0"
believe_local = true
external_url  = "http://127.0.0.1"
[channel.socket]
use            = "slack"
token_file     = "bot"
app_token_file = "app"
channel        = "C0000001"
api_url        = "%[1]s/api"
[channel.callback]
use                 = "slack"
token_file          = "bot"
signing_secret_file = "signing"
channel             = "C0000001"
api_url             = "%[1]s/api"
[channel.pagerduty]
use                 = "pagerduty"
routing_key_file    = "routing"
webhook_secret_file = "hook"
`, slackURL)
}

// strangers are known to the service, and not to us.
var strangers = map[role]showing{disabled: vouched, unknown: vouched}

// strictPolls is a daemon that believes signatures and passwords, and this machine of some.
func strictPolls(t *testing.T) *polls {
	t.Helper()
	p := &polls{keys: map[role]signing.Key{}, at: oidctest.New(t, redirect)}
	persons := ""
	for who, name := range voters {
		key, err := signing.NewKey()
		if err != nil {
			t.Fatal(err)
		}
		p.keys[who] = key
		if who != unknown && who != disabled {
			persons += fmt.Sprintf("[person.%[1]s]\nnkeys = [%[2]q]\nbasic = %[1]q\noidc = %[3]q\nlocal = true\n", name, key.Public(), address(who))
		}
	}
	p.cells = everyCell([]transport{
		{name: "NATS with a signature", way: authority.Signature, choice: authority.RollBack, shows: map[role]showing{disabled: unproved, unknown: unproved}, send: p.signed},
		{name: "NATS without one", way: authority.Local, choice: authority.RollBack, shows: map[role]showing{disabled: unproved, unknown: unproved}, send: p.unsigned},
		{
			name: "a password", way: authority.Basic, choice: authority.RollBack, send: p.password,
			shows: map[role]showing{disabled: vouched, unknown: unheard}, hint: map[role]string{unknown: "Unauthorized"},
		},
		{
			name: "a token of an OpenID provider", way: authority.OIDC, choice: authority.RollBack, send: p.token,
			shows: map[role]showing{disabled: turned, unknown: turned}, hint: map[role]string{unknown: "the token is not good"},
		},
	})
	p.start(t, votingDaemon+persons+`
[trust]
required = true
[trust.announcer.ci]
nkeys    = ["`+p.keys[unknown].Public()+`"]
services = ["*"]
[http]
listen          = "127.0.0.1:0"
web_config_file = "web.yml"
external_url    = "`+strings.TrimSuffix(redirect, web.CallbackPath)+`"
[http.oidc]
issuer             = "`+p.at.Issuer()+`"
client_id          = "`+p.at.ClientID+`"
client_secret_file = "client"
claim              = "email"
`)
	return p
}

// address is that under which the provider knows somebody.
func address(who role) string { return voters[who] + "@example.com" }

const slackSigning = "8f742231b10e8888abcd99yyyzzz85a5"

// slackID and pagerID are who somebody is there.
func slackID(who role) string { return "U00000" + strings.ToUpper(voters[who]) }
func pagerID(who role) string { return "P00000" + strings.ToUpper(voters[who]) }

// start writes the daemon's files, stages the questions in its journal, and runs it.
func (p *polls) start(t *testing.T, text string) {
	t.Helper()
	hash, err := bcrypt.GenerateFromPassword([]byte("secret"), bcrypt.MinCost)
	if err != nil {
		t.Fatal(err)
	}
	users := "basic_auth_users:\n"
	for who, name := range voters {
		if who != unknown {
			users += "  " + name + ": " + string(hash) + "\n"
		}
	}
	folder := t.TempDir()
	for name, text := range map[string]string{
		"bakewatch.toml": text, "plan.toml": votingPlan, "web.yml": users, "bot": "xoxb-1", "app": "xapp-1", "signing": slackSigning,
		"routing": pagerdutytest.RoutingKey, "hook": pagerdutytest.Secret, "secret": "whsec_ZGVtbyBkZW1vIGRlbW8gZGVtbyBkZW1v",
		"client": "the client's",
	} {
		if err := os.WriteFile(filepath.Join(folder, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	catalog := configs.Catalog{
		Rules: kinds.All(), Build: kinds.Build, EveryChannel: func() rules.Options { return &actions.EveryChannel{} }, Login: func() rules.Options { return oidc.Defaults() },
		Channels: []rules.Kind{log.Kind(), slack.Kind(), pagerduty.Kind()}, Executors: []rules.Kind{webhook.ExecutorKind()},
	}
	file := filepath.Join(folder, "bakewatch.toml")
	loaded, problems := configs.Load(file, catalog)
	if loaded == nil {
		t.Fatal(problems)
	}
	cfg := Config{File: file, Daemon: loaded, Catalog: catalog, Replica: "polls", Version: "test", Log: slog.New(slog.DiscardHandler)}
	if p.Daemon, err = New(t.Context(), cfg); err != nil {
		t.Fatal(err)
	}
	if plans := p.force.Load().set.Plans; len(plans) == 1 {
		stage(t, p.journal, plans[0], p.cells)
	}
	acting(t, p.Daemon)
	until(t, "buttons and acknowledgements are heard", func() bool {
		return p.buttons.Load() != nil && p.hook.Load() != nil && (p.slack == nil || p.slack.Connected())
	})
}

func (p *polls) journaled(t *testing.T) (entries []watcher.Entry) {
	t.Helper()
	found, err := p.journal.Verify(t.Context(), func(e watcher.Entry) { entries = append(entries, e) })
	if err != nil || len(found.Flaws) > 0 {
		t.Fatalf("%v %v", found.Flaws, err)
	}
	return entries
}

func (c cell) vote(by authority.Proof) authority.Vote {
	return authority.Vote{Question: c.question, Choice: c.choice, Reason: "I have looked", Proof: by}
}

func (c cell) ref() watcher.Ref { return watcher.Ref{Name: strconv.FormatUint(c.watch, 10)} }

func (p *polls) unsigned(t *testing.T, c cell) (bool, string) {
	t.Helper()
	_, err := nats.DeskClient(p.conn.NATS()).Answer(t.Context(), c.ref(), c.vote(authority.LocalProof(voters[c.role])))
	return err == nil, fmt.Sprint(err)
}

// signed sends a signed vote; somebody unknown has changed one of somebody who is asked.
func (p *polls) signed(t *testing.T, c cell) (bool, string) {
	t.Helper()
	nc := p.conn.NATS()
	if c.role != unknown {
		_, err := nats.SigningDeskClient(nc, p.keys[c.role], "").Answer(t.Context(), c.ref(), c.vote(authority.Proof{}))
		return err == nil, fmt.Sprint(err)
	}
	body, err := json.Marshal(map[string]any{"ref": c.ref(), "vote": c.vote(authority.Proof{})})
	if err != nil {
		t.Fatal(err)
	}
	const subject = "bakewatch.api.answer"
	headers, err := p.keys[asked].Sign(signing.Message{Cluster: "polls", Subject: subject, Body: []byte("another")}, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	reply, err := nc.RequestMsg(&client.Msg{Subject: subject, Header: headers, Data: body}, 10*time.Second)
	if err != nil {
		t.Fatal(err)
	}
	told := reply.Header.Get(micro.ErrorHeader)
	return told == "", told
}

func (p *polls) post(t *testing.T, path, kind, body string, change func(*http.Request)) (status int, told string) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "http://"+p.Addr()+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Content-Type", kind)
	change(r)
	reply, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer reply.Body.Close()
	text, err := io.ReadAll(reply.Body)
	if err != nil {
		t.Fatal(err)
	}
	return reply.StatusCode, string(text)
}

const (
	jsonKind = "application/json"
	formKind = "application/x-www-form-urlencoded"
)

func (p *polls) answered(t *testing.T, c cell, change func(*http.Request)) (bool, string) {
	t.Helper()
	body := fmt.Sprintf(`{"question":%d,"choice":%q,"reason":"I have looked"}`, c.question, c.choice)
	status, told := p.post(t, fmt.Sprintf("%swatches/%d/answers", web.APIPath, c.watch), jsonKind, body, change)
	return status == http.StatusOK, told
}

func (p *polls) local(t *testing.T, c cell) (bool, string) {
	t.Helper()
	return p.answered(t, c, func(r *http.Request) { r.Header.Set("Bakewatch-As", voters[c.role]) })
}

func (p *polls) password(t *testing.T, c cell) (bool, string) {
	t.Helper()
	return p.answered(t, c, func(r *http.Request) { r.SetBasicAuth(voters[c.role], "secret") })
}

// token sends a token of the provider; somebody unknown has made one of their own.
func (p *polls) token(t *testing.T, c cell) (bool, string) {
	t.Helper()
	claims := p.at.Claims(oidctest.User{Sub: voters[c.role], Email: address(c.role), Verified: true})
	bearer := p.at.Token(t, claims)
	if c.role == unknown {
		bearer = p.at.Forged(t, claims)["signed by another key under the same name"]
	}
	return p.answered(t, c, func(r *http.Request) { r.Header.Set("Authorization", "Bearer "+bearer) })
}

// link follows a person's link; somebody unknown has made one with a key of their own.
func (p *polls) link(t *testing.T, c cell) (bool, string) {
	t.Helper()
	links, err := p.links(t.Context())
	if c.role == unknown {
		links, err = web.NewLinks([]byte(strings.Repeat("k", web.KeyBytes)), "http://127.0.0.1")
	}
	if err != nil {
		t.Fatal(err)
	}
	address, err := links.URL(web.Link{Watch: c.ref().Name, Question: c.question, Person: voters[c.role], Expires: time.Now().Add(time.Hour).Unix()})
	if err != nil {
		t.Fatal(err)
	}
	status, told := p.post(t, strings.TrimPrefix(address, "http://127.0.0.1"), formKind, url.Values{"choice": {string(c.choice)}}.Encode(), func(*http.Request) {})
	return status == http.StatusOK, told
}

// whispered waits until one more person is told by Slack what came of a vote.
func (p *polls) whispered(t *testing.T, press func()) (bool, string) {
	t.Helper()
	before := len(p.slack.Told())
	press()
	until(t, "who pressed is told", func() bool { return len(p.slack.Told()) > before })
	told := p.slack.Told()[before]
	return strings.HasPrefix(told, "Counted: "), told
}

func (c cell) button() (action, value string) {
	return "bakewatch-" + string(c.choice), fmt.Sprintf(`{"watch":"%d","question":%d,"choice":%q}`, c.watch, c.question, c.choice)
}

func (p *polls) socket(t *testing.T, c cell) (bool, string) {
	t.Helper()
	action, value := c.button()
	return p.whispered(t, func() {
		if !p.slack.Press(t.Context(), p.slack.Pressed(fmt.Sprint("e", c.watch), slackID(c.role), action, value)) {
			t.Fatal("nobody is connected")
		}
	})
}

func (p *polls) callback(t *testing.T, c cell) (bool, string) {
	t.Helper()
	action, value := c.button()
	body := url.Values{"payload": {p.slack.Payload(slackID(c.role), action, value)}}.Encode()
	return p.whispered(t, func() {
		status, said := p.post(t, slack.CallbackPath, formKind, body, func(r *http.Request) {
			stamp := strconv.FormatInt(time.Now().Unix(), 10)
			r.Header.Set("X-Slack-Request-Timestamp", stamp)
			r.Header.Set("X-Slack-Signature", slacktest.Sign(slackSigning, stamp, body))
		})
		if status != http.StatusOK {
			t.Fatalf("the callback is not taken: %d %s", status, said)
		}
	})
}

// acknowledgement acknowledges the watch's incident. PagerDuty is told nothing but that
// it was heard.
func (p *polls) acknowledgement(t *testing.T, c cell) (bool, string) {
	t.Helper()
	body := pagerdutytest.Acknowledged(fmt.Sprintf("bakewatch/polls/%d", c.watch), pagerID(c.role), time.Now())
	status, told := p.post(t, pagerduty.WebhookPath, jsonKind, body, func(r *http.Request) {
		r.Header.Set("X-PagerDuty-Signature", pagerdutytest.Sign(pagerdutytest.Secret, body))
	})
	if status != http.StatusAccepted {
		t.Fatalf("the webhook is not taken: %d %s", status, told)
	}
	return strings.TrimSpace(told) == "told", told
}
