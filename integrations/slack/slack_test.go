package slack_test

import (
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/bakewatch/bakewatch/actions"
	"github.com/bakewatch/bakewatch/integrations/contract"
	"github.com/bakewatch/bakewatch/integrations/slack"
	"github.com/bakewatch/bakewatch/rules"
)

const path = "/services/T00000001/B00000002/fakefakefakefakefakefake"

func TestChannel(t *testing.T) {
	contract.Channel(t, contract.ChannelSuite{
		Kind: slack.Kind(), Secrets: []string{path, "fakefakefakefakefakefake"},
		Start: func(t *testing.T, conduct contract.Conduct) (contract.Outside, bool) {
			web := contract.StartWeb(t, conduct, func(r *http.Request, body []byte) contract.Call {
				got, refused := accept(r, body)
				if refused != nil {
					t.Error(refused)
					return contract.Call{}
				}
				return contract.Call{Key: strings.TrimPrefix(got.Blocks[0].BlockID, "bakewatch-"), Text: got.visible()}
			}, func(w http.ResponseWriter, _ contract.Call) { _, _ = io.WriteString(w, "ok") })
			outside := web.Outside(conduct)
			outside.Options = options(t, web.URL+path)
			return outside, true
		},
	})
}

func options(t *testing.T, url string) *slack.Options {
	t.Helper()
	t.Setenv("SLACK_URL", url)
	o := slack.Kind().New().(*slack.Options)
	o.URLEnv = "SLACK_URL"
	return o
}

// post sends the message to a Slack that answers with this status and body.
func post(t *testing.T, status int, body string, m actions.Message) (posted, string, error) {
	t.Helper()
	var got posted
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		sent, err := io.ReadAll(r.Body)
		if err != nil {
			t.Error(err)
		}
		var refused error
		if got, refused = accept(r, sent); refused != nil {
			t.Error(refused)
		}
		w.WriteHeader(status)
		_, _ = io.WriteString(w, body)
	}))
	defer server.Close()
	notifier, err := options(t, server.URL+path).Notifier("chat", slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	receipt, err := notifier.Notify(t.Context(), "k", m)
	return got, receipt, err
}

func TestSlacksAnswersAreUnderstood(t *testing.T) {
	for name, c := range map[string]struct {
		status int
		body   string
		want   actions.Class
		says   string
	}{
		"a wrong payload is permanent":        {400, "invalid_payload", actions.ClassPermanent, "invalid_payload"},
		"a removed webhook is permanent":      {404, "no_service", actions.ClassPermanent, "create a new one"},
		"and so it is with an odd status":     {500, "no_service\n", actions.ClassPermanent, "create a new one"},
		"and with a status that looks well":   {200, "invalid_token", actions.ClassPermanent, "create a new webhook"},
		"an archived channel is permanent":    {410, "channel_is_archived", actions.ClassPermanent, "archived"},
		"a forbidden webhook is permanent":    {403, "action_prohibited", actions.ClassPermanent, "administrator"},
		"Slack's own trouble may be over":     {500, "rollup_error", actions.ClassRetryable, "rollup_error"},
		"a gateway's, too":                    {502, "<html>", actions.ClassRetryable, "502"},
		"a login page is not Slack":           {200, "<html>log in</html>", actions.ClassRetryable, "not Slack's answer"},
		"an empty answer is not Slack's":      {200, "", actions.ClassRetryable, "not Slack's answer"},
		"a status nobody knows with 4xx ends": {418, "teapot", actions.ClassPermanent, "418"},
	} {
		t.Run(name, func(t *testing.T) {
			_, _, err := post(t, c.status, c.body, actions.Message{Title: "hello"})
			if err == nil || actions.Classify(err) != c.want || !strings.Contains(err.Error(), c.says) {
				t.Errorf("class %d, want %d with %q: %v", actions.Classify(err), c.want, c.says, err)
			}
		})
	}
}

