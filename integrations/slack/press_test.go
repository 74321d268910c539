package slack_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/bakewatch/bakewatch/actions"
	"github.com/bakewatch/bakewatch/actions/authority"
	"github.com/bakewatch/bakewatch/integrations/slack"
	"github.com/bakewatch/bakewatch/integrations/slack/slacktest"
)

// desk takes answers to question 42 of watch 17, from U_BEN.
type desk struct {
	mu    sync.Mutex
	votes []authority.Vote
	block chan struct{} // if set, every answer waits for it
}

func (d *desk) Answer(ctx context.Context, watch string, vote authority.Vote) (string, error) {
	if d.block != nil {
		select {
		case <-d.block:
		case <-ctx.Done():
			return "", ctx.Err()
		}
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.votes = append(d.votes, vote)
	switch {
	case vote.Proof != authority.Proof{Way: authority.Slack, Subject: "U_BEN"}:
		return "", fmt.Errorf("refused: %s does not say who it is <!channel>", vote.Proof)
	case watch != "17" || vote.Question != 42:
		return "", errors.New("refused: the vote is for another question")
	case vote.Choice == "boom":
		panic("boom")
	}
	return "Counted: " + string(vote.Choice), nil
}

func (d *desk) counted() int {
	d.mu.Lock()
	defer d.mu.Unlock()
	return len(d.votes)
}

// record is a log that can be read.
type record struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (r *record) Write(p []byte) (int, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.buf.Write(p)
}

func (r *record) String() string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.buf.String()
}

// stand is a workspace in which question 42 is asked, and the buttons that hear it.
type stand struct {
	*workspace
	desk    *desk
	log     *record
	buttons *slack.Buttons
	end     func() // ends Run
}

func startStand(t *testing.T, way func(*slack.Options)) *stand {
	t.Helper()
	return standIn(t, startWorkspace(t), way)
}

