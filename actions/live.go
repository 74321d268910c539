package actions

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/cenkalti/backoff/v4"
)

// asking bounds one question for the live version.
const asking = 15 * time.Second

// settling bounds the questions about a rollback that was interrupted: after a reboot
// the tool's API may come up later than this process.
const settling = time.Minute

// live asks once.
func live(ctx context.Context, x Executor) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, asking)
	defer cancel()
	return x.Live(ctx)
}

// before asks once before the executor is called. A tool that hangs must leave time
// for the rollback itself.
func before(ctx context.Context, x Executor) (string, error) {
	ctx, cancel := atMostHalf(ctx, asking)
	defer cancel()
	return x.Live(ctx)
}

// settled asks until there is an answer, or the tool says that it cannot tell. A
// question that fails is asked again for a while.
func (r Runner) settled(ctx context.Context, x Executor) (version string, err error) {
	ctx, cancel := atMostHalf(ctx, settling)
	defer cancel()
	_ = backoff.Retry(func() error {
		if version, err = live(ctx, x); errors.Is(err, ErrCannotTell) {
			return backoff.Permanent(err)
		}
		return err
	}, backoff.WithContext(r.pauses(), ctx))
	return version, err
}

// last asks once more although the time is over. A daemon that is being stopped asks
// nothing: whoever resumes the rollback asks anyway.
func last(ctx context.Context, x Executor) (string, error) {
	if errors.Is(ctx.Err(), context.Canceled) {
		return "", ctx.Err()
	}
	return live(context.WithoutCancel(ctx), x)
}

// confirm asks what is live after the executor has said done, until it is the target.
// An executor that cannot tell is believed, and the outcome says so by naming no
// version. One that has told another version is not, even if it stops telling; and a
// question that only ever failed says nothing at all.
func (r Runner) confirm(ctx context.Context, x Executor, g Grant) Outcome {
	to, seen := g.intent.Subject.To, ""
	look := func(version string, err error) error {
		if err == nil {
			seen = version
		}
		switch {
		case err == nil && version != to:
			return fmt.Errorf("%s is still live", version)
		case seen == "" && errors.Is(err, ErrCannotTell):
			return nil
		}
		return err
	}
	err := backoff.Retry(func() error { return look(live(ctx, x)) }, backoff.WithContext(r.pauses(), ctx))
	if err != nil {
		err = look(last(ctx, x))
	}
	switch {
	case err == nil:
		return outcome(g, ResultDone, seen, "")
	case seen == "":
		return outcome(g, ResultUnknown, "", "the executor said done, but nobody says which version is live: "+err.Error())
	}
	return outcome(g, ResultFailed, seen, fmt.Sprintf("the executor said done, but %s is live", seen))
}

// atMostHalf leaves the other half of the time to what comes after the questions.
func atMostHalf(ctx context.Context, most time.Duration) (context.Context, context.CancelFunc) {
	if deadline, bounded := ctx.Deadline(); bounded {
		most = min(most, time.Until(deadline)/2)
	}
	return context.WithTimeout(ctx, most)
}
