package slack

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"

	"github.com/bakewatch/bakewatch/actions"
	"github.com/bakewatch/bakewatch/integrations/outbound"
)

// webhook posts to one incoming webhook.
type webhook struct {
	client *outbound.Client
	to     outbound.Endpoint
}

// Describe says in a line where messages go.
func (c *webhook) Describe() string {
	return fmt.Sprintf("posts to a Slack incoming webhook of %s", c.to)
}

// Notify posts the message. Slack gives no id: the receipt is its "ok".
func (c *webhook) Notify(ctx context.Context, key string, m actions.Message) (string, error) {
	body, err := marshal(payload{content: sheet{key: key, message: m}.compose()})
	if err != nil {
		return "", actions.Permanent(fmt.Errorf("the message is no JSON: %w", err))
	}
	reply, err := c.client.Do(ctx, outbound.Call{
		Method: http.MethodPost, To: c.to, Body: body, Unclear: actions.ClassRetryable,
		Header: http.Header{"Content-Type": {"application/json; charset=utf-8"}},
	})
	said := strings.TrimSpace(string(reply.Body))
	if hint, known := refusals[said]; known {
		return "", actions.Permanent(fmt.Errorf("slack says %s: %s", said, hint))
	}
	if err != nil {
		return "", err
	}
	if said != "ok" {
		// Something between us and Slack answered: it may be gone the next time.
		return "", actions.Retryable(fmt.Errorf("%s: not Slack's answer: %s", c.to, c.client.Redact(c.to, said)))
	}
	return said, nil
}

// payload is what an incoming webhook takes.
type payload struct {
	content
	UnfurlLinks bool `json:"unfurl_links"`
	UnfurlMedia bool `json:"unfurl_media"`
}

// marshal leaves < > & as they are: the text is escaped as Slack asks.
func marshal(body any) ([]byte, error) {
	var text bytes.Buffer
	encoder := json.NewEncoder(&text)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(body); err != nil {
		return nil, errors.New("cannot be encoded")
	}
	return text.Bytes(), nil
}
