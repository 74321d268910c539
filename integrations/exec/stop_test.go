package exec_test

import (
	"bytes"
	"context"
	"log/slog"
	"os"
	osexec "os/exec"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/bakewatch/bakewatch/actions"
	"github.com/bakewatch/bakewatch/integrations/exec"
	"github.com/bakewatch/bakewatch/rules"
)

// patient lets a command end in peace when its time is over.
func patient(o *exec.Options) { o.KillAfter = rules.Duration(30 * time.Second) }

// over is a context whose time is over when the test says so.
type over struct {
	context.Context
	done chan struct{}
}

func (o over) Done() <-chan struct{} { return o.done }

func (o over) Err() error {
	select {
	case <-o.done:
		return context.DeadlineExceeded
	default:
		return nil
	}
}

func TestACommandWhoseTimeIsOverMayEndInPeace(t *testing.T) {
	dir, ctx := t.TempDir(), over{t.Context(), make(chan struct{})}
	line := `trap 'sleep 1; echo put back > "$0/end"; exit 0' TERM; echo $$ > "$0/pid"; while :; do sleep 0.01; done`
	executor, failed := bind(t, subject, line, dir, patient), make(chan error, 1)
	go func() { failed <- executor.Rollback(ctx, "k") }()
	eventually(t, func() bool { return strings.HasSuffix(content(t, dir, "pid"), "\n") })
	close(ctx.done)
	if err := <-failed; actions.Classify(err) != actions.ClassUnknown || content(t, dir, "end") != "put back\n" {
		t.Errorf("%v, and it wrote %q", err, content(t, dir, "end"))
	}
}

// The daemon waits for a second when it stops; what is left then would go on beside
// the run that resumes it.
func TestADaemonThatStopsLeavesNothingBehind(t *testing.T) {
	dir := t.TempDir()
	ctx, stop := context.WithCancel(t.Context())
	line := `trap '' TERM; echo $$ > "$0/pid"; while :; do sleep 600; done`
	executor, failed := bind(t, subject, line, dir, patient), make(chan error, 1)
	go func() { failed <- executor.Rollback(ctx, "k") }()
	eventually(t, func() bool { return strings.HasSuffix(content(t, dir, "pid"), "\n") })
	group, began := groupOf(t, dir), time.Now()
	stop()
	if err := <-failed; actions.Classify(err) != actions.ClassUnknown {
		t.Error(err)
	}
	if took := time.Since(began); alive(group) || took > 10*time.Second {
		t.Errorf("after %s, alive: %v", took, alive(group))
	}
}

// killedDaemon names the folder of a test process that plays a daemon.
const killedDaemon = "BAKEWATCH_TEST_KILLED_DAEMON"

func TestMain(m *testing.M) { os.Exit(withLocks(m)) }

// withLocks gives the tests a folder for locks that no other run of them shares.
func withLocks(m *testing.M) int {
	if os.Getenv(killedDaemon) == "" {
		dir, err := os.MkdirTemp("", "bakewatch-exec")
		if err != nil {
			panic(err)
		}
		defer func() { _ = os.RemoveAll(dir) }()
		_ = os.Setenv("TMPDIR", dir)
	}
	return m.Run()
}

func TestARollbackIsNotRunBesideOneThatAKilledDaemonLeft(t *testing.T) {
	first := `echo $$ > "$0/pid"; while [ ! -e "$0/go" ]; do sleep 0.01; done; echo first >> "$0/order"`
	if dir := os.Getenv(killedDaemon); dir != "" {
		t.Error(bind(t, subject, first, dir, nil).Rollback(t.Context(), "k"))
		return
	}
	dir := t.TempDir()
	daemon := osexec.CommandContext(t.Context(), os.Args[0], "-test.run", "^"+t.Name()+"$")
	daemon.Env = append(os.Environ(), killedDaemon+"="+dir)
	if err := daemon.Start(); err != nil {
		t.Fatal(err)
	}
	eventually(t, func() bool { return strings.HasSuffix(content(t, dir, "pid"), "\n") })
	if err := daemon.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = daemon.Wait()
	second := bind(t, subject, `echo second >> "$0/order"`, dir, nil)
	ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
	defer cancel()
	err := second.Rollback(ctx, "k")
	if actions.Classify(err) != actions.ClassUnknown || !strings.Contains(err.Error(), "has not ended") || content(t, dir, "order") != "" {
		t.Errorf("beside the first: %v, %q", err, content(t, dir, "order"))
	}
	if err := second.Rollback(t.Context(), "another"); err != nil {
		t.Errorf("another rollback: %v", err)
	}
	if err := os.WriteFile(dir+"/go", nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := second.Rollback(t.Context(), "k"); err != nil || content(t, dir, "order") != "second\nfirst\nsecond\n" {
		t.Errorf("after the first: %v, %q", err, content(t, dir, "order"))
	}
}

func TestWhatACommandLeavesInTheBackgroundHoldsUpNoRetry(t *testing.T) {
	dir := t.TempDir()
	executor := bind(t, subject, `sleep 600 >/dev/null 2>&1 & echo $! >> "$0/pids"; exit 75`, dir, nil)
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	for range 2 {
		if err := executor.Rollback(ctx, "k"); actions.Classify(err) != actions.ClassRetryable {
			t.Error(err)
		}
	}
	for pid := range strings.FieldsSeq(content(t, dir, "pids")) {
		kill(t, pid)
	}
}

func TestWithoutAPlaceForALockARollbackIsRunAndAWarningGiven(t *testing.T) {
	for name, folder := range map[string]func(t *testing.T) string{
		"no folder": func(*testing.T) string { return "/no/such/folder" },
		"one that is open to others": func(t *testing.T) string {
			dir := t.TempDir()
			open := dir + "/bakewatch-" + uid()
			if err := os.Mkdir(open, 0o700); err != nil {
				t.Fatal(err)
			}
			if err := os.Chmod(open, 0o777); err != nil { //nolint:gosec // that is the point
				t.Fatal(err)
			}
			return dir
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Setenv("TMPDIR", folder(t))
			var said log
			options := exec.Kind().New().(*exec.Options)
			options.Command = []string{"/bin/true"}
			binder, err := options.Binder("deployer", slog.New(slog.NewTextHandler(&said, nil)))
			if err != nil {
				t.Fatal(err)
			}
			executor, err := binder.Bind(nil, subject)
			if err != nil {
				t.Fatal(err)
			}
			if err := executor.Rollback(t.Context(), "k"); err != nil || !strings.Contains(said.String(), "level=WARN msg=\"no lock") {
				t.Errorf("%v, and it said %q", err, said.String())
			}
		})
	}
}

// log is what an executor wrote to its log.
type log struct {
	mu sync.Mutex
	bytes.Buffer
}

func (l *log) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.Buffer.Write(p)
}