func standIn(t *testing.T, w *workspace, way func(*slack.Options)) *stand {
	t.Helper()
	s := &stand{workspace: w, desk: &desk{}, log: &record{}}
	log := slog.New(slog.NewTextHandler(s.log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	channels := map[string]actions.Notifier{}
	for _, name := range []string{"chat", "page"} { // two channels of one app
		notifier, err := s.options(way).Notifier(name, log)
		if err != nil {
			t.Fatal(err)
		}
		channels[name] = notifier
	}
	s.buttons = slack.NewButtons(channels, s.desk, log)
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan struct{})
	go func() { s.buttons.Run(ctx); close(ended) }()
	s.end = func() { cancel(); <-ended }
	t.Cleanup(s.end)
	thread := actions.Thread{State: actions.State{Since: 42, Open: 42}}
	receipt, err := channels["chat"].(actions.Threader).Reply(t.Context(), "10-chat", opened(), thread)
	if err != nil {
		t.Fatal(err)
	}
	thread.Told = []actions.Told{{About: 10, Receipt: receipt, Message: opened()}}
	if _, err := channels["chat"].(actions.Threader).Reply(t.Context(), "42-chat", asked(), thread); err != nil {
		t.Fatal(err)
	}
	return s
}

// pressed is what Slack sends when the user presses the question's button.
func (s *stand) pressed(label, user string) []byte {
	s.Helper()
	return s.payload(s.said()[1], label, user)
}

// told waits for what a person alone is told.
func (s *stand) told(n int) aside {
	s.Helper()
	eventually(s.T, "what is told to the one who pressed", func() bool { return len(s.whispered()) >= n })
	return s.whispered()[n-1]
}

// request is a request as Slack signs it.
func request(payload []byte, at time.Time, change ...func(*http.Request)) *http.Request {
	body := url.Values{"payload": {string(payload)}}.Encode()
	r := httptest.NewRequest(http.MethodPost, slack.CallbackPath, strings.NewReader(body))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	stamp := strconv.FormatInt(at.Unix(), 10)
	r.Header.Set("X-Slack-Request-Timestamp", stamp)
	r.Header.Set("X-Slack-Signature", slacktest.Sign(signing, stamp, body))
	for _, c := range change {
		c(r)
	}
	return r
}

func (s *stand) call(r *http.Request) int {
	out := httptest.NewRecorder()
	s.buttons.ServeHTTP(out, r)
	return out.Code
}

func TestASignedAnswerIsCountedAndToldToTheOneWhoGaveIt(t *testing.T) {
	s := startStand(t, byCallback)
	if code := s.call(request(s.pressed("Roll back", "U_BEN"), time.Now())); code != http.StatusOK {
		t.Fatalf("status %d", code)
	}
	if got := s.told(1); got.text != "Counted: roll-back" || got.thread != s.said()[0].ts {
		t.Errorf("told: %+v", got)
	}
	want := authority.Vote{Question: 42, Choice: authority.RollBack, Proof: authority.Proof{Way: authority.Slack, Subject: "U_BEN"}}
	if s.desk.votes[0] != want {
		t.Errorf("the vote is %+v, want %+v", s.desk.votes[0], want)
	}
	s.call(request(s.pressed("Looking +10m", "U_BEN"), time.Now()))
	if got := s.told(2); got.text != "Counted: looking" {
		t.Errorf("told: %+v", got)
	}
}

func TestWhatIsNotSignedNowAndForTheFirstTimeIsNotBelieved(t *testing.T) {
	s := startStand(t, byCallback)
	payload := s.pressed("Roll back", "U_BEN")
	body := func(change func(string) string) func(*http.Request) {
		return func(r *http.Request) {
			var text bytes.Buffer
			_, _ = text.ReadFrom(r.Body)
			r.Body = http.NoBody
			changed := httptest.NewRequest(http.MethodPost, slack.CallbackPath, strings.NewReader(change(text.String())))
			changed.Header = r.Header
			*r = *changed
		}
	}
	header := func(name, value string) func(*http.Request) {
		return func(r *http.Request) { r.Header.Set(name, value) }
	}
	now := time.Now()
	for name, r := range map[string]*http.Request{
		"forged: another secret": request(payload, now, func(r *http.Request) {
			r.Header.Set("X-Slack-Signature", slacktest.Sign("another", r.Header.Get("X-Slack-Request-Timestamp"), url.Values{"payload": {string(payload)}}.Encode()))
		}),
		"forged: another body":            request(payload, now, body(func(b string) string { return strings.Replace(b, "U_BEN", "U_EVE", 1) })),
		"forged: more in the body":        request(payload, now, body(func(b string) string { return b + "&payload={}" })),
		"forged: another time":            request(payload, now, header("X-Slack-Request-Timestamp", strconv.FormatInt(now.Unix()+1, 10))),
		"forged: no signature":            request(payload, now, header("X-Slack-Signature", "")),
		"forged: a cut signature":         request(payload, now, func(r *http.Request) { h := r.Header; h.Set("X-Slack-Signature", h.Get("X-Slack-Signature")[:10]) }),
		"forged: another version":         request(payload, now, func(r *http.Request) { h := r.Header; h.Set("X-Slack-Signature", "v1"+h.Get("X-Slack-Signature")[2:]) }),
		"no time":                         request(payload, now, header("X-Slack-Request-Timestamp", "")),
		"a time that is none":             request(payload, now, header("X-Slack-Request-Timestamp", "now")),
		"stale: before five minutes":      request(payload, now.Add(-301*time.Second)),
		"from the future":                 request(payload, now.Add(302*time.Second)),
		"replayed from before this start": request(payload, now.Add(-10*time.Second)),
	} {
		if code := s.call(r); code != http.StatusUnauthorized {
			t.Errorf("%s: status %d", name, code)
		}
	}
	if n := s.desk.counted(); n != 0 {
		t.Fatalf("%d answers reached the desk", n)
	}
	if code := s.call(request(payload, now)); code != http.StatusOK {
		t.Fatalf("status %d", code)
	}
	if code := s.call(request(payload, now)); code != http.StatusUnauthorized {
		t.Errorf("replayed: status %d", code)
	}
	s.told(1)
	if n := s.desk.counted(); n != 1 {
		t.Errorf("%d answers reached the desk", n)
	}
}

func TestASignedRequestThatCannotBeReadIsRefused(t *testing.T) {
	s := startStand(t, byCallback)
	resigned := func(body, kind string) *http.Request {
		r := httptest.NewRequest(http.MethodPost, slack.CallbackPath, strings.NewReader(body))
		stamp := strconv.FormatInt(time.Now().Unix(), 10)
		r.Header.Set("X-Slack-Request-Timestamp", stamp)
		r.Header.Set("X-Slack-Signature", slacktest.Sign(signing, stamp, body))
		r.Header.Set("Content-Type", kind)
		return r
	}
	const form = "application/x-www-form-urlencoded"
	for name, c := range map[string]struct {
		r    *http.Request
		want int
	}{
		"no form":            {resigned("{}", "application/json"), http.StatusBadRequest},
		"no payload":         {resigned("a=b", form), http.StatusBadRequest},
		"too long":           {resigned("payload="+strings.Repeat("x", 600<<10), form), http.StatusRequestEntityTooLarge},
		"no JSON":            {resigned("payload=x", form), http.StatusOK},
		"another thing":      {resigned("payload="+url.QueryEscape(`{"type":"view_submission"}`), form), http.StatusOK},
		"another's button":   {request(s.payloadOf(s.said()[1], element{ActionID: "other", Value: `{"watch":"17","question":42,"choice":"keep"}`}, "U_BEN", ""), time.Now()), http.StatusOK},
		"no question":        {request(s.payloadOf(s.said()[1], element{ActionID: "bakewatch-keep", Value: `{"watch":"17","choice":"keep"}`}, "U_BEN", ""), time.Now()), http.StatusOK},
		"a value of nothing": {request(s.payloadOf(s.said()[1], element{ActionID: "bakewatch-keep", Value: "keep"}, "U_BEN", ""), time.Now()), http.StatusOK},
		"nobody":             {request(s.payloadOf(s.said()[1], s.said()[1].elements()[0], "", ""), time.Now()), http.StatusOK},
	} {
		if code := s.call(c.r); code != c.want {
			t.Errorf("%s: status %d, want %d", name, code, c.want)
		}
	}
	s.end() // whatever is under way has come to its end
	if n := s.desk.counted(); n != 0 {
		t.Errorf("%d answers reached the desk", n)
	}
}

func TestARefusalIsToldToTheOneWhoPressedAlone(t *testing.T) {
	s := startStand(t, byCallback)
	other := asked()
	other.Question.Question = 41
	for name, c := range map[string]struct {
		payload []byte
		says    string
	}{
		"somebody who is not known": {s.pressed("Roll back", "U_EVE"), "Not counted: refused: slack U_EVE does not say who it is &lt;!channel&gt;"},
		"another question": {
			s.payloadOf(s.said()[1], element{ActionID: "bakewatch-keep", Value: `{"watch":"17","question":41,"choice":"keep"}`}, "U_BEN", s.URL+"/actions/x"),
			"Not counted: refused: the vote is for another question",
		},
		"a fault of ours": {
			s.payloadOf(s.said()[1], element{ActionID: "bakewatch-boom", Value: `{"watch":"17","question":42,"choice":"boom"}`}, "U_BEN", s.URL+"/actions/y"),
			"Not counted: something went wrong here.",
		},
	} {
		before := len(s.whispered())
		if code := s.call(request(c.payload, time.Now())); code != http.StatusOK {
			t.Fatalf("%s: status %d", name, code)
		}
		if got := s.told(before + 1); !strings.HasPrefix(got.text, c.says) || got.thread == "" {
			t.Errorf("%s: told %+v", name, got)
		}
	}
	if len(s.said()) != 2 {
		t.Error("others were told as well")
	}
}

func TestAURLLeadsToSlackOnlyBelowTheHostOfItsAPI(t *testing.T) {
	for raw, fine := range map[string]bool{
		"https://hooks.slack.com/actions/T1/2/x": true, "https://slack.com/x": true, "https://HOOKS.Slack.COM:443/x": true,
		"https://wss-primary.slack.com/link/?ticket=x": true,
		"https://notslack.com/x":                       false, "https://slack.com.evil.example/x": false, "https://evil.example/slack.com": false,
		"http://hooks.slack.com/x": false, "https://hooks.slack.com:8443/x": false, "https://hooks.slack.com@evil.example/x": false,
		"https://evil.example#.slack.com": false, "https://169.254.169.254/x": false, "file:///slack.com": false, "//hooks.slack.com/x": false, "": false,
		"https://hooks.slack.com\\@evil.example/x": false, "https://hooks.slack.com%2eevil.example/x": false, "https://evil.example\\.slack.com/x": false,
	} {
		if err := slack.Own("https://slack.com/api", raw); (err == nil) != fine {
			t.Errorf("%q: %v", raw, err)
		}
	}
	if err := slack.Own("https://slack-gov.com/api", "https://hooks.slack.com/x"); err == nil {
		t.Error("another Slack's URL is taken")
	}
}

func TestAResponseURLThatDoesNotLeadToSlackIsNotCalled(t *testing.T) {
	called := make(chan string, 16)
	elsewhere := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { called <- r.URL.String() }))
	defer elsewhere.Close()
	s := startStand(t, byCallback)
	host := strings.TrimPrefix(s.URL, "http://")
	for i, address := range []string{
		elsewhere.URL + "/actions/1", "http://169.254.169.254/latest/meta-data", "file:///etc/passwd", "gopher://" + host + "/x", "",
		"http://" + host + "@" + strings.TrimPrefix(elsewhere.URL, "http://") + "/", "http://x" + host + "/", "https://hooks.slack.com.evil.example/actions/1",
		strings.Replace(s.URL, "127.0.0.1", "127.0.0.2", 1) + "/actions/1",
	} {
		code := s.call(request(s.payloadOf(s.said()[1], s.said()[1].elements()[1], "U_BEN", address), time.Now()))
		if got := s.told(i + 1); code != http.StatusOK || got.user != "U_BEN" || got.text != "Counted: keep" {
			t.Errorf("%s: status %d, told %+v", address, code, got)
		}
	}
	if n := s.count("response_url"); n != 0 || len(called) != 0 {
		t.Errorf("%d calls of the workspace's, %d of others", n, len(called))
	}
	s.mu.Lock()
	s.deaf = true
	s.mu.Unlock()
	before := len(s.whispered())
	s.call(request(s.pressed("Keep 30m", "U_BEN"), time.Now()))
	if got := s.told(before + 1); got.user != "U_BEN" {
		t.Errorf("where the URL does not work, told %+v", got)
	}
}

