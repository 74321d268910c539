package slack_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/bakewatch/bakewatch/actions"
	"github.com/bakewatch/bakewatch/integrations/contract"
	"github.com/bakewatch/bakewatch/integrations/outbound"
	"github.com/bakewatch/bakewatch/integrations/slack"
	"github.com/bakewatch/bakewatch/rules"
)

func TestTheAppIsAChannelLikeAnyOther(t *testing.T) {
	contract.Channel(t, contract.ChannelSuite{
		Kind: slack.Kind(), Secrets: []string{botToken, "fakefakefakefake"},
		Start: func(t *testing.T, conduct contract.Conduct) (contract.Outside, bool) {
			slackAPI := startWorkspace(t)
			web := contract.StartWeb(t, conduct, func(r *http.Request, body []byte) contract.Call {
				var p struct{ shown }
				if err := json.Unmarshal(body, &p); err != nil {
					t.Error(err)
				}
				if err := p.check(); err != nil {
					t.Error(err)
				}
				if err := check(r, botToken); err != nil {
					t.Error(err)
				}
				return contract.Call{Key: strings.TrimPrefix(p.Blocks[0].BlockID, "bakewatch-"), Text: p.visible()}
			}, func(w http.ResponseWriter, _ contract.Call) {
				_, _ = fmt.Fprintf(w, `{"ok":true,"channel":%q,"ts":"1700000000.000001","message":{}}`, home)
			})
			outside := web.Outside(conduct)
			outside.Options = slackAPI.options(bySocket, func(o *slack.Options) { o.APIURL = web.URL + "/api" })
			return outside, true
		},
	})
}

// channel makes the channel in the workspace.
func (w *workspace) channel(change ...func(*slack.Options)) actions.Threader {
	w.Helper()
	o := w.options(change...)
	if err := o.Check(); err != nil {
		w.Fatal(err)
	}
	notifier, err := o.Notifier("chat", slog.New(slog.DiscardHandler))
	if err != nil {
		w.Fatal(err)
	}
	return notifier.(actions.Threader)
}

// opened and asked are messages about one watch.
func opened() actions.Message {
	return actions.Message{
		Topic: "opened", Title: "checkout 2.3.9 → 2.4.0 (production) is being watched", Lines: []string{"Baking for 30m."},
		Service: "checkout", Environment: "production", Version: "2.4.0", Watch: "17",
	}
}

func asked() actions.Message {
	m := opened()
	m.Topic, m.Level, m.Title = "ruled", actions.Urgent, "checkout 2.4.0 → 2.3.9 (production)? Answer within 15m."
	m.Question = &actions.Asked{
		Watch: "17", Question: 42, Needs: map[string]int{"oncall": 1}, Within: rules.Duration(15 * time.Minute), Silence: "keep",
		Snooze: rules.Duration(30 * time.Minute),
		Answers: []actions.Reply{
			{Choice: "roll-back", Command: "bakewatch answer 17 roll-back --question 42"}, {Choice: "keep"}, {Choice: "looking"},
		},
	}
	return m
}

// story tells of a watch as the daemon does: what was told is found again by its receipts.
type story struct {
	*testing.T
	thread actions.Thread
}

// tell tells about an entry, and amends.
func (s *story) tell(to actions.Threader, about uint64, m actions.Message, open uint64) {
	s.Helper()
	s.thread.State = actions.State{Since: about, Title: m.Title, Level: m.Level, Open: open}
	receipt, err := to.Reply(s.Context(), fmt.Sprintf("%d-chat", about), m, s.thread)
	if err != nil {
		s.Fatal(err)
	}
	s.thread.Told = append(s.thread.Told, actions.Told{About: about, Receipt: receipt, Message: m})
	if err := to.Amend(s.Context(), s.thread); err != nil {
		s.Fatal(err)
	}
}

