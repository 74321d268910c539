package main

import (
	"context"
	"encoding/json"
	"errors"
	"time"

	"github.com/spf13/cobra"

	"github.com/bakewatch/bakewatch/watcher"
)

func tailCommand(p *program) *cobra.Command {
	var since time.Duration
	var service, environment string
	cmd := &cobra.Command{
		Use:   "tail",
		Short: "Follow the journal: one line for each entry as it is written",
		Long: `Follow the journal of all lanes: one line for each entry as it is written, until
interrupted. With --output json each line is one JSON object.`,
		Args: arguments(),
		RunE: p.ask(func(ctx context.Context, daemon *remote, _ []string) error {
			print := p.entryPrinter()
			var from time.Time
			if since > 0 {
				from = p.now().Add(-since)
			}
			err := daemon.tail(ctx, from, func(e watcher.Entry) error {
				if service != "" && e.Lane.Service != service || environment != "" && e.Lane.Environment != environment {
					return nil
				}
				return print(e)
			})
			if errors.Is(err, context.Canceled) {
				return nil // how a tail ends
			}
			return err
		}),
	}
	cmd.Flags().DurationVar(&since, "since", 0, "begin so long ago, such as 15m; default: now")
	cmd.Flags().StringVarP(&service, "service", "s", "", "only this service")
	cmd.Flags().StringVarP(&environment, "environment", "e", "", "only this environment")
	return p.reachFlags(cmd)
}

// entryPrinter prints one entry a line.
func (p *program) entryPrinter() func(watcher.Entry) error {
	if p.output == jsonOut {
		encoder := json.NewEncoder(p.stdout)
		encoder.SetEscapeHTML(false)
		return func(e watcher.Entry) error {
			return encoder.Encode(struct {
				Seq  uint64 `json:"seq"`
				Hash string `json:"hash,omitempty"`
				watcher.Entry
			}{e.Seq, e.Hash, e})
		}
	}
	out := p.printer()
	return func(e watcher.Entry) error {
		out.line(entryColour(e), "%s %s %s", clock(e.At, p.now()), laneName(e.Lane), entryText(e))
		return nil
	}
}
