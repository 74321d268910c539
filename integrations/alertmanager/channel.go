package alertmanager

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"time"

	"github.com/bakewatch/bakewatch/actions"
	"github.com/bakewatch/bakewatch/integrations/outbound"
)

// channel posts to one Alertmanager.
type channel struct {
	client *outbound.Client
	to     outbound.Endpoint
	login  outbound.Secret // the Authorization header; none: no login
	labels map[string]string
	lasts  time.Duration // of an alert that nothing ends
}

var _ actions.Follower = (*channel)(nil)

// Describe says in a line where messages go.
func (c *channel) Describe() string { return fmt.Sprintf("keeps alerts at %s", c.to) }

// Follows says that the channel wants whatever ends an alert.
func (c *channel) Follows(m actions.Message) bool {
	return m.Attention == actions.Over || m.Supersedes != nil
}

// Notify posts the alerts of the message. The receipt says whether one fires, and gives
// its fingerprint, which Alertmanager's API and its pages know it by.
func (c *channel) Notify(ctx context.Context, key string, m actions.Message) (string, error) {
	alerts := c.compose(key, m, time.Now())
	body, err := json.Marshal(alerts)
	if err != nil {
		return "", actions.Permanent(fmt.Errorf("the message is no JSON: %w", err))
	}
	header := http.Header{"Content-Type": {"application/json"}}
	if !c.login.IsZero() {
		header.Set("Authorization", c.login.Reveal())
	}
	reply, err := c.client.Do(ctx, outbound.Call{
		Method: http.MethodPost, To: c.to, Body: body, Header: header, Unclear: actions.ClassRetryable,
	})
	switch {
	case err != nil && reply.Status == http.StatusNotFound:
		return "", actions.Permanent(fmt.Errorf("%w: is url that of an Alertmanager, with its path prefix?", err))
	case err != nil:
		return "", err
	case reply.Status != http.StatusOK || len(reply.Body) > 0: // it answers with nothing
		return "", actions.Retryable(fmt.Errorf("%s: not Alertmanager's answer: status %d %s", c.to, reply.Status, c.client.Redact(c.to, string(reply.Body))))
	}
	if c.Follows(m) {
		return "resolved", nil
	}
	return "firing " + alerts[0].Labels.Fingerprint().String(), nil
}
