package alertmanager_test

import (
	"encoding/json"
	"io"
	"log/slog"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/bakewatch/bakewatch/actions"
	"github.com/bakewatch/bakewatch/integrations/alertmanager"
	"github.com/bakewatch/bakewatch/integrations/contract"
	"github.com/bakewatch/bakewatch/rules"
)

const password = "correct-horse-battery"

func TestChannel(t *testing.T) {
	contract.Channel(t, contract.ChannelSuite{
		Kind: alertmanager.Kind(), Secrets: []string{password},
		Start: func(t *testing.T, conduct contract.Conduct) (contract.Outside, bool) {
			real := newServer(t)
			web := contract.StartWeb(t, conduct, func(r *http.Request, body []byte) contract.Call {
				if answer := real.post(r, body); answer.Code != http.StatusOK || answer.Body.Len() > 0 {
					t.Errorf("Alertmanager answers %d %s", answer.Code, answer.Body)
				}
				if _, given, ok := r.BasicAuth(); !ok || given != password {
					t.Error("no login")
				}
				var sent []shown
				if err := json.Unmarshal(body, &sent); err != nil || len(sent) == 0 {
					t.Fatalf("%s: %v", body, err)
				}
				said := sent[0].Annotations
				return contract.Call{Key: said["message"], Text: said["summary"] + "\n" + said["description"]}
			}, func(http.ResponseWriter, contract.Call) {})
			outside := web.Outside(conduct)
			o := options(web.URL)
			t.Setenv("ALERTMANAGER_PASSWORD", password)
			o.Username, o.PasswordEnv = "bakewatch", "ALERTMANAGER_PASSWORD"
			outside.Options = o
			return outside, true
		},
	})
}

func options(url string) *alertmanager.Options {
	o := alertmanager.Kind().New().(*alertmanager.Options)
	o.URL = url
	return o
}

// channel returns a channel to a real Alertmanager below a path prefix.
func channel(t *testing.T, labels map[string]string) (actions.Follower, *server) {
	t.Helper()
	real := newServer(t)
	web := httptest.NewServer(http.StripPrefix("/am", real.api))
	t.Cleanup(web.Close)
	o := options(web.URL + "/am/")
	o.Labels = labels
	if err := o.Check(); err != nil {
		t.Fatal(err)
	}
	notifier, err := o.Notifier("alerts", slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	return notifier.(actions.Follower), real
}

// told is a message of one watch, some minutes ago.
func told(level actions.Level, means actions.Attention, minutesAgo int) actions.Message {
	return actions.Message{
		Topic: "ruled", Level: level, Attention: means, Title: "checkout?", Service: "checkout", Environment: "production", Version: "2.4.0",
		Cluster: "main", Watch: "12", At: time.Now().Add(-time.Duration(minutesAgo) * time.Minute),
	}
}

func TestAlertsFireUntilTheWatchNeedsNobody(t *testing.T) {
	newer := told(actions.Neutral, "", 1)
	newer.Watch, newer.Version, newer.Supersedes = "15", "2.5.0", &actions.Superseded{Watch: "12", Version: "2.4.0"}
	other := told(actions.Urgent, actions.Needed, 9)
	other.Watch = "13"
	for name, c := range map[string]struct {
		told []actions.Message
		want []string // watch and severity of what fires
	}{
		"what is asked fires":       {[]actions.Message{told(actions.Urgent, actions.Needed, 9)}, []string{"12 critical"}},
		"sent again it is the same": {[]actions.Message{told(actions.Urgent, actions.Needed, 9), told(actions.Urgent, actions.Needed, 2)}, []string{"12 critical"}},
		"what gets worse is another": {
			[]actions.Message{told(actions.Concern, "", 9), told(actions.Urgent, actions.Needed, 2)}, []string{"12 critical", "12 warning"},
		},
		"when it is over all of them end": {
			[]actions.Message{told(actions.Concern, "", 9), told(actions.Urgent, actions.Needed, 5), told(actions.Good, actions.Over, 0)}, nil,
		},
		"also when nothing had fired":   {[]actions.Message{told(actions.Good, actions.Over, 0)}, nil},
		"a rollback under way is shown": {[]actions.Message{told(actions.Urgent, actions.Spared, 1)}, []string{"12 warning"}},
		"news do not end anything": {
			[]actions.Message{told(actions.Urgent, actions.Needed, 9), told(actions.Neutral, actions.Given, 2)}, []string{"12 critical", "12 info"},
		},
		"another watch goes on": {
			[]actions.Message{told(actions.Urgent, actions.Needed, 9), other, told(actions.Good, actions.Over, 0)}, []string{"13 critical"},
		},
		"a newer version ends those of the watch it replaces": {[]actions.Message{told(actions.Urgent, actions.Needed, 9), newer}, nil},
		"what ended may fire again": {
			[]actions.Message{told(actions.Urgent, actions.Needed, 9), told(actions.Good, actions.Over, 5), told(actions.Urgent, actions.Needed, 0)}, []string{"12 critical"},
		},
		"what is told a day late is over": {[]actions.Message{told(actions.Urgent, actions.Needed, 25*60)}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			channel, real := channel(t, nil)
			for _, m := range c.told {
				receipt, err := channel.Notify(t.Context(), "k", m)
				if fires := !channel.Follows(m); err != nil || strings.HasPrefix(receipt, "firing ") != fires || !fires && receipt != "resolved" {
					t.Fatalf("%q, %v", receipt, err)
				}
			}
			var got []string
			for _, a := range real.firing() {
				got = append(got, a.Labels["watch"]+" "+a.Labels["severity"])
			}
			slices.Sort(got)
			if !slices.Equal(got, c.want) {
				t.Errorf("firing: %q, want %q", got, c.want)
			}
		})
	}
}

