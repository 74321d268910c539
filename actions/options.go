package actions

import (
	"log/slog"

	"github.com/bakewatch/bakewatch/rules"
)

// ExecutorOptions are the options of an [executor.NAME].
type ExecutorOptions interface {
	rules.Options
	// Binder makes the executor; it reads secrets from their files or environment
	// variables, and does no other IO.
	Binder(name string, log *slog.Logger) (Binder, error)
}

// ChannelOptions are the options of a [channel.NAME].
type ChannelOptions interface {
	rules.Options
	// Notifier makes the channel; it reads secrets from their files or environment
	// variables, and does no other IO.
	Notifier(name string, log *slog.Logger) (Notifier, error)
}
