package demo

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/bakewatch/bakewatch/actions/authority"
	"github.com/bakewatch/bakewatch/cmd/bakewatch/internal/daemon"
	"github.com/bakewatch/bakewatch/cmd/bakewatch/internal/shop"
	"github.com/bakewatch/bakewatch/integrations/nats"
	"github.com/bakewatch/bakewatch/integrations/nats/events"
	"github.com/bakewatch/bakewatch/rules"
	"github.com/bakewatch/bakewatch/watcher"
)

// act is one deployment of the play.
type act struct {
	version, previous string
	behaviour         shop.Behaviour
	outage            bool // all versions begin to suffer during the bake
	asks              *Ask // who decides about it; nil: Bakewatch does
	says              string
}

// play deploys a good version, then the bad one, and waits for what Bakewatch makes of each.
func play(ctx context.Context, cfg Config, d *daemon.Daemon, s *shop.Shop, screen *terminal) (Report, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	tell := screen.tell
	if cfg.Ask != nil {
		p := person{ask: *cfg.Ask, desk: nats.DeskClient(d.Conn().NATS()), tell: tell}
		var sitting sync.WaitGroup
		sitting.Go(func() { p.sits(ctx, screen.asked) })
		defer func() {
			cancel()
			sitting.Wait()
		}()
	}
	entries := make(chan watcher.Entry, 1000)
	tailing := make(chan error, 1)
	go func() {
		tailing <- d.Journal().Tail(ctx, 1, func(e watcher.Entry) error {
			entries <- e
			return nil
		})
	}()
	report := Report{OK: true}
	for _, a := range []act{
		{"1.1.0", "1.0.0", shop.Good, false, cfg.Ask, "Version 1.1.0 is deployed to one instance, as a canary; nothing is wrong with it."},
		{"1.2.0", "1.1.0", cfg.Bad, cfg.Outage, cfg.Ask, "Version 1.2.0 is deployed to one instance; " + trouble[cfg.Bad]},
	} {
		tell.line("%s", a.says)
		result, err := a.perform(ctx, d, s, entries, tell)
		if err != nil {
			return report, err
		}
		if result.Outcome == string(watcher.Passed) { // as any deployment tool goes on
			if err := s.Switch(a.version); err != nil {
				return report, err
			}
			tell.line("Version %s takes the place of all instances.", a.version)
		}
		report.Deployments = append(report.Deployments, result)
		report.OK = report.OK && a.wentWell(result, s.Live())
	}
	cancel()
	return report, <-tailing
}

// trouble says what is wrong, before Bakewatch does.
var trouble = map[shop.Behaviour]string{
	shop.Good:    "nothing is wrong with it either.",
	shop.Errors:  "8 % of its answers are errors.",
	shop.Latency: "30 % of its answers take 400 ms.",
	shop.Crash:   "an instance dies at its hundredth request.",
	shop.Scan:    "a scanner has found two critical vulnerabilities in it.",
}

// expected is how the watch must end. An outage that all versions suffer from is told,
// and nothing is done about the version.
func (a act) expected(was Deployment) watcher.Outcome {
	switch {
	case a.behaviour != shop.Good && a.asks != nil:
		return a.asks.expected(was.Answer)
	case a.behaviour != shop.Good:
		return watcher.RolledBack
	case a.outage:
		return watcher.Left
	}
	return watcher.Passed
}

// wentWell says whether it went as it should, and left live what it should. A person
// who decides must have been asked: that nothing came of it is no answer.
func (a act) wentWell(was Deployment, live string) bool {
	expected, stays := a.expected(was), a.version
	if expected == watcher.RolledBack {
		stays = a.previous
	}
	asked := a.asks == nil || a.behaviour == shop.Good || was.Ruling == rules.Ask.String()
	return asked && was.Outcome == string(expected) && live == stays
}

// perform deploys, announces the deployment as any tool would, and follows its watch to the end.
func (a act) perform(ctx context.Context, d *daemon.Daemon, s *shop.Shop, entries <-chan watcher.Entry, tell *story) (Deployment, error) {
	if err := s.Canary(a.version, a.behaviour, canary); err != nil {
		return Deployment{}, err
	}
	deployment := rules.Deployment{
		ID: "shop-" + a.version, Service: "shop", Environment: "demo", Version: a.version, Previous: a.previous,
		Step: rules.Finished, Strategy: rules.Canary, At: time.Now().UTC(), By: "demo",
	}
	subject, event, err := events.Encode(deployment)
	if err != nil {
		return Deployment{}, err
	}
	if _, err := d.Conn().JetStream().Publish(ctx, subject, event); err != nil {
		return Deployment{}, fmt.Errorf("announce %s: %w", a.version, err)
	}
	if a.outage {
		tell.line("What all versions need breaks down: 8 %% of all answers are errors, old version or new.")
		s.Suffer(true)
		defer s.Suffer(false)
	}
	result := Deployment{ID: deployment.ID, Service: deployment.Service, Version: a.version, Ruling: rules.None.String()}
	patient := patience + a.asks.patience()
	late := time.NewTimer(patient)
	defer late.Stop()
	for {
		select {
		case e := <-entries:
			tell.entry(e)
			if result.follow(deployment.At, e); e.Kind == watcher.Closed {
				return result, nil
			}
		case <-late.C:
			return result, fmt.Errorf("the watch of %s did not end within %s", a.version, patient)
		case <-ctx.Done():
			return result, errors.New("stopped before the end")
		}
	}
}

// follow takes from an entry what the report says of the deployment.
func (r *Deployment) follow(deployed time.Time, e watcher.Entry) {
	after := e.At.Sub(deployed).Round(time.Millisecond).Seconds()
	switch {
	case e.Kind == watcher.Decided, e.Kind == watcher.Ruled && e.Ruling.Rule != "":
		r.Rule, r.Ruling = e.Ruling.Rule, e.Ruling.Power.String()
		r.Reason, r.Blame = e.Ruling.Why[0], string(e.Ruling.Attribution().Blame)
		if e.Kind == watcher.Decided {
			r.Detected = &after
		}
	case e.Kind == watcher.Voted && e.Vote.Choice != authority.Looking:
		r.Answer = e.Vote.Choice
	case e.Kind == watcher.Verified && e.OK:
		r.Recovered = &after
	case e.Kind == watcher.Closed:
		r.Outcome = string(e.Outcome)
		if r.Reason == "" {
			r.Reason = e.Text
		}
	}
}
