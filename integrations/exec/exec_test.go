package exec_test

import (
	"context"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/bakewatch/bakewatch/actions"
	"github.com/bakewatch/bakewatch/integrations/exec"
	"github.com/bakewatch/bakewatch/rules"
)

var subject = actions.Subject{Service: "checkout", Environment: "production", From: "2.4.0", To: "2.3.9", Watch: "7"}

// bind makes an executor that runs a line of shell; the line's $0 is dir.
func bind(t *testing.T, s actions.Subject, line, dir string, change func(*exec.Options)) actions.Executor {
	t.Helper()
	options := exec.Kind().New().(*exec.Options)
	options.Command = []string{"/bin/sh", "-c", line, dir}
	options.KillAfter = rules.Duration(100 * time.Millisecond)
	if change != nil {
		change(options)
	}
	binder, err := options.Binder("deployer", slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	executor, err := binder.Bind(nil, s)
	if err != nil {
		t.Fatal(err)
	}
	return executor
}

func TestTheExitSaysWhatWasDone(t *testing.T) {
	for name, c := range map[string]struct {
		line string
		want actions.Class
	}{
		"75: nothing yet":                {"exit 75", actions.ClassRetryable},
		"78: nothing ever":               {"exit 78", actions.ClassPermanent},
		"1: who knows":                   {"exit 1", actions.ClassUnknown},
		"64: who knows":                  {"exit 64", actions.ClassUnknown},
		"127 from within the script":     {"/no/such/program", actions.ClassUnknown},
		"killed by someone":              {"kill -9 $$", actions.ClassUnknown},
		"killed, and it looked like 75":  {"kill -ALRM $$; exit 75", actions.ClassUnknown},
		"75 with children still talking": {"(sleep 2)& exit 75", actions.ClassRetryable},
	} {
		t.Run(name, func(t *testing.T) {
			err := bind(t, subject, c.line, "", nil).Rollback(t.Context(), "k")
			if err == nil || actions.Classify(err) != c.want {
				t.Errorf("class %d, want %d: %v", actions.Classify(err), c.want, err)
			}
		})
	}
}

func TestWhatCannotStartHasDoneNothing(t *testing.T) {
	notExecutable := filepath.Join(t.TempDir(), "plain")
	if err := os.WriteFile(notExecutable, []byte("x"), 0o600); err != nil {
		t.Fatal(err)
	}
	for name, change := range map[string]func(*exec.Options){
		"a missing program":           func(o *exec.Options) { o.Command = []string{"/no/such/program"} },
		"a file that is no program":   func(o *exec.Options) { o.Command = []string{notExecutable} },
		"a missing working directory": func(o *exec.Options) { o.Dir = "/no/such/dir" },
	} {
		t.Run(name, func(t *testing.T) {
			err := bind(t, subject, "", "", change).Rollback(t.Context(), "k")
			if actions.Classify(err) != actions.ClassPermanent {
				t.Errorf("class %d: %v", actions.Classify(err), err)
			}
		})
	}
}

func TestANULByteIsRefused(t *testing.T) {
	bad := subject
	bad.To = "2.3.9\x00"
	if err := bind(t, bad, "exit 0", "", nil).Rollback(t.Context(), "k"); actions.Classify(err) != actions.ClassPermanent {
		t.Errorf("in a value: %v", err)
	}
	if (&exec.With{Args: []string{"a\x00b"}}).Check() == nil {
		t.Error("in an argument: accepted")
	}
}

func TestTheEnvironmentHoldsWhatWasSaidAndNothingElse(t *testing.T) {
	t.Setenv("DAEMON_PASSWORD", "hunter2-hunter2")
	t.Setenv("REGION", "from the daemon")
	t.Setenv("ALLOWED", "yes")
	odd := subject
	odd.Reason = "$(touch pwned) `id` \"quoted\"\nsecond line"
	odd.Flag = strings.Repeat("é", 10_000)
	dir := t.TempDir()
	executor := bind(t, odd, `env > "$0/env"; printf %s "$BAKEWATCH_REASON" > "$0/reason"`, dir, func(o *exec.Options) {
		o.Env = map[string]string{"REGION": "eu-1"}
		o.Pass = append(o.Pass, "ALLOWED", "REGION", "NOT_SET")
	})
	if err := executor.Rollback(t.Context(), "k-1"); err != nil {
		t.Fatal(err)
	}
	env, reason := content(t, dir, "env"), content(t, dir, "reason")
	for _, want := range []string{"REGION=eu-1\n", "ALLOWED=yes\n", "BAKEWATCH_TO=2.3.9\n", "BAKEWATCH_KEY=k-1\n", "BAKEWATCH_SLOT=\n", "PATH="} {
		if !strings.Contains(env, want) {
			t.Errorf("no %q in the environment:\n%s", want, env)
		}
	}
	if strings.Contains(env, "hunter2") || strings.Contains(env, "NOT_SET") {
		t.Errorf("the daemon's environment leaked:\n%s", env)
	}
	if reason != odd.Reason {
		t.Errorf("the reason arrived as %q", reason)
	}
	if _, err := os.Stat(filepath.Join(dir, "pwned")); err == nil {
		t.Error("a value was run")
	}
}

func TestThePlansArgumentsComeAfterTheOptionsInBothCommands(t *testing.T) {
	dir := t.TempDir()
	options := exec.Kind().New().(*exec.Options)
	options.Command = []string{"/bin/sh", "-c", `printf '%s|' "$@" > "$0/args"; pwd > "$0/pwd"`, dir, "fixed"}
	options.Live = []string{"/bin/sh", "-c", `echo "$1-$2-$3"`, dir, "fixed"}
	binder, err := options.Binder("deployer", slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	executor, err := binder.Bind(map[string]any{"args": []any{"checkout", "two words"}}, subject)
	if err != nil {
		t.Fatal(err)
	}
	if err := executor.Rollback(t.Context(), "k"); err != nil {
		t.Fatal(err)
	}
	if args, pwd := content(t, dir, "args"), content(t, dir, "pwd"); args != "fixed|checkout|two words|" || pwd != "/\n" {
		t.Errorf("arguments %q in %q", args, pwd)
	}
	if live, err := executor.Live(t.Context()); err == nil || !strings.Contains(err.Error(), "fixed-checkout-two words") {
		t.Errorf("live: %q, %v", live, err)
	}
}

func TestNothingIsLeftBehindWhenTimeIsUp(t *testing.T) {
	for name, line := range map[string]string{
		"a command that ends on SIGTERM":           `echo $$ > "$0/pid"; exec sleep 600`,
		"one that says 0 on SIGTERM":               `trap 'exit 0' TERM; echo $$ > "$0/pid"; while :; do sleep 0.01; done`,
		"one that ignores SIGTERM":                 `trap '' TERM; echo $$ > "$0/pid"; while :; do sleep 600; done`,
		"a child that ignores it, behind its back": `(trap '' TERM; exec sh -c 'echo $$ > "$0/pid"; exec sleep 600 >/dev/null 2>&1' "$0") & wait`,
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			executor := bind(t, subject, line, dir, nil)
			ctx, cancel := context.WithCancel(t.Context())
			failed := make(chan error, 1)
			go func() { failed <- executor.Rollback(ctx, "k") }()
			eventually(t, func() bool { return strings.HasSuffix(content(t, dir, "pid"), "\n") })
			group := groupOf(t, dir)
			cancel()
			if err := <-failed; actions.Classify(err) != actions.ClassUnknown || err == nil {
				t.Errorf("class %d: %v", actions.Classify(err), err)
			}
			if alive(group) {
				t.Error("processes of the group are left")
			}
		})
	}
}

