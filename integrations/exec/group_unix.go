//go:build unix

package exec

import (
	"errors"
	"os"
	"os/exec"
	"syscall"
	"time"
)

// ownGroup makes the command the leader of a process group of its own, so that
// it can be ended together with all that it started.
func ownGroup(cmd *exec.Cmd) { cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} }

// terminate asks the whole group to end.
func terminate(group int) error {
	if err := syscall.Kill(-group, syscall.SIGTERM); errors.Is(err, syscall.ESRCH) {
		return os.ErrProcessDone
	} else if err != nil {
		return err
	}
	return nil
}

// endGroup waits until the group is empty, and kills it when its time is up.
func endGroup(group int, patience time.Duration) bool {
	if waitGroup(group, patience) {
		return true
	}
	_ = syscall.Kill(-group, syscall.SIGKILL)
	return waitGroup(group, groupWait)
}

// waitGroup polls: nobody is told when the children of an ended process end.
func waitGroup(group int, patience time.Duration) bool {
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	deadline := time.NewTimer(patience)
	defer deadline.Stop()
	for {
		reapGroup(group)
		if errors.Is(syscall.Kill(-group, 0), syscall.ESRCH) {
			return true
		}
		select {
		case <-deadline.C:
			return false
		case <-tick.C:
		}
	}
}

// reapGroup buries the group's dead that are our children: in a container the
// daemon may be process 1, which inherits every orphan. The leader is not among
// them; package os has waited for it.
func reapGroup(group int) {
	for {
		pid, err := syscall.Wait4(-group, nil, syscall.WNOHANG, nil)
		if errors.Is(err, syscall.EINTR) {
			continue
		}
		if err != nil || pid <= 0 {
			return
		}
	}
}
