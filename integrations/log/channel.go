package log

import (
	"context"
	"fmt"
	"log/slog"
	"strings"
	"time"

	"github.com/bakewatch/bakewatch/actions"
	"github.com/bakewatch/bakewatch/rules"
)

// Kind is the channel "log".
func Kind() rules.Kind {
	return rules.Kind{Name: "log", New: func() rules.Options { return &Options{} }}
}

// Options are those of a [channel.NAME] of kind log: there are none.
type Options struct{}

// Check finds nothing wrong.
func (*Options) Check() error { return nil }

// Notifier makes the channel.
func (*Options) Notifier(name string, log *slog.Logger) (actions.Notifier, error) {
	return &channel{handler: log.With("channel", name).Handler()}, nil
}

// channel writes to one log. It talks to the handler itself, since a Logger would
// swallow the error and drop what is below its level.
type channel struct{ handler slog.Handler }

// Describe says in a line where messages go.
func (*channel) Describe() string { return "writes to the daemon's log" }

var levels = map[actions.Level]slog.Level{
	actions.Good: slog.LevelInfo, actions.Neutral: slog.LevelInfo, actions.Concern: slog.LevelWarn, actions.Urgent: slog.LevelError,
}

// Notify writes the message as one line: its title, then the rest as attributes.
func (c *channel) Notify(ctx context.Context, key string, m actions.Message) (string, error) {
	if err := ctx.Err(); err != nil {
		return "", actions.Retryable(fmt.Errorf("not logged: %w", err))
	}
	record := slog.NewRecord(time.Now(), levels[m.Level], m.Title, 0)
	record.AddAttrs(attrs(key, m)...)
	if err := c.handler.Handle(ctx, record); err != nil {
		return "", actions.Retryable(fmt.Errorf("writing the log: %w", err))
	}
	return "", nil // a line in a log reaches nobody for certain
}

// attrs are what the message says, without what it does not say.
func attrs(key string, m actions.Message) []slog.Attr {
	said := []slog.Attr{
		slog.String("key", key), slog.String("topic", m.Topic), slog.String("audience", string(m.Audience)),
		slog.String("service", m.Service), slog.String("environment", m.Environment), slog.String("version", m.Version),
		slog.String("target", m.Target), slog.String("watch", m.Watch), slog.String("reasons", strings.Join(m.Lines, "; ")),
	}
	if m.Question != nil {
		said = append(said, slog.String("answer_with", strings.Join(m.Question.Lines(), "; ")), slog.String("silence", m.Question.Silence))
	}
	kept := said[:0]
	for _, attr := range said {
		if attr.Value.String() != "" {
			kept = append(kept, attr)
		}
	}
	return kept
}
