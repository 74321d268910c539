package main

import (
	"os"
	"strings"
	"syscall"
	"testing"
	"time"
)

func TestAnInterruptedDemoLeavesNothingBehind(t *testing.T) {
	for name, signals := range map[string]int{"once it takes its time": 1, "twice it hurries": 2} {
		t.Run(name, func(t *testing.T) {
			folder, said := t.TempDir(), &lines{}
			p := bakewatch(t, folder, said, []string{"TMPDIR=" + folder}, "demo")
			within(t, 20*time.Second, "the demo begins", func() bool { return strings.Contains(said.String(), "A shop opens") })
			p.signal(syscall.SIGINT)
			within(t, 5*time.Second, "it says that it stops", func() bool { return strings.Contains(said.String(), "Stopping") })
			if signals == 2 {
				p.signal(syscall.SIGINT)
			}
			<-p.gone
			left, err := os.ReadDir(folder)
			if err != nil || len(left) > 0 {
				t.Errorf("left behind: %v, %v", left, err)
			}
			// The second signal may come when all is done, and end what is left of the process.
			if code := p.cmd.ProcessState.ExitCode(); code != 0 && (signals == 1 || code != 130 && code != -1) {
				t.Errorf("exit %d:\n%s", code, said)
			}
		})
	}
}
