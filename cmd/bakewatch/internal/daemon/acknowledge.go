package daemon

import (
	"context"
	"fmt"
	"net/http"
	"time"

	"github.com/bakewatch/bakewatch/actions/authority"
	"github.com/bakewatch/bakewatch/integrations/pagerduty"
	"github.com/bakewatch/bakewatch/watcher"
)

// hearAcknowledgements hears who acknowledges incidents in PagerDuty until ctx ends, by
// the secrets that are in force.
func (d *Daemon) hearAcknowledgements(ctx context.Context, desk watcher.Desk) error {
	defer d.hook.Store(nil)
	for ctx.Err() == nil {
		now := d.force.Load()
		d.hook.Store(&pagerduty.Webhook{Secrets: now.hooks, Cluster: d.cfg.Daemon.Cluster, To: acknowledgements{desk, d.metrics}, Log: d.cfg.Log})
		running, cancel := now.while(ctx)
		<-running.Done()
		cancel()
	}
	return nil
}

// hooked takes PagerDuty's signed webhooks while this replica is the active one. To
// another PagerDuty is to come again.
func (d *Daemon) hooked(w http.ResponseWriter, r *http.Request) {
	switch hook := d.hook.Load(); {
	case hook == nil:
		http.Error(w, watcher.ErrStopped.Error(), http.StatusServiceUnavailable)
	case len(hook.Secrets) == 0:
		http.Error(w, "no channel has a webhook_secret_file or webhook_secret_env", http.StatusNotFound)
	default:
		d.metrics.unsigned("pagerduty", hook, w, r)
	}
}

// acknowledgements gives what people take up in PagerDuty to the desk: they look at it.
type acknowledgements struct {
	desk    watcher.Desk
	metrics *metrics
}

// Acknowledged implements pagerduty.Acknowledger. An incident is a watch's, and does not say
// which question it was that somebody saw: what was said before a question is about another.
func (a acknowledgements) Acknowledged(ctx context.Context, ack pagerduty.Acknowledgement) error {
	watch := watcher.Ref{Name: ack.Watch}
	view, err := a.desk.Show(ctx, watch)
	if err != nil {
		return err
	}
	looking := authority.Vote{Choice: authority.Looking, Reason: "acknowledged in PagerDuty", Proof: ack.By}
	if q := view.Question; q != nil {
		if ack.At.Before(q.Asked) {
			return fmt.Errorf("%w: acknowledged at %s, before this question was asked", watcher.ErrRefused, ack.At.UTC().Format(time.RFC3339))
		}
		looking.Question = q.Question
	}
	_, err = a.desk.Answer(ctx, watch, looking)
	a.metrics.unproved("pagerduty", err)
	return err
}
