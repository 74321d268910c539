package main

import (
	"context"
	"strings"

	"github.com/spf13/cobra"

	"github.com/bakewatch/bakewatch/rules"
	"github.com/bakewatch/bakewatch/watcher"
)

func listCommand(p *program) *cobra.Command {
	open := false
	cmd := &cobra.Command{
		Use:   "list",
		Short: "List the lanes, what is live in them, and their open watches",
		Args:  arguments(),
		RunE: p.ask(func(ctx context.Context, daemon *remote, _ []string) error {
			ctx, cancel := bounded(ctx)
			defer cancel()
			lanes, err := daemon.desk.List(ctx)
			if err != nil {
				return err
			}
			return p.printLanes(lanes, open)
		}),
	}
	cmd.Flags().BoolVar(&open, "open", false, "only lanes with an open watch")
	return p.reachFlags(cmd)
}

func (p *program) printLanes(lanes []watcher.LaneView, open bool) error {
	chosen := []watcher.LaneView{} // an empty list is [] in JSON, not null
	for _, lane := range lanes {
		if !open || lane.Watch != nil {
			chosen = append(chosen, lane)
		}
	}
	if p.output == jsonOut {
		return p.json(chosen)
	}
	out := p.printer()
	if len(chosen) == 0 && out.terminal {
		out.line(faint, "no lanes yet: tell about a deployment with bakewatch announce")
		return nil
	}
	rows := make([]row, len(chosen))
	for i, lane := range chosen {
		rows[i] = p.laneRow(lane)
	}
	out.table("", []string{"LANE", "LIVE", "VERSION", "STATE", "UNTIL", "REMARKS"}, rows)
	return nil
}

func (p *program) laneRow(lane watcher.LaneView) row {
	version, state, until, colour := "-", "-", "-", plain
	switch {
	case lane.Watch != nil:
		version, state = lane.Watch.Version, string(lane.Watch.Phase)
		until, colour = p.until(*lane.Watch), phaseColour(*lane.Watch)
	case len(lane.Past) > 0:
		last := lane.Past[len(lane.Past)-1]
		version, state, colour = last.Version, string(last.Outcome), outcomeColour(last.Outcome)
	}
	return row{colour: colour, cells: []string{
		laneName(lane.Lane), orDash(lane.Live), version, state, until, orDash(strings.Join(remarks(lane), "; ")),
	}}
}

// laneName names a lane, or what is not one: a service that is disarmed, and the budget of all.
func laneName(id rules.LaneID) string {
	switch {
	case id.Environment != "":
		return id.String()
	case id.Service == watcher.Everywhere:
		return "everywhere"
	}
	return id.Service
}

// until is when the watch's present phase ends, as far as it is known.
func (p *program) until(w watcher.WatchView) string {
	switch {
	case w.Question != nil && !w.Question.Deadline.IsZero():
		return left(w.Question.Deadline, p.now())
	case w.Phase == watcher.Verifying && !w.VerifyEnds.IsZero():
		return left(w.VerifyEnds, p.now())
	case w.Phase == watcher.Baking && !w.BakeEnds.IsZero():
		return left(w.BakeEnds, p.now())
	}
	return "-"
}

func remarks(lane watcher.LaneView) []string {
	var all []string
	if w := lane.Watch; w != nil && w.Ruling != nil && len(w.Ruling.Why) > 0 {
		all = append(all, w.Ruling.Power.String()+": "+w.Ruling.Why[0])
	}
	if lane.Disarmed != "" {
		all = append(all, "disarmed: "+lane.Disarmed)
	}
	if lane.Aside != "" {
		all = append(all, "set aside: "+lane.Aside)
	}
	if len(lane.Bad) > 0 {
		all = append(all, "quarantined: "+strings.Join(lane.Bad, ", "))
	}
	return all
}

func orDash(s string) string {
	if s == "" {
		return "-"
	}
	return s
}

func phaseColour(w watcher.WatchView) paint {
	switch w.Phase {
	case watcher.Asking, watcher.Vetoing, watcher.Acting:
		return red
	case watcher.Verifying:
		return yellow
	case watcher.Ended:
		return outcomeColour(w.Outcome)
	case watcher.Rolling, watcher.Baking:
	}
	return plain
}

func outcomeColour(o watcher.Outcome) paint {
	switch o {
	case watcher.Passed:
		return green
	case watcher.RollbackFailed, watcher.Unknown:
		return red
	case watcher.RolledBack, watcher.Kept, watcher.Left, watcher.Undecided:
		return yellow
	case watcher.Superseded, watcher.CancelledWatch:
	}
	return faint
}
