package actions

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/cenkalti/backoff/v4"
)

// Runner carries out grants. It is the only code that calls an executor.
type Runner struct {
	// Executors finds the [executor.NAME] of the daemon's file.
	Executors func(name string) (Binder, bool)
	Log       *slog.Logger // nil: nothing is logged
	// Pause is the first wait before a retry; 0: half a second. It doubles up to 30 times.
	Pause time.Duration
}

// defaultTimeout bounds a rollback whose plan says nothing.
const defaultTimeout = 5 * time.Minute

// abandon is how long after its time is over an executor may take to come back: to
// end what it began, and then to be asked once more what is live. One that hangs for
// ever must not keep people from being told.
const abandon = LongestEnd + asking + 5*time.Second

// Run carries out a grant whose intent was written just now by this process. It
// returns when the target is live, the try has failed, or its time is over.
func (r Runner) Run(ctx context.Context, g Grant) Outcome {
	return r.withExecutor(ctx, g, func(ctx context.Context, x Executor) Outcome {
		if g.newer != "" {
			return outcome(g, ResultFailed, "", fmt.Sprintf("nothing was done: %s was deployed meanwhile", g.newer))
		}
		if live, err := before(ctx, x); err == nil && live != g.intent.Subject.From && live != g.intent.Subject.To {
			return outcome(g, ResultFailed, live, fmt.Sprintf("nothing was done: %s is live by now, not %s", live, g.intent.Subject.From))
		}
		return r.try(ctx, x, g, false)
	})
}

// Resume settles a grant that another process may have carried out: never a second
// time, unless the executor promises that this does no harm.
func (r Runner) Resume(ctx context.Context, g Grant) Outcome {
	return r.withExecutor(ctx, g, func(ctx context.Context, x Executor) Outcome {
		live, err := r.settled(ctx, x)
		switch {
		case err == nil && live == g.intent.Subject.To:
			return outcome(g, ResultDone, live, "")
		case err == nil && live != g.intent.Subject.From:
			return outcome(g, ResultUnknown, live, fmt.Sprintf("interrupted; %s is live by now", live))
		case g.newer != "":
			return outcome(g, ResultUnknown, live, fmt.Sprintf("interrupted; %s was deployed meanwhile, so it is not tried again", g.newer))
		case x.Idempotent():
			return r.try(ctx, x, g, true)
		case err == nil:
			return outcome(g, ResultUnknown, live, fmt.Sprintf("interrupted while it was being done; %s is still live, and the executor must not be called twice", live))
		}
		return outcome(g, ResultUnknown, "", "interrupted while it was being done, and nobody says which version is live: "+err.Error())
	})
}

// withExecutor binds the executor and bounds the time.
func (r Runner) withExecutor(ctx context.Context, g Grant, do func(context.Context, Executor) Outcome) Outcome {
	if g.seq == 0 {
		return outcome(g, ResultFailed, "", ErrNoGrant.Error())
	}
	ctx, cancel := context.WithTimeout(ctx, g.timeout())
	defer cancel()
	back := make(chan Outcome, 1)
	go func() { back <- r.guarded(ctx, g, do) }()
	select {
	case out := <-back:
		return out
	case <-ctx.Done():
	}
	select {
	case out := <-back:
		return out
	case <-time.After(abandon):
		return outcome(g, ResultUnknown, "", "the executor does not come back although its time is over; nobody knows what it is doing")
	}
}

// guarded makes a panic an unknown outcome.
func (r Runner) guarded(ctx context.Context, g Grant, do func(context.Context, Executor) Outcome) (out Outcome) {
	defer func() {
		if p := recover(); p != nil {
			out = outcome(g, ResultUnknown, "", fmt.Sprintf("the executor caused a panic: %v", p))
		}
	}()
	binder, ok := r.Executors(g.intent.Executor)
	if !ok {
		return outcome(g, ResultFailed, "", fmt.Sprintf("nothing was done: there is no [executor.%s] in the daemon's file", g.intent.Executor))
	}
	x, err := binder.Bind(g.intent.With, g.intent.Subject)
	if err != nil {
		return outcome(g, ResultFailed, "", "nothing was done: "+err.Error())
	}
	return do(ctx, x)
}

// try calls the executor, again where that is safe, then asks what is live. maybe: a
// call may have acted although it failed, or was never heard of again.
func (r Runner) try(ctx context.Context, x Executor, g Grant, maybe bool) Outcome {
	var failed error // of the last call
	err := backoff.Retry(func() error {
		failed = x.Rollback(ctx, g.Key())
		switch class := Classify(failed); {
		case failed == nil:
			return nil
		case class == ClassUnknown:
			maybe = true
			if !x.Idempotent() {
				return backoff.Permanent(failed)
			}
		case class == ClassPermanent:
			return backoff.Permanent(failed)
		}
		r.warn(g, failed)
		return r.wait(ctx, failed)
	}, backoff.WithContext(r.pauses(), ctx))
	switch {
	case err == nil && g.intent.Contingency:
		return outcome(g, ResultDone, "", "") // no version shows that it was done
	case err == nil:
		return r.confirm(ctx, x, g)
	}
	if !maybe {
		return outcome(g, ResultFailed, "", "nothing was done: "+failed.Error())
	}
	if live, err := last(ctx, x); err == nil && live == g.intent.Subject.To {
		return outcome(g, ResultDone, live, "")
	}
	return outcome(g, ResultUnknown, "", "it may or may not have been done: "+failed.Error())
}

func (r Runner) warn(g Grant, err error) {
	if r.Log != nil {
		r.Log.Warn("rollback is tried again", "watch", g.intent.Subject.Watch, "service", g.intent.Subject.Service, "err", err)
	}
}

// wait honours the time that the other side asked for, and returns the error it was given.
func (r Runner) wait(ctx context.Context, err error) error {
	var classed *Error
	if !errors.As(err, &classed) || classed.After <= 0 {
		return err
	}
	select {
	case <-time.After(classed.After):
	case <-ctx.Done():
	}
	return err
}

func (r Runner) pauses() backoff.BackOff {
	b := backoff.NewExponentialBackOff()
	b.MaxElapsedTime = 0 // the context bounds it
	if r.Pause > 0 {
		b.InitialInterval = r.Pause
	}
	b.MaxInterval = 30 * b.InitialInterval
	return b
}

func outcome(g Grant, result Result, live, reason string) Outcome {
	return Outcome{Key: g.Key(), Result: result, Live: live, Reason: reason}
}
