package daemon

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/cenkalti/backoff/v4"

	"github.com/bakewatch/bakewatch/actions"
	"github.com/bakewatch/bakewatch/integrations/nats"
	"github.com/bakewatch/bakewatch/integrations/nats/events"
	"github.com/bakewatch/bakewatch/rules"
	"github.com/bakewatch/bakewatch/watcher"
)

// act is what only the holder of the lease does: own the lanes, take events in,
// tell people, and answer the desk. It ends with the lease, or with the daemon.
func (d *Daemon) act(ctx context.Context, epoch uint64) error {
	log := d.cfg.Log.With("epoch", epoch)
	owner, err := d.owner(epoch)
	if err != nil {
		return err
	}
	if err := d.load(ctx, owner); err != nil {
		return err
	}
	d.rota.first(ctx)
	channels, err := d.telling(ctx, owner)
	if err != nil {
		return err
	}
	log.Info("active: events are taken in and rules are judged", "replica", d.cfg.Replica)
	d.metrics.active.Set(1)
	defer d.metrics.active.Set(0)

	// The owner outlives what feeds it, so that what is under way comes to its end.
	// Unless the lease is lost: then another may begin any moment, and all stops at once.
	owning, letGo := context.WithCancelCause(context.WithoutCancel(ctx))
	context.AfterFunc(ctx, func() {
		if errors.Is(context.Cause(ctx), nats.ErrLeaseLost) {
			letGo(watcher.ErrFenced)
		}
	})
	owned := newGroup(owning)
	owned.run("watches", func(ctx context.Context) error { return owner.Run(ctx, grace) })
	messages := newGroup(owned.ctx)
	messages.run("notifications", func(ctx context.Context) error { return d.tell(ctx, owner, channels) })
	feeding := newGroup(ctx)
	feeding.run("desk", func(ctx context.Context) error { return d.serveDesk(ctx, owner) })
	feeding.run("buttons", func(ctx context.Context) error { return d.hearButtons(ctx, owner) })
	feeding.run("acknowledgements", func(ctx context.Context) error { return d.hearAcknowledgements(ctx, owner) })
	feeding.run("events", func(ctx context.Context) error { return d.takeIn(ctx, owner) })
	feeding.run("watches and notifications", func(ctx context.Context) error { // whatever ends one of them ends all
		select {
		case <-messages.ctx.Done():
			return errors.New("ended early")
		case <-ctx.Done():
			return nil
		}
	})
	err = feeding.wait()
	letGo(nil)
	if cause := context.Cause(ctx); errors.Is(cause, nats.ErrLeaseLost) {
		log.Error("the lease is lost: another daemon may act now", "err", cause)
	}
	return errors.Join(err, owned.wait(), messages.wait())
}

// load reads all lanes, again and again until it is done: a daemon that has read
// nothing would leave every open watch alone. A damaged lane is no reason to wait.
func (d *Daemon) load(ctx context.Context, owner *watcher.Owner) error {
	pace := backoff.NewExponentialBackOff(backoff.WithMaxInterval(5*time.Second), backoff.WithMaxElapsedTime(0))
	return backoff.RetryNotify(func() error {
		err := owner.Load(ctx)
		var damaged *nats.DamagedLanesError
		if errors.As(err, &damaged) {
			d.cfg.Log.Error("some lanes are damaged and are left alone", "lanes", len(damaged.Lanes), "err", err)
			return nil
		}
		return err
	}, backoff.WithContext(pace, ctx), func(err error, pause time.Duration) {
		d.cfg.Log.Error("the journal could not be read; nothing is judged until it is", "err", err, "again_in", pause)
	})
}

