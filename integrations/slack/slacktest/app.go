// Package slacktest is a Slack for tests: one workspace with one channel, and people who
// press what they like.
package slacktest

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/coder/websocket"
)

// App is a Slack with one channel, which an app is connected to by Socket Mode. The base
// of its Web API is URL + "/api".
type App struct {
	*httptest.Server
	mu        sync.Mutex
	shown     []string // the messages by their order, as they stand now: the blocks as JSON
	whispered []string
	conn      *websocket.Conn
}

// blocks is as much of a message as the fake reads.
type blocks struct {
	TS     string          `json:"ts"`
	Text   string          `json:"text"`
	Blocks json.RawMessage `json:"blocks"`
}

// Start opens the workspace; it closes with the test.
func Start(t testing.TB) *App {
	t.Helper()
	s := &App{}
	mux := http.NewServeMux()
	mux.HandleFunc("/api/chat.postMessage", s.take(func(m blocks) string {
		s.shown = append(s.shown, string(m.Blocks))
		return fmt.Sprintf(`{"ok":true,"channel":"C0000001","ts":"1700000000.%06d"}`, len(s.shown))
	}))
	mux.HandleFunc("/api/chat.update", s.take(func(m blocks) string {
		var at int
		if _, err := fmt.Sscanf(m.TS, "1700000000.%06d", &at); err != nil || at > len(s.shown) {
			return `{"ok":false,"error":"message_not_found"}`
		}
		s.shown[at-1] = string(m.Blocks)
		return `{"ok":true}`
	}))
	mux.HandleFunc("/api/apps.connections.open", s.take(func(blocks) string {
		return `{"ok":true,"url":"ws` + strings.TrimPrefix(s.URL, "http") + `/link"}`
	}))
	mux.HandleFunc("/response", s.take(func(m blocks) string {
		s.whispered = append(s.whispered, m.Text)
		return "ok"
	}))
	mux.HandleFunc("/link", s.link)
	s.Server = httptest.NewServer(mux)
	t.Cleanup(s.Close)
	return s
}

// take reads a message and answers.
func (s *App) take(answer func(blocks) string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		var m blocks
		if err := json.NewDecoder(r.Body).Decode(&m); err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		s.mu.Lock()
		defer s.mu.Unlock()
		_, _ = fmt.Fprint(w, answer(m))
	}
}

func (s *App) link(w http.ResponseWriter, r *http.Request) {
	conn, err := websocket.Accept(w, r, nil)
	if err != nil {
		return
	}
	_ = conn.Write(r.Context(), websocket.MessageText, []byte(`{"type":"hello"}`))
	s.mu.Lock()
	s.conn = conn
	s.mu.Unlock()
	for err == nil {
		_, _, err = conn.Read(r.Context())
	}
}

// Messages returns the messages as they stand now.
func (s *App) Messages() string { return strings.Join(s.posted(), "\n") }

// PressFirst presses the first button of the question, once there is one.
func (s *App) PressFirst(t testing.TB, user string) bool {
	t.Helper()
	for _, message := range s.posted() {
		var found []struct {
			Elements []struct {
				Action string `json:"action_id"`
				Value  string `json:"value"`
			}
		}
		if err := json.Unmarshal([]byte(message), &found); err != nil {
			t.Fatal(err)
		}
		for _, b := range found {
			if len(b.Elements) > 0 && b.Elements[0].Value != "" {
				return s.Press(t.Context(), s.Pressed("e-"+user, user, b.Elements[0].Action, b.Elements[0].Value))
			}
		}
	}
	return false
}

// Payload is what Slack says of a button that a user has pressed; who pressed it is told
// at an address of its own.
func (s *App) Payload(user, action, value string) string {
	return fmt.Sprintf(`{"type":"block_actions","user":{"id":%q},"response_url":%q,"actions":[{"action_id":%q,"value":%q}]}`,
		user, s.URL+"/response", action, value)
}

// Pressed is the envelope in which Socket Mode brings a payload.
func (s *App) Pressed(id, user, action, value string) string {
	return fmt.Sprintf(`{"type":"interactive","envelope_id":%q,"payload":%s}`, id, s.Payload(user, action, value))
}

// Connected says whether an app is connected by Socket Mode.
func (s *App) Connected() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.conn != nil
}

// Press sends an envelope; false: nobody is connected.
func (s *App) Press(ctx context.Context, envelope string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.conn != nil && s.conn.Write(ctx, websocket.MessageText, []byte(envelope)) == nil
}

// posted returns the messages by their order, as they stand now.
func (s *App) posted() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.shown)
}

// Told returns what those who pressed were told, by their order.
func (s *App) Told() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.whispered)
}

// Sign returns the header X-Slack-Signature of a callback, whose X-Slack-Request-Timestamp
// is the stamp.
func Sign(secret, stamp, body string) string {
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write([]byte("v0:" + stamp + ":" + body))
	return "v0=" + hex.EncodeToString(mac.Sum(nil))
}
