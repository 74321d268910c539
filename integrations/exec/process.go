package exec

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/bakewatch/bakewatch/integrations/outbound"
)

// outputLimit is how many bytes of output are kept: the last of a rollback's, the
// first of what live prints.
const outputLimit = 64 << 10

// result is how a process ended.
type result struct {
	code    int    // -1: by a signal
	state   string // "exit status 3", "signal: killed"
	stopped bool   // it was told to end
	output  *tail  // what it wrote, in order, without what went to stdout's own writer
}

// run runs one command to its end. Its standard output goes to stdout; if that is
// nil, to result.output together with its errors, so that their order is kept.
// The error means that no process was started.
func (e *executor) run(ctx context.Context, argv []string, key string, stdout io.Writer) (result, error) {
	env, err := e.environment(key)
	if err != nil {
		return result{}, err
	}
	input, err := e.input(key)
	if err != nil {
		return result{}, err
	}
	ended := result{output: &tail{}}
	if stdout == nil {
		stdout = ended.output
	}
	cmd := exec.CommandContext(ctx, argv[0], slices.Concat(argv[1:], e.args)...) //nolint:gosec // the operator's own argv, never an event's
	cmd.Env, cmd.Dir = env, e.options.Dir
	if cmd.Dir == "" {
		cmd.Dir = "/"
	}
	cmd.Stdin = bytes.NewReader(input)
	cmd.Stdout, cmd.Stderr = stdout, ended.output
	killAfter := time.Duration(e.options.KillAfter)
	ownGroup(cmd)
	var stopped time.Time // Wait returns after Cancel has
	cmd.Cancel = func() error {
		stopped = time.Now()
		return terminate(cmd.Process.Pid)
	}
	cmd.WaitDelay = killAfter
	if err := cmd.Start(); err != nil {
		return result{}, err
	}
	waitErr := cmd.Wait()
	if !stopped.IsZero() {
		ended.stopped = true
		// The command may have left children that did not heed SIGTERM.
		if !endGroup(cmd.Process.Pid, killAfter-time.Since(stopped)) {
			e.log.Warn("processes of a stopped command would not end", "group", cmd.Process.Pid)
		}
	}
	if cmd.ProcessState == nil {
		ended.code, ended.state = -1, fmt.Sprintf("an unknown status (%v)", waitErr)
		return ended, nil
	}
	ended.code, ended.state = cmd.ProcessState.ExitCode(), cmd.ProcessState.String()
	return ended, nil
}

// head keeps the first bytes written.
type head struct {
	mu   sync.Mutex
	kept []byte
}

func (h *head) Write(p []byte) (int, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.kept = append(h.kept, p[:min(len(p), outputLimit-len(h.kept))]...)
	return len(p), nil
}

func (h *head) String() string {
	h.mu.Lock()
	defer h.mu.Unlock()
	return string(h.kept)
}

// tail keeps the last bytes written.
type tail struct {
	mu   sync.Mutex
	kept []byte
}

func (t *tail) Write(p []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if len(p) >= outputLimit {
		t.kept = append(t.kept[:0], p[len(p)-outputLimit:]...)
		return len(p), nil
	}
	t.kept = append(t.kept, p...)
	if len(t.kept) > 2*outputLimit {
		t.kept = append(t.kept[:0], t.kept[len(t.kept)-outputLimit:]...)
	}
	return len(p), nil
}

// lastLines returns the last five lines that say something, cut, on one line and
// without secrets.
func (t *tail) lastLines(redact outbound.Redactor) string {
	t.mu.Lock()
	text := redact.Text(string(t.kept))
	t.mu.Unlock()
	var lines []string
	for line := range strings.Lines(text) {
		if line = redact.Excerpt(line, 200); line != "" {
			lines = append(lines, line)
		}
	}
	return strings.Join(lines[max(0, len(lines)-5):], " | ")
}
