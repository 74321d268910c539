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

// channel posts to one incoming webhook.
type channel struct {
	client *outbound.Client
	to     outbound.Endpoint
}

// Describe says in a line where messages go.
func (c *channel) Describe() string {
	return fmt.Sprintf("posts to a Slack incoming webhook of %s", c.to)
}

// Notify posts the message. Slack gives no id: the receipt is its "ok".
func (c *channel) Notify(ctx context.Context, key string, m actions.Message) (string, error) {
	body, err := marshal(compose(key, m))
	if err != nil {
		return "", actions.Permanent(fmt.Errorf("the message is no JSON: %w", err))
	}
	reply, err := c.client.Do(ctx, outbound.Call{
		Method: http.MethodPost, To: c.to, Body: body, Unclear: actions.ClassRetryable,
		Header: http.Header{"Content-Type": {"application/json; charset=utf-8"}},
	})
	said := strings.TrimSpace(string(reply.Body))
	if hint, known := hints[said]; known {
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

// hints says what to do about the errors that Slack will give to every retry.
var hints = map[string]string{
	"invalid_payload":                   "it does not take this message; please report it",
	"invalid_blocks":                    "it does not take this message; please report it",
	"no_text":                           "it does not take this message; please report it",
	"no_service":                        "the webhook was removed or disabled: create a new one",
	"no_service_id":                     "the URL is not that of an incoming webhook",
	"no_team":                           "the workspace does not exist: check the URL",
	"no_active_hooks":                   "the webhook was disabled: create a new one",
	"invalid_token":                     "the URL is wrong or was revoked: create a new webhook",
	"team_disabled":                     "the workspace is disabled",
	"user_not_found":                    "the user that the webhook posts to does not exist",
	"channel_not_found":                 "the channel does not exist any more: create a new webhook",
	"channel_is_archived":               "the channel is archived",
	"action_prohibited":                 "an administrator has forbidden this webhook to post here",
	"posting_to_general_channel_denied": "the webhook may not post to the general channel",
	"too_many_attachments":              "it does not take this message; please report it",
	"missing_text_or_fallback_or_attachments": "it does not take this message; please report it",
}

// marshal leaves < > & as they are: the text is escaped as Slack asks.
func marshal(p payload) ([]byte, error) {
	var text bytes.Buffer
	encoder := json.NewEncoder(&text)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(p); err != nil {
		return nil, errors.New("cannot be encoded")
	}
	return text.Bytes(), nil
}
