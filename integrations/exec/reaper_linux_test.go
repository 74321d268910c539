package exec_test

import (
	"context"
	"strings"
	"syscall"
	"testing"

	"github.com/bakewatch/bakewatch/actions"
)

// prSetChildSubreaper makes a process inherit orphans, as process 1 does.
const prSetChildSubreaper = 36

func TestOrphansAreBuriedByADaemonThatIsProcessOne(t *testing.T) {
	inherit := func(on uintptr) {
		if _, _, errno := syscall.RawSyscall(syscall.SYS_PRCTL, prSetChildSubreaper, on, 0); errno != 0 {
			t.Skipf("prctl: %v", errno)
		}
	}
	inherit(1)
	defer inherit(0)
	dir := t.TempDir()
	executor := bind(t, subject, `(echo $$ > "$0/pid"; exec sleep 600 >/dev/null 2>&1) & wait`, dir, nil)
	ctx, cancel := context.WithCancel(t.Context())
	failed := make(chan error, 1)
	go func() { failed <- executor.Rollback(ctx, "k") }()
	eventually(t, func() bool { return strings.HasSuffix(content(t, dir, "pid"), "\n") })
	group := groupOf(t, dir)
	cancel()
	if err := <-failed; err == nil || actions.Classify(err) != actions.ClassUnknown {
		t.Errorf("class %d: %v", actions.Classify(err), err)
	}
	if alive(group) {
		t.Error("the dead of the group are still there")
	}
}