func TestAMessageReadsWell(t *testing.T) {
	got, receipt, err := post(t, 200, "ok", actions.Message{
		Level: actions.Urgent, Title: "checkout 2.4.0 → 2.3.9 (production)?",
		Lines:   []string{"5xx 4.1 % > limit 1 %", "", "nothing else was deployed & <!here> is text"},
		Service: "checkout", Environment: "production", Version: "2.4.0", Target: "2.3.9", Watch: "4711",
		Links: map[string]string{"runbook": "https://wiki.example/a?b=1&c=<2>|3", "bad": "javascript:alert(1)", "worse": "https:///x", "with a host": "javascript://h/%0aalert(1)", "a file": "file://h/etc/passwd"},
		Question: &actions.Asked{
			Needs: map[string]int{"owners": 1, "oncall": 2}, Within: rules.Duration(15 * time.Minute), Silence: "keep", Answers: []actions.Reply{{Choice: "keep", Command: "bakewatch answer `checkout`"}},
		},
	})
	if err != nil || receipt != "ok" {
		t.Fatalf("%q, %v", receipt, err)
	}
	want := []string{
		"🔴 Urgent: *checkout 2.4.0 → 2.3.9 (production)?*",
		"5xx 4.1 % &gt; limit 1 %\nnothing else was deployed &amp; &lt;!here&gt; is text",
		"Needs 2 of oncall and 1 of owners within 15m; no answer means keep\nkeep: `bakewatch answer 'checkout'`",
		"<https://wiki.example/a?b=1&amp;c=%3C2%3E%7C3|runbook>",
	}
	for i, text := range want {
		if got.Blocks[i].Text.Text != text {
			t.Errorf("block %d is\n%s\nwant\n%s", i, got.Blocks[i].Text.Text, text)
		}
	}
	if last := got.Blocks[len(got.Blocks)-1]; len(got.Blocks) != 5 || last.Elements[0].object().Text != "checkout · production · 2.4.0 → 2.3.9 · 4711" {
		t.Errorf("the last of %d blocks is %+v", len(got.Blocks), last)
	}
	if !strings.HasPrefix(got.Text, "🔴 Urgent: checkout 2.4.0 → 2.3.9") {
		t.Errorf("fallback %q", got.Text)
	}
}

func TestAQuestionSaysWhoMayAnswerAndUntilWhen(t *testing.T) {
	q := actions.Asked{Needs: map[string]int{"oncall": 1, "owners": 2}, Within: rules.Duration(15 * time.Minute), Silence: "keep"}
	veto := q
	veto.Veto, veto.Silence = true, "roll-back"
	heard := q
	heard.Deadline = time.Date(2026, 11, 23, 1, 2, 3, 0, time.UTC)
	for want, q := range map[string]actions.Asked{
		"Needs 1 of oncall and 2 of owners within 15m; no answer means keep":                             q,
		"Any of oncall, owners may object within 15m; no objection means roll-back":                      veto,
		"Needs 1 of oncall and 2 of owners by <!date^1795395723^{time}|01:02 UTC>; no answer means keep": heard,
	} {
		got, _, err := post(t, 200, "ok", actions.Message{Title: "?", Question: &q})
		if err != nil || got.Blocks[1].Text.Text != want {
			t.Errorf("%q, want %q: %v", got.Blocks[1].Text.Text, want, err)
		}
	}
}

func TestLongMessagesSayWhatIsMissing(t *testing.T) {
	lines := make([]string, 1000)
	for i := range lines {
		lines[i] = strings.Repeat("&", 300)
	}
	got, _, err := post(t, 200, "ok", actions.Message{Title: strings.Repeat("<", 5000), Lines: lines})
	if err != nil {
		t.Fatal(err)
	}
	if last := got.Blocks[len(got.Blocks)-1].Text.Text; !strings.Contains(last, "more lines") {
		t.Errorf("the last block is %.100q", last)
	}
	if first := got.Blocks[0].Text.Text; !strings.HasSuffix(first, "&lt;…*") {
		t.Errorf("the title ends in %q", first[len(first)-20:])
	}
}

func TestATimeoutIsOneThatIsWaitedFor(t *testing.T) {
	for timeout, fine := range map[time.Duration]bool{0: false, 30 * time.Second: true, 31 * time.Second: false} {
		o := options(t, "https://hooks.slack.com"+path)
		o.Timeout = rules.Duration(timeout)
		if err := o.Check(); (err == nil) != fine || !fine && !strings.Contains(err.Error(), "timeout: ") {
			t.Errorf("%s: %v", timeout, err)
		}
	}
}

func TestTheURLIsASecretThatMustBeGivenAsOne(t *testing.T) {
	if err := slack.Kind().New().Check(); err == nil || !strings.Contains(err.Error(), "url_file: missing") {
		t.Errorf("no URL: %v", err)
	}
	_, err := options(t, "http://hooks.slack.com"+path).Notifier("chat", slog.New(slog.DiscardHandler))
	if err == nil || !strings.Contains(err.Error(), "use https") || strings.Contains(err.Error(), "fakefake") {
		t.Errorf("unencrypted: %v", err)
	}
	_, err = options(t, "hooks.slack.com"+path).Notifier("chat", slog.New(slog.DiscardHandler))
	if err == nil || strings.Contains(err.Error(), "fakefake") {
		t.Errorf("no URL at all: %v", err)
	}
	_, err = options(t, "").Notifier("chat", slog.New(slog.DiscardHandler))
	if err == nil || errors.Unwrap(err) == nil {
		t.Errorf("empty: %v", err)
	}
}
