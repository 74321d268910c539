package pagerduty

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"

	"github.com/bakewatch/bakewatch/actions"
	"github.com/bakewatch/bakewatch/integrations/outbound"
)

// channel sends events to one integration.
type channel struct {
	client *outbound.Client
	to     outbound.Endpoint
	key    outbound.Secret
}

var _ actions.Follower = (*channel)(nil)

// Describe says in a line where messages go.
func (c *channel) Describe() string { return fmt.Sprintf("keeps an incident a watch at %s", c.to) }

// Follows says that the channel wants whatever takes up or ends an incident.
func (c *channel) Follows(m actions.Message) bool { return actionOf(m) != trigger }

// Notify sends the event of the message. The receipt is the key of its incident.
func (c *channel) Notify(ctx context.Context, key string, m actions.Message) (string, error) {
	sent := compose(key, m)
	body, err := sent.marshal(c.key.Reveal())
	if err != nil {
		return "", actions.Permanent(fmt.Errorf("the message is no JSON: %w", err))
	}
	reply, err := c.client.Do(ctx, outbound.Call{
		Method: http.MethodPost, To: c.to, Body: body, Unclear: actions.ClassRetryable,
		Header: http.Header{"Content-Type": {"application/json"}},
	})
	if err != nil {
		return "", advise(err, reply)
	}
	var said struct {
		Status   string `json:"status"`
		DedupKey string `json:"dedup_key"`
	}
	if reply.Status != http.StatusAccepted || json.Unmarshal(reply.Body, &said) != nil || said.DedupKey != sent.DedupKey {
		// Something between us and PagerDuty answered: it may be gone the next time.
		return "", actions.Retryable(fmt.Errorf("%s: not PagerDuty's answer: %s", c.to, c.client.Redact(c.to, string(reply.Body))))
	}
	return fmt.Sprintf("%s %s", sent.Action, said.DedupKey), nil
}

// advise adds what to do about a refusal.
func advise(err error, reply outbound.Reply) error {
	if reply.Status == http.StatusBadRequest && strings.Contains(strings.ToLower(string(reply.Body)), "routing") {
		return actions.Permanent(fmt.Errorf("%w: the integration key is wrong or was removed; copy that of the service's \"Events API v2\" integration", err))
	}
	return err
}
