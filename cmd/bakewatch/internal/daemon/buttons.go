package daemon

import (
	"context"
	"fmt"
	"net/http"

	"github.com/bakewatch/bakewatch/actions/authority"
	"github.com/bakewatch/bakewatch/integrations/slack"
	"github.com/bakewatch/bakewatch/watcher"
)

// hearButtons hears what people press in Slack until ctx ends, in the channels that are
// in force.
func (d *Daemon) hearButtons(ctx context.Context, desk watcher.Desk) error {
	defer d.buttons.Store(nil)
	for ctx.Err() == nil {
		now := d.force.Load()
		buttons := slack.NewButtons(now.channels, presses{desk, d.metrics}, d.cfg.Log)
		d.buttons.Store(buttons)
		running, cancel := now.while(ctx)
		buttons.Run(running)
		cancel()
	}
	return nil
}

// pressed takes Slack's signed requests while this replica is the active one.
func (d *Daemon) pressed(w http.ResponseWriter, r *http.Request) {
	buttons := d.buttons.Load()
	if buttons == nil {
		http.Error(w, watcher.ErrStopped.Error(), http.StatusServiceUnavailable)
		return
	}
	d.metrics.unsigned("slack", buttons, w, r)
}

// presses gives what people press to the desk.
type presses struct {
	desk    watcher.Desk
	metrics *metrics
}

// Answer implements slack.Answers.
func (p presses) Answer(ctx context.Context, watch string, vote authority.Vote) (string, error) {
	view, err := p.desk.Answer(ctx, watcher.Ref{Name: watch}, vote)
	p.metrics.unproved("slack", err)
	if err != nil {
		return "", err
	}
	text := fmt.Sprintf("Counted: %s, for %s %s (%s). ", vote.Choice, view.Lane.Service, view.Version, view.Lane.Environment)
	if q := view.Question; q != nil && q.Question == vote.Question {
		return text + fmt.Sprintf("The question is still open; votes so far: %d.", len(q.Votes)), nil
	}
	return text + fmt.Sprintf("The question is answered; the watch is %s.", view.Phase), nil
}
