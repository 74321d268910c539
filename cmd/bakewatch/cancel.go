package main

import (
	"context"

	"github.com/spf13/cobra"

	"github.com/bakewatch/bakewatch/actions/authority"

	"github.com/bakewatch/bakewatch/watcher"
)

// wording is a method of the Desk that takes a person's word about a watch.
type wording func(ctx context.Context, ref watcher.Ref, by authority.Proof, reason string) (watcher.WatchView, error)

func cancelCommand(p *program) *cobra.Command {
	return p.word(&cobra.Command{
		Use:   "cancel SERVICE|ID",
		Short: "End an open watch without a verdict",
	}, func(desk watcher.Desk) wording { return desk.Cancel }, nil)
}

func rollbackCommand(p *program) *cobra.Command {
	cmd := p.word(&cobra.Command{
		Use:   "rollback SERVICE|ID --reason WHY",
		Short: "Ask for a rollback: the same people decide as over a breach",
		Long: `Ask for a rollback of the version that is watched. The same authority decides as over a
breach of a critical rule, and never less than a question: the people whom the plan names are
asked. Whoever asks, and is one of them, has voted for it by that; whoever deployed has not.`,
		Example: `  bakewatch rollback checkout --reason "customers cannot pay"`,
	}, func(desk watcher.Desk) wording { return desk.Rollback }, nil)
	_ = cmd.MarkFlagRequired("reason") // fails only for a flag that does not exist
	return cmd
}

func wrongCommand(p *program) *cobra.Command {
	cmd := p.word(&cobra.Command{
		Use:   "wrong ID --reason WHY",
		Short: "Say that a watch was a false alarm, and lift its version's quarantine",
		Long: `Say that a watch which has ended was a false alarm. Its version may be deployed again like any
other, what was measured while it ran counts as normal, and the rule's record tells of it.`,
		Example: `  bakewatch wrong 4711 --reason "the load balancer was at fault"`,
	}, func(desk watcher.Desk) wording { return desk.Wrong }, p.deployAgain)
	_ = cmd.MarkFlagRequired("reason") // as above
	return cmd
}

// word fills in a command by which a person says something about a watch. After it has
// printed the watch, then may print what to do next.
func (p *program) word(cmd *cobra.Command, method func(watcher.Desk) wording, then func(watcher.WatchView)) *cobra.Command {
	var ref watcher.Ref
	var as, reason string
	cmd.Args = arguments("SERVICE or ID")
	cmd.RunE = p.ask(func(ctx context.Context, daemon *remote, args []string) error {
		ctx, cancel := bounded(ctx)
		defer cancel()
		by, err := p.speaks(as)
		if err != nil {
			return err
		}
		w, err := method(daemon.desk)(ctx, named(ref, args[0]), by, reason)
		if err != nil {
			return unheard(err, "see bakewatch show %s", args[0])
		}
		if err := p.printWatch(w); err != nil || then == nil || p.output == jsonOut {
			return err
		}
		then(w)
		return nil
	})
	refFlag(cmd, &ref)
	p.speakerFlags(cmd, &as)
	cmd.Flags().StringVar(&reason, "reason", "", "why; it stands in the journal")
	return p.reachFlags(cmd)
}

// deployAgain says how a version is watched again after a false alarm.
func (p *program) deployAgain(w watcher.WatchView) {
	p.printer().line(plain, "deploy it again and announce that: bakewatch announce --service %s --environment %s --version %s --retry",
		w.Lane.Service, w.Lane.Environment, w.Version)
}
