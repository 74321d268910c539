package actions_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/bakewatch/bakewatch/actions"
)

// tool is an executor whose answers are written down beforehand.
type tool struct {
	errs       []error // of each call of Rollback; the last one stays
	live       []any   // each question's answer, a version or an error; the last one stays
	idempotent bool
	block      func(ctx context.Context) // runs inside Rollback

	keys  []string
	at    []time.Time
	asked int
}

func (x *tool) Bind(map[string]any, actions.Subject) (actions.Executor, error) { return x, nil }

func (x *tool) Rollback(ctx context.Context, key string) error {
	x.keys, x.at = append(x.keys, key), append(x.at, time.Now())
	if x.block != nil {
		x.block(ctx)
	}
	if len(x.errs) == 0 {
		return nil
	}
	return x.errs[min(len(x.keys), len(x.errs))-1]
}

func (x *tool) Live(ctx context.Context) (string, error) {
	x.asked++
	if ctx.Err() != nil {
		return "", ctx.Err()
	}
	if len(x.live) == 0 {
		return "", actions.ErrCannotTell
	}
	switch answer := x.live[min(x.asked, len(x.live))-1].(type) {
	case string:
		return answer, nil
	case error:
		return "", answer
	case hanging:
		<-ctx.Done()
		return "", ctx.Err()
	default:
		panic("the tool is confused")
	}
}

func (x *tool) Idempotent() bool { return x.idempotent }

// hanging is an answer that does not come.
type hanging struct{}

const (
	from, to = "2.4.0", "2.3.9"
	timeout  = 5 * time.Minute
)

func grant(t *testing.T) actions.Grant {
	t.Helper()
	return within(t, timeout)
}

func runner(x *tool) actions.Runner {
	return actions.Runner{Executors: func(name string) (actions.Binder, bool) { return x, name == "tool" }}
}

var (
	errLater = actions.Retryable(errors.New("503"))
	errNever = actions.Permanent(errors.New("no such service"))
	errLost  = actions.Unknown(errors.New("connection reset"))
	errPlain = errors.New("something else")
)

// expected is what is to come of a grant: how it ends, what is live by then, how often
// the executor was called, and a word of the reason.
type expected struct {
	result actions.Result
	live   string
	calls  int
	reason string
}

func (e expected) check(t *testing.T, got actions.Outcome, x *tool) {
	t.Helper()
	if got.Key != "key" || got.Result != e.result || got.Live != e.live || !strings.Contains(got.Reason, e.reason) {
		t.Errorf("got %+v, want %+v", got, e)
	}
	if (got.Result == actions.ResultDone) != (got.Reason == "") {
		t.Errorf("%s because of %q", got.Result, got.Reason)
	}
	if len(x.keys) != e.calls {
		t.Errorf("%d calls, want %d", len(x.keys), e.calls)
	}
	if keys := slices.Compact(slices.Clone(x.keys)); len(keys) > 1 {
		t.Errorf("the key changed: %q", keys)
	}
}

