package slack_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"regexp"
	"strings"
	"testing"
	"unicode/utf16"
	"unicode/utf8"
)

// posted is what the fake Slack takes, and nothing else.
type posted struct {
	Text   string `json:"text"`
	Blocks []struct {
		Type     string   `json:"type"`
		BlockID  string   `json:"block_id"`
		Text     *object  `json:"text"`
		Elements []object `json:"elements"`
	} `json:"blocks"`
	UnfurlLinks bool `json:"unfurl_links"`
	UnfurlMedia bool `json:"unfurl_media"`
}

type object struct {
	Type     string `json:"type"`
	Text     string `json:"text"`
	Verbatim bool   `json:"verbatim"`
}

// The markup that may be left unescaped: entities, and links to the web.
var (
	entity = regexp.MustCompile(`&(amp|lt|gt);`)
	link   = regexp.MustCompile(`<https?://[^<>|\s]+\|[^<>|]+>`)
)

// accept reads a request as Slack documents it, and says why Slack would refuse it.
func accept(r *http.Request, body []byte) (p posted, refused error) {
	if r.Method != http.MethodPost || !strings.HasPrefix(r.Header.Get("Content-Type"), "application/json") {
		return p, fmt.Errorf("invalid_payload: %s of %s", r.Method, r.Header.Get("Content-Type"))
	}
	decoder := json.NewDecoder(strings.NewReader(string(body)))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&p); err != nil || !utf8.Valid(body) {
		return p, fmt.Errorf("invalid_payload: %w", err)
	}
	if p.Text == "" || length(p.Text) > 40_000 {
		return p, fmt.Errorf("no_text: %d characters", length(p.Text))
	}
	if len(p.Blocks) == 0 || len(p.Blocks) > 50 {
		return p, fmt.Errorf("invalid_blocks: %d blocks", len(p.Blocks))
	}
	for i, b := range p.Blocks {
		if len(b.BlockID) > 255 {
			return p, fmt.Errorf("invalid_blocks: block_id of %d", len(b.BlockID))
		}
		objects := b.Elements
		switch {
		case b.Type == "section" && b.Text != nil:
			objects = append(objects, *b.Text)
		case b.Type == "context" && len(b.Elements) > 0 && len(b.Elements) <= 10:
		default:
			return p, fmt.Errorf("invalid_blocks: block %d is %+v", i, b)
		}
		for _, o := range objects {
			if err := o.check(); err != nil {
				return p, fmt.Errorf("invalid_blocks: block %d: %w", i, err)
			}
		}
	}
	return p, nil
}

func (o object) check() error {
	if n := length(o.Text); o.Type != "mrkdwn" || n < 1 || n > 3000 {
		return fmt.Errorf("%s of %d characters", o.Type, n)
	}
	if rest := link.ReplaceAllString(o.Text, ""); strings.ContainsAny(rest, "<>") {
		return fmt.Errorf("markup in %q", rest)
	}
	if rest := entity.ReplaceAllString(o.Text, ""); strings.Contains(rest, "&") {
		return fmt.Errorf("a bare & in %q", rest)
	}
	return nil
}

// visible is what people read, unescaped.
func (p posted) visible(t *testing.T) string {
	t.Helper()
	text := ""
	for _, b := range p.Blocks {
		if b.Text != nil {
			text += b.Text.Text + "\n"
		}
		for _, o := range b.Elements {
			text += o.Text + "\n"
		}
	}
	return strings.NewReplacer("&lt;", "<", "&gt;", ">", "&amp;", "&").Replace(text)
}

func length(text string) int { return len(utf16.Encode([]rune(text))) }
