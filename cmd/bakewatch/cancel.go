package main

import (
	"context"

	"github.com/spf13/cobra"

	"github.com/bakewatch/bakewatch/watcher"
)

func cancelCommand(p *program) *cobra.Command {
	var ref watcher.Ref
	var as, reason string
	cmd := &cobra.Command{
		Use:   "cancel SERVICE|ID",
		Short: "End an open watch without a verdict",
		Args:  arguments("SERVICE or ID"),
		RunE: p.ask(func(ctx context.Context, daemon *remote, args []string) error {
			ctx, cancel := bounded(ctx)
			defer cancel()
			by, err := p.speaks(as)
			if err != nil {
				return err
			}
			w, err := daemon.desk.Cancel(ctx, named(ref, args[0]), by, reason)
			if err != nil {
				return unheard(err, "see bakewatch show %s", args[0])
			}
			return p.printWatch(w)
		}),
	}
	refFlag(cmd, &ref)
	p.speakerFlags(cmd, &as)
	cmd.Flags().StringVar(&reason, "reason", "", "why; it stands in the journal")
	return p.reachFlags(cmd)
}
