// Package pagerdutytest has a PagerDuty for tests: as much of the Events API v2, the REST API
// and the webhooks v3 as is documented, and nothing else.
package pagerdutytest

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
	"unicode/utf8"
)

// RoutingKey is an integration key as PagerDuty gives them out.
const RoutingKey = "0123456789abcdef0123456789abcdef"

// Sent is what the fake Events API takes, and nothing else.
type Sent struct {
	RoutingKey string `json:"routing_key"`
	Action     string `json:"event_action"`
	DedupKey   string `json:"dedup_key"`
	Payload    *struct {
		Summary   string         `json:"summary"`
		Source    string         `json:"source"`
		Severity  string         `json:"severity"`
		Timestamp *time.Time     `json:"timestamp"`
		Component string         `json:"component"`
		Group     string         `json:"group"`
		Class     string         `json:"class"`
		Details   map[string]any `json:"custom_details"`
	} `json:"payload"`
	Images []struct{ Src, Href, Alt string } `json:"images"`
	Links  []struct {
		Href string `json:"href"`
		Text string `json:"text"`
	} `json:"links"`
	Client    string `json:"client"`
	ClientURL string `json:"client_url"`
}

// Accept reads an event as the Events API v2 documents it, and says why it would be refused.
func Accept(r *http.Request, body []byte) (e Sent, refused error) {
	if r.Method != http.MethodPost || !strings.HasPrefix(r.Header.Get("Content-Type"), "application/json") || r.URL.Path != "/v2/enqueue" {
		return e, fmt.Errorf("%s %s of %s", r.Method, r.URL.Path, r.Header.Get("Content-Type"))
	}
	if len(body) > 512_000 || !utf8.Valid(body) {
		return e, fmt.Errorf("%d bytes, UTF-8: %v", len(body), utf8.Valid(body))
	}
	decoder := json.NewDecoder(strings.NewReader(string(body)))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&e); err != nil {
		return e, fmt.Errorf("invalid JSON: %w", err)
	}
	switch {
	case len(e.RoutingKey) != 32:
		return e, fmt.Errorf("'routing_key' is of length %d", len(e.RoutingKey))
	case !slices.Contains([]string{"trigger", "acknowledge", "resolve"}, e.Action):
		return e, fmt.Errorf("'event_action' is %q", e.Action)
	case utf8.RuneCountInString(e.DedupKey) > 255 || e.DedupKey == "" && e.Action != "trigger":
		return e, fmt.Errorf("'dedup_key' is %q", e.DedupKey)
	case e.Action == "trigger" && e.Payload == nil:
		return e, fmt.Errorf("'payload' is missing")
	}
	if p := e.Payload; p != nil {
		if p.Summary == "" || utf8.RuneCountInString(p.Summary) > 1024 || p.Source == "" {
			return e, fmt.Errorf("'summary' of %d, 'source' %q", utf8.RuneCountInString(p.Summary), p.Source)
		}
		if !slices.Contains([]string{"critical", "error", "warning", "info"}, p.Severity) {
			return e, fmt.Errorf("'severity' is %q", p.Severity)
		}
	}
	for _, link := range e.Links {
		if u, err := url.Parse(link.Href); err != nil || !strings.HasPrefix(u.Scheme, "http") || u.Host == "" {
			return e, fmt.Errorf("'href' is %q", link.Href)
		}
	}
	return e, nil
}

// Enqueued is how the Events API takes an event.
func Enqueued(w http.ResponseWriter, dedupKey string) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(http.StatusAccepted)
	_ = json.NewEncoder(w).Encode(map[string]string{"status": "success", "message": "Event processed", "dedup_key": dedupKey})
}

// Visible is what people read of an incident.
func (e Sent) Visible() string {
	if e.Payload == nil {
		return ""
	}
	text := e.Payload.Summary + "\n" + fmt.Sprint(e.Payload.Details["reasons"])
	answers, _ := e.Payload.Details["answers"].(map[string]any)
	for choice, command := range answers {
		text += fmt.Sprintf("\n%s: %s", choice, command)
	}
	return text
}

// Incidents is a PagerDuty service: what events do to what is open.
type Incidents struct {
	Open  map[string]string // "triggered" or "acknowledged", by key
	Woken []string          // the keys of the incidents that woke somebody, in order
}

