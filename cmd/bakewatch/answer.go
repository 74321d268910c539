package main

import (
	"context"
	"fmt"
	"slices"

	"github.com/spf13/cobra"

	"github.com/bakewatch/bakewatch/actions/authority"
	"github.com/bakewatch/bakewatch/watcher"
)

func answerCommand(p *program) *cobra.Command {
	var ref watcher.Ref
	var vote authority.Vote
	cmd := &cobra.Command{
		Use:   "answer SERVICE|ID roll-back|keep|withdraw|looking",
		Short: "Answer the open question of a watch",
		Long: `Answer the open question of a watch. The vote is bound to the question that is open
now: when the question changes, votes lapse and the daemon refuses older ones.

keep also objects to a countdown. withdraw takes your vote back while nothing is decided,
and looking gives everybody ten minutes more, once a question.`,
		Example: `  bakewatch answer checkout roll-back --reason "errors are ours"
  bakewatch answer checkout keep --reason "load test" --as ana`,
		Args:              cobra.MatchAll(arguments("SERVICE or ID", "the answer, roll-back, keep, withdraw or looking,"), choiceArgument),
		ValidArgsFunction: completeAnswer,
		RunE: p.ask(func(ctx context.Context, daemon *remote, args []string) error {
			ctx, cancel := bounded(ctx)
			defer cancel()
			vote.Choice = authority.Choice(args[1])
			return p.answer(ctx, daemon.desk, named(ref, args[0]), vote)
		}),
	}
	refFlag(cmd, &ref)
	p.speakerFlags(cmd, &vote.Person)
	cmd.Flags().StringVar(&vote.Reason, "reason", "", "why; it stands in the journal")
	cmd.Flags().Uint64Var(&vote.Question, "question", 0, "the question's number; default: the open one")
	return p.reachFlags(cmd)
}

func completeAnswer(_ *cobra.Command, args []string, _ string) ([]cobra.Completion, cobra.ShellCompDirective) {
	if len(args) != 1 {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	var choices []cobra.Completion
	for _, choice := range authority.Choices() {
		choices = append(choices, string(choice))
	}
	return choices, cobra.ShellCompDirectiveNoFileComp
}

func choiceArgument(_ *cobra.Command, args []string) error {
	if slices.Contains(authority.Choices(), authority.Choice(args[1])) {
		return nil
	}
	return fmt.Errorf("unknown answer %q: roll-back, keep, withdraw or looking", args[1])
}

func (p *program) answer(ctx context.Context, desk watcher.Desk, ref watcher.Ref, vote authority.Vote) error {
	by, err := p.speaks(vote.Person)
	if err != nil {
		return err
	}
	vote.Proof, vote.At = by, p.now().UTC()
	if vote.Question == 0 {
		asked, err := desk.Show(ctx, ref)
		if err != nil {
			return hinted(err, "see bakewatch list for what is known")
		}
		if asked.Question == nil {
			return hinted(fmt.Errorf("%s: nothing is asked now (%s)", ref.Name, stateOf(asked)), "see bakewatch show %s", ref.Name)
		}
		vote.Question = asked.Question.Question
	}
	w, err := desk.Answer(ctx, ref, vote)
	if err != nil {
		return unheard(err, "see bakewatch show %s for the question that is open, if any", ref.Name)
	}
	return p.printWatch(w)
}

// stateOf is a watch's outcome, or else its phase.
func stateOf(w watcher.WatchView) string {
	if w.Outcome != "" {
		return string(w.Outcome)
	}
	return string(w.Phase)
}
