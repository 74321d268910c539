package main

import (
	"context"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/bakewatch/bakewatch/integrations/nats"
)

func TestADaemonThatCannotStartSaysWhyAndEnds(t *testing.T) {
	folder := t.TempDir()
	conn, err := nats.Connect(t.Context(), nats.Config{Store: filepath.Join(folder, "nats")})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := conn.Close(context.Background()); err != nil {
			t.Error(err)
		}
	})
	file := smallest(t, folder)
	b := newBench(t)
	b.expect(exitFailed, "run", "--config", file)
	if !strings.Contains(b.stderr.String(), "process") {
		t.Errorf("the holder of the store is not named:\n%s", &b.stderr)
	}
}

func TestADaemonThatIsStoppedWhileItStartsHasNotFailed(t *testing.T) {
	ctx, stop := context.WithCancel(t.Context())
	stop()
	b := newBench(t)
	if code := b.runContext(ctx, "run", "--config", smallest(t, t.TempDir())); code != 0 {
		t.Errorf("exit %d\n%s", code, &b.stderr)
	}
}

func TestTheOrderToStopIsSaidWhenItComes(t *testing.T) {
	var said lines
	log := slog.New(slog.NewTextHandler(&said, nil))
	saysStopping(t.Context(), log)() // no order came
	ctx, stop := context.WithCancel(t.Context())
	done := saysStopping(ctx, log)
	stop()
	done()
	if got := strings.Count(said.String(), "bakewatch is stopping"); got != 1 {
		t.Errorf("said %d times:\n%s", got, &said)
	}
}

// smallest writes the smallest daemon's file.
func smallest(t *testing.T, folder string) string {
	t.Helper()
	file := filepath.Join(folder, "bakewatch.toml")
	text := "plans = [\"plans/*.toml\"]\n[nats]\nstore = \"nats\"\nlisten = \"127.0.0.1:0\"\n[http]\nlisten = \"127.0.0.1:0\"\n[prometheus.main]\nurl = \"http://127.0.0.1:9\"\n"
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}
