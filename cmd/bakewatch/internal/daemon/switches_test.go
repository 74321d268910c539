package daemon

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/bakewatch/bakewatch/watcher"
)

func TestAFileDisarmsAsSoonAsItIsThere(t *testing.T) {
	file := filepath.Join(t.TempDir(), "disarm")
	s := newSwitchboard(nil, file, nil)
	s.state.Store(&map[string]string{"checkout": "load test (ana)"})
	if got := s.disarmed("payments"); got != "" {
		t.Errorf("disarmed before: %s", got)
	}
	if err := os.WriteFile(file, []byte("NATS is down\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, service := range []string{"payments", "checkout"} {
		if got := s.disarmed(service); !strings.HasPrefix(got, "NATS is down (file ") {
			t.Errorf("%s: %q", service, got)
		}
	}
	if got := s.Disarmed(); len(got) != 2 || !strings.HasPrefix(got[watcher.Everywhere], "NATS is down") {
		t.Errorf("orders %q", got)
	}
}
