package main

import (
	"context"
	"fmt"
	"time"

	"github.com/prometheus/common/model"
	"github.com/spf13/cobra"

	"github.com/bakewatch/bakewatch/rules"
	"github.com/bakewatch/bakewatch/watcher"
	"github.com/bakewatch/bakewatch/watcher/record"
)

func rulesCommand(p *program) *cobra.Command {
	since := model.Duration(90 * 24 * time.Hour)
	environment := ""
	cmd := &cobra.Command{
		Use:   "rules [SERVICE]",
		Short: "What each rule is worth: how often people agreed with it, and its next step",
		Long: `What each rule is worth, from the journal: how often it was breached, what it would have had
the power to do, whether people agreed, and the step on the ladder shadow, notify, enforce that
this speaks for. Nothing is changed by it: the step is taken in the plan.`,
		Example: `  bakewatch rules
  bakewatch rules checkout --since 30d`,
		Args: atMostOneService,
		RunE: p.ask(func(ctx context.Context, daemon *remote, args []string) error {
			now := p.now()
			keeper := record.New(now.Add(-time.Duration(since)))
			found, err := daemon.verify(ctx, func(e watcher.Entry) {
				if ofService(e.Lane, args) && (environment == "" || e.Lane.Environment == environment) {
					keeper.See(e)
				}
			})
			if err != nil {
				return err
			}
			if len(found.Flaws) > 0 {
				fmt.Fprintln(p.stderr, "the journal is not what was written: see bakewatch journal verify")
			}
			return p.printRecords(keeper.Result(now), args)
		}),
	}
	cmd.Flags().Var(&since, "since", "count the deployments since so long ago, such as 30d")
	cmd.Flags().StringVarP(&environment, "environment", "e", "", "only this environment")
	return p.reachFlags(cmd)
}

// atMostOneService takes the name of a service, or none for all of them.
func atMostOneService(_ *cobra.Command, args []string) error {
	if len(args) > 1 {
		return fmt.Errorf("unexpected argument %q", args[1])
	}
	return nil
}

// ofService says whether the lane is of the service that was asked for, if one was.
func ofService(lane rules.LaneID, args []string) bool {
	return len(args) == 0 || lane.Service == args[0]
}

// printRecords prints a line for each rule, and below them what is proposed.
func (p *program) printRecords(records []record.Record, args []string) error {
	if len(records) == 0 && len(args) > 0 {
		return hinted(fmt.Errorf("no deployment of %s stands in the journal", args[0]), "see bakewatch list for the services")
	}
	if p.output == jsonOut {
		return p.json(records)
	}
	out := p.printer()
	if len(records) == 0 && out.terminal {
		out.line(faint, "no deployments yet: tell about one with bakewatch announce")
		return nil
	}
	rows := make([]row, len(records))
	for i, r := range records {
		rows[i] = row{colour: stepColour(r.Proposal.Step), cells: []string{
			r.Environment + "/" + r.Service, r.Rule, rung(r), fmt.Sprint(r.Watched), fmt.Sprint(r.Breached), would(r.Would), fmt.Sprint(r.Acted),
			fmt.Sprint(r.Agreed), fmt.Sprint(r.Disagreed), precision(r.Precision), detection(r), proposal(r.Proposal),
		}}
	}
	out.table("", []string{
		"SERVICE", "RULE", "NOW", "WATCHED", "BREACHED", "WOULD HAVE", "DID", "AGREED", "DISAGREED", "PRECISION", "FOUND IN", "PROPOSAL",
	}, rows)
	return nil
}

// rung is where the rule stands now: its mode and, where that counts, what its authority grants.
func rung(r record.Record) string {
	if r.Mode == rules.Enforce {
		return fmt.Sprintf("%s, %s", r.Mode, r.Decides)
	}
	return r.Mode.String()
}

// would says what the breaches would have had the power to do, the most of it first.
func would(w record.Powers) string {
	text := ""
	for _, power := range []struct {
		n    int
		name rules.Power
	}{{w.Auto, rules.Auto}, {w.Veto, rules.Veto}, {w.Ask, rules.Ask}, {w.Notify, rules.Notify}} {
		if power.n == 0 {
			continue
		}
		if text != "" {
			text += ", "
		}
		text += fmt.Sprintf("%d %s", power.n, power.name)
	}
	return orDash(text)
}

func precision(s *record.Share) string {
	if s == nil {
		return "-"
	}
	return fmt.Sprintf("%.0f %% (%.0f–%.0f)", 100*s.Value, 100*s.Low, 100*s.High)
}

func detection(r record.Record) string {
	if r.Breached == 0 {
		return "-"
	}
	return short(time.Duration(r.Detection))
}

// proposal says what to write into the plan, and why.
func proposal(p record.Proposal) string {
	if p.Step == record.Stay {
		return p.Why
	}
	return fmt.Sprintf("%s: %s; %s", p.Step, p.Do, p.Why)
}

func stepColour(step record.Step) paint {
	switch step {
	case record.Up:
		return green
	case record.Back:
		return yellow
	case record.Stay:
	}
	return plain
}
