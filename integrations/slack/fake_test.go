package slack_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf16"
	"unicode/utf8"
)

// shown is what people see of a message.
type shown struct {
	Text   string  `json:"text"`
	Blocks []block `json:"blocks"`
}

type block struct {
	Type     string    `json:"type"`
	BlockID  string    `json:"block_id"`
	Text     *object   `json:"text"`
	Elements []element `json:"elements"`
}

type object struct {
	Type     string `json:"type"`
	Text     string `json:"text"`
	Verbatim bool   `json:"verbatim"`
}

// element is a text in a context, or a button in actions.
type element struct {
	Type     string          `json:"type"`
	Text     json.RawMessage `json:"text"`
	Verbatim bool            `json:"verbatim"`
	ActionID string          `json:"action_id"`
	Style    string          `json:"style"`
	Value    string          `json:"value"`
}

// posted is what an incoming webhook takes, and nothing else.
type posted struct {
	shown
	UnfurlLinks bool `json:"unfurl_links"`
	UnfurlMedia bool `json:"unfurl_media"`
}

// The markup that may be left unescaped: entities, links to the web, and times.
var (
	entity = regexp.MustCompile(`&(amp|lt|gt);`)
	link   = regexp.MustCompile(`<(https?://[^<>|\s]+|!date\^[0-9]+\^\{time\})\|[^<>|]+>`)
)

// accept reads a request to an incoming webhook as Slack documents it, and says why
// Slack would refuse it.
func accept(r *http.Request, body []byte) (p posted, refused error) {
	if r.Method != http.MethodPost || !strings.HasPrefix(r.Header.Get("Content-Type"), "application/json") {
		return p, fmt.Errorf("invalid_payload: %s of %s", r.Method, r.Header.Get("Content-Type"))
	}
	if err := strictly(body, &p); err != nil {
		return p, fmt.Errorf("invalid_payload: %w", err)
	}
	return p, p.check()
}

// strictly decodes JSON without a field that is not documented.
func strictly(body []byte, into any) error {
	if !utf8.Valid(body) {
		return fmt.Errorf("not UTF-8")
	}
	decoder := json.NewDecoder(strings.NewReader(string(body)))
	decoder.DisallowUnknownFields()
	return decoder.Decode(into)
}

// check holds a message against the limits of Block Kit. Errors begin with Slack's word.
func (s shown) check() error {
	if s.Text == "" || length(s.Text) > 40_000 {
		return fmt.Errorf("no_text: %d characters", length(s.Text))
	}
	if len(s.Blocks) == 0 || len(s.Blocks) > 50 {
		return fmt.Errorf("invalid_blocks: %d blocks", len(s.Blocks))
	}
	total, ids, actions := 0, []string{}, []string{}
	for i, b := range s.Blocks {
		if len(b.BlockID) > 255 || b.BlockID != "" && slices.Contains(ids, b.BlockID) {
			return fmt.Errorf("invalid_blocks: block_id %q", b.BlockID)
		}
		ids = append(ids, b.BlockID)
		n, err := b.check()
		if err != nil {
			return fmt.Errorf("invalid_blocks: block %d: %w", i, err)
		}
		total += n
		for _, e := range b.Elements {
			if e.ActionID != "" && slices.Contains(actions, e.ActionID) {
				return fmt.Errorf("invalid_blocks: action_id %q twice", e.ActionID)
			}
			actions = append(actions, e.ActionID)
		}
	}
	if total > 13_000 {
		return fmt.Errorf("msg_blocks_too_long: %d characters", total)
	}
	return nil
}

// check returns how many characters the block has.
func (b block) check() (total int, err error) {
	switch {
	case b.Type == "section" && b.Text != nil && len(b.Elements) == 0:
		return length(b.Text.Text), b.Text.check()
	case b.Type == "context" && b.Text == nil && len(b.Elements) > 0 && len(b.Elements) <= 10:
		for _, e := range b.Elements {
			o := e.object()
			total += length(o.Text)
			if err := o.check(); err != nil {
				return 0, err
			}
		}
		return total, nil
	case b.Type == "actions" && b.Text == nil && len(b.Elements) > 0 && len(b.Elements) <= 25:
		for _, e := range b.Elements {
			total += len(e.label()) + len(e.Value)
			if err := e.checkButton(); err != nil {
				return 0, err
			}
		}
		return total, nil
	}
	return 0, fmt.Errorf("%+v", b)
}

func (o object) check() error {
	if n := length(o.Text); o.Type != "mrkdwn" || n < 1 || n > 3000 {
		return fmt.Errorf("%s of %d characters", o.Type, n)
	}
	return escaped(o.Text)
}

// escaped says whether nothing in a text is markup but links to the web.
func escaped(text string) error {
	if rest := link.ReplaceAllString(text, ""); strings.ContainsAny(rest, "<>") {
		return fmt.Errorf("markup in %q", rest)
	}
	if rest := entity.ReplaceAllString(text, ""); strings.Contains(rest, "&") {
		return fmt.Errorf("a bare & in %q", rest)
	}
	return nil
}

// object returns the element of a context as the text that it is.
func (e element) object() object {
	o := object{Type: e.Type, Verbatim: e.Verbatim}
	_ = json.Unmarshal(e.Text, &o.Text)
	return o
}

// label returns what stands on a button.
func (e element) label() string {
	var text struct{ Type, Text string }
	_ = json.Unmarshal(e.Text, &text)
	return text.Text
}

func (e element) checkButton() error {
	var text struct {
		Type string `json:"type"`
		Text string `json:"text"`
	}
	err := strictly(e.Text, &text)
	styled := e.Style == "" || e.Style == "primary" || e.Style == "danger"
	if err != nil || e.Type != "button" || text.Type != "plain_text" || length(text.Text) < 1 || length(text.Text) > 75 ||
		len(e.ActionID) < 1 || len(e.ActionID) > 255 || length(e.Value) > 2000 || !styled {
		return fmt.Errorf("button %+v: %w", e, err)
	}
	return nil
}

// buttons returns what stands on the buttons of the message.
func (s shown) buttons() (labels []string) {
	for _, e := range s.elements() {
		labels = append(labels, e.label())
	}
	return labels
}

// elements returns the buttons of the message.
func (s shown) elements() (buttons []element) {
	for _, b := range s.Blocks {
		if b.Type == "actions" {
			buttons = append(buttons, b.Elements...)
		}
	}
	return buttons
}

// visible is what people read, unescaped.
func (s shown) visible() string {
	text := ""
	for _, b := range s.Blocks {
		if b.Text != nil {
			text += b.Text.Text + "\n"
		}
		for _, e := range b.Elements {
			text += e.object().Text + e.label() + "\n"
		}
	}
	return strings.NewReplacer("&lt;", "<", "&gt;", ">", "&amp;", "&").Replace(text)
}

func length(text string) int { return len(utf16.Encode([]rune(text))) }

// eventually waits until something holds.
func eventually(t *testing.T, what string, holds func() bool) {
	t.Helper()
	deadline := time.NewTimer(20 * time.Second)
	defer deadline.Stop()
	tick := time.NewTicker(2 * time.Millisecond)
	defer tick.Stop()
	for !holds() {
		select {
		case <-deadline.C:
			t.Fatalf("waited too long for: %s", what)
		case <-tick.C:
		}
	}
}