func TestAWatchIsAThreadThatIsFoundAgainAfterARestart(t *testing.T) {
	w := startWorkspace(t)
	s := &story{T: t}
	s.tell(w.channel(bySocket), 10, opened(), 0)
	s.tell(w.channel(bySocket), 42, asked(), 42) // another process: it knows the receipts only
	decided := opened()
	decided.Title, decided.Level = "checkout 2.4.0 is being rolled back: decided by votes", actions.Urgent
	voted := opened()
	voted.Title = "ben said roll-back"
	s.tell(w.channel(bySocket), 43, voted, 42)

	said := w.said()
	if said[0].thread != "" || said[1].thread != said[0].ts || said[2].thread != said[0].ts {
		t.Errorf("threads: %q %q %q", said[0].thread, said[1].thread, said[2].thread)
	}
	if said[0].broadcast || !said[1].broadcast || said[2].broadcast {
		t.Error("what needs a person, and that alone, is shown in the channel as well")
	}
	if got := said[1].buttons(); !slices.Equal(got, []string{"Roll back", "Keep 30m", "Looking +10m"}) || said[1].edits > 0 {
		t.Errorf("buttons of the open question: %q", got)
	}
	s.tell(w.channel(bySocket), 44, decided, 0)
	said = w.said()
	if text := said[0].visible(); !strings.HasPrefix(text, "🔴 Urgent: *"+decided.Title) || !strings.Contains(text, opened().Title) || !strings.Contains(text, "Baking for 30m.") {
		t.Errorf("the first message does not say how the watch stands:\n%s", text)
	}
	if text := said[1].visible(); len(said[1].buttons()) > 0 || !strings.Contains(text, "The question is over: "+decided.Title) || strings.Contains(text, "bakewatch answer") || !strings.Contains(text, asked().Title) {
		t.Errorf("the question still looks open:\n%s", text)
	}
	if said[2].edits > 0 || said[3].edits > 0 {
		t.Error("messages that hold still are edited")
	}
}

func TestAQuestionThatIsTheFirstMessageLosesItsButtonsToo(t *testing.T) {
	w := startWorkspace(t)
	s := &story{T: t}
	s.tell(w.channel(byCallback), 42, asked(), 42)
	if got := w.said(); len(got[0].buttons()) != 3 || got[0].edits != 0 {
		t.Fatalf("%d edits, buttons %q", got[0].edits, got[0].buttons())
	}
	s.thread.State = actions.State{Since: 50, Title: "people said keep", Open: 0}
	if err := w.channel(byCallback).Amend(t.Context(), s.thread); err != nil {
		t.Fatal(err)
	}
	got := w.said()[0]
	if len(got.buttons()) != 0 || !strings.Contains(got.visible(), "The question is over: people said keep") {
		t.Errorf("it reads\n%s", got.visible())
	}
}

func TestButtonsAreThereOnlyWhereTheyWork(t *testing.T) {
	veto := asked()
	veto.Question.Veto, veto.Question.Answers = true, []actions.Reply{{Choice: "keep"}}
	looked := asked()
	looked.Question.Answers = append(looked.Question.Answers[:2], actions.Reply{Choice: strings.Repeat("later", 30)})
	plain := asked()
	plain.Question.Snooze = 0
	for name, c := range map[string]struct {
		way  func(*slack.Options)
		m    actions.Message
		open uint64
		want []string
	}{
		"a countdown can be objected to":       {bySocket, veto, 42, []string{"Object"}},
		"without a snooze nothing is promised": {bySocket, plain, 42, []string{"Roll back", "Keep", "Looking +10m"}},
		"what may be answered is a button":     {bySocket, looked, 42, []string{"Roll back", "Keep 30m", strings.Repeat("later", 15)}},
		"nobody would hear them":               {func(*slack.Options) {}, asked(), 42, nil},
		"it is over by the time it is told":    {bySocket, asked(), 0, nil},
		"another is open by then":              {bySocket, asked(), 43, nil},
	} {
		t.Run(name, func(t *testing.T) {
			w := startWorkspace(t)
			thread := actions.Thread{State: actions.State{Since: 50, Title: "it healed", Open: c.open}}
			if _, err := w.channel(c.way).Reply(t.Context(), "42-chat", c.m, thread); err != nil {
				t.Fatal(err)
			}
			got := w.said()[0]
			if !slices.Equal(got.buttons(), c.want) {
				t.Errorf("buttons %q, want %q", got.buttons(), c.want)
			}
			if over := strings.Contains(got.visible(), "The question is over: it healed"); over != (c.open != 42) {
				t.Errorf("it reads\n%s", got.visible())
			}
		})
	}
	t.Run("a value is bound to watch, question and choice", func(t *testing.T) {
		w := startWorkspace(t)
		if _, err := w.channel(bySocket).Notify(t.Context(), "42-chat", asked()); err != nil {
			t.Fatal(err)
		}
		if got := w.said()[0].elements()[0].Value; got != `{"watch":"17","question":42,"choice":"roll-back"}` {
			t.Error(got)
		}
	})
}

