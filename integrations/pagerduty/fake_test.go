package pagerduty_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf8"
)

// routingKey is an integration key as PagerDuty gives them out.
const routingKey = "0123456789abcdef0123456789abcdef"

// sent is what the fake Events API takes, and nothing else.
type sent struct {
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

// accept reads an event as the Events API v2 documents it, and says why it would be refused.
func accept(r *http.Request, body []byte) (e sent, refused error) {
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

// enqueued is how the Events API takes an event.
func enqueued(w http.ResponseWriter, dedupKey string) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(http.StatusAccepted)
	_ = json.NewEncoder(w).Encode(map[string]string{"status": "success", "message": "Event processed", "dedup_key": dedupKey})
}

// visible is what people read of an incident.
func (e sent) visible() string {
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

// incidents is a PagerDuty service: what events do to what is open.
type incidents struct {
	open  map[string]string // "triggered" or "acknowledged", by key
	woken []string          // the keys of the incidents that woke somebody, in order
}

// take does what an event says, as the documentation tells of each action.
func (s *incidents) take(e sent) {
	state, open := s.open[e.DedupKey]
	switch {
	case e.Action == "trigger" && !open:
		s.open[e.DedupKey] = "triggered"
		s.woken = append(s.woken, e.DedupKey)
	case e.Action == "acknowledge" && state == "triggered":
		s.open[e.DedupKey] = "acknowledged"
	case e.Action == "resolve":
		delete(s.open, e.DedupKey)
	}
}

// oncall is one entry of GET /oncalls.
type oncall struct {
	schedule string
	level    int
	user     map[string]any
}

// token is a REST API key.
const token = "y_NbAkKc66ryYTWUXYEu"

// rest is as much of PagerDuty's REST API as is documented of GET /oncalls.
type rest struct {
	t       *testing.T
	entries []oncall
	padding int // bytes of further fields of a user
	asked   []url.Values
}

var scheduleID = regexp.MustCompile(`^P[A-Z0-9]+$`)

func (f *rest) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	query := r.URL.Query()
	f.asked = append(f.asked, query)
	fail := func(status, code int, message string) {
		w.WriteHeader(status)
		fmt.Fprintf(w, `{"error":{"message":%q,"code":%d,"errors":[]}}`, message, code)
	}
	for key := range query {
		if !slices.Contains([]string{"schedule_ids[]", "include[]", "limit", "offset"}, key) {
			f.t.Errorf("an unknown parameter %q", key)
		}
	}
	limit, offset := number(query.Get("limit"), 25), number(query.Get("offset"), 0)
	switch {
	case r.Header.Get("Authorization") != "Token token="+token:
		fail(http.StatusUnauthorized, 2006, "Authentication failed")
		return
	case r.Method != http.MethodGet || r.URL.Path != "/oncalls" || r.Header.Get("Accept") != "application/vnd.pagerduty+json;version=2":
		fail(http.StatusNotFound, 2100, "Not Found")
		return
	case limit < 1 || limit > 100 || offset+limit > 10_000:
		fail(http.StatusBadRequest, 2001, "Invalid Input Provided")
		return
	}
	var matching []map[string]any
	for _, e := range f.entries {
		if !slices.ContainsFunc(query["schedule_ids[]"], func(id string) bool { return scheduleID.MatchString(id) && id == e.schedule }) {
			continue
		}
		user := map[string]any{"id": e.user["id"], "type": "user_reference", "summary": e.user["name"]}
		if slices.Contains(query["include[]"], "users") {
			user = map[string]any{"type": "user", "summary": e.user["name"], "contact_methods": strings.Repeat("x", f.padding)}
			for key, value := range e.user {
				user[key] = value
			}
		}
		matching = append(matching, map[string]any{
			"user": user, "schedule": map[string]any{"id": e.schedule, "type": "schedule_reference"},
			"escalation_policy": map[string]any{"id": "PT20YPA", "type": "escalation_policy_reference"}, "escalation_level": e.level,
			"start": "2026-11-23T00:00:00Z", "end": "2026-11-24T00:00:00Z",
		})
	}
	page := matching[min(offset, len(matching)):min(offset+limit, len(matching))]
	if page == nil {
		page = []map[string]any{}
	}
	_ = json.NewEncoder(w).Encode(map[string]any{
		"oncalls": page, "limit": limit, "offset": offset, "more": offset+limit < len(matching), "total": nil,
	})
}

func number(text string, standard int) int {
	n := standard
	_, _ = fmt.Sscan(text, &n)
	return n
}