func TestLiveTellsAVersionOrThatItCannot(t *testing.T) {
	for name, c := range map[string]struct {
		line, want string
		again      bool // the question failed, and may be asked again
	}{
		"a version":                     {`echo "  2.3.9 "`, "2.3.9", false},
		"a version and a log on stderr": {`echo connecting >&2; echo 2.3.9`, "2.3.9", false},
		"nothing":                       {`:`, "", false},
		"two lines":                     {`echo 2.3.9; echo 2.4.0`, "", false},
		"a sentence":                    {`echo "no such service"`, "", false},
		"a flood":                       {`head -c 1000000 /dev/zero | tr '\0' 2`, "", false},
		"78: it never will":             {`exit 78`, "", false},
		"a version, but it failed":      {`echo 2.3.9; exit 1`, "", true},
		"75: not yet":                   {`exit 75`, "", true},
		"a signal":                      {`echo 2.3.9; kill -9 $$`, "", true},
	} {
		t.Run(name, func(t *testing.T) {
			executor := bind(t, subject, "exit 1", "", func(o *exec.Options) { o.Live = []string{"/bin/sh", "-c", c.line} })
			live, err := executor.Live(t.Context())
			if live != c.want || (err == nil) != (c.want != "") || err != nil && errors.Is(err, actions.ErrCannotTell) == c.again {
				t.Errorf("live %q, %v; want %q, ask again %v", live, err, c.want, c.again)
			}
		})
	}
	t.Run("a live command that is not there cannot tell", func(t *testing.T) {
		executor := bind(t, subject, "", "", func(o *exec.Options) { o.Live = []string{"/no/such/program"} })
		if _, err := executor.Live(t.Context()); !errors.Is(err, actions.ErrCannotTell) {
			t.Error(err)
		}
	})
	t.Run("without a live command it cannot tell", func(t *testing.T) {
		if _, err := bind(t, subject, "", "", nil).Live(t.Context()); !errors.Is(err, actions.ErrCannotTell) {
			t.Error(err)
		}
	})
}

