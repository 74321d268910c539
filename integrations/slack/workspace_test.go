package slack_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/coder/websocket"

	"github.com/bakewatch/bakewatch/integrations/slack"
)

const (
	botToken = "xoxb-111111111111-fakefakefakefake"
	appToken = "xapp-1-A0000000000-fakefakefakefake"
	signing  = "8f742231b10efakefakefake99a8b7c6d5"
	home     = "C0123456789"
)

// message is a message in the fake's channel.
type message struct {
	shown
	ts, thread string
	broadcast  bool
	edits      int
}

// aside is what one person alone was told.
type aside struct{ text, thread, user string }

// workspace is a Slack with one app in one channel: Web API, Socket Mode and
// response_url. It takes what Slack documents and nothing else.
type workspace struct {
	*testing.T
	*httptest.Server

	mu       sync.Mutex
	calls    []string
	at       map[string][]time.Time // of the calls of each method
	messages []*message
	asides   []aside
	refuse   map[string][]func(http.ResponseWriter) // answers to the next calls of a method
	tickets  map[string]bool
	lines    chan *line
	uses     map[string]int // of response_urls
	deaf     bool           // response_urls do not work
	// intercept, if set, serves the address of Socket Mode.
	intercept http.HandlerFunc
}

// startWorkspace serves until the test ends.
func startWorkspace(t *testing.T) *workspace {
	t.Helper()
	w := &workspace{T: t, refuse: map[string][]func(http.ResponseWriter){}, tickets: map[string]bool{}, uses: map[string]int{}, at: map[string][]time.Time{}, lines: make(chan *line, 16)}
	mux := http.NewServeMux()
	mux.HandleFunc("/api/chat.postMessage", w.method(botToken, w.postMessage))
	mux.HandleFunc("/api/chat.update", w.method(botToken, w.update))
	mux.HandleFunc("/api/chat.postEphemeral", w.method(botToken, w.postEphemeral))
	mux.HandleFunc("/api/apps.connections.open", w.method(appToken, w.connectionsOpen))
	mux.HandleFunc("/link/", w.link)
	mux.HandleFunc("/actions/", w.respond)
	w.Server = httptest.NewServer(mux)
	t.Cleanup(w.Close)
	return w
}

// options are those of a channel in this workspace.
func (w *workspace) options(change ...func(*slack.Options)) *slack.Options {
	w.Helper()
	w.Setenv("SLACK_TOKEN", botToken)
	w.Setenv("SLACK_APP_TOKEN", appToken)
	w.Setenv("SLACK_SIGNING", signing)
	o := slack.Kind().New().(*slack.Options)
	o.TokenEnv, o.Channel, o.APIURL = "SLACK_TOKEN", home, w.URL+"/api"
	for _, c := range change {
		c(o)
	}
	return o
}

func bySocket(o *slack.Options)   { o.AppTokenEnv = "SLACK_APP_TOKEN" }
func byCallback(o *slack.Options) { o.SigningSecretEnv = "SLACK_SIGNING" }

// method serves one method of the Web API.
func (w *workspace) method(token string, do func(body []byte) (any, error)) http.HandlerFunc {
	return func(out http.ResponseWriter, r *http.Request) {
		name := strings.TrimPrefix(r.URL.Path, "/api/")
		body, err := io.ReadAll(r.Body)
		if err != nil {
			return
		}
		w.mu.Lock()
		defer w.mu.Unlock()
		w.calls = append(w.calls, name)
		w.at[name] = append(w.at[name], time.Now())
		if queue := w.refuse[name]; len(queue) > 0 {
			w.refuse[name] = queue[1:]
			queue[0](out)
			return
		}
		reply, err := any(nil), check(r, token)
		if err == nil {
			reply, err = do(body)
		}
		if err != nil {
			word, _, _ := strings.Cut(err.Error(), ":")
			reply = map[string]any{"ok": false, "error": word, "response_metadata": map[string]any{"messages": []string{err.Error()}}}
			if !errors.Is(err, errExpected) {
				w.Errorf("%s: %v", name, err)
			}
		}
		out.Header().Set("Content-Type", "application/json; charset=utf-8")
		_ = json.NewEncoder(out).Encode(reply)
	}
}

// errExpected marks refusals that are no fault of the caller.
var errExpected = errors.New("expected")

func check(r *http.Request, token string) error {
	switch {
	case r.Method != http.MethodPost:
		return errors.New("insecure_request: " + r.Method)
	case r.Header.Get("Content-Type") != "application/json; charset=utf-8":
		return errors.New("invalid_post_type: " + r.Header.Get("Content-Type"))
	case r.Header.Get("Authorization") != "Bearer "+token:
		return errors.New("not_allowed_token_type: not the token of this method")
	}
	return nil
}

// fail makes the next call of a method fail with Slack's word, as HTTP 200 like Slack does.
func (w *workspace) fail(method, word string) {
	w.answer(method, func(out http.ResponseWriter) {
		_, _ = fmt.Fprintf(out, `{"ok":false,"error":%q}`, word)
	})
}

