package main

import (
	"context"
	"time"

	"github.com/spf13/cobra"

	"github.com/bakewatch/bakewatch/cmd/bakewatch/internal/incidents"
	"github.com/bakewatch/bakewatch/watcher/replay"
	"github.com/bakewatch/bakewatch/watcher/replay/peers"
)

// replaying are the options of replay.
type replaying struct {
	incidents      string
	bake, interval time.Duration
	every, history time.Duration
	falseAlarms    string
}

func replayCommand(p *program) *cobra.Command {
	var r replaying
	cmd := &cobra.Command{
		Use:   "replay",
		Short: "Ask what would have happened to past deployments, from recorded counts",
		Long: `Run the state machine and its judge over recorded counts and say which deployments would have
been stopped, how soon and why, and which wrongly; and beside it what other tools would have made of
the same looks. Nothing is asked, told or rolled back.

The folder holds CSV files with the header time,total,bad, and an incidents.csv that says when
deployments were and whether they were bad; docs/replay.md tells more. Deployments that nobody
named are taken for good ones, every --every, wherever --history was recorded before.`,
		Example: `  bakewatch replay --incidents recordings/
  bakewatch replay --incidents recordings/ --bake 1h --output json`,
		Args: arguments(),
		RunE: p.begin(func(cmd *cobra.Command, _ []string) error {
			if r.incidents == "" {
				return usage("which recordings? name their folder with --incidents")
			}
			config, err := r.config()
			if err != nil {
				return err
			}
			recordings, err := incidents.Load(r.incidents)
			if err != nil {
				return err
			}
			findings, err := r.run(cmd.Context(), config, recordings)
			if err != nil {
				return err
			}
			return p.printReplayed(replayed{peers: config.Peers, findings: findings})
		}),
	}
	flags := cmd.Flags()
	flags.StringVar(&r.incidents, "incidents", "", "the folder of the recordings")
	flags.DurationVar(&r.bake, "bake", 30*time.Minute, "how long each deployment is watched")
	flags.DurationVar(&r.interval, "interval", 0, "how often the rules are judged; default: 1m, or a row where rows are shorter")
	flags.DurationVar(&r.every, "every", 30*time.Minute, "how far apart good deployments are taken from a recording; 0: only those that are named")
	flags.DurationVar(&r.history, "history", 24*time.Hour, "how much must be recorded before them")
	flags.StringVar(&r.falseAlarms, "false-alarms", "1 in 1000", "how many good deployments may be blamed by chance")
	return cmd
}

// config checks the options.
func (r replaying) config() (replay.Config, error) {
	config := replay.Config{Interval: r.interval, Bake: r.bake, Peers: peers.All()}
	if err := config.FalseAlarms.UnmarshalText([]byte(r.falseAlarms)); err != nil {
		return config, usage("--false-alarms: %w", err)
	}
	for name, length := range map[string]time.Duration{"bake": r.bake, "every": r.every, "history": r.history} {
		if length != 0 && length < time.Second || length == 0 && name == "bake" {
			return config, usage("--%s: %s is too short", name, length)
		}
	}
	return config, nil
}

// run watches every deployment, the good ones of a recording before its bad ones.
func (r replaying) run(ctx context.Context, config replay.Config, recordings []replay.Recording) ([]replay.Finding, error) {
	var findings []replay.Finding
	for _, recording := range recordings {
		recording, err := config.Prepare(recording)
		if err != nil {
			return nil, usage("%w", err)
		}
		for _, d := range append(recording.Good(r.every, r.history, r.bake), recording.Bad()...) {
			if err := ctx.Err(); err != nil {
				return nil, err
			}
			found, err := config.Run(recording, d)
			if err != nil {
				return nil, err
			}
			findings = append(findings, found)
		}
	}
	return findings, nil
}
