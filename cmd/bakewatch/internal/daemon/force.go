package daemon

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"strings"

	"github.com/bakewatch/bakewatch/actions"
	"github.com/bakewatch/bakewatch/configs"
	"github.com/bakewatch/bakewatch/integrations/nats"
	"github.com/bakewatch/bakewatch/integrations/outbound"
	"github.com/bakewatch/bakewatch/integrations/pagerduty"
	"github.com/bakewatch/bakewatch/integrations/slack"
	"github.com/bakewatch/bakewatch/integrations/web"
	"github.com/bakewatch/bakewatch/rules"
)

// force is what is in force: the plans, and the tools that they name.
type force struct {
	set       configs.Set
	executors map[string]actions.Binder
	channels  map[string]actions.Notifier
	schedules map[string]*pagerduty.Schedule // by the service that knows who is on call
	hooks     []outbound.Secret              // of the webhooks by which acknowledgements come
	over      chan struct{}                  // closed when something else is in force
}

// while returns a context that ends with ctx, or when something else comes into force.
func (f *force) while(ctx context.Context) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancel(ctx)
	go func() {
		select {
		case <-f.over:
			cancel()
		case <-ctx.Done():
		}
	}()
	return ctx, cancel
}

// loadPlans brings the plans into force, and prepares to notice when they change.
func (d *Daemon) loadPlans(ctx context.Context) error {
	kept := lastGood{d.facts}
	set := configs.LoadSet(ctx, d.cfg.Daemon, d.cfg.Catalog, configs.Set{}, kept)
	d.report(set) // first: it says where what keeps the daemon from starting stands
	tools, err := d.tools(set)
	if err != nil {
		return err
	}
	d.force.Store(tools)
	d.rota = newRota(d)
	d.watcher, err = configs.NewWatcher(configs.Watcher{
		Path: d.cfg.File, Catalog: d.cfg.Catalog, First: set, Kept: kept, Log: d.cfg.Log,
		Changed: func(set configs.Set) { d.replace(ctx, set) },
	})
	return err
}

// Reload reads the daemon's file and the plans again. Its error says what is wrong
// with them; what can be used is used all the same.
func (d *Daemon) Reload(ctx context.Context) error {
	set, err := d.watcher.Reload(ctx)
	if err != nil {
		return err
	}
	if set.Problems.Failed() {
		return set.Problems
	}
	return nil
}

// replace brings another set into force. Watches in flight keep the plan they were
// opened with. NATS, Prometheus and HTTP stay as they were started.
func (d *Daemon) replace(ctx context.Context, set configs.Set) {
	tools, err := d.tools(set)
	if err != nil {
		d.cfg.Log.Error("reload: the executors, channels and schedules stay as they were", "err", err)
		before := d.force.Load()
		tools = &force{set: set, executors: before.executors, channels: before.channels, schedules: before.schedules, hooks: before.hooks, over: make(chan struct{})}
	}
	before := d.force.Swap(tools)
	close(before.over)
	d.rota.again()
	d.report(set)
	d.tellBroken(ctx, before.set, set)
}

// tools makes the executors and channels that the daemon's file names.
func (d *Daemon) tools(set configs.Set) (*force, error) {
	f := &force{set: set, executors: map[string]actions.Binder{}, channels: map[string]actions.Notifier{}, schedules: map[string]*pagerduty.Schedule{}, over: make(chan struct{})}
	var problems []error
	for name, tool := range set.Daemon.Executors {
		options, ok := tool.Options.(actions.ExecutorOptions)
		if !ok {
			problems = append(problems, fmt.Errorf("[executor.%s]: %s is no executor", name, tool.Kind.Name))
			continue
		}
		binder, err := options.Binder(name, d.cfg.Log)
		if err != nil {
			problems = append(problems, fmt.Errorf("[executor.%s]: %w", name, err))
		}
		f.executors[name] = binder
	}
	for name, tool := range set.Daemon.Channels {
		notifier, err := Notifier(name, tool, d.cfg.Log)
		if err != nil {
			problems = append(problems, err)
		}
		f.channels[name] = notifier
	}
	problems = append(problems, f.hear(set.Daemon)...)
	return f, errors.Join(problems...)
}