func (d *Daemon) owner(epoch uint64) (*watcher.Owner, error) {
	var journal watcher.Journal = d.journal
	if d.cfg.Journal != nil {
		journal = d.cfg.Journal(journal)
	}
	return watcher.NewOwner(watcher.Config{
		Name: d.cfg.Replica, Epoch: epoch, Journal: journal, Sampler: d.sampler,
		Actor:     actions.Runner{Executors: d.executor, Log: d.cfg.Log},
		Build:     d.cfg.Catalog.Build,
		PlanFor:   d.planFor,
		Guards:    d.guards,
		Switch:    d.switches,
		Rota:      func(plan rules.Plan) watcher.Rota { return d.rota.of(plan, time.Now()) },
		Directory: d.directory,
		Budget:    func() *rules.Allowance { return d.force.Load().set.Daemon.Budget.All },
		Log:       d.cfg.Log,
		Watch:     d.metrics,
	})
}

// planFor finds the plan that a deployment falls under now.
func (d *Daemon) planFor(deployment rules.Deployment) *rules.Plan {
	plan, ok := d.force.Load().set.Plan(deployment.Service, deployment.Environment)
	if !ok {
		return nil
	}
	return &plan
}

// planned are the services that have a plan now.
func (d *Daemon) planned() []string {
	var names []string
	for _, plan := range d.force.Load().set.Plans {
		names = append(names, plan.Service)
	}
	return names
}

func (d *Daemon) executor(name string) (actions.Binder, bool) {
	binder, ok := d.force.Load().executors[name]
	return binder, ok
}

func (d *Daemon) guards(service string) watcher.Guards {
	return watcher.Guards{Disarmed: d.switches.disarmed(service), Skewed: d.skewed()}
}

// maxSkew is how far clocks may disagree before nothing is decided without people.
const maxSkew = 5 * time.Second

func (d *Daemon) skewed() string {
	if skew := d.sampler.Skew(); skew.Abs() > maxSkew {
		return fmt.Sprintf("the clock of Prometheus is %s off", skew.Round(time.Second))
	}
	return d.clock.jumped(d.clock.read())
}

func (d *Daemon) serveDesk(ctx context.Context, owner *watcher.Owner) error {
	stop, err := d.conn.ServeDesk(nats.DeskConfig{
		Desk: owner, Facts: d.facts, Cluster: d.cfg.Daemon.Cluster, Signed: d.signed, Identify: d.identify,
		Refused: d.metrics.refused, Unproved: owner.Unproved, Log: d.cfg.Log,
	})
	if err != nil {
		return err
	}
	d.desk.Store(owner)
	defer d.desk.Store(nil)
	<-ctx.Done()
	return stop()
}

// takeIn hands every event to the owner.
func (d *Daemon) takeIn(ctx context.Context, owner *watcher.Owner) error {
	return d.conn.Intake(nats.IntakeConfig{Key: laneKey}).Run(ctx, func(ctx context.Context, in nats.Incoming) error {
		err := d.receive(ctx, owner, in)
		d.metrics.received(err)
		return err
	})
}

// laneKey keeps the events of one lane in order. The subject of a native event names
// its lane; of others, all of which share a few subjects, the event itself does.
func laneKey(in nats.Incoming) string {
	if strings.HasPrefix(in.Subject, "deployments.") {
		return in.Subject
	}
	deployment, err := parse(in)
	if err != nil {
		return in.Subject
	}
	return deployment.Lane().String()
}

func parse(in nats.Incoming) (rules.Deployment, error) {
	return events.Parse(events.Message{Subject: in.Subject, Headers: in.Headers, Data: in.Data, Received: in.At}, time.Now())
}

func (d *Daemon) receive(ctx context.Context, owner *watcher.Owner, in nats.Incoming) error {
	deployment, err := parse(in)
	var nothing *events.Nothing
	switch {
	case errors.As(err, &nothing):
		d.cfg.Log.Info("event asks for no watch", "subject", in.Subject, "seq", in.Seq, "why", nothing.Why)
		return nil
	case err != nil:
		return actions.Permanent(err)
	case events.IsOurs(deployment, d.cfg.Daemon.Cluster):
		return nil
	}
	if err := d.trusts(in, deployment); err != nil {
		return actions.Permanent(err)
	}
	return owner.Announce(ctx, deployment)
}
