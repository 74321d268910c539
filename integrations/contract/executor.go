package contract

import (
	"context"
	"errors"
	"testing"

	"github.com/bakewatch/bakewatch/actions"
	"github.com/bakewatch/bakewatch/rules"
)

// ExecutorSuite is what the suite must know of one kind of executor.
type ExecutorSuite struct {
	Kind    rules.Kind
	Start   Start          // its Options are actions.ExecutorOptions
	With    map[string]any // a plan's `with` that is right
	Secrets []string       // what Start's options hide, as a receiver sees it
}

// key looks as the runner's keys do: a hash.
const key = "9f86d081884c7d659a2feaa0c55ad015"

// subject holds values that would do harm as shell, URL, header or JSON text.
var subject = actions.Subject{
	Service: "checkout", Environment: "production", Strategy: "canary", Flag: "one-click", Slot: "green",
	From: "2.4.0", To: "2.3.9", Watch: "4711",
	Reason: "errors 4.1 % (41 of 1000) > limit 1 %\n$(touch pwned) `id` '; \" && {{.}} <script> \u2028 é",
}

// Executor runs the suite for one kind of executor.
func Executor(t *testing.T, s ExecutorSuite) {
	t.Run("README, example and options are complete", func(t *testing.T) { folder(t, "executor", s.Kind) })
	t.Run("a rollback that was done is nil, and one call with its key and subject", s.works)
	t.Run("each failure has the class that its caller needs", s.classes)
	t.Run("the same try again carries the same key", s.again)
	t.Run("a context that has ended sends nothing", s.ended)
	t.Run("a call that hangs ends with its context and is unknown", s.hangs)
	t.Run("a reply without an end is not read to its end", s.floods)
	t.Run("a redirect is refused", s.redirects)
	t.Run("a secret never shows", s.secrets)
	t.Run("a wrong with is refused when bound", s.wrongWith)
}

// bind makes the executor for the suite's subject.
func (s ExecutorSuite) bind(t *testing.T, outside Outside, log *record) (actions.Binder, actions.Executor) {
	t.Helper()
	if err := outside.Options.Check(); err != nil {
		t.Fatalf("the options that reach the fake: %v", err)
	}
	options, ok := outside.Options.(actions.ExecutorOptions)
	if !ok {
		t.Fatalf("%T is no actions.ExecutorOptions", outside.Options)
	}
	binder, err := options.Binder("deployer", log.logger())
	if err != nil {
		t.Fatalf("binder: %v", err)
	}
	executor, err := binder.Bind(s.With, subject)
	if err != nil {
		t.Fatalf("bind: %v", err)
	}
	return binder, executor
}

func (s ExecutorSuite) works(t *testing.T) {
	outside := s.Start.start(t, Works)
	binder, executor := s.bind(t, outside, &record{})
	if err := executor.Rollback(t.Context(), key); err != nil {
		t.Fatalf("rollback: %v", err)
	}
	calls := outside.Calls()
	if len(calls) != 1 || calls[0].Key != key || calls[0].Subject != subject {
		t.Errorf("the outside saw %+v", calls)
	}
	live, err := executor.Live(t.Context())
	if err != nil && !errors.Is(err, actions.ErrCannotTell) || err == nil && live != subject.To {
		t.Errorf("live is %q, %v; want %q, or cannot tell", live, err, subject.To)
	}
	if described, ok := binder.(interface{ Describe() string }); !ok || described.Describe() == "" {
		t.Errorf("%T does not describe itself", binder)
	}
}

func (s ExecutorSuite) classes(t *testing.T) {
	for conduct, class := range map[Conduct]actions.Class{
		TriesNot: actions.ClassRetryable, Refuses: actions.ClassPermanent, Unclear: actions.ClassUnknown,
	} {
		t.Run("one that "+string(conduct), func(t *testing.T) {
			outside := s.Start.start(t, conduct)
			_, executor := s.bind(t, outside, &record{})
			err := executor.Rollback(t.Context(), key)
			wantClass(t, err, class)
			if conduct == TriesNot {
				wantAfter(t, err, outside.After)
			}
			if n := len(outside.Calls()); n != 1 {
				t.Errorf("%d calls; retrying is the runner's", n)
			}
			if live, err := executor.Live(t.Context()); (err == nil) != (live != "") {
				t.Errorf("live: %q, %v; want a version or an error", live, err)
			}
		})
	}
}

