package pagerduty_test

import (
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
	"github.com/bakewatch/bakewatch/integrations/contract"
	"github.com/bakewatch/bakewatch/integrations/pagerduty"
	"github.com/bakewatch/bakewatch/integrations/pagerduty/pagerdutytest"
	"github.com/bakewatch/bakewatch/rules"
)

func TestChannel(t *testing.T) {
	contract.Channel(t, contract.ChannelSuite{
		Kind: pagerduty.Kind(), Secrets: []string{pagerdutytest.RoutingKey},
		Start: func(t *testing.T, conduct contract.Conduct) (contract.Outside, bool) {
			dedupKey := ""
			web := contract.StartWeb(t, conduct, func(r *http.Request, body []byte) contract.Call {
				got, refused := pagerdutytest.Accept(r, body)
				if refused != nil {
					t.Error(refused)
					return contract.Call{}
				}
				dedupKey = got.DedupKey
				key, _ := got.Payload.Details["key"].(string)
				return contract.Call{Key: key, Text: got.Visible()}
			}, func(w http.ResponseWriter, _ contract.Call) { pagerdutytest.Enqueued(w, dedupKey) })
			outside := web.Outside(conduct)
			outside.Options = options(t, web.URL)
			return outside, true
		},
	})
}

func options(t *testing.T, url string) *pagerduty.Options {
	t.Helper()
	t.Setenv("ROUTING_KEY", pagerdutytest.RoutingKey)
	o := pagerduty.Kind().New().(*pagerduty.Options)
	o.RoutingKeyEnv, o.URL = "ROUTING_KEY", url+"/v2/enqueue"
	return o
}

// service starts a PagerDuty service and returns a channel to it.
func service(t *testing.T) (actions.Follower, *pagerdutytest.Incidents, *[]pagerdutytest.Sent) {
	t.Helper()
	state, events := &pagerdutytest.Incidents{Open: map[string]string{}}, &[]pagerdutytest.Sent{}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			t.Error(err)
		}
		e, refused := pagerdutytest.Accept(r, body)
		if refused != nil {
			t.Error(refused)
		}
		state.Take(e)
		*events = append(*events, e)
		pagerdutytest.Enqueued(w, e.DedupKey)
	}))
	t.Cleanup(server.Close)
	notifier, err := options(t, server.URL).Notifier("pager", slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	return notifier.(actions.Follower), state, events
}