// limit makes the next call of a method fail for being one too many.
func (w *workspace) limit(method string, seconds int) {
	w.answer(method, func(out http.ResponseWriter) {
		out.Header().Set("Retry-After", fmt.Sprint(seconds))
		out.WriteHeader(http.StatusTooManyRequests)
		_, _ = io.WriteString(out, `{"ok":false,"error":"ratelimited"}`)
	})
}

func (w *workspace) answer(method string, how func(http.ResponseWriter)) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.refuse[method] = append(w.refuse[method], how)
}

func (w *workspace) postMessage(body []byte) (any, error) {
	var p struct {
		shown
		Channel   string `json:"channel"`
		Thread    string `json:"thread_ts"`
		Broadcast bool   `json:"reply_broadcast"`
		Links     bool   `json:"unfurl_links"`
		Media     bool   `json:"unfurl_media"`
	}
	if err := strictly(body, &p); err != nil {
		return nil, fmt.Errorf("invalid_arguments: %w", err)
	}
	switch parent := w.find(p.Thread); {
	case p.Channel != home:
		return nil, fmt.Errorf("channel_not_found: %q", p.Channel)
	case p.Thread != "" && parent == nil:
		return nil, fmt.Errorf("thread_not_found: %q %w", p.Thread, errExpected)
	case p.Thread != "" && parent.thread != "":
		return nil, fmt.Errorf("cannot_reply_to_message: %q is a reply itself", p.Thread)
	case p.Broadcast && p.Thread == "":
		return nil, errors.New("invalid_arguments: reply_broadcast without a thread")
	}
	if err := p.check(); err != nil {
		return nil, err
	}
	m := &message{shown: p.shown, thread: p.Thread, broadcast: p.Broadcast, ts: fmt.Sprintf("1700000000.%06d", len(w.messages)+1)}
	w.messages = append(w.messages, m)
	return map[string]any{"ok": true, "channel": home, "ts": m.ts, "message": p}, nil
}

func (w *workspace) update(body []byte) (any, error) {
	var p struct {
		shown
		Channel string `json:"channel"`
		TS      string `json:"ts"`
	}
	if err := strictly(body, &p); err != nil {
		return nil, fmt.Errorf("invalid_arguments: %w", err)
	}
	m := w.find(p.TS)
	if p.Channel != home || m == nil {
		return nil, fmt.Errorf("message_not_found: %q %w", p.TS, errExpected)
	}
	if err := p.check(); err != nil {
		return nil, err
	}
	for _, b := range p.Blocks { // "If a message is updated, use a new block_id."
		if b.BlockID != "" && slices.ContainsFunc(m.Blocks, func(before block) bool { return before.BlockID == b.BlockID }) {
			return nil, fmt.Errorf("invalid_blocks: block_id %q was used before", b.BlockID)
		}
	}
	m.shown = p.shown
	m.edits++
	return map[string]any{"ok": true, "channel": home, "ts": m.ts, "text": p.Text}, nil
}

func (w *workspace) postEphemeral(body []byte) (any, error) {
	var p struct {
		Channel string `json:"channel"`
		User    string `json:"user"`
		Thread  string `json:"thread_ts"`
		Text    string `json:"text"`
	}
	if err := strictly(body, &p); err != nil {
		return nil, fmt.Errorf("invalid_arguments: %w", err)
	}
	if p.Channel != home || p.User == "" || p.Text == "" || escaped(p.Text) != nil {
		return nil, fmt.Errorf("invalid_arguments: %+v", p)
	}
	w.asides = append(w.asides, aside{p.Text, p.Thread, p.User})
	return map[string]any{"ok": true, "message_ts": "1700000001.000001"}, nil
}

// respond is a response_url: good five times.
func (w *workspace) respond(out http.ResponseWriter, r *http.Request) {
	var p struct {
		Type    string `json:"response_type"`
		Replace bool   `json:"replace_original"`
		Thread  string `json:"thread_ts"`
		Text    string `json:"text"`
	}
	body, err := io.ReadAll(r.Body)
	w.mu.Lock()
	defer w.mu.Unlock()
	w.calls = append(w.calls, "response_url")
	w.uses[r.URL.Path]++
	if w.deaf || w.uses[r.URL.Path] > 5 {
		http.Error(out, "used_url", http.StatusNotFound)
		return
	}
	err = errors.Join(err, strictly(body, &p), escaped(p.Text))
	if err != nil || r.Method != http.MethodPost || r.Header.Get("Authorization") != "" || p.Type != "ephemeral" || p.Replace || p.Text == "" {
		w.Errorf("response_url: %s %s: %v", r.Method, body, err)
	}
	w.asides = append(w.asides, aside{text: p.Text, thread: p.Thread})
	_, _ = io.WriteString(out, "ok")
}

func (w *workspace) find(ts string) *message {
	for _, m := range w.messages {
		if m.ts == ts {
			return m
		}
	}
	return nil
}

