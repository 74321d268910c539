//go:build long

package main

import (
	"bytes"
	"encoding/json"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"text/template"
	"time"

	"github.com/bakewatch/bakewatch/actions"
	"github.com/bakewatch/bakewatch/cmd/bakewatch/internal/shop"
	"github.com/bakewatch/bakewatch/rules"
	"github.com/bakewatch/bakewatch/watcher"
)

// powers are the services of the test, each by the authority that its plan grants.
var powers = map[string]string{
	"told": `decide = "notify"`,
	"counted": `decide = "veto"
needs  = { oncall = 1 }
within = "5s"`,
	"prompt": `decide = "auto"`,
	"asked": `decide   = "ask"
needs    = { oncall = 1, owners = 1 }
within   = "5s"
escalate = [{ to = "managers", within = "5m" }]
silence  = "keep"`,
}

// Each service has an environment of its own: what is deployed beside it is no suspect.
var powersDaemon = template.Must(template.New("bakewatch.toml").Parse(`
plans = ["plans/*.toml"]
[nats]
store  = "store"
listen = "127.0.0.1:0"
[prometheus.local]
embedded        = true
scrape          = [{{range .Shops}}{{range .Targets}}"{{.}}", {{end}}{{end}}]
scrape_interval = "500ms"
job             = "shops"
settle          = "1s"
[http]
listen = "127.0.0.1:0"
[group.oncall]
people = ["ana", "ben"]
[group.owners]
people = ["cleo"]
[group.managers]
people = ["dee"]
[channel.pager]
use = "webhook"
url = "{{.Pager}}"
{{- range $service, $shop := .Shops}}
[executor.{{$service}}]
use         = "webhook"
url         = "{{$shop.ControlURL}}/rollback"
live_url    = "{{$shop.ControlURL}}/live"
secret_file = "secret"
{{- end}}
`))

var powersPlan = template.Must(template.New("plan.toml").Parse(`
service  = "{{.Service}}"
owner    = "team-{{.Service}}"
mode     = "enforce"
preset   = "prometheus-http"
bake     = "6s"
warm_up  = "1s"
interval = "1s"
window   = "10s"
[select]
match   = { service = "{{.Service}}" }
version = "version"
[[rule]]
kind         = "error-rate"
judge        = "threshold"
max          = "3%"
min_requests = 50
[[rollback]]
use        = "{{.Service}}"
reversible = true
[[authority]]
{{.Authority}}
[notify]
page = ["pager"]
chat = ["pager"]
`))

// hall is one daemon, the shops that it watches, and the pager that everybody hears.
type hall struct {
	dir   string
	paged *pager
	shops map[string]*shop.Shop
}

func openHall(t *testing.T) *hall {
	t.Helper()
	h := &hall{dir: t.TempDir(), paged: &pager{}, shops: map[string]*shop.Shop{}}
	phone := httptest.NewServer(h.paged)
	t.Cleanup(phone.Close)
	if err := os.Mkdir(filepath.Join(h.dir, "plans"), 0o700); err != nil {
		t.Fatal(err)
	}
	for service, authority := range powers {
		h.shops[service] = trading(t, service)
		h.fill(t, "plans/"+service+".toml", powersPlan, map[string]string{"Service": service, "Authority": authority})
	}
	h.fill(t, "bakewatch.toml", powersDaemon, map[string]any{"Shops": h.shops, "Pager": phone.URL})
	if err := os.WriteFile(filepath.Join(h.dir, "secret"), []byte(newSecret()), 0o600); err != nil {
		t.Fatal(err)
	}
	return h
}

func (h *hall) fill(t *testing.T, name string, with *template.Template, values any) {
	t.Helper()
	var text bytes.Buffer
	if err := with.Execute(&text, values); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(h.dir, name), text.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
}

// run runs a command as a person on the daemon's machine does.
func (h *hall) run(t *testing.T, args ...string) (code int, stdout, stderr string) {
	t.Helper()
	var out, errs bytes.Buffer
	code = run(t.Context(), append(args, "--store", filepath.Join(h.dir, "store")), strings.NewReader(""), &out, &errs)
	return code, out.String(), errs.String()
}

// verified audits the journal, which must be whole and every rollback have its authority.
func (h *hall) verified(t *testing.T) (report verifyReport) {
	t.Helper()
	code, stdout, stderr := h.run(t, "journal", "verify", "--authority", "--output", "json")
	if code != 0 {
		t.Errorf("journal verify --authority: exit %d\n%s%s", code, stdout, stderr)
	}
	if err := json.Unmarshal([]byte(stdout), &report); err != nil || report.Authority == nil {
		t.Fatalf("journal verify --authority says %q: %v", stdout, err)
	}
	return report
}