func TestAVersionThatIsPrintedOnTheWayOutIsNotBelieved(t *testing.T) {
	dir := t.TempDir()
	executor := bind(t, subject, "", "", func(o *exec.Options) {
		o.Live = []string{"/bin/sh", "-c", `trap 'echo 2.3.9; exit 0' TERM; echo $$ > "$0/pid"; while :; do sleep 0.01; done`, dir}
	})
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	failed := make(chan error, 1)
	go func() {
		_, err := executor.Live(ctx)
		failed <- err
	}()
	eventually(t, func() bool { return strings.HasSuffix(content(t, dir, "pid"), "\n") })
	cancel()
	if err := <-failed; err == nil || errors.Is(err, actions.ErrCannotTell) {
		t.Error(err)
	}
}

func TestTheErrorHoldsTheLastLines(t *testing.T) {
	line := `for i in 1 2 3 4 5 6 7 8 9; do echo "line $i"; done; printf '\033[31mred\000\n' >&2; exit 3`
	err := bind(t, subject, line, "", nil).Rollback(t.Context(), "k")
	text := err.Error()
	if !strings.Contains(text, "exit status 3") || !strings.Contains(text, "line 9") || !strings.Contains(text, "red") ||
		strings.Contains(text, "line 4") || strings.ContainsAny(text, "\x1b\x00\n") {
		t.Errorf("%q", text)
	}
}

func TestASecretOfSeveralLinesIsTakenOutToo(t *testing.T) {
	t.Setenv("DEPLOY_KEY", "first-half\nsecond-half")
	err := bind(t, subject, `echo "no entry with $DEPLOY_KEY"; exit 1`, "", func(o *exec.Options) { o.Pass = append(o.Pass, "DEPLOY_KEY") }).
		Rollback(t.Context(), "k")
	if text := err.Error(); strings.Contains(text, "half") || !strings.Contains(text, "no entry with [redacted]") {
		t.Errorf("%q", text)
	}
}

func TestOptionsAreCheckedAtLoad(t *testing.T) {
	for name, c := range map[string]struct {
		change func(*exec.Options)
		want   string
	}{
		"no command":           {func(o *exec.Options) { o.Command = nil }, "command: missing"},
		"a relative program":   {func(o *exec.Options) { o.Command = []string{"rollback.sh"} }, "not an absolute path"},
		"a relative live":      {func(o *exec.Options) { o.Live = []string{"live"} }, "live: "},
		"a placeholder":        {func(o *exec.Options) { o.Command = []string{"/bin/x", "$version"} }, "$version is not put in here"},
		"a secret in place":    {func(o *exec.Options) { o.Env = map[string]string{"DEPLOY_TOKEN": "abc"} }, "secret written in place"},
		"a name of ours":       {func(o *exec.Options) { o.Env = map[string]string{"BAKEWATCH_TO": "1"} }, "set by Bakewatch"},
		"an odd name":          {func(o *exec.Options) { o.Pass = []string{"A=B"} }, "no name of an environment variable"},
		"a relative directory": {func(o *exec.Options) { o.Dir = "work" }, "dir: "},
		"no time to end":       {func(o *exec.Options) { o.KillAfter = 0 }, "kill_after: must be more"},
		"too much time to end": {func(o *exec.Options) { o.KillAfter = rules.Duration(31 * time.Second) }, "kill_after: must be at most 30s"},
	} {
		t.Run(name, func(t *testing.T) {
			options := exec.Kind().New().(*exec.Options)
			options.Command = []string{"/bin/true"}
			if err := options.Check(); err != nil {
				t.Fatalf("before the change: %v", err)
			}
			c.change(options)
			if err := options.Check(); err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("%v; want %q", err, c.want)
			}
		})
	}
}
