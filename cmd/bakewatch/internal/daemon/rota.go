package daemon

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/cenkalti/backoff/v4"

	"github.com/bakewatch/bakewatch/actions"
	"github.com/bakewatch/bakewatch/actions/authority"
	"github.com/bakewatch/bakewatch/integrations/pagerduty"
	"github.com/bakewatch/bakewatch/rules"
	"github.com/bakewatch/bakewatch/watcher"
)

const (
	askEvery = time.Minute
	// staleAfter is how old an answer may be: then nobody knows who is on call.
	staleAfter = 5 * time.Minute
	// forgetAfter is how long a schedule is asked after nobody names it any more.
	forgetAfter = 10 * time.Minute
	mostAsked   = 4 // schedules that are asked at once
	// firstAnswers is how long a daemon that begins to act waits for the first answers.
	firstAnswers = 5 * time.Second
)

// rota keeps who is on call in every schedule that a plan in force or an open watch
// names. It asks beside the loop, which only reads what is known.
type rota struct {
	ask       func(ctx context.Context, schedule string) ([]pagerduty.OnCall, error)
	plans     func() []rules.Plan // in force
	directory func() authority.Directory
	log       *slog.Logger
	metrics   *metrics

	woken chan struct{} // there is something to ask at once
	asked chan struct{} // closed after the first round

	mu     sync.Mutex
	duties map[string]*duty            // by schedule, such as pagerduty:PABC
	steady *backoff.ExponentialBackOff // between good answers, with some jitter
}

// duty is what is known of one schedule.
type duty struct {
	people []pagerduty.OnCall
	at     time.Time // of the last good answer; zero: there was none
	err    error     // of the last try
	named  time.Time // when somebody wanted to know, last
	due    time.Time
	pace   *backoff.ExponentialBackOff // of tries after one that failed
}

// newRota returns a rota for the daemon's tools that are in force.
func newRota(d *Daemon) *rota {
	return &rota{
		ask: func(ctx context.Context, schedule string) ([]pagerduty.OnCall, error) {
			return d.force.Load().onCall(ctx, schedule)
		},
		plans: func() []rules.Plan { return d.force.Load().set.Plans }, directory: d.directory, log: d.cfg.Log, metrics: d.metrics,
		woken: make(chan struct{}, 1), asked: make(chan struct{}), duties: map[string]*duty{},
		steady: backoff.NewExponentialBackOff(backoff.WithInitialInterval(askEvery), backoff.WithMaxInterval(askEvery), backoff.WithRandomizationFactor(0.1), backoff.WithMaxElapsedTime(0)),
	}
}

// run asks until ctx ends.
func (r *rota) run(ctx context.Context) error {
	r.round(ctx)
	close(r.asked)
	for {
		timer := time.NewTimer(time.Until(r.next()))
		select {
		case <-ctx.Done():
			timer.Stop()
			return nil
		case <-timer.C:
		case <-r.woken:
			timer.Stop()
		}
		r.round(ctx)
	}
}

// first waits, not for long, until every schedule has been asked once.
func (r *rota) first(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, firstAnswers)
	defer cancel()
	select {
	case <-r.asked:
	case <-ctx.Done():
	}
}

// again asks every schedule at once: the plans, or how it is asked, have changed.
func (r *rota) again() {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, d := range r.duties {
		d.due = time.Time{}
		d.pace.Reset()
	}
	r.wake()
}

func (r *rota) wake() {
	select {
	case r.woken <- struct{}{}:
	default: // it is woken already
	}
}

// round asks every schedule that is due.
func (r *rota) round(ctx context.Context) {
	asking := newGroup(ctx)
	asking.SetLimit(mostAsked)
	for _, schedule := range r.due(time.Now()) {
		asking.run(schedule, func(ctx context.Context) error {
			people, err := r.ask(ctx, schedule)
			if ctx.Err() == nil {
				r.learn(schedule, people, err, time.Now())
			}
			return nil
		})
	}
	_ = asking.wait() // a schedule that fails keeps its own error
}

// due returns the schedules to ask now, and lets go of those that nobody names any more.
func (r *rota) due(now time.Time) (schedules []string) {
	plans := r.plans()
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, plan := range plans {
		for _, schedule := range plan.Schedules {
			r.name(schedule, now)
		}
	}
	maps.DeleteFunc(r.duties, func(schedule string, d *duty) bool {
		forgotten := now.Sub(d.named) > forgetAfter
		if forgotten {
			r.metrics.schedules.DeleteLabelValues(schedule)
		}
		return forgotten
	})
	for schedule, d := range r.duties {
		if !d.due.After(now) {
			schedules = append(schedules, schedule)
		}
	}
	slices.Sort(schedules)
	return schedules
}

// name remembers that somebody wants to know; new: nobody did before.
func (r *rota) name(schedule string, now time.Time) (d *duty, isNew bool) {
	d, known := r.duties[schedule]
	if !known {
		d = &duty{pace: backoff.NewExponentialBackOff(backoff.WithInitialInterval(5*time.Second), backoff.WithMaxInterval(askEvery), backoff.WithMaxElapsedTime(0))}
		r.duties[schedule] = d
	}
	d.named = now
	return d, !known
}

