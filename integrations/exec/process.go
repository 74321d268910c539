package exec

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"slices"
	"time"

	"github.com/bakewatch/bakewatch/actions"
)

// How long a command may take to end. Grant.Longest counts on it that nothing of a
// rollback is left after actions.LongestEnd.
const (
	groupWait        = 5 * time.Second // for a killed group to be gone
	longestKillAfter = actions.LongestEnd - groupWait
	stopWithin       = 500 * time.Millisecond // where the daemon stops: it gives rollbacks one second
	liveKillAfter    = time.Second            // the live command only reads
)

// call is one command to be run.
type call struct {
	argv      []string
	key       string
	stdout    io.Writer // nil: together with its errors, so that their order is kept
	killAfter time.Duration
	lock      *os.File // inherited, see hold; nil: none
}

// result is how a process ended.
type result struct {
	code    int    // -1: by a signal
	state   string // "exit status 3", "signal: killed"
	stopped bool   // it was told to end
	left    bool   // and would not
	output  *tail  // what it wrote, in order, without what went to stdout's own writer
}

// run runs one command to its end. The error means that no process was started.
func (e *executor) run(ctx context.Context, c call) (result, error) {
	ended := result{output: &tail{}}
	cmd, err := e.command(ctx, c, ended.output)
	if err != nil {
		return result{}, err
	}
	patience, stopped := c.killAfter, time.Time{}
	cmd.Cancel = func() error { // Wait returns, and reads WaitDelay, after Cancel has returned
		stopped = time.Now()
		if errors.Is(ctx.Err(), context.Canceled) {
			patience = min(patience, stopWithin)
			cmd.WaitDelay = patience
		}
		return terminate(cmd.Process.Pid)
	}
	if err := cmd.Start(); err != nil {
		return result{}, err
	}
	if c.lock != nil {
		_ = c.lock.Close() // from here on only the processes hold it: a daemon that hangs does not
	}
	waitErr := cmd.Wait()
	if ended.stopped = !stopped.IsZero(); ended.stopped {
		// The command may have left children that did not heed SIGTERM.
		if ended.left = !endGroup(cmd.Process.Pid, patience-time.Since(stopped)); ended.left {
			e.log.Warn("processes of a stopped command would not end", "group", cmd.Process.Pid)
		}
	}
	ended.code, ended.state = state(cmd.ProcessState, waitErr)
	return ended, nil
}

// command makes the process, which is not started.
func (e *executor) command(ctx context.Context, c call, output io.Writer) (*exec.Cmd, error) {
	env, err := e.environment(c.key)
	if err != nil {
		return nil, err
	}
	input, err := e.input(c.key)
	if err != nil {
		return nil, err
	}
	cmd := exec.CommandContext(ctx, c.argv[0], slices.Concat(c.argv[1:], e.args)...) //nolint:gosec // the operator's own argv, never an event's
	cmd.Env, cmd.Dir = env, e.options.Dir
	if cmd.Dir == "" {
		cmd.Dir = "/"
	}
	cmd.Stdin, cmd.Stdout, cmd.Stderr = bytes.NewReader(input), output, output
	if c.stdout != nil {
		cmd.Stdout = c.stdout
	}
	if c.lock != nil {
		cmd.ExtraFiles = []*os.File{c.lock}
	}
	cmd.WaitDelay = c.killAfter
	ownGroup(cmd)
	return cmd, nil
}

// state says how a process ended.
func state(of *os.ProcessState, waitErr error) (code int, text string) {
	if of == nil {
		return -1, fmt.Sprintf("an unknown status (%v)", waitErr)
	}
	return of.ExitCode(), of.String()
}