func TestAThreadThatIsGoneBeginsAnew(t *testing.T) {
	for name, c := range map[string]struct {
		told  []actions.Told
		tries int
	}{
		"deleted": {[]actions.Told{{About: 10, Receipt: home + ":1600000000.000001", Message: opened()}}, 2},
		"told by a webhook, and in another channel": {[]actions.Told{
			{About: 10, Receipt: "ok", Message: opened()}, {About: 11, Receipt: "C9999999999:1600000000.000001", Message: opened()},
		}, 1},
	} {
		w := startWorkspace(t)
		receipt, err := w.channel(bySocket).Reply(t.Context(), "12-chat", opened(), actions.Thread{Told: c.told})
		said := w.said()
		if last := said[len(said)-1]; err != nil || last.thread != "" || receipt != home+":"+last.ts || w.count("chat.postMessage") != c.tries {
			t.Errorf("%s: %+v, receipt %q, %d tries, %v", name, last, receipt, w.count("chat.postMessage"), err)
		}
	}
}

func TestWhatCannotBeEditedStaysAndIsNoFault(t *testing.T) {
	thread := actions.Thread{
		Told:  []actions.Told{{About: 10, Receipt: home + ":1700000000.000001", Message: opened()}, {About: 11, Receipt: home + ":1700000000.000002"}},
		State: actions.State{Since: 50, Title: "passed"},
	}
	forgotten := thread
	forgotten.Told = []actions.Told{{About: 10, Receipt: home + ":1700000000.000001"}}
	for _, word := range []string{"message_not_found", "cant_update_message", "edit_window_closed", "is_archived"} {
		w := startWorkspace(t)
		w.fail("chat.update", word)
		if err := w.channel(bySocket).Amend(t.Context(), thread); err != nil {
			t.Errorf("%s: %v", word, err)
		}
		if n := w.count("chat.update"); n != 1 {
			t.Errorf("%s: %d edits", word, n)
		}
		if err := w.channel(bySocket).Amend(t.Context(), forgotten); err != nil || w.count("chat.update") != 1 {
			t.Errorf("a message was edited of which nobody knows what it said: %v", err)
		}
	}
	w := startWorkspace(t)
	w.limit("chat.update", 3)
	err := w.channel(bySocket).Amend(t.Context(), thread)
	wantError(t, err, actions.ClassRetryable, 3*time.Second, "ratelimited")
}

func wantError(t *testing.T, err error, class actions.Class, after time.Duration, says string) {
	t.Helper()
	if err == nil || actions.Classify(err) != class || !strings.Contains(err.Error(), says) {
		t.Errorf("class %d, want %d with %q: %v", actions.Classify(err), class, says, err)
	}
	if got := pauseOf(err); got != after {
		t.Errorf("asked to wait %s, want %s: %v", got, after, err)
	}
}

