package main

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/bakewatch/bakewatch/integrations/nats/events"
	"github.com/bakewatch/bakewatch/rules"
	"github.com/bakewatch/bakewatch/watcher"
)

func announceCommand(p *program) *cobra.Command {
	a := announcement{}
	cmd := &cobra.Command{
		Use:   "announce --service SERVICE --version VERSION",
		Short: "Tell Bakewatch about a deployment; prints its id",
		Long: `Tell Bakewatch about a deployment, as a deployment tool does it. It prints the event's
id, for bakewatch wait. It ends when NATS has stored the event; whether there is a plan for the
service is seen by bakewatch show.`,
		Example: `  bakewatch announce --service checkout --version 2.4.0 --by ana
  bakewatch announce --service checkout --version 2.4.0 --strategy canary --step stage --stage 25%`,
		Args: arguments(),
		RunE: p.begin(func(cmd *cobra.Command, _ []string) error {
			deployment, err := a.deployment(p)
			if err != nil {
				return err
			}
			subject, event, err := events.Encode(deployment)
			if err != nil {
				return &exit{code: exitUsage, err: err, hint: "nothing was sent"}
			}
			return p.connected(cmd.Context(), func(daemon *remote) error {
				return p.announce(cmd.Context(), daemon, deployment, subject, event)
			})
		}),
	}
	a.flags(cmd)
	p.keyFlag(cmd)
	return p.reachFlags(cmd)
}

func (p *program) announce(ctx context.Context, daemon *remote, d rules.Deployment, subject string, event []byte) error {
	looking, cancel := context.WithTimeout(ctx, peek)
	defer cancel()
	if p.key == nil && wantsSignatures(looking, daemon) {
		return hinted(errors.New("the daemon believes signed events only; nothing was sent"),
			"sign with --key FILE, by an nkey that stands in [trust.announcer.NAME] of the daemon's file")
	}
	already := liveAlready(looking, daemon, d)
	err := publish(ctx, daemon, subject, event)
	if told := new(exit); errors.As(err, &told) {
		return err
	}
	if err != nil {
		return hinted(err, "if it is not known whether the event was stored: announce again with --id %s, a repeat does no harm", d.ID)
	}
	if already {
		fmt.Fprintf(p.stderr, "%s is live in %s already; nothing will be watched: --retry watches it\n", d.Version, d.Environment)
	}
	return p.printAnnounced(d)
}

// announcement are the options of announce.
type announcement struct {
	rules.Deployment
	step, strategy string
	reversible     string
}

func (a *announcement) flags(cmd *cobra.Command) {
	flags := cmd.Flags()
	flags.StringVarP(&a.Service, "service", "s", "", "the service (required)")
	flags.StringVarP(&a.Version, "version", "v", "", "the version that goes live; with --step rolled-back: the one gone back to (required)")
	flags.StringVarP(&a.Environment, "environment", "e", "production", "the environment")
	flags.StringVar(&a.ID, "id", "", "the event's id; default: made up. The same id, step and stage is a repeat")
	flags.StringVar(&a.step, "step", string(rules.Finished), words(rules.Steps()))
	flags.StringVar(&a.strategy, "strategy", string(rules.Rolling), words(rules.Strategies()))
	flags.StringVar(&a.Stage, "stage", "", "the stage, such as 25%")
	flags.StringVar(&a.Slot, "slot", "", "blue-green: the slot that the version is in")
	flags.StringVar(&a.Flag, "flag", "", "feature-toggle: the flag")
	flags.StringVar(&a.Cohort, "cohort", "", "feature-toggle: who has it on")
	flags.StringVar(&a.Previous, "previous", "", "the version before, where Bakewatch has not seen it")
	flags.StringVar(&a.By, "by", "", "who deploys; they have no vote")
	flags.StringSliceVar(&a.Authors, "author", nil, "who wrote the release; may be repeated")
	flags.StringVar(&a.Release, "release", "", "the release that this is part of")
	flags.StringVar(&a.reversible, "reversible", "", "true or false: whether this deployment can be rolled back")
	flags.BoolVar(&a.Retry, "retry", false, "watch it although this version is live already")
	flags.StringVar(&a.Commit, "commit", "", "the commit")
	flags.StringVar(&a.Artifact, "artifact", "", "the artifact, such as a package URL")
	flags.StringToStringVar(&a.Labels, "label", nil, "NAME=VALUE; may be repeated")
	flags.StringToStringVar(&a.Links, "link", nil, "NAME=URL; may be repeated")
	flags.StringVar(&a.Notes, "notes", "", "for people")
	for _, required := range []string{"service", "version"} {
		_ = cmd.MarkFlagRequired(required) // fails only for a flag that does not exist
	}
}