// said returns the messages, as they are shown now.
func (w *workspace) said() (all []message) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, m := range w.messages {
		all = append(all, *m)
	}
	return all
}

// whispered returns what single persons were told.
func (w *workspace) whispered() []aside {
	w.mu.Lock()
	defer w.mu.Unlock()
	return slices.Clone(w.asides)
}

// count says how often a method was called.
func (w *workspace) count(method string) (n int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, call := range w.calls {
		if call == method {
			n++
		}
	}
	return n
}

func (w *workspace) connectionsOpen(body []byte) (any, error) {
	if string(body) != "{}\n" {
		return nil, fmt.Errorf("invalid_arguments: %q", body)
	}
	ticket := fmt.Sprintf("ticket-%d-fakefakefakefake", len(w.tickets))
	w.tickets[ticket] = true
	return map[string]any{"ok": true, "url": "ws" + strings.TrimPrefix(w.URL, "http") + "/link/?ticket=" + ticket + "&app_id=A0000000000"}, nil
}

// line is one connection of Socket Mode, on Slack's side.
type line struct {
	*workspace
	conn *websocket.Conn
	acks chan string
	over chan struct{} // closed when the connection has ended
}

// link takes a connection: a ticket is good once.
func (w *workspace) link(out http.ResponseWriter, r *http.Request) {
	if w.intercept != nil {
		w.intercept(out, r)
		return
	}
	ticket := r.URL.Query().Get("ticket")
	w.mu.Lock()
	fresh := w.tickets[ticket]
	w.tickets[ticket] = false
	w.mu.Unlock()
	if !fresh {
		w.Errorf("the ticket %q is not good, or was used", ticket)
		http.Error(out, "invalid", http.StatusUnauthorized)
		return
	}
	conn, err := websocket.Accept(out, r, nil)
	if err != nil {
		w.Error(err)
		return
	}
	defer conn.CloseNow()
	l := &line{workspace: w, conn: conn, acks: make(chan string, 16), over: make(chan struct{})}
	defer close(l.over)
	l.send(`{"type":"hello","num_connections":1,"debug_info":{"host":"applink-1","approximate_connection_time":18060},"connection_info":{"app_id":"A0000000000"}}`)
	w.lines <- l
	for {
		_, text, err := conn.Read(r.Context())
		if err != nil {
			return
		}
		var ack struct {
			ID string `json:"envelope_id"`
		}
		if err := strictly(text, &ack); err != nil || ack.ID == "" {
			w.Errorf("no acknowledgement: %s", text)
		}
		l.acks <- ack.ID
	}
}

// connected waits for the next connection.
func (w *workspace) connected() (l *line) {
	w.Helper()
	eventually(w.T, "a connection of Socket Mode", func() bool {
		select {
		case l = <-w.lines:
			return true
		default:
			return false
		}
	})
	return l
}

func (l *line) send(text string) {
	if err := l.conn.Write(l.Context(), websocket.MessageText, []byte(text)); err != nil {
		l.Errorf("send: %v", err)
	}
}

// interact sends a payload in an envelope and waits for its acknowledgement.
func (l *line) interact(id string, payload []byte) {
	l.Helper()
	l.send(fmt.Sprintf(`{"type":"interactive","envelope_id":%q,"accepts_response_payload":false,"payload":%s}`, id, payload))
	l.acknowledged(id)
}

func (l *line) acknowledged(id string) {
	l.Helper()
	eventually(l.T, "the acknowledgement of "+id, func() bool {
		select {
		case got := <-l.acks:
			if got != id {
				l.Errorf("acknowledged is %q, not %q", got, id)
			}
			return true
		default:
			return false
		}
	})
}

// payload is what Slack sends when a person presses a button of a message.
func (w *workspace) payload(m message, label, user string) []byte {
	w.Helper()
	for i, e := range m.elements() {
		if e.label() == label {
			return w.payloadOf(m, e, user, fmt.Sprintf("%s/actions/T1/%d/%s", w.URL, i, user))
		}
	}
	w.Fatalf("no button %q on\n%s", label, m.visible())
	return nil
}

func (w *workspace) payloadOf(m message, e element, user, responseURL string) []byte {
	container := map[string]any{"type": "message", "message_ts": m.ts, "channel_id": home, "is_ephemeral": false}
	if m.thread != "" {
		container["thread_ts"] = m.thread
	}
	text, err := json.Marshal(map[string]any{
		"type": "block_actions", "user": map[string]string{"id": user, "username": "ana", "team_id": "T1"},
		"api_app_id": "A0000000000", "token": "legacy", "container": container, "trigger_id": "1.2.3",
		"team": map[string]string{"id": "T1"}, "channel": map[string]string{"id": home, "name": "checkout"},
		"response_url": responseURL, "message": map[string]any{"ts": m.ts, "text": m.Text},
		"actions": []map[string]any{{"action_id": e.ActionID, "block_id": "x", "value": e.Value, "type": "button", "action_ts": "1700000002.000001"}},
	})
	if err != nil {
		w.Fatal(err)
	}
	return text
}