func TestTheWebAPIsAnswersAreUnderstood(t *testing.T) {
	for name, c := range map[string]struct {
		status int
		body   string
		want   actions.Class
		says   string
	}{
		"too many are tried again":                 {429, `{"ok":false,"error":"ratelimited"}`, actions.ClassRetryable, "ratelimited"},
		"Slack's own trouble may be over":          {200, `{"ok":false,"error":"internal_error"}`, actions.ClassRetryable, "internal_error"},
		"also with its status":                     {503, `{"ok":false,"error":"service_unavailable"}`, actions.ClassRetryable, "service_unavailable"},
		"what nobody knows may be over":            {200, `{"ok":false,"error":"moon_in_the_way"}`, actions.ClassRetryable, "moon_in_the_way"},
		"an app that is not in the channel":        {200, `{"ok":false,"error":"not_in_channel"}`, actions.ClassPermanent, "/invite"},
		"a wrong token":                            {200, `{"ok":false,"error":"invalid_auth"}`, actions.ClassPermanent, "new token"},
		"a wrong token, as a proxy passes it on":   {401, `{"ok":false,"error":"token_revoked"}`, actions.ClassPermanent, "new token"},
		"a scope that is missing is named":         {200, `{"ok":false,"error":"missing_scope","needed":"chat:write"}`, actions.ClassPermanent, "(chat:write)"},
		"a message that is refused says why":       {200, `{"ok":false,"error":"invalid_blocks","response_metadata":{"messages":["[ERROR] no more than 50 items"]}}`, actions.ClassPermanent, "no more than 50 items"},
		"a login page is not Slack":                {200, "<html>log in</html>", actions.ClassRetryable, "not Slack's answer"},
		"nor is an empty reply":                    {200, "", actions.ClassRetryable, "not Slack's answer"},
		"nor one that says neither":                {200, `{"warning":"x"}`, actions.ClassRetryable, "not Slack's answer"},
		"a gateway may be well again":              {502, "<html>", actions.ClassRetryable, "502"},
		"a proxy that asks for a login never will": {407, "<html>", actions.ClassPermanent, "407"},
	} {
		t.Run(name, func(t *testing.T) {
			w := startWorkspace(t)
			w.answer("chat.postMessage", func(out http.ResponseWriter) {
				out.WriteHeader(c.status)
				_, _ = io.WriteString(out, c.body)
			})
			_, err := w.channel().Notify(t.Context(), "k", opened())
			wantError(t, err, c.want, 0, c.says)
		})
	}
	t.Run("how long to wait is passed on", func(t *testing.T) {
		w := startWorkspace(t)
		w.limit("chat.postMessage", 30)
		_, err := w.channel().Notify(t.Context(), "k", opened())
		wantError(t, err, actions.ClassRetryable, 30*time.Second, "ratelimited")
	})
	t.Run("a reply that is cut has its receipt nevertheless", func(t *testing.T) {
		w := startWorkspace(t)
		w.answer("chat.postMessage", func(out http.ResponseWriter) {
			_, _ = fmt.Fprintf(out, `{"ok":true,"channel":%q,"ts":"1700000000.000009","message":{"text":%q}}`, home, strings.Repeat("x", outbound.ReplyLimit))
		})
		if receipt, err := w.channel().Notify(t.Context(), "k", opened()); err != nil || receipt != home+":1700000000.000009" {
			t.Errorf("%q, %v", receipt, err)
		}
	})
	t.Run("a message that was posted nobody knows where is not posted again", func(t *testing.T) {
		w := startWorkspace(t)
		w.answer("chat.postMessage", func(out http.ResponseWriter) { _, _ = io.WriteString(out, `{"ok":true}`) })
		if receipt, err := w.channel().Notify(t.Context(), "k", opened()); err != nil || receipt != "" {
			t.Errorf("%q, %v", receipt, err)
		}
	})
}

