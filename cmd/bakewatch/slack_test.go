package main

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"github.com/coder/websocket"
)

// slackApp is a Slack with one channel, which is connected by Socket Mode.
type slackApp struct {
	*httptest.Server
	mu        sync.Mutex
	shown     []string // the messages by their order, as they stand now: the blocks as JSON
	whispered []string
	conn      *websocket.Conn
}

// slackBlocks is as much of a message as the fake reads.
type slackBlocks struct {
	TS     string          `json:"ts"`
	Text   string          `json:"text"`
	Blocks json.RawMessage `json:"blocks"`
}

func startSlackApp(t *testing.T) *slackApp {
	t.Helper()
	s := &slackApp{}
	mux := http.NewServeMux()
	mux.HandleFunc("/api/chat.postMessage", s.take(func(m slackBlocks) string {
		s.shown = append(s.shown, string(m.Blocks))
		return fmt.Sprintf(`{"ok":true,"channel":"C0000001","ts":"1700000000.%06d"}`, len(s.shown))
	}))
	mux.HandleFunc("/api/chat.update", s.take(func(m slackBlocks) string {
		var at int
		if _, err := fmt.Sscanf(m.TS, "1700000000.%06d", &at); err != nil || at > len(s.shown) {
			return `{"ok":false,"error":"message_not_found"}`
		}
		s.shown[at-1] = string(m.Blocks)
		return `{"ok":true}`
	}))
	mux.HandleFunc("/api/apps.connections.open", s.take(func(slackBlocks) string {
		return `{"ok":true,"url":"ws` + strings.TrimPrefix(s.URL, "http") + `/link"}`
	}))
	mux.HandleFunc("/response", s.take(func(m slackBlocks) string {
		s.whispered = append(s.whispered, m.Text)
		return "ok"
	}))
	mux.HandleFunc("/link", s.link)
	s.Server = httptest.NewServer(mux)
	t.Cleanup(s.Close)
	return s
}

// take reads a message and answers.
func (s *slackApp) take(answer func(slackBlocks) string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		var m slackBlocks
		if err := json.NewDecoder(r.Body).Decode(&m); err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		s.mu.Lock()
		defer s.mu.Unlock()
		_, _ = fmt.Fprint(w, answer(m))
	}
}

func (s *slackApp) link(w http.ResponseWriter, r *http.Request) {
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

// messages returns the messages as they stand now.
func (s *slackApp) messages() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return strings.Join(s.shown, "\n")
}

// press presses the first button of the question, once there is one.
func (s *slackApp) press(t *testing.T, user string) bool {
	t.Helper()
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.conn == nil {
		return false
	}
	for _, message := range s.shown {
		var blocks []struct {
			Elements []struct {
				Action string `json:"action_id"`
				Value  string `json:"value"`
			}
		}
		if err := json.Unmarshal([]byte(message), &blocks); err != nil {
			t.Fatal(err)
		}
		for _, b := range blocks {
			if len(b.Elements) == 0 || b.Elements[0].Value == "" {
				continue
			}
			envelope := fmt.Sprintf(`{"type":"interactive","envelope_id":"e-%s","payload":{"type":"block_actions","user":{"id":%q},"response_url":%q,"actions":[{"action_id":%q,"value":%q}]}}`,
				user, user, s.URL+"/response", b.Elements[0].Action, b.Elements[0].Value)
			return s.conn.Write(t.Context(), websocket.MessageText, []byte(envelope)) == nil
		}
	}
	return false
}

// told returns what those who pressed were told.
func (s *slackApp) told() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return strings.Join(s.whispered, "\n")
}
