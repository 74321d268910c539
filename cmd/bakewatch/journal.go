package main

import (
	"context"
	"errors"

	"github.com/spf13/cobra"

	"github.com/bakewatch/bakewatch/integrations/nats"
	"github.com/bakewatch/bakewatch/watcher/audit"
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
	authority := false
	cmd := &cobra.Command{
		Use:   "verify",
		Short: "Check the hash chain of every lane: nothing was changed or removed",
		Long: `Check the hash chain of every lane: nothing was changed or removed. A beginning that
was cut off by the stream's age is no fault. It ends with 1 when a chain is broken.

With --authority it is audited as well that no rollback lacks the authority that its plan
asks for: quorums, deadlines, silence, budgets, and whose votes were counted. It ends with 1
when one does.`,
		Args: arguments(),
		RunE: p.ask(func(ctx context.Context, daemon *remote, _ []string) error {
			auditor := audit.New()
			found, err := daemon.verify(ctx, auditor.See)
			if err != nil {
				return err
			}
			report := verifyReport{Verified: found, Flaws: append([]nats.Flaw{}, found.Flaws...)}
			if authority {
				report.Authority = &auditor.Result
			}
			return p.printVerified(report)
		}),
	}
	cmd.Flags().BoolVar(&authority, "authority", false, "audit as well that every rollback had its authority")
	return p.reachFlags(cmd)
}

// verifyReport is what a verification prints.
type verifyReport struct {
	nats.Verified
	Flaws     []nats.Flaw   `json:"flaws"` // [] when there are none
	Authority *audit.Result `json:"authority,omitempty"`
}

func (p *program) printVerified(r verifyReport) error {
	if p.output == jsonOut {
		if err := p.json(r); err != nil {
			return err
		}
	} else {
		p.printFlaws(r)
	}
	switch {
	case len(r.Flaws) > 0:
		return hinted(errors.New("the journal is not what was written"),
			"keep a copy of the stream, and find out who can write to it before trusting what it says")
	case r.Authority != nil && len(r.Authority.Findings) > 0:
		return hinted(errors.New("something was done without the authority for it"),
			"keep a copy of the stream, disarm, and report it: this must not happen")
	}
	return nil
}

func (p *program) printFlaws(r verifyReport) {
	out := p.printer()
	for _, flaw := range r.Flaws {
		out.line(red, "%s", flaw)
	}
	out.line(plain, "entries: %d, lanes: %d, flaws: %d", r.Entries, r.Lanes, len(r.Flaws))
	if r.Authority == nil {
		return
	}
	for _, finding := range r.Authority.Findings {
		out.line(red, "%s", finding)
	}
	out.line(plain, "watches: %d, decisions: %d, votes: %d, refused: %d (unproved: %d), without authority: %d",
		r.Authority.Watches, r.Authority.Decisions, r.Authority.Votes, r.Authority.Refused, r.Authority.Unproved, len(r.Authority.Findings))
	if n := r.Authority.Uncounted; n > 0 {
		out.line(plain, "not audited for the budget of all services: %d (older versions did not write down how large it was)", n)
	}
}
