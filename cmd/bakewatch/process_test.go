package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/bakewatch/bakewatch/rules"
	"github.com/bakewatch/bakewatch/watcher"
)

// The test binary is its own daemon: started with asDaemon set it is bakewatch, and
// dieAt names the append at which the process kills itself.
const (
	asDaemon = "BAKEWATCH_TEST_AS_DAEMON"
	dieAt    = "BAKEWATCH_TEST_DIE_AT"
)

func daemonMain() int {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	p := newProgram(os.Stdin, os.Stdout, os.Stderr)
	if at := os.Getenv(dieAt); at != "" {
		point, err := parsePoint(at)
		if err != nil {
			return p.fail(err)
		}
		p.journal = func(j watcher.Journal) watcher.Journal { return &deadly{Journal: j, point: point} }
	}
	return p.run(ctx, os.Args[1:])
}

// point is a moment at which a process dies: right before or right after the n-th
// append of a kind (any: of whatever kind) that it makes.
type point struct {
	when string // before or after
	kind string
	n    int
}

const anyKind = "any"

func (p point) String() string { return fmt.Sprintf("%s %s %d", p.when, p.kind, p.n) }

func parsePoint(text string) (p point, err error) {
	if _, err := fmt.Sscan(text, &p.when, &p.kind, &p.n); err != nil {
		return p, fmt.Errorf("%s=%q: %w", dieAt, text, err)
	}
	return p, nil
}

// deadly is a journal at which the process dies.
type deadly struct {
	watcher.Journal
	point point
	seen  int
}

func (d *deadly) Append(ctx context.Context, e watcher.Entry) (watcher.Entry, error) {
	if d.point.kind != anyKind && d.point.kind != string(e.Kind) {
		return d.Journal.Append(ctx, e)
	}
	d.seen++
	if d.seen == d.point.n && d.point.when == "before" {
		die()
	}
	written, err := d.Journal.Append(ctx, e)
	if d.seen == d.point.n && d.point.when == "after" {
		die()
	}
	return written, err
}

// die is kill -9, of itself: nothing is flushed, no handler runs.
func die() {
	_ = syscall.Kill(os.Getpid(), syscall.SIGKILL)
	select {}
}

var _ watcher.Journal = (*deadly)(nil)

// process is a running bakewatch.
type process struct {
	t    testing.TB
	cmd  *exec.Cmd
	log  *lines
	gone chan struct{}

	stopping sync.Once
}

// lines is what a process says.
type lines struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (l *lines) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

func (l *lines) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

// last returns the last lines, or what the race detector said.
func (l *lines) last(n int) string {
	all := strings.Split(strings.TrimSpace(l.String()), "\n")
	if race := slices.Index(all, "WARNING: DATA RACE"); race >= 0 {
		return strings.Join(all[race:min(race+80, len(all))], "\n")
	}
	return strings.Join(all[max(0, len(all)-n):], "\n")
}

// bakewatch starts the program in a folder. It is killed with the test.
func bakewatch(t testing.TB, folder string, log *lines, env []string, args ...string) *process {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(self, args...)
	cmd.Dir, cmd.Stdout, cmd.Stderr = folder, log, log
	cmd.Env = append(os.Environ(), append(env, asDaemon+"=1")...)
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	p := &process{t: t, cmd: cmd, log: log, gone: make(chan struct{})}
	go func() { _ = cmd.Wait(); close(p.gone) }()
	t.Cleanup(p.kill)
	return p
}

func (p *process) signal(s syscall.Signal) {
	p.t.Helper()
	if err := p.cmd.Process.Signal(s); err != nil && !errors.Is(err, os.ErrProcessDone) {
		p.t.Errorf("signal %s: %v", s, err)
	}
}

// kill is kill -9; it returns when the process is gone.
func (p *process) kill() {
	p.signal(syscall.SIGKILL)
	<-p.gone
}

// stop asks the process to end, once: a second signal would force it.
func (p *process) stop() {
	p.t.Helper()
	p.stopping.Do(func() { p.signal(syscall.SIGTERM) })
}

// drained stops the process by SIGTERM, which must end it well within ten seconds.
func (p *process) drained() {
	p.t.Helper()
	p.stop()
	select {
	case <-p.gone:
	case <-time.After(10 * time.Second):
		p.signal(syscall.SIGQUIT) // say where it hangs
		<-p.gone
		p.t.Fatalf("SIGTERM did not end the process within 10 s:\n%s", p.log.last(100))
	}
	if code := p.cmd.ProcessState.ExitCode(); code != 0 {
		p.t.Errorf("SIGTERM: exit %d, want 0:\n%s", code, p.log.last(20))
	}
}

// within waits until the condition holds; where it has a promise, limit is the promise.
func within(t testing.TB, limit time.Duration, what string, condition func() bool) {
	t.Helper()
	deadline := time.NewTimer(limit)
	defer deadline.Stop()
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for !condition() {
		select {
		case <-deadline.C:
			t.Fatalf("not within %s: %s", limit, what)
		case <-tick.C:
		}
	}
}

// linesOf returns the lines of a file; none if there is no such file yet.
func linesOf(t testing.TB, path ...string) []string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(path...))
	if err != nil && !os.IsNotExist(err) {
		t.Fatal(err)
	}
	return strings.Split(strings.TrimSuffix(string(text), "\n"), "\n")[:strings.Count(string(text), "\n")]
}

func touch(t testing.TB, path ...string) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(path...), nil, 0o600); err != nil {
		t.Fatal(err)
	}
}

// finished is a deployment of the service that is live.
func finished(service, version string) rules.Deployment {
	return rules.Deployment{
		ID: service + "-" + version, Service: service, Environment: "production", Version: version,
		Step: rules.Finished, Strategy: rules.Rolling, At: time.Now().UTC(), By: "ana",
	}
}
