package slack

import (
	"cmp"
	"context"
	"fmt"
	"log/slog"
	"regexp"
	"strings"

	"github.com/bakewatch/bakewatch/actions"
	"github.com/bakewatch/bakewatch/integrations/outbound"
)

// bot posts as an app to one channel: a thread a watch, buttons under open questions.
type bot struct {
	api     *api // with the bot's token
	app     *api // with the app's own token, for Socket Mode; nil: there is none
	signing outbound.Secret
	channel string
	log     *slog.Logger
}

var _ actions.Threader = (*bot)(nil)

// Describe says in a line where messages go, and how answers come.
func (b *bot) Describe() string {
	answers := "answers come on the command line"
	switch {
	case b.app != nil:
		answers = "answers come by Socket Mode"
	case !b.signing.IsZero():
		answers = "answers come to " + CallbackPath
	}
	return fmt.Sprintf("posts to %s in Slack, a thread a watch; %s", b.channel, answers)
}

// post is what chat.postMessage takes.
type post struct {
	Channel   string `json:"channel"`
	Thread    string `json:"thread_ts,omitempty"`
	Broadcast bool   `json:"reply_broadcast,omitempty"`
	content
	UnfurlLinks bool `json:"unfurl_links"`
	UnfurlMedia bool `json:"unfurl_media"`
}

// edit is what chat.update takes.
type edit struct {
	Channel string `json:"channel"`
	TS      string `json:"ts"`
	content
}

// Notify posts a message that belongs to no thread.
func (b *bot) Notify(ctx context.Context, key string, m actions.Message) (string, error) {
	thread := actions.Thread{}
	if m.Question != nil {
		thread.State.Open = m.Question.Question
	}
	return b.Reply(ctx, key, m, thread)
}

// Reply posts the message in its thread. The receipt is "channel:ts" of the message.
// What needs a person is shown in the channel as well, where it would be overlooked otherwise.
func (b *bot) Reply(ctx context.Context, key string, m actions.Message, thread actions.Thread) (string, error) {
	p := post{Channel: b.channel, content: b.sheet(key, m, thread.State).compose()}
	if parent := b.parent(thread); parent != nil {
		_, p.Thread, _ = readReceipt(parent.Receipt)
		p.Broadcast = m.Level == actions.Urgent
	}
	got, err := b.api.call(ctx, "chat.postMessage", p)
	if refused(err, unthreadable) && p.Thread != "" {
		b.log.Warn("slack: the thread is gone; a new one begins", "channel", b.channel, "watch", m.Watch, "service", m.Service, "err", err)
		p.Thread, p.Broadcast = "", false
		got, err = b.api.call(ctx, "chat.postMessage", p)
	}
	if err != nil {
		return "", err
	}
	receipt := got.Channel + ":" + got.TS
	if _, _, ok := readReceipt(receipt); !ok {
		// It was posted: to post it again would not give a better receipt.
		b.log.Warn("slack: the reply does not say where the message is: it can be neither edited nor replied to", "channel", b.channel, "watch", m.Watch, "service", m.Service)
		return "", nil
	}
	return receipt, nil
}

// Amend edits the first message, so that it says how the watch stands, and takes the
// buttons off questions that are over.
func (b *bot) Amend(ctx context.Context, thread actions.Thread) error {
	parent := b.parent(thread)
	for i, told := range thread.Told {
		s := b.sheet("", told.Message, thread.State)
		if parent == &thread.Told[i] && thread.State.Since != told.About && thread.State.Title != "" {
			s.head = &thread.State
		}
		if s.head == nil && s.over == "" {
			continue
		}
		if err := b.edit(ctx, told, s); err != nil {
			return err
		}
	}
	return nil
}

func (b *bot) edit(ctx context.Context, told actions.Told, s sheet) error {
	channel, ts, ok := readReceipt(told.Receipt)
	if !ok || told.Message.Title == "" {
		return nil // told by other means, or what it said is not known any more
	}
	_, err := b.api.call(ctx, "chat.update", edit{Channel: channel, TS: ts, content: s.compose()})
	if refused(err, unamendable) {
		b.log.Warn("slack: a message stays as it is", "receipt", told.Receipt, "watch", told.Message.Watch, "service", told.Message.Service, "err", err)
		return nil
	}
	return err
}

// sheet says how a message is shown while its watch stands so.
func (b *bot) sheet(key string, m actions.Message, now actions.State) sheet {
	s := sheet{key: key, message: m}
	switch {
	case m.Question == nil:
	case m.Question.Question != now.Open:
		s.over = cmp.Or(now.Title, "it was answered, or it has lapsed")
	case b.app != nil || !b.signing.IsZero():
		s.buttons = buttons(*m.Question)
	}
	return s
}

// parent returns the message that began the thread: the first in this very channel.
func (b *bot) parent(thread actions.Thread) *actions.Told {
	for i, told := range thread.Told {
		if channel, _, ok := readReceipt(told.Receipt); ok && channel == b.channel {
			return &thread.Told[i]
		}
	}
	return nil
}

var timestamp = regexp.MustCompile(`^[0-9]{1,16}\.[0-9]{1,9}$`)

// readReceipt takes a receipt apart. That of an incoming webhook names no message.
func readReceipt(receipt string) (channel, ts string, ok bool) {
	channel, ts, _ = strings.Cut(receipt, ":")
	return channel, ts, channelID.MatchString(channel) && timestamp.MatchString(ts)
}