func TestTheOptionsAreThoseOfOneWayToPost(t *testing.T) {
	w := startWorkspace(t)
	for name, c := range map[string]struct {
		change func(*slack.Options)
		says   string
	}{
		"by Socket Mode":             {bySocket, ""},
		"by callback":                {byCallback, ""},
		"without buttons":            {func(*slack.Options) {}, ""},
		"both ways":                  {func(o *slack.Options) { bySocket(o); byCallback(o) }, "signing_secret_file: app_token is set as well"},
		"a webhook too":              {func(o *slack.Options) { o.URLEnv = "X" }, "token_file: an incoming webhook is set as well"},
		"a webhook with a channel":   {func(o *slack.Options) { o.URLEnv, o.TokenEnv = "X", "" }, "channel: an incoming webhook has its own channel"},
		"no channel":                 {func(o *slack.Options) { o.Channel = "" }, "channel: missing"},
		"a channel's name":           {func(o *slack.Options) { o.Channel = "#checkout" }, `channel: "#checkout" is not the id`},
		"a token in two places":      {func(o *slack.Options) { o.TokenFile = "x" }, "token_env: token_file is set as well"},
		"an api that is no URL":      {func(o *slack.Options) { o.APIURL = "slack" }, "api_url: "},
		"neither webhook nor token":  {func(o *slack.Options) { o.TokenEnv = "" }, "url_file: missing"},
		"an app token of two places": {func(o *slack.Options) { o.AppTokenFile, o.AppTokenEnv = "x", "y" }, "app_token_env: app_token_file is set as well"},
	} {
		err := w.options(c.change).Check()
		if (err == nil) != (c.says == "") || err != nil && !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: %v", name, err)
		}
	}
	for name, c := range map[string]struct {
		change func(*slack.Options)
		says   string
	}{
		"another kind of token":     {func(o *slack.Options) { o.TokenEnv = "SLACK_APP_TOKEN" }, "one that begins with xoxb- is wanted"},
		"another kind of app token": {func(o *slack.Options) { o.AppTokenEnv = "SLACK_TOKEN" }, "one that begins with xapp- is wanted"},
		"nothing there":             {func(o *slack.Options) { o.TokenEnv = "SLACK_NOTHING" }, "token: SLACK_NOTHING is empty or not set"},
		"an api without encryption": {func(o *slack.Options) { o.APIURL = "http://slack.com/api" }, "use https"},
	} {
		_, err := w.options(c.change).Notifier("chat", slog.New(slog.DiscardHandler))
		if err == nil || !strings.Contains(err.Error(), c.says) || strings.Contains(err.Error(), "fakefake") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestTheLongestMessageFitsWithButtonsAndWhenEdited(t *testing.T) {
	w := startWorkspace(t)
	m := asked()
	m.Title, m.Service = strings.Repeat("<&>", 2000), strings.Repeat("&", 3000)
	m.Lines = slices.Repeat([]string{strings.Repeat("🔴&", 400)}, 500)
	m.Links = map[string]string{}
	for i := range 100 {
		m.Links[fmt.Sprint(i)] = "https://wiki.example/" + strings.Repeat("&", 200)
	}
	for i := range 3 {
		m.Question.Answers = append(m.Question.Answers, actions.Reply{Choice: fmt.Sprint(i), Command: strings.Repeat("&", 3000)})
	}
	s := &story{T: t}
	s.tell(w.channel(bySocket), 42, m, 42)
	s.thread.State = actions.State{Since: 50, Title: m.Title}
	if err := w.channel(bySocket).Amend(t.Context(), s.thread); err != nil {
		t.Error(err)
	}
}

func TestTheChannelSaysWhereItPostsAndHowAnswersCome(t *testing.T) {
	w := startWorkspace(t)
	for says, way := range map[string]func(*slack.Options){
		"command line": func(*slack.Options) {}, "Socket Mode": bySocket, slack.CallbackPath: byCallback,
	} {
		got := w.channel(way).(interface{ Describe() string }).Describe()
		if !strings.Contains(got, says) || !strings.Contains(got, home) {
			t.Errorf("%q says nothing of %q", got, says)
		}
	}
}

// pauseOf returns how long an error asks to wait.
func pauseOf(err error) time.Duration {
	var classed *actions.Error
	if errors.As(err, &classed) {
		return classed.After
	}
	return 0
}