func TestAnAlertSaysAllThatIsNeeded(t *testing.T) {
	channel, real := channel(t, map[string]string{"team": "shop"})
	m := told(actions.Urgent, actions.Needed, 2)
	m.Lines, m.Target, m.Owner = []string{"5xx 4.1 %", "only 2.4.0"}, "2.3.9", "team-checkout"
	m.Links = map[string]string{"runbook": "https://wiki.example/x", "pipeline": "https://ci.example/1", "bad": "javascript:alert(1)"}
	m.Question = &actions.Asked{Answers: []actions.Reply{{Choice: "keep", Command: "bakewatch answer 12 keep"}}}
	receipt, err := channel.Notify(t.Context(), "42-alerts", m)
	if err != nil {
		t.Fatal(err)
	}
	a := real.firing()[0]
	labels := map[string]string{
		"alertname": "BakewatchRollback", "bakewatch": "main", "service": "checkout", "environment": "production", "version": "2.4.0",
		"watch": "12", "severity": "critical", "team": "shop",
	}
	said := map[string]string{
		"summary": "checkout?", "description": "5xx 4.1 %\nonly 2.4.0\nkeep: bakewatch answer 12 keep", "target": "2.3.9",
		"owner": "team-checkout", "topic": "ruled", "message": "42-alerts", "runbook_url": "https://wiki.example/x",
	}
	if !maps.Equal(a.Labels, labels) || !maps.Equal(a.Annotations, said) || a.GeneratorURL != "https://ci.example/1" {
		t.Errorf("%+v", a)
	}
	if !a.StartsAt.Equal(m.At.Round(0).Truncate(time.Millisecond)) && a.StartsAt.Sub(m.At).Abs() > time.Second || a.EndsAt.Sub(a.StartsAt) != 24*time.Hour {
		t.Errorf("from %s to %s", a.StartsAt, a.EndsAt)
	}
	if receipt != "firing "+a.Fingerprint {
		t.Errorf("receipt %q of %s", receipt, a.Fingerprint)
	}
}

func TestWhatBelongsToNoWatchIsToldApart(t *testing.T) {
	channel, real := channel(t, nil)
	for _, topic := range []string{"no-plan", "told"} {
		if _, err := channel.Notify(t.Context(), "k", actions.Message{Topic: topic, Service: "checkout", Title: "x", Level: actions.Concern}); err != nil {
			t.Fatal(err)
		}
	}
	if firing := real.firing(); len(firing) != 2 {
		t.Errorf("%+v", firing)
	}
}

func TestAnotherAnswerIsNotAlertmanagers(t *testing.T) {
	for name, c := range map[string]struct {
		status int
		body   string
		want   actions.Class
		says   string
	}{
		"a login page":     {200, "<html>log in</html>", actions.ClassRetryable, "not Alertmanager's answer"},
		"another status":   {204, "", actions.ClassRetryable, "not Alertmanager's answer"},
		"another path":     {404, "404 page not found", actions.ClassPermanent, "path prefix"},
		"a wrong password": {401, "", actions.ClassPermanent, "401"},
		"a wrong alert":    {400, `"invalid label set"`, actions.ClassPermanent, "invalid label set"},
		"its own trouble":  {500, "", actions.ClassRetryable, "500"},
	} {
		t.Run(name, func(t *testing.T) {
			web := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				w.WriteHeader(c.status)
				_, _ = io.WriteString(w, c.body)
			}))
			defer web.Close()
			notifier, err := options(web.URL).Notifier("alerts", slog.New(slog.DiscardHandler))
			if err != nil {
				t.Fatal(err)
			}
			_, err = notifier.Notify(t.Context(), "k", told(actions.Urgent, actions.Needed, 0))
			if err == nil || actions.Classify(err) != c.want || !strings.Contains(err.Error(), c.says) {
				t.Errorf("class %d: %v", actions.Classify(err), err)
			}
		})
	}
}

func TestOptionsThatCannotWorkAreRefused(t *testing.T) {
	for says, change := range map[string]func(*alertmanager.Options){
		"url: missing":                       func(o *alertmanager.Options) { o.URL = "" },
		"url: ends in /api/":                 func(o *alertmanager.Options) { o.URL = "http://am:9093/api/v2/alerts" },
		"url: has a query":                   func(o *alertmanager.Options) { o.URL = "http://am:9093?x=1" },
		"url: the URL must begin":            func(o *alertmanager.Options) { o.URL = "am:9093" },
		"ends_after: must be at least":       func(o *alertmanager.Options) { o.EndsAfter = 0 },
		"severity is Bakewatch's own":        func(o *alertmanager.Options) { o.Labels = map[string]string{"severity": "x"} },
		`"a-b" is no label name`:             func(o *alertmanager.Options) { o.Labels = map[string]string{"a-b": "x"} },
		"password_file: missing":             func(o *alertmanager.Options) { o.Username = "x" },
		"username: missing":                  func(o *alertmanager.Options) { o.PasswordEnv = "X" },
		"username: there is a token as well": func(o *alertmanager.Options) { o.Username, o.PasswordEnv, o.TokenEnv = "x", "X", "Y" },
		"timeout: ":                          func(o *alertmanager.Options) { o.Timeout = rules.Duration(time.Hour) },
	} {
		o := options("http://am:9093")
		change(o)
		if err := o.Check(); err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("want %q: %v", says, err)
		}
	}
	t.Setenv("TOKEN", "a-bearer-token")
	o := options("http://am:9093")
	o.TokenEnv = "TOKEN"
	if _, err := o.Notifier("alerts", slog.New(slog.DiscardHandler)); err == nil || !strings.Contains(err.Error(), "use https") || strings.Contains(err.Error(), "a-bearer") {
		t.Errorf("a token in clear: %v", err)
	}
}