// hear makes what PagerDuty is asked by, and what it answers by.
func (f *force) hear(file *configs.Daemon) (problems []error) {
	for name, tool := range file.Channels {
		options, ok := tool.Options.(*pagerduty.Options)
		if !ok {
			continue
		}
		secret, err := options.WebhookSecret()
		switch {
		case err != nil:
			problems = append(problems, fmt.Errorf("[channel.%s]: %w", name, err))
		case !secret.IsZero():
			f.hooks = append(f.hooks, secret)
		}
	}
	for service, options := range file.Schedules {
		kind, ok := options.(*pagerduty.ScheduleOptions)
		if !ok {
			problems = append(problems, fmt.Errorf("[schedule.%s]: it knows no schedules", service))
			continue
		}
		schedule, err := kind.Schedule()
		if err != nil {
			problems = append(problems, fmt.Errorf("[schedule.%s]: %w", service, err))
			continue
		}
		f.schedules[service] = schedule
	}
	return problems
}

// onCall asks who is on call in a schedule, such as pagerduty:PABC.
func (f *force) onCall(ctx context.Context, schedule string) ([]pagerduty.OnCall, error) {
	service, id, _ := strings.Cut(schedule, ":")
	asked, known := f.schedules[service]
	if !known {
		return nil, fmt.Errorf("there is no [schedule.%s] any more", service)
	}
	return asked.OnCall(ctx, id)
}

// Notifier makes the channel of the daemon's file, with the words that it has of its own.
func Notifier(name string, tool configs.Tool, log *slog.Logger) (actions.Notifier, error) {
	options, ok := tool.Options.(actions.ChannelOptions)
	if !ok {
		return nil, fmt.Errorf("[channel.%s]: %s is no channel", name, tool.Kind.Name)
	}
	notifier, err := options.Notifier(name, log)
	if err != nil {
		return nil, fmt.Errorf("[channel.%s]: %w", name, err)
	}
	if every, has := tool.Common.(*actions.EveryChannel); has {
		notifier, err = actions.Templated(notifier, every.Template, log.With("channel", name))
	}
	if err != nil {
		return nil, fmt.Errorf("[channel.%s]: %w", name, err)
	}
	return notifier, nil
}

// report logs what is in force, a line a problem.
func (d *Daemon) report(set configs.Set) {
	errs := 0
	for _, p := range set.Problems {
		level := d.cfg.Log.Warn
		if !p.Warning {
			errs++
			level = d.cfg.Log.Error
		}
		level("plan file", attributes(p)...)
	}
	d.metrics.plans.WithLabelValues("good").Set(float64(len(set.Plans) - len(set.Stale)))
	d.metrics.plans.WithLabelValues("stale").Set(float64(len(set.Stale)))
	level := d.cfg.Log.Info
	if len(set.Plans) == 0 {
		level = d.cfg.Log.Warn // a daemon that watches nothing is rarely what is wanted
	}
	level("plans are in force", "plans", len(set.Plans), "stale", len(set.Stale), "errors", errs, "warnings", len(set.Problems)-errs)
}

// attributes are what a log's line says of a problem: no more than is known.
func attributes(p configs.Problem) []any {
	at := p.File
	if p.Line > 0 {
		at = fmt.Sprintf("%s:%d:%d", p.File, p.Line, p.Column)
	}
	said := []any{"at", at}
	for _, part := range [][2]string{{"where", p.Where}, {"what", p.What}, {"hint", p.Hint}} {
		if part[1] != "" {
			said = append(said, part[0], part[1])
		}
	}
	return said
}

// lastGood keeps plans in the facts.
type lastGood struct{ facts *nats.Facts }

func (l lastGood) Put(ctx context.Context, p rules.Plan) error {
	text, err := json.Marshal(p)
	if err != nil {
		return err
	}
	return l.facts.Put(ctx, nats.FactPlan, p.File, text)
}

func (l lastGood) Get(ctx context.Context, file string) (p rules.Plan, ok bool, err error) {
	fact, err := l.facts.Get(ctx, nats.FactPlan, file)
	switch {
	case errors.Is(err, nats.ErrNoFact):
		return p, false, nil
	case err != nil:
		return p, false, err
	}
	err = json.Unmarshal(fact.Value, &p)
	return p, err == nil, err
}

// mounts are the Desk, the query APIs of embedded Prometheus servers, and what Slack and
// PagerDuty call: they have no password, and sign what they send.
func (d *Daemon) mounts() web.Mounts {
	mounts := d.api()
	mounts.Open["POST "+slack.CallbackPath] = http.HandlerFunc(d.pressed)
	mounts.Open["POST "+pagerduty.WebhookPath] = http.HandlerFunc(d.hooked)
	if len(d.servers) > 0 {
		mounts.Guarded["/prometheus/"] = d.servers[0].Handler()
	}
	return mounts
}