// deployment is what the flags say. The daemon would refuse a bad word as well, but
// that would only be seen among the dead letters.
func (a *announcement) deployment(p *program) (rules.Deployment, error) {
	d := a.Deployment
	d.Step, d.Strategy = rules.Step(a.step), rules.Strategy(a.strategy)
	d.At = p.now().UTC()
	if !slices.Contains(rules.Steps(), d.Step) {
		return d, usage("--step %q is none of %s", a.step, words(rules.Steps()))
	}
	if !slices.Contains(rules.Strategies(), d.Strategy) {
		return d, usage("--strategy %q is none of %s", a.strategy, words(rules.Strategies()))
	}
	if d.Strategy == rules.FeatureToggle && d.Flag == "" {
		return d, usage("--strategy feature-toggle needs --flag")
	}
	switch a.reversible {
	case "":
	case "true", "false":
		reversible := a.reversible == "true"
		d.Reversible = &reversible
	default:
		return d, usage("--reversible %q is neither true nor false", a.reversible)
	}
	if d.ID != "" {
		return d, nil
	}
	named := d
	named.ID = "made-up" // an id made of a bad name would be blamed instead of the name
	if _, _, err := events.Encode(named); err != nil {
		return d, &exit{code: exitUsage, err: err, hint: "nothing was sent"}
	}
	d.ID = madeUpID(d)
	return d, nil
}

// madeUpID names the event after what it says; the random part tells it from the
// same version's next deployment.
func madeUpID(d rules.Deployment) string {
	name := d.Service + "-" + d.Version
	return fmt.Sprintf("%.100s-%.10s", name, strings.ToLower(rand.Text()))
}

// madeUp says whether an id was made up here for a deployment of the version.
func madeUp(id, service, version string) bool {
	random, ok := strings.CutPrefix(id, fmt.Sprintf("%.100s-", service+"-"+version))
	return ok && random != "" && !strings.Contains(random, "-")
}

// peek bounds the questions before an announcement: a pipeline does not wait for it.
const peek = 2 * time.Second

// liveAlready says that the event will open no watch, as far as a daemon answers.
func liveAlready(ctx context.Context, daemon *remote, d rules.Deployment) bool {
	if d.Retry || d.Step == rules.Cancelled {
		return false
	}
	lanes, _ := daemon.desk.List(ctx) // who does not answer warns of nothing
	return slices.ContainsFunc(lanes, func(l watcher.LaneView) bool {
		return l.Lane == d.Lane() && l.Live == d.Version && l.Watch == nil && !l.Unwatched
	})
}

// wantsSignatures says that an event without one will be set aside, as far as a daemon answers.
func wantsSignatures(ctx context.Context, daemon *remote) bool {
	about, err := daemon.about(ctx)
	return err == nil && about.Signed
}

func texts[W ~string](all []W) []string {
	list := make([]string, len(all))
	for i, word := range all {
		list[i] = string(word)
	}
	return list
}

// words lists words for people: "a, b or c".
func words[W ~string](all []W) string {
	list := texts(all)
	if len(list) < 2 {
		return strings.Join(list, "")
	}
	return strings.Join(list[:len(list)-1], ", ") + " or " + list[len(list)-1]
}

func publish(ctx context.Context, daemon *remote, subject string, event []byte) error {
	ctx, cancel := bounded(ctx)
	defer cancel()
	return daemon.announce(ctx, subject, event)
}

func (p *program) printAnnounced(d rules.Deployment) error {
	if p.output == jsonOut {
		return p.json(d)
	}
	out := p.printer()
	out.line(plain, "%s", d.ID)
	if out.terminal {
		out.line(faint, "follow it with bakewatch show %s, or wait for its end with bakewatch wait %s", d.ID, d.ID)
	}
	return nil
}
