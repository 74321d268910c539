package slack

import (
	"context"
	"fmt"
	"net/http"

	"github.com/bakewatch/bakewatch/actions"
	"github.com/bakewatch/bakewatch/integrations/outbound"
)

// aside is a message that one person alone sees: what a response_url takes.
type aside struct {
	Type    string `json:"response_type"`
	Replace bool   `json:"replace_original"`
	Thread  string `json:"thread_ts,omitempty"`
	Text    string `json:"text"`
}

// ephemeral is what chat.postEphemeral takes.
type ephemeral struct {
	Channel string `json:"channel"`
	User    string `json:"user"`
	Thread  string `json:"thread_ts,omitempty"`
	Text    string `json:"text"`
}

// tell says to whoever pressed a button what became of it, and to nobody else.
func (b *bot) tell(ctx context.Context, p press, text string) {
	text = escape(actions.OneLine(text), sectionLimit)
	err := b.respond(ctx, p, text)
	if err == nil {
		return
	}
	b.log.Warn("slack: the response_url does not take what became of an answer", "channel", b.channel, "watch", p.Watch, "err", err)
	_, err = b.api.call(ctx, "chat.postEphemeral", ephemeral{Channel: p.channel, User: p.user, Thread: p.thread, Text: text})
	if err != nil {
		b.log.Error("slack: nobody could be told what became of an answer", "channel", b.channel, "watch", p.Watch, "user", p.user, "err", err)
	}
}

// respond posts to the URL that came with the press, if that leads to Slack.
func (b *bot) respond(ctx context.Context, p press, text string) error {
	to, err := b.api.own(p.reply)
	if err != nil {
		return fmt.Errorf("response_url: %w", err)
	}
	body, err := marshal(aside{Type: "ephemeral", Thread: p.thread, Text: text})
	if err != nil {
		return err
	}
	_, err = b.api.client.Do(ctx, outbound.Call{
		Method: http.MethodPost, To: to, Body: body, Unclear: actions.ClassRetryable,
		Header: http.Header{"Content-Type": {"application/json; charset=utf-8"}},
	})
	return err
}
