package main

import (
	"context"
	"errors"

	"github.com/spf13/cobra"

	"github.com/bakewatch/bakewatch/integrations/nats"
)

func journalCommand(p *program) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "journal",
		Short: "The record of what was decided and done",
	}
	cmd.AddCommand(journalVerifyCommand(p))
	return cmd
}

func journalVerifyCommand(p *program) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "verify",
		Short: "Check the hash chain of every lane: nothing was changed or removed",
		Long: `Check the hash chain of every lane: nothing was changed or removed. A beginning that
was cut off by the stream's age is no fault. It ends with 1 when a chain is broken.`,
		Args: arguments(),
		RunE: p.ask(func(ctx context.Context, daemon *remote, _ []string) error {
			found, err := daemon.verify(ctx)
			if err != nil {
				return err
			}
			return p.printVerified(found)
		}),
	}
	return p.reachFlags(cmd)
}

func (p *program) printVerified(found nats.Verified) error {
	if p.output == jsonOut {
		if err := p.json(struct {
			nats.Verified
			Flaws []nats.Flaw `json:"flaws"` // [] when there are none
		}{found, append([]nats.Flaw{}, found.Flaws...)}); err != nil {
			return err
		}
	} else {
		out := p.printer()
		for _, flaw := range found.Flaws {
			out.line(red, "%s", flaw)
		}
		out.line(plain, "entries: %d, lanes: %d, flaws: %d", found.Entries, found.Lanes, len(found.Flaws))
	}
	if len(found.Flaws) > 0 {
		return hinted(errors.New("the journal is not what was written"),
			"keep a copy of the stream, and find out who can write to it before trusting what it says")
	}
	return nil
}
