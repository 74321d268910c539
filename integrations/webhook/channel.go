package webhook

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"

	"github.com/bakewatch/bakewatch/actions"
)

// channel posts messages.
type channel struct{ *caller }

// Posted is the body of a message's request.
type Posted struct {
	Key string `json:"key"`
	actions.Message
}

// Notify posts the message. The receipt is the "id" of a JSON reply, or else the status.
func (c *channel) Notify(ctx context.Context, key string, m actions.Message) (string, error) {
	body, err := json.Marshal(Posted{Key: key, Message: m})
	if err != nil {
		return "", actions.Permanent(fmt.Errorf("the message is no JSON: %w", err))
	}
	reply, err := c.post(ctx, key, body)
	if err != nil {
		return "", err
	}
	var said struct {
		ID string `json:"id"`
	}
	if err := json.Unmarshal(reply.Body, &said); err == nil && said.ID != "" {
		return c.client.Redact(c.to, said.ID), nil
	}
	return fmt.Sprintf("%d %s", reply.Status, http.StatusText(reply.Status)), nil
}

// Describe says in a line where messages go.
func (c *channel) Describe() string { return fmt.Sprintf("posts to %s", c.to) }
