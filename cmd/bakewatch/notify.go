package main

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/bakewatch/bakewatch/actions"
	"github.com/bakewatch/bakewatch/cmd/bakewatch/internal/daemon"
	"github.com/bakewatch/bakewatch/configs"
)

func notifyCommand(p *program) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "notify",
		Short: "The channels by which people are told",
	}
	cmd.AddCommand(notifyTestCommand(p))
	return cmd
}

func notifyTestCommand(p *program) *cobra.Command {
	var file string
	cmd := &cobra.Command{
		Use:   "test CHANNEL",
		Short: "Send a harmless message over a channel of the daemon's file",
		Long: `Send a harmless message over a channel of the daemon's file, and print the receipt of the
other side. No daemon needs to run. A channel that keeps something open, such as an incident,
is told at once that it is over. It ends with 1 when the message was not taken.`,
		Example: "  bakewatch notify test slack-checkout --config /etc/bakewatch/bakewatch.toml",
		Args:    arguments("the channel"),
		RunE: p.begin(func(cmd *cobra.Command, args []string) error {
			channel, err := p.channel(file, args[0])
			if err != nil {
				return err
			}
			told, err := channel.test(cmd.Context(), p.now())
			if err != nil {
				return err
			}
			return p.printTold(told)
		}),
	}
	cmd.Flags().StringVarP(&file, "config", "c", daemonFile, "the daemon's file")
	return cmd
}

// channel is one [channel.NAME] of a daemon's file.
type channel struct {
	name, kind, cluster string
	notifier            actions.Notifier
}

// told is what came of a test.
type told struct {
	Channel string `json:"channel"`
	Kind    string `json:"kind"`
	Where   string `json:"where,omitempty"`
	Receipt string `json:"receipt,omitempty"`
	Closed  string `json:"closed,omitempty"` // the receipt of what ended it again
}

func (p *program) channel(file, name string) (channel, error) {
	if !exists(file) {
		return channel{}, hinted(fmt.Errorf("there is no file %s", file), "name the daemon's file with --config")
	}
	cfg, problems := configs.Load(file, catalog())
	if cfg == nil {
		return channel{}, hinted(problems, "see bakewatch check --config %s", file)
	}
	tool, known := cfg.Channels[name]
	if !known {
		return channel{}, hinted(fmt.Errorf("there is no [channel.%s] in %s", name, file),
			"one of %s", strings.Join(slices.Sorted(maps.Keys(cfg.Channels)), ", "))
	}
	log, err := p.logger("info")
	if err != nil {
		return channel{}, err
	}
	notifier, err := daemon.Notifier(name, tool, log)
	if err != nil {
		return channel{}, hinted(err, "put right what it names in %s", file)
	}
	return channel{name, tool.Kind.Name, cfg.Cluster, notifier}, nil
}

// test sends the message and, to a channel that keeps something open, its end.
func (c channel) test(ctx context.Context, now time.Time) (told, error) {
	m := actions.Message{
		Topic: "test", Level: actions.Neutral, Audience: actions.Chat, Service: "bakewatch", Environment: "test", Cluster: c.cluster,
		Title: fmt.Sprintf("A test of Bakewatch (%s): this channel works", c.cluster),
		Lines: []string{"Nothing has happened, and nothing is asked of you."},
		Watch: fmt.Sprintf("test-%d", now.UnixMilli()), At: now,
	}
	result := told{Channel: c.name, Kind: c.kind}
	if described, does := c.notifier.(interface{ Describe() string }); does {
		result.Where = described.Describe()
	}
	var err error
	if result.Receipt, err = c.send(ctx, "first", m); err != nil {
		return result, err
	}
	m.Attention, m.Level, m.Title = actions.Over, actions.Good, "The test of Bakewatch is over"
	if follower, keeps := c.notifier.(actions.Follower); keeps && follower.Follows(m) {
		if result.Closed, err = c.send(ctx, "last", m); err != nil {
			return result, fmt.Errorf("the message was taken, but not its end (it may stay open there): %w", err)
		}
	}
	return result, nil
}

// send makes one try; its error says what to do next.
func (c channel) send(ctx context.Context, key string, m actions.Message) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, actions.LongestNotify)
	defer cancel()
	receipt, err := c.notifier.Notify(ctx, m.Watch+"-"+key, m)
	if err == nil {
		return receipt, nil
	}
	hint := "the daemon would give up here and tell the other channels: put right what the other side names"
	var classed *actions.Error
	if errors.As(err, &classed) && classed.Class == actions.ClassRetryable {
		hint = "the daemon would try again: look whether the other side can be reached from here"
		if classed.After > 0 {
			hint += fmt.Sprintf("; it asks to wait for %s", classed.After)
		}
	}
	return "", hinted(fmt.Errorf("channel %s: %w", c.name, err), "%s", hint)
}

func (p *program) printTold(t told) error {
	if p.output == jsonOut {
		return p.json(t)
	}
	out := p.printer()
	out.line(plain, "channel %s (%s) %s", t.Channel, t.Kind, t.Where)
	if t.Receipt == "" {
		out.line(yellow, "sent; this channel gives no receipt, so nobody is known to have been reached")
		return nil
	}
	out.line(green, "delivered: %s", t.Receipt)
	if t.Closed != "" {
		out.line(plain, "and ended again: %s", t.Closed)
	}
	return nil
}