// counter is one service of the hall.
type counter struct {
	*testing.T
	*hall
	service string
	shop    *shop.Shop
}

// opened is the counter once its good version 1.1.0 has passed.
func (h *hall) opened(t *testing.T, service string) counter {
	t.Helper()
	c := counter{T: t, hall: h, service: service, shop: h.shops[service]}
	c.deploy("1.1.0", shop.Good)
	c.ends("1.1.0", watcher.Passed)
	return c
}

func (c counter) deploy(version string, behaviour shop.Behaviour) {
	c.Helper()
	if err := c.shop.Deploy(version, behaviour); err != nil {
		c.Fatal(err)
	}
	code, _, stderr := c.run(c.T, "announce", "--service", c.service, "--environment", c.service, "--version", version, "--id", c.id(version), "--by", "ana")
	if code != 0 {
		c.Fatalf("announce %s: exit %d\n%s", version, code, stderr)
	}
}

func (c counter) id(version string) string { return c.service + "-" + version }

func (c counter) show(version string) (view watcher.WatchView) {
	c.Helper()
	code, stdout, stderr := c.run(c.T, "show", c.id(version), "--output", "json")
	if code != 0 {
		return view // the event may be on its way
	}
	if err := json.Unmarshal([]byte(stdout), &view); err != nil {
		c.Fatalf("show %s: %v\n%s%s", version, err, stdout, stderr)
	}
	return view
}

// asks waits until a question of this level is open, and somebody is known to have heard it.
func (c counter) asks(version string, level int) (question watcher.QuestionView) {
	c.Helper()
	within(c.T, 30*time.Second, "people are asked about "+c.id(version), func() bool {
		view := c.show(version)
		if view.Outcome != "" {
			c.Fatalf("%s ended before anybody was asked: %s (%s)", view.ID, view.Outcome, view.Reason)
		}
		if view.Question == nil || view.Question.Heard.IsZero() || view.Question.Level != level {
			return false
		}
		question = *view.Question
		return true
	})
	return question
}

func (c counter) answer(choice, person string) (code int, said string) {
	c.Helper()
	code, stdout, stderr := c.run(c.T, "answer", c.service, choice, "--as", person, "--reason", "I have looked")
	return code, stdout + stderr
}

// ends waits for the end of a watch, as a pipeline does, and returns what is shown of it.
func (c counter) ends(version string, want watcher.Outcome) watcher.WatchView {
	c.Helper()
	code, stdout, stderr := c.run(c.T, "wait", c.id(version), "--timeout", "40s", "--every", "200ms")
	if code != exitOf(want) {
		c.Fatalf("wait %s: exit %d, want %d (%s)\n%s%s", version, code, exitOf(want), want, stdout, stderr)
	}
	view := c.show(version)
	if view.Outcome != want {
		c.Errorf("%s is shown as %s, want %s", version, view.Outcome, want)
	}
	return view
}

// decided checks by what, and by whose votes, the rollback was decided; "": by nothing.
func (c counter) decided(view watcher.WatchView, by string, voters ...string) {
	c.Helper()
	var decision watcher.Decision
	if view.Decision != nil {
		decision = *view.Decision
	}
	var people []string
	for _, v := range decision.Votes {
		people = append(people, v.Person)
	}
	if decision.By != by || !slices.Equal(people, voters) {
		c.Errorf("%s was decided by %q, votes of %q; want %q, %q", view.ID, decision.By, people, by, voters)
	}
}

func (c counter) live(version string) {
	c.Helper()
	if got := c.shop.Live(); got != version {
		c.Errorf("%s is live, want %s", got, version)
	}
}

// hears waits until the pager was told so about a version.
func (c counter) hears(version, what string, is func(actions.Message) bool) {
	c.Helper()
	within(c.T, 10*time.Second, "the pager hears "+what, func() bool { return c.heard(version, is) })
}

func (c counter) heard(version string, is func(actions.Message) bool) bool {
	c.paged.mu.Lock()
	defer c.paged.mu.Unlock()
	return slices.ContainsFunc(c.paged.messages, func(m actions.Message) bool {
		return m.Service == c.service && m.Version == version && is(m)
	})
}

func isQuestion(m actions.Message) bool { return m.Question != nil }

