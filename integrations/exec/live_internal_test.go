package exec

import (
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/bakewatch/bakewatch/actions"
)

func TestALiveCommandThatTakesTooLongIsEnded(t *testing.T) {
	options := Kind().New().(*Options)
	options.Command, options.Live = []string{"/bin/true"}, []string{"/bin/sh", "-c", "exec sleep 600"}
	made, err := options.Binder("deployer", slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	b := made.(*binder)
	if b.liveTimeout != 15*time.Second {
		t.Errorf("the live command may take %s", b.liveTimeout)
	}
	b.liveTimeout = 50 * time.Millisecond
	_, err = (&executor{binder: b, subject: actions.Subject{To: "2.3.9"}}).Live(t.Context())
	if err == nil || !strings.Contains(err.Error(), "out of time") {
		t.Error(err)
	}
}
