package daemon

import (
	"context"
	"net/http"

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

// Acknowledged implements pagerduty.Acknowledger.
func (a acknowledgements) Acknowledged(ctx context.Context, watch string, by authority.Proof) error {
	_, err := a.desk.Answer(ctx, watcher.Ref{Name: watch}, authority.Vote{
		Choice: authority.Looking, Reason: "acknowledged in PagerDuty", Proof: by,
	})
	a.metrics.unproved("pagerduty", err)
	return err
}
