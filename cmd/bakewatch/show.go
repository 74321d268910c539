package main

import (
	"context"

	"github.com/spf13/cobra"

	"github.com/bakewatch/bakewatch/watcher"
)

func showCommand(p *program) *cobra.Command {
	return p.aboutWatch(&cobra.Command{
		Use:   "show SERVICE|ID",
		Short: "Show one watch: its rules with their arithmetic, the ruling, the question, what next",
		Long: `Show one watch: its rules with their arithmetic, the ruling with what lowered it,
the open question, and what may be done next. A service means its open watch, or else its last.`,
	}, p.printWatch)
}

// aboutWatch completes a command that asks for one watch and prints it.
func (p *program) aboutWatch(cmd *cobra.Command, print func(watcher.WatchView) error) *cobra.Command {
	var ref watcher.Ref
	cmd.Args = arguments("SERVICE or ID")
	cmd.RunE = p.ask(func(ctx context.Context, daemon *remote, args []string) error {
		ctx, cancel := bounded(ctx)
		defer cancel()
		w, err := daemon.desk.Show(ctx, named(ref, args[0]))
		if err != nil {
			return hinted(err, "see bakewatch list for what is known")
		}
		return print(w)
	})
	refFlag(cmd, &ref)
	return p.reachFlags(cmd)
}

// printWatch prints one watch whole.
func (p *program) printWatch(w watcher.WatchView) error {
	if p.output == jsonOut {
		return p.json(w)
	}
	view := watchPrinter{printer: p.printer(), w: w, now: p.now()}
	view.head()
	view.rules()
	view.ruling()
	view.decision()
	view.question()
	view.next()
	return nil
}