func TestThereIsOneIncidentForEachWatch(t *testing.T) {
	message := func(watch string, means actions.Attention) actions.Message {
		return actions.Message{Title: "x", Watch: watch, Cluster: "main", Attention: means, Level: actions.Urgent}
	}
	for name, c := range map[string]struct {
		told  []actions.Message
		open  map[string]string
		woken []string
	}{
		"what is asked opens one": {
			[]actions.Message{message("12", actions.Needed)},
			map[string]string{"bakewatch/main/12": "triggered"},
			[]string{"bakewatch/main/12"},
		},
		"what is asked again wakes nobody again": {
			[]actions.Message{message("12", actions.Needed), message("12", actions.Needed)},
			map[string]string{"bakewatch/main/12": "triggered"},
			[]string{"bakewatch/main/12"},
		},
		"two watches have two": {
			[]actions.Message{message("12", actions.Needed), message("13", actions.Needed)},
			map[string]string{"bakewatch/main/12": "triggered", "bakewatch/main/13": "triggered"},
			[]string{"bakewatch/main/12", "bakewatch/main/13"},
		},
		"somebody who looks acknowledges it": {
			[]actions.Message{message("12", actions.Needed), message("12", actions.Given)},
			map[string]string{"bakewatch/main/12": "acknowledged"},
			[]string{"bakewatch/main/12"},
		},
		"it ends with the question": {
			[]actions.Message{message("12", actions.Needed), message("12", actions.Over)}, map[string]string{}, []string{"bakewatch/main/12"},
		},
		"a rollback that fails wakes people anew, whoever looked before": {
			[]actions.Message{message("12", actions.Needed), message("12", actions.Given), message("12", actions.Spared), message("12", actions.Needed)},
			map[string]string{"bakewatch/main/12": "triggered"},
			[]string{"bakewatch/main/12", "bakewatch/main/12"},
		},
		"a rollback that nobody was asked about wakes nobody": {
			[]actions.Message{message("12", actions.Spared), message("12", actions.Over)}, map[string]string{}, nil,
		},
		"a newer version ends that of the watch it replaces": {
			[]actions.Message{message("12", actions.Needed), {Title: "opened", Watch: "15", Cluster: "main", Supersedes: &actions.Superseded{Watch: "12"}}},
			map[string]string{},
			[]string{"bakewatch/main/12"},
		},
		"another Bakewatch's are others": {
			[]actions.Message{message("12", actions.Needed), {Title: "x", Watch: "12", Cluster: "eu", Attention: actions.Over}},
			map[string]string{"bakewatch/main/12": "triggered"},
			[]string{"bakewatch/main/12"},
		},
		"what belongs to no watch has its own": {
			[]actions.Message{{Title: "x", Cluster: "main"}}, map[string]string{"bakewatch/main/7-pager": "triggered"}, []string{"bakewatch/main/7-pager"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			channel, state, events := service(t)
			for i, m := range c.told {
				receipt, err := channel.Notify(t.Context(), "7-pager", m)
				if sent := (*events)[i]; err != nil || receipt != sent.Action+" "+sent.DedupKey {
					t.Fatalf("%q, %v", receipt, err)
				}
			}
			if !maps.Equal(state.Open, c.open) || !slices.Equal(state.Woken, c.woken) {
				t.Errorf("open %v, woken %v", state.Open, state.Woken)
			}
		})
	}
}

func TestTheChannelFollowsWhatTakesUpOrEndsAnIncident(t *testing.T) {
	channel, _, _ := service(t)
	for means, follows := range map[actions.Attention]bool{
		"": false, actions.Needed: false, actions.Given: true, actions.Spared: true, actions.Over: true,
	} {
		if got := channel.Follows(actions.Message{Attention: means}); got != follows {
			t.Errorf("%q: %v", means, got)
		}
	}
	if !channel.Follows(actions.Message{Supersedes: &actions.Superseded{Watch: "12"}}) {
		t.Error("not what supersedes a watch")
	}
}

func TestAnIncidentSaysAllThatIsNeeded(t *testing.T) {
	channel, _, events := service(t)
	_, err := channel.Notify(t.Context(), "42-pager", actions.Message{
		Topic: "ruled", Level: actions.Concern, Title: "checkout 2.4.0\n→ 2.3.9?", Lines: []string{"5xx 4.1 %", "", "only 2.4.0"}, Cluster: "main",
		Service: "checkout", Environment: "production", Version: "2.4.0", Target: "2.3.9", Owner: "team", Watch: "12", At: time.Unix(1000, 0).UTC(),
		Links:    map[string]string{"runbook": "https://wiki.example/x?a=1&b=2", "bad": "javascript:alert(1)"},
		Question: &actions.Asked{Needs: map[string]int{"oncall": 2}, Silence: "keep", Answers: []actions.Reply{{Choice: "keep", Command: "bakewatch answer 12 keep"}}},
	})
	if err != nil {
		t.Fatal(err)
	}
	e := (*events)[0]
	p := e.Payload
	if p.Summary != "checkout 2.4.0 → 2.3.9?" || p.Severity != "warning" || p.Source != "checkout" || p.Component != "checkout" ||
		p.Group != "production" || p.Class != "ruled" || !p.Timestamp.Equal(time.Unix(1000, 0)) || e.Client != "Bakewatch" {
		t.Errorf("%+v", p)
	}
	if len(e.Links) != 1 || e.Links[0].Text != "runbook" || e.Links[0].Href != "https://wiki.example/x?a=1&b=2" {
		t.Errorf("links %+v", e.Links)
	}
	for key, want := range map[string]any{"reasons": "5xx 4.1 %\nonly 2.4.0", "silence": "keep", "version": "2.4.0", "target": "2.3.9", "owner": "team", "watch": "12"} {
		if p.Details[key] != want {
			t.Errorf("%s is %q", key, p.Details[key])
		}
	}
}