func TestTooManyAnswersAtOnceAreNotTaken(t *testing.T) {
	s := startStand(t, byCallback)
	s.desk.block = make(chan struct{})
	code, taken := http.StatusOK, 0
	for i := 0; i < 100 && code == http.StatusOK; i++ {
		taken = i
		code = s.call(request(s.pressed("Keep 30m", fmt.Sprintf("U_%d", i)), time.Now()))
	}
	if code != http.StatusServiceUnavailable || taken != 32 {
		t.Errorf("status %d after %d answers", code, taken)
	}
	close(s.desk.block)
	s.told(taken)
}

func TestNothingSecretStandsInTheLog(t *testing.T) {
	s := startStand(t, byCallback)
	s.fail("chat.postEphemeral", "invalid_auth")
	s.call(request(s.payloadOf(s.said()[1], s.said()[1].elements()[1], "U_BEN", "http://evil.example/"+botToken), time.Now()))
	s.call(request(nil, time.Now().Add(-time.Hour)))
	eventually(t, "the failure to be logged", func() bool { return strings.Contains(s.log.String(), "nobody could be told") })
	for _, secret := range []string{botToken, appToken, signing} {
		if strings.Contains(s.log.String(), secret) {
			t.Errorf("%q stands in the log:\n%s", secret, s.log)
		}
	}
}