func TestARollbackThatWasJustIntended(t *testing.T) {
	for name, c := range map[string]struct {
		tool tool
		want expected
	}{
		"is done, and the tool cannot tell what is live": {tool{}, expected{actions.ResultDone, "", 1, ""}},
		"is done, and the tool sees the target":          {tool{live: []any{from, to}}, expected{actions.ResultDone, to, 1, ""}},
		"is done although the target was live before":    {tool{live: []any{to}}, expected{actions.ResultDone, to, 1, ""}},
		"takes a while to show":                          {tool{live: []any{from, from, from, from, to}}, expected{actions.ResultDone, to, 1, ""}},
		"shows although the tool falters in between":     {tool{live: []any{from, from, errPlain, to}}, expected{actions.ResultDone, to, 1, ""}},
		"is asked for again where a question fails":      {tool{live: []any{from, errPlain, to}}, expected{actions.ResultDone, to, 1, ""}},
		"is not believed because a question failed":      {tool{live: []any{from, errLost, from}}, expected{actions.ResultFailed, from, 1, "said done, but 2.4.0 is live"}},
		"is unknown where every question fails":          {tool{live: []any{errPlain}}, expected{actions.ResultUnknown, "", 1, "nobody says which version is live: something else"}},
		"never shows":                                    {tool{live: []any{from}}, expected{actions.ResultFailed, from, 1, "said done, but 2.4.0 is live"}},
		"never shows, and then nobody can tell":          {tool{live: []any{from, from, actions.ErrCannotTell}}, expected{actions.ResultFailed, from, 1, "said done, but 2.4.0 is live"}},
		"is not done where another is live":              {tool{live: []any{"2.5.0"}}, expected{actions.ResultFailed, "2.5.0", 0, "2.5.0 is live by now, not 2.4.0"}},
		"fails for good":                                 {tool{errs: []error{errNever}}, expected{actions.ResultFailed, "", 1, "nothing was done: no such service"}},
		"works at the third try":                         {tool{errs: []error{errLater, errLater, nil}}, expected{actions.ResultDone, "", 3, ""}},
		"works at the third try of an idempotent tool whose answers were lost": {
			tool{errs: []error{errLost, errPlain, nil}, idempotent: true}, expected{actions.ResultDone, "", 3, ""},
		},
		"fails for good after a retry":             {tool{errs: []error{errLater, errNever}}, expected{actions.ResultFailed, "", 2, "no such service"}},
		"is unknown where the answer was lost":     {tool{errs: []error{errLost}}, expected{actions.ResultUnknown, "", 1, "connection reset"}},
		"is unknown where the error has no class":  {tool{errs: []error{errPlain}}, expected{actions.ResultUnknown, "", 1, "something else"}},
		"is unknown where a retry lost the answer": {tool{errs: []error{errLater, errLost}}, expected{actions.ResultUnknown, "", 2, "connection reset"}},
		"is unknown where a lost answer is followed by a refusal": {
			tool{errs: []error{errLost, errNever}, idempotent: true}, expected{actions.ResultUnknown, "", 2, "no such service"},
		},
		"is done where the answer was lost, but the target is live": {
			tool{errs: []error{errLost}, live: []any{from, to}}, expected{actions.ResultDone, to, 1, ""},
		},
		"is unknown where the answer was lost and the old one is live": {
			tool{errs: []error{errLost}, live: []any{from}}, expected{actions.ResultUnknown, "", 1, "connection reset"},
		},
		"is unknown where the tool panics when asked": {tool{live: []any{7}}, expected{actions.ResultUnknown, "", 0, "panic"}},
		"is unknown where the tool panics": {
			tool{block: func(context.Context) { panic("oh") }}, expected{actions.ResultUnknown, "", 1, "panic: oh"},
		},
		"is unknown where it takes too long": {
			tool{block: func(ctx context.Context) { <-ctx.Done() }, errs: []error{context.DeadlineExceeded}}, expected{actions.ResultUnknown, "", 1, "deadline"},
		},
		"is done where it takes too long, but the target is live": {
			tool{block: func(ctx context.Context) { <-ctx.Done() }, errs: []error{context.DeadlineExceeded}, live: []any{from, to}},
			expected{actions.ResultDone, to, 1, ""},
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c.want.check(t, runner(&c.tool).Run(t.Context(), grant(t)), &c.tool)
			})
		})
	}
}