func (s ExecutorSuite) again(t *testing.T) {
	outside := s.Start.start(t, TriesNot)
	_, first := s.bind(t, outside, &record{})
	_, second := s.bind(t, outside, &record{}) // as after a restart
	for _, executor := range []actions.Executor{first, first, second} {
		wantClass(t, executor.Rollback(t.Context(), key), actions.ClassRetryable)
	}
	calls := outside.Calls()
	if len(calls) != 3 {
		t.Fatalf("%d calls, want 3", len(calls))
	}
	for _, call := range calls {
		if call.Key != key {
			t.Errorf("key %q, want %q", call.Key, key)
		}
	}
}

func (s ExecutorSuite) ended(t *testing.T) {
	outside := s.Start.start(t, Works)
	_, executor := s.bind(t, outside, &record{})
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	wantClass(t, executor.Rollback(ctx, key), actions.ClassRetryable)
	if calls := outside.Calls(); len(calls) != 0 {
		t.Errorf("the outside saw %+v", calls)
	}
}

func (s ExecutorSuite) hangs(t *testing.T) {
	for name, end := range map[string]func(context.Context) (context.Context, func()){
		"cancelled": func(ctx context.Context) (context.Context, func()) { return context.WithCancel(ctx) },
		"timed out": func(ctx context.Context) (context.Context, func()) { d := newDeadline(ctx); return d, d.pass },
	} {
		t.Run(name, func(t *testing.T) {
			outside := s.Start.start(t, Hangs)
			_, executor := s.bind(t, outside, &record{})
			ctx, end := end(t.Context())
			defer end()
			failed := make(chan error, 1)
			go func() { failed <- executor.Rollback(ctx, key) }()
			eventually(t, "the call to arrive", func() bool { return len(outside.Calls()) == 1 })
			end()
			wantClass(t, within(t, func() error { return <-failed }), actions.ClassUnknown)
		})
	}
}

func (s ExecutorSuite) floods(t *testing.T) {
	outside := s.Start.start(t, Floods)
	_, executor := s.bind(t, outside, &record{})
	err := within(t, func() error { return executor.Rollback(t.Context(), key) })
	if err != nil {
		wantClass(t, err, actions.ClassUnknown)
	}
}

func (s ExecutorSuite) redirects(t *testing.T) {
	outside := s.Start.start(t, Redirects)
	_, executor := s.bind(t, outside, &record{})
	err := executor.Rollback(t.Context(), key)
	if err == nil || actions.Classify(err) == actions.ClassRetryable {
		t.Errorf("a redirect gave: %v", err)
	}
	if n := outside.Elsewhere(); n != 0 {
		t.Errorf("%d calls followed the redirect", n)
	}
}

func (s ExecutorSuite) secrets(t *testing.T) {
	for _, conduct := range []Conduct{Works, TriesNot, Refuses, Unclear, Echoes} {
		t.Run("to one that "+string(conduct), func(t *testing.T) {
			outside, log := s.Start.start(t, conduct), &record{}
			binder, executor := s.bind(t, outside, log)
			err := executor.Rollback(t.Context(), key)
			_, liveErr := executor.Live(t.Context())
			mustHide(t, s.Secrets, map[string]any{
				"the error": err, "the error of live": liveErr, "the log": log.String(),
				"the binder": binder, "the executor": executor, "the options": outside.Options,
			})
			if described, ok := binder.(interface{ Describe() string }); ok {
				mustHide(t, s.Secrets, map[string]any{"Describe": described.Describe()})
			}
		})
	}
}

func (s ExecutorSuite) wrongWith(t *testing.T) {
	outside := s.Start.start(t, Works)
	binder, _ := s.bind(t, outside, &record{})
	if _, err := binder.Bind(map[string]any{"no_such_key": 1}, subject); err == nil {
		t.Error("an unknown key was accepted")
	}
	if calls := outside.Calls(); len(calls) != 0 {
		t.Errorf("binding made calls: %+v", calls)
	}
}
