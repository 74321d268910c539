package daemon

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/bakewatch/bakewatch/actions"
	"github.com/bakewatch/bakewatch/configs"
	"github.com/bakewatch/bakewatch/rules"
)

// tellBroken tells the owner of every plan whose file has just broken: its last
// good version stays in force. It is no entry of a lane, so it is tried once, and
// stays in the log and the metrics.
func (d *Daemon) tellBroken(ctx context.Context, before, now configs.Set) {
	for _, plan := range now.Plans {
		if !slices.Contains(now.Stale, plan.File) || slices.Contains(before.Stale, plan.File) {
			continue
		}
		message := brokenMessage(plan, now.ProblemsOf(plan.File))
		for name, channel := range d.force.Load().channels {
			if !slices.Contains(plan.Notify.Chat, name) && !slices.Contains(plan.Notify.Page, name) {
				continue
			}
			go d.tellOnce(ctx, name, channel, plan.Hash, message)
		}
	}
}

func brokenMessage(plan rules.Plan, problems configs.Problems) actions.Message {
	m := actions.Message{
		Topic: "plan-broken", Level: actions.Concern, Audience: actions.Chat, At: time.Now(),
		Service: plan.Service, Owner: plan.Owner,
		Title: fmt.Sprintf("the plan of %s is broken: its last good version stays in force", plan.Service),
	}
	for _, p := range problems {
		if !p.Warning {
			m.Lines = append(m.Lines, p.String())
		}
	}
	m.Lines = m.Lines[:min(len(m.Lines), 10)]
	return m
}

func (d *Daemon) tellOnce(ctx context.Context, name string, channel actions.Notifier, key string, m actions.Message) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 20*time.Second)
	defer cancel()
	_, err := channel.Notify(ctx, "plan-"+key+"-"+name, m)
	d.metrics.told(name, err)
	if err != nil {
		d.cfg.Log.Error("channel could not be told that a plan is broken", "channel", name, "service", m.Service, "err", err)
	}
}