func TestARollbackThatMayHaveBeenTriedBefore(t *testing.T) {
	for name, c := range map[string]struct {
		tool tool
		want expected
	}{
		"was done":                                  {tool{live: []any{to}}, expected{actions.ResultDone, to, 0, ""}},
		"was done, by an idempotent tool":           {tool{live: []any{to}, idempotent: true}, expected{actions.ResultDone, to, 0, ""}},
		"is unknown where nobody can tell":          {tool{}, expected{actions.ResultUnknown, "", 0, "cannot tell"}},
		"is unknown where the old one is live":      {tool{live: []any{from}}, expected{actions.ResultUnknown, from, 0, "must not be called twice"}},
		"is unknown where a third one is live":      {tool{live: []any{"2.5.0"}, idempotent: true}, expected{actions.ResultUnknown, "2.5.0", 0, "2.5.0 is live by now"}},
		"is tried again by an idempotent tool":      {tool{idempotent: true}, expected{actions.ResultDone, "", 1, ""}},
		"is tried again, and the target shows":      {tool{idempotent: true, live: []any{from, to}}, expected{actions.ResultDone, to, 1, ""}},
		"is tried again and again":                  {tool{idempotent: true, errs: []error{errLater, errLost, nil}}, expected{actions.ResultDone, "", 3, ""}},
		"was done, and the question fails at first": {tool{live: []any{errPlain, errLater, to}}, expected{actions.ResultDone, to, 0, ""}},
		"is unknown where every question fails":     {tool{live: []any{errPlain}}, expected{actions.ResultUnknown, "", 0, "something else"}},
		"is tried again where every question fails": {tool{idempotent: true, live: []any{errPlain}}, expected{actions.ResultUnknown, "", 1, "something else"}},
		"is tried again, and that fails for good, but the first try may have done it": {
			tool{idempotent: true, errs: []error{errNever}}, expected{actions.ResultUnknown, "", 1, "no such service"},
		},
		"is unknown where the tool is confused": {tool{live: []any{7}}, expected{actions.ResultUnknown, "", 0, "panic"}},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c.want.check(t, runner(&c.tool).Resume(t.Context(), grant(t)), &c.tool)
			})
		})
	}
}

func TestRetriesEndWithTheTimeOfTheRollbackAndSayWhatWentWrong(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		x, began := &tool{errs: []error{errLater}}, time.Now()
		got := runner(x).Run(t.Context(), grant(t))
		if got.Result != actions.ResultFailed || got.Reason != "nothing was done: 503" {
			t.Errorf("got %+v", got)
		}
		if took := time.Since(began); took > timeout || took < timeout/2 {
			t.Errorf("took %s of %s", took, timeout)
		}
		for i := 1; i < len(x.at); i++ {
			if pause := x.at[i].Sub(x.at[i-1]); pause > 30*time.Second {
				t.Errorf("paused %s before try %d", pause, i+1)
			}
		}
	})
}

func TestTheTimeThatTheOtherSideAskedForIsWaited(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		x := &tool{errs: []error{&actions.Error{Class: actions.ClassRetryable, After: time.Minute, Err: errors.New("429")}, nil}}
		got := runner(x).Run(t.Context(), grant(t))
		if got.Result != actions.ResultDone || len(x.at) != 2 || x.at[1].Sub(x.at[0]) < time.Minute {
			t.Errorf("got %+v after calls at %v", got, x.at)
		}
	})
}

func TestATimeLongerThanTheRollbackMayTakeIsNotWaited(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		x, began := &tool{errs: []error{&actions.Error{Class: actions.ClassRetryable, After: time.Hour, Err: errors.New("429")}}}, time.Now()
		got := runner(x).Run(t.Context(), grant(t))
		if got.Result != actions.ResultFailed || len(x.keys) != 1 || time.Since(began) > timeout {
			t.Errorf("got %+v after %s", got, time.Since(began))
		}
	})
}

func TestAnExecutorThatNeverComesBackDoesNotKeepPeopleFromBeingTold(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		stuck := make(chan struct{})
		defer close(stuck)
		x, began := &tool{block: func(context.Context) { <-stuck }}, time.Now()
		got := runner(x).Run(t.Context(), grant(t))
		if got.Result != actions.ResultUnknown || time.Since(began) > timeout+time.Minute {
			t.Errorf("got %+v after %s", got, time.Since(began))
		}
	})
}

