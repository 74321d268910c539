package actions_test

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/bakewatch/bakewatch/actions"
	"github.com/bakewatch/bakewatch/rules"
)

// within makes a grant whose plan gives this time; 0: it says nothing.
func within(t *testing.T, timeout time.Duration) actions.Grant {
	t.Helper()
	g, err := actions.Acknowledged(actions.Intent{
		Key: "key", Executor: "tool", Subject: actions.Subject{Service: "checkout", From: from, To: to, Watch: "7"}, Timeout: rules.Duration(timeout),
	}, 9)
	if err != nil {
		t.Fatal(err)
	}
	return g
}

func TestAQuestionThatHangsLeavesTimeForTheRollback(t *testing.T) {
	for name, c := range map[string]struct {
		timeout, latest time.Duration
		run             func(actions.Runner, context.Context, actions.Grant) actions.Outcome
	}{
		"of five minutes":                      {timeout, 15 * time.Second, actions.Runner.Run},
		"of ten seconds":                       {10 * time.Second, 5 * time.Second, actions.Runner.Run},
		"of five minutes, after a restart":     {timeout, time.Minute, actions.Runner.Resume},
		"of forty seconds, after a restart":    {40 * time.Second, 20 * time.Second, actions.Runner.Resume},
		"of a plan that does not say anything": {0, 15 * time.Second, actions.Runner.Run},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				x, began := &tool{live: []any{hanging{}}, idempotent: true}, time.Now()
				c.run(runner(x), t.Context(), within(t, c.timeout))
				if len(x.at) == 0 || x.at[0].Sub(began) > c.latest {
					t.Errorf("called at %v, began at %v", x.at, began)
				}
			})
		})
	}
}

func TestAPlanThatSaysNothingGivesFiveMinutes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		x, began := &tool{block: func(ctx context.Context) { <-ctx.Done() }, errs: []error{errLost}}, time.Now()
		got := runner(x).Run(t.Context(), within(t, 0))
		if took := time.Since(began); got.Result != actions.ResultUnknown || took != 5*time.Minute {
			t.Errorf("%+v after %s", got, took)
		}
	})
}

// An executor that takes all the time it may have to end what it began, and is then
// slow to say what is live, is still heard; and all of it ends before Longest is over.
func TestTheLongestTimeHoldsWhatAnExecutorMayTake(t *testing.T) {
	for name, plan := range map[string]time.Duration{"one second": time.Second, "the default": 0} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				x := &slowToEnd{tool: tool{errs: []error{errLost}, live: []any{from, to}}}
				g, began := within(t, plan), time.Now()
				got := actions.Runner{Executors: func(string) (actions.Binder, bool) { return x, true }}.Run(t.Context(), g)
				if took := time.Since(began); got.Result != actions.ResultDone || took >= g.Longest() {
					t.Errorf("%+v after %s of %s", got, took, g.Longest())
				}
			})
		})
	}
}

// slowToEnd takes as long as is allowed.
type slowToEnd struct{ tool }

func (x *slowToEnd) Bind(map[string]any, actions.Subject) (actions.Executor, error) { return x, nil }

func (x *slowToEnd) Rollback(ctx context.Context, key string) error {
	<-ctx.Done()
	wait(actions.LongestEnd)
	return x.tool.Rollback(ctx, key)
}

func (x *slowToEnd) Live(ctx context.Context) (string, error) {
	if x.asked > 0 {
		wait(14 * time.Second)
	}
	return x.tool.Live(ctx)
}

// wait lets the fake clock of a test go on.
func wait(d time.Duration) { <-time.After(d) }

// A daemon that stops gives its rollbacks a second: a question would be cut off.
func TestAStoppedDaemonAsksNothingMore(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, stop := context.WithCancel(t.Context())
		x := &tool{block: func(context.Context) { stop() }, errs: []error{errLost}, live: []any{from, to}}
		if got := runner(x).Run(ctx, grant(t)); got.Result != actions.ResultUnknown || x.asked != 1 {
			t.Errorf("%+v after %d questions", got, x.asked)
		}
	})
}