func TestPagerDutysAnswersAreUnderstood(t *testing.T) {
	for name, c := range map[string]struct {
		status int
		header http.Header
		body   string
		want   actions.Class
		after  time.Duration
		says   string
	}{
		"a wrong key is permanent, and says what to do": {400, nil, `{"status":"invalid event","message":"Event object is invalid","errors":["Length of 'routing_key' is incorrect (should be 32 characters)"]}`, actions.ClassPermanent, 0, "copy that of the service"},
		"another fault of ours is permanent":            {400, nil, `{"status":"invalid event","errors":["'payload.summary' is missing"]}`, actions.ClassPermanent, 0, "payload.summary"},
		"too many calls are tried again":                {429, nil, "", actions.ClassRetryable, 0, "429"},
		"after the time it asks for":                    {429, http.Header{"Retry-After": {"90"}}, "", actions.ClassRetryable, 90 * time.Second, "429"},
		"its own trouble is tried again":                {500, nil, "", actions.ClassRetryable, 0, "500"},
		"a status in its place is not PagerDuty's":      {200, nil, `{"status":"success","dedup_key":"bakewatch/main/12"}`, actions.ClassRetryable, 0, "not PagerDuty's answer"},
		"a login page is not":                           {202, nil, "<html>", actions.ClassRetryable, 0, "not PagerDuty's answer"},
		"nor is the answer to another event":            {202, nil, `{"status":"success","dedup_key":"other"}`, actions.ClassRetryable, 0, "not PagerDuty's answer"},
	} {
		t.Run(name, func(t *testing.T) {
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				maps.Copy(w.Header(), c.header)
				w.WriteHeader(c.status)
				_, _ = io.WriteString(w, c.body)
			}))
			defer server.Close()
			notifier, err := options(t, server.URL).Notifier("pager", slog.New(slog.DiscardHandler))
			if err != nil {
				t.Fatal(err)
			}
			_, err = notifier.Notify(t.Context(), "k", actions.Message{Watch: "12", Cluster: "main"})
			if err == nil || actions.Classify(err) != c.want || !strings.Contains(err.Error(), c.says) || after(err) != c.after {
				t.Errorf("class %d after %s: %v", actions.Classify(err), after(err), err)
			}
		})
	}
}

func TestAKeyThatIsNoneIsFoundAtTheStart(t *testing.T) {
	for name, c := range map[string]struct{ key, url, says string }{
		"one that is too short":        {"0123", "https://events.pagerduty.com/v2/enqueue", "32 letters and digits"},
		"one of another kind":          {strings.Repeat("-", 32), "https://events.pagerduty.com/v2/enqueue", "32 letters and digits"},
		"one that would go in clear":   {pagerdutytest.RoutingKey, "http://events.pagerduty.com/v2/enqueue", "use https"},
		"an address with a fragment":   {pagerdutytest.RoutingKey, "https://events.pagerduty.com/#x", "fragment"},
		"one that is not there at all": {"", "https://events.pagerduty.com/v2/enqueue", "empty"},
	} {
		t.Run(name, func(t *testing.T) {
			o := options(t, "")
			t.Setenv("ROUTING_KEY", c.key)
			o.URL = c.url
			_, err := o.Notifier("pager", slog.New(slog.DiscardHandler))
			if err == nil || !strings.Contains(err.Error(), c.says) || c.key != "" && strings.Contains(err.Error(), c.key) {
				t.Errorf("%v", err)
			}
		})
	}
	o := options(t, "")
	o.URL, o.RoutingKeyEnv, o.Timeout = "", "", rules.Duration(time.Minute)
	for _, says := range []string{"url: ", "routing_key_file: missing", "timeout: "} {
		if err := o.Check(); err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("%v, not %s", err, says)
		}
	}
}