func TestWithoutAGrantNothingIsCalled(t *testing.T) {
	x := &tool{live: []any{from}}
	r := actions.Runner{Executors: func(string) (actions.Binder, bool) { return x, true }}
	for name, run := range map[string]func(context.Context, actions.Grant) actions.Outcome{"Run": r.Run, "Resume": r.Resume} {
		if got := run(t.Context(), actions.Grant{}); got.Result != actions.ResultFailed || len(x.keys) > 0 || x.asked > 0 {
			t.Errorf("%s: %+v after %d calls and %d questions", name, got, len(x.keys), x.asked)
		}
	}
}

func TestAGrantNeedsAnAcknowledgedIntentWithAKeyAndATarget(t *testing.T) {
	good := actions.Intent{Key: "k", Subject: actions.Subject{To: to}}
	for name, c := range map[string]struct {
		intent actions.Intent
		seq    uint64
		ok     bool
	}{
		"complete":             {good, 1, true},
		"not acknowledged":     {good, 0, false},
		"without a key":        {actions.Intent{Subject: good.Subject}, 1, false},
		"without a target":     {actions.Intent{Key: "k"}, 1, false},
		"nothing but sequence": {actions.Intent{}, 1, false},
	} {
		t.Run(name, func(t *testing.T) {
			g, err := actions.Acknowledged(c.intent, c.seq)
			if (err == nil) != c.ok || !c.ok && !errors.Is(err, actions.ErrNoGrant) || !c.ok && g.Key() != "" {
				t.Errorf("got %v", err)
			}
		})
	}
}

func TestAnExecutorThatIsNotThereOrCannotBeBoundFailsBeforeAnythingIsDone(t *testing.T) {
	missing := actions.Runner{Executors: func(string) (actions.Binder, bool) { return nil, false }}
	if got := missing.Run(t.Context(), grant(t)); got.Result != actions.ResultFailed || !strings.Contains(got.Reason, "[executor.tool]") {
		t.Errorf("got %+v", got)
	}
	unbound := actions.Runner{Executors: func(string) (actions.Binder, bool) { return unbindable{}, true }}
	if got := unbound.Run(t.Context(), grant(t)); got.Result != actions.ResultFailed || !strings.Contains(got.Reason, "no such option") {
		t.Errorf("got %+v", got)
	}
}

type unbindable struct{}

func (unbindable) Bind(map[string]any, actions.Subject) (actions.Executor, error) {
	return nil, errors.New("no such option")
}

func TestTheClassOfAnErrorSurvivesWrapping(t *testing.T) {
	for name, c := range map[string]struct {
		err  error
		want actions.Class
	}{
		"retryable": {errLater, actions.ClassRetryable}, "permanent": {errNever, actions.ClassPermanent},
		"unknown": {errLost, actions.ClassUnknown}, "none": {errPlain, actions.ClassUnknown}, "no error": {nil, actions.ClassUnknown},
		"wrapped": {fmt.Errorf("checkout: %w", errNever), actions.ClassPermanent},
		"joined":  {errors.Join(errPlain, errLater), actions.ClassRetryable},
	} {
		t.Run(name, func(t *testing.T) {
			if got := actions.Classify(c.err); got != c.want {
				t.Errorf("got %d, want %d", got, c.want)
			}
		})
	}
}

func TestNothingIsPutOverAVersionThatWasDeployedMeanwhile(t *testing.T) {
	for name, c := range map[string]struct {
		run    func(actions.Runner, context.Context, actions.Grant) actions.Outcome
		result actions.Result
	}{
		"begun":   {actions.Runner.Run, actions.ResultFailed},
		"resumed": {actions.Runner.Resume, actions.ResultUnknown},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				x := &tool{idempotent: true}
				got := c.run(runner(x), t.Context(), grant(t).Overtaken("2.5.0"))
				if got.Result != c.result || len(x.keys) > 0 || !strings.Contains(got.Reason, "2.5.0 was deployed meanwhile") {
					t.Errorf("%+v, %d calls", got, len(x.keys))
				}
			})
		})
	}
}