// Take does what an event says, as the documentation tells of each action.
func (s *Incidents) Take(e Sent) {
	state, open := s.Open[e.DedupKey]
	switch {
	case e.Action == "trigger" && !open:
		s.Open[e.DedupKey] = "triggered"
		s.Woken = append(s.Woken, e.DedupKey)
	case e.Action == "acknowledge" && state == "triggered":
		s.Open[e.DedupKey] = "acknowledged"
	case e.Action == "resolve":
		delete(s.Open, e.DedupKey)
	}
}

// Entry is one entry of GET /oncalls.
type Entry struct {
	Schedule string
	Level    int
	User     map[string]any
}

// Token is a REST API key.
const Token = "y_NbAkKc66ryYTWUXYEu"

// REST is as much of PagerDuty's REST API as is documented of GET /oncalls.
type REST struct {
	T       testing.TB
	Entries []Entry
	Padding int // bytes of further fields of a user

	mu    sync.Mutex
	down  bool
	asked []url.Values
}

// Set lets others be on call.
func (f *REST) Set(entries ...Entry) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.Entries = entries
}

// Down lets every call fail, or none.
func (f *REST) Down(down bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.down = down
}

// Asked returns what was asked for so far.
func (f *REST) Asked() []url.Values {
	f.mu.Lock()
	defer f.mu.Unlock()
	return slices.Clone(f.asked)
}

var scheduleID = regexp.MustCompile(`^P[A-Z0-9]+$`)

func (f *REST) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	f.mu.Lock()
	defer f.mu.Unlock()
	query := r.URL.Query()
	f.asked = append(f.asked, query)
	for key := range query {
		if !slices.Contains([]string{"schedule_ids[]", "include[]", "limit", "offset"}, key) {
			f.T.Errorf("an unknown parameter %q", key)
		}
	}
	limit, offset := number(query.Get("limit"), 25), number(query.Get("offset"), 0)
	switch {
	case f.down:
		fail(w, http.StatusInternalServerError, 2000, "Internal Server Error")
	case r.Header.Get("Authorization") != "Token token="+Token:
		fail(w, http.StatusUnauthorized, 2006, "Authentication failed")
	case r.Method != http.MethodGet || r.URL.Path != "/oncalls" || r.Header.Get("Accept") != "application/vnd.pagerduty+json;version=2":
		fail(w, http.StatusNotFound, 2100, "Not Found")
	case limit < 1 || limit > 100 || offset+limit > 10_000:
		fail(w, http.StatusBadRequest, 2001, "Invalid Input Provided")
	default:
		f.answer(w, query, limit, offset)
	}
}

func fail(w http.ResponseWriter, status, code int, message string) {
	w.WriteHeader(status)
	_, _ = fmt.Fprintf(w, `{"error":{"message":%q,"code":%d,"errors":[]}}`, message, code)
}

func (f *REST) answer(w http.ResponseWriter, query url.Values, limit, offset int) {
	matching := []map[string]any{}
	for _, e := range f.Entries {
		if slices.ContainsFunc(query["schedule_ids[]"], func(id string) bool { return scheduleID.MatchString(id) && id == e.Schedule }) {
			matching = append(matching, f.entry(e, slices.Contains(query["include[]"], "users")))
		}
	}
	page := matching[min(offset, len(matching)):min(offset+limit, len(matching))]
	_ = json.NewEncoder(w).Encode(map[string]any{
		"oncalls": page, "limit": limit, "offset": offset, "more": offset+limit < len(matching), "total": nil,
	})
}

func (f *REST) entry(e Entry, whole bool) map[string]any {
	user := map[string]any{"id": e.User["id"], "type": "user_reference", "summary": e.User["name"]}
	if whole {
		user = map[string]any{"type": "user", "summary": e.User["name"], "contact_methods": strings.Repeat("x", f.Padding)}
		maps.Copy(user, e.User)
	}
	return map[string]any{
		"user": user, "schedule": map[string]any{"id": e.Schedule, "type": "schedule_reference"},
		"escalation_policy": map[string]any{"id": "PT20YPA", "type": "escalation_policy_reference"}, "escalation_level": e.Level,
		"start": "2026-11-23T00:00:00Z", "end": "2026-11-24T00:00:00Z",
	}
}

func number(text string, standard int) int {
	n := standard
	_, _ = fmt.Sscan(text, &n)
	return n
}