// next is when a schedule is due; with none, it is looked whether a plan names one.
func (r *rota) next() time.Time {
	r.mu.Lock()
	defer r.mu.Unlock()
	next := time.Now().Add(askEvery)
	for _, d := range r.duties {
		if d.due.Before(next) {
			next = d.due
		}
	}
	return next
}

// learn takes an answer, or why there is none, and says what has changed.
func (r *rota) learn(schedule string, people []pagerduty.OnCall, err error, now time.Time) {
	r.mu.Lock()
	defer r.mu.Unlock()
	d, known := r.duties[schedule]
	if !known {
		return
	}
	log, before := r.log.With("schedule", schedule), *d
	d.err = err
	r.metrics.scheduled(schedule, err)
	if err != nil {
		pause := max(d.pace.NextBackOff(), wait(err))
		d.due = now.Add(pause)
		if before.err == nil {
			log.Warn("it cannot be asked who is on call", "err", err, "again_in", pause)
		}
		return
	}
	d.pace.Reset()
	d.people, d.at, d.due = people, now, now.Add(r.steady.NextBackOff())
	if before.at.IsZero() || before.err != nil || !slices.Equal(before.people, people) {
		log.Info("on call", "people", names(people))
		r.warn(log, people)
	}
}

// warn says who is on call and cannot prove to be that.
func (r *rota) warn(log *slog.Logger, people []pagerduty.OnCall) {
	directory := r.directory()
	for _, one := range people {
		if _, err := directory.Identify(proof(one)); err != nil {
			log.Warn("somebody on call has no [person.NAME]; where votes must be proved they are not asked", "who", called(one), "pagerduty", one.ID)
		}
	}
}

func proof(one pagerduty.OnCall) authority.Proof {
	return authority.Proof{Way: authority.PagerDuty, Subject: one.ID}
}

// wait is how long the other side asked to wait.
func wait(err error) time.Duration {
	var classed *actions.Error
	if errors.As(err, &classed) {
		return classed.After
	}
	return 0
}

// of says who is on call for the plan's groups, as the directory knows them: what
// watcher.Config wants.
func (r *rota) of(plan rules.Plan, now time.Time) watcher.Rota {
	directory := r.directory()
	r.mu.Lock()
	defer r.mu.Unlock()
	rota := watcher.Rota{Groups: map[string][]string{}, StandIns: map[string]string{}}
	for group, schedule := range plan.Schedules {
		d, isNew := r.name(schedule, now)
		if isNew {
			r.wake()
		}
		people, why := d.says(schedule, directory, now)
		if why != "" {
			rota.StandIns[group] = why
			continue
		}
		rota.Groups[group] = people
	}
	return rota
}

// says returns the people on call, or why nobody knows them.
func (d *duty) says(schedule string, directory authority.Directory, now time.Time) (people []string, why string) {
	switch {
	case d.at.IsZero() && d.err == nil:
		return nil, schedule + " has not been asked yet who is on call"
	case d.at.IsZero():
		return nil, fmt.Sprintf("%s could never be asked who is on call: %s", schedule, brief(d.err))
	case now.Sub(d.at) > staleAfter && d.err != nil:
		return nil, fmt.Sprintf("%s was last known at %s: %s", schedule, d.at.UTC().Format("15:04 MST"), brief(d.err))
	case now.Sub(d.at) > staleAfter:
		return nil, fmt.Sprintf("%s was last known at %s", schedule, d.at.UTC().Format("15:04 MST"))
	case len(d.people) == 0:
		return nil, "nobody is on call in " + schedule
	}
	people = known(d.people, directory)
	if len(people) == 0 {
		return nil, fmt.Sprintf("%s is on call in %s, and could not prove to be that: there is no [person.NAME] with the pagerduty id", strings.Join(names(d.people), ", "), schedule)
	}
	return people, ""
}

// known returns the names of people as they vote. Who has no [person.NAME] goes by what
// PagerDuty says, and is left out where votes must be proved: such a vote would never count.
func known(onCall []pagerduty.OnCall, directory authority.Directory) (people []string) {
	for _, one := range onCall {
		person, err := directory.Identify(proof(one))
		switch {
		case err == nil:
			people = append(people, person)
		case directory.Believe:
			people = append(people, called(one))
		}
	}
	slices.Sort(people)
	return slices.Compact(people)
}

// called is what a person goes by of whom only PagerDuty knows.
func called(one pagerduty.OnCall) string {
	return actions.Shorten(actions.OneLine(cmp.Or(one.Email, one.Name, one.ID)), 80)
}

// names are those of people in a log or a message, with the id to write into [person.NAME].
func names(people []pagerduty.OnCall) (all []string) {
	for _, one := range people {
		all = append(all, fmt.Sprintf("%s (%s)", called(one), one.ID))
	}
	return all
}

// brief is an error as a message tells it.
func brief(err error) string { return actions.Shorten(actions.OneLine(err.Error()), 160) }