// What happens when a real service gets worse, by what its plan allows: the daemon is a
// process of its own, and people use the command line.
func TestEachAuthorityDoesWhatItsPlanSays(t *testing.T) {
	h := openHall(t)
	log := &lines{}
	daemon := bakewatch(t, h.dir, log, nil, "run", "--config", "bakewatch.toml")
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("the daemon's last words:\n%s", log.last(40))
		}
	})
	within(t, time.Minute, "the daemon answers", func() bool { code, _, _ := h.run(t, "list"); return code == 0 })
	t.Run("authorities", func(t *testing.T) {
		for name, test := range map[string]func(*testing.T, *hall){
			"notify tells people and leaves the version live":                                    notified,
			"veto rolls back when its time is over, and one objection keeps":                     countedDown,
			"auto rolls back and asks nobody":                                                    rolledBackAtOnce,
			"ask goes on to others when nobody answers in time, and one of them is enough there": escalated,
		} {
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				test(t, h)
				h.verified(t)
			})
		}
	})
	got := h.verified(t).Authority
	if got.Decisions != 3 || got.Votes != 2 || got.Refused != 1 {
		t.Errorf("%d decisions, %d votes and %d refused ones were audited; want 3, 2 and 1", got.Decisions, got.Votes, got.Refused)
	}
	daemon.drained()
}

func notified(t *testing.T, h *hall) {
	c := h.opened(t, "told")
	c.deploy("1.2.0", shop.Errors)
	c.hears("1.2.0", "that it is worse", func(m actions.Message) bool { return m.Topic == string(watcher.Ruled) })
	view := c.ends("1.2.0", watcher.Left)
	c.decided(view, "")
	if view.Ruling == nil || view.Ruling.Power != rules.Notify {
		t.Errorf("the ruling is %+v", view.Ruling)
	}
	if c.heard("1.2.0", isQuestion) {
		t.Error("somebody was asked")
	}
	c.live("1.2.0")
}

func countedDown(t *testing.T, h *hall) {
	c := h.opened(t, "counted")
	c.deploy("1.2.0", shop.Errors)
	question := c.asks("1.2.0", 0)
	if !question.Veto || question.Deadline.Sub(question.Heard) != 5*time.Second {
		t.Errorf("it is no countdown of 5 s: %+v", question)
	}
	within(t, 20*time.Second, "1.1.0 is live again", func() bool { return c.shop.Live() == "1.1.0" })
	if early := time.Until(question.Deadline); early > 0 {
		t.Errorf("it was rolled back %s before the countdown ended", early)
	}
	c.decided(c.ends("1.2.0", watcher.RolledBack), watcher.ByCountdown)

	c.deploy("1.3.0", shop.Errors)
	c.asks("1.3.0", 0)
	if code, said := c.answer("keep", "ben"); code != 0 {
		t.Errorf("answer keep: exit %d\n%s", code, said)
	}
	c.decided(c.ends("1.3.0", watcher.Kept), "")
	c.live("1.3.0")
}

func rolledBackAtOnce(t *testing.T, h *hall) {
	c := h.opened(t, "prompt")
	c.deploy("1.2.0", shop.Errors)
	c.decided(c.ends("1.2.0", watcher.RolledBack), watcher.ByAuthority)
	c.live("1.1.0")
	c.hears("1.2.0", "that it is rolled back", func(m actions.Message) bool { return m.Topic == string(watcher.Decided) })
	if c.heard("1.2.0", isQuestion) {
		t.Error("somebody was asked")
	}
}

func escalated(t *testing.T, h *hall) {
	c := h.opened(t, "asked")
	c.deploy("1.2.0", shop.Errors)
	question := c.asks("1.2.0", 0)
	if question.Veto || question.Needs["oncall"] != 1 || question.Needs["owners"] != 1 || len(question.Else) != 0 {
		t.Errorf("the question is %+v", question)
	}
	if code, said := c.answer("roll-back", "dee"); code == 0 || !strings.Contains(said, "not one of the people asked") {
		t.Errorf("who is asked later voted already: exit %d\n%s", code, said)
	}
	question = c.asks("1.2.0", 1)
	if len(question.Else) != 1 || question.Else[0]["managers"] != 1 {
		t.Errorf("the question went on to nobody: %+v", question)
	}
	c.hears("1.2.0", "that managers are asked", func(m actions.Message) bool { return isQuestion(m) && len(m.Question.Else) == 1 })
	c.live("1.2.0")
	if code, said := c.answer("roll-back", "dee"); code != 0 {
		t.Errorf("answer roll-back: exit %d\n%s", code, said)
	}
	c.decided(c.ends("1.2.0", watcher.RolledBack), watcher.ByVotes, "dee")
	c.live("1.1.0")
}
