package configs_test

import (
	"context"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/bakewatch/bakewatch/configs"
)

// patience is how long a test waits for what must happen.
const patience = 20 * time.Second

// watch runs a watcher over the house until the test ends.
func watch(t *testing.T, h *house, every time.Duration) (*configs.Watcher, <-chan configs.Set) {
	t.Helper()
	changes := make(chan configs.Set, 16)
	w, err := configs.NewWatcher(configs.Watcher{
		Path: h.path(), Catalog: catalog(), First: h.set, Kept: h.kept,
		Changed: func(s configs.Set) { changes <- s },
		Log:     slog.New(slog.DiscardHandler), Settle: 10 * time.Millisecond, Every: every,
	})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- w.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
	if _, err := w.Reload(ctx); err != nil { // from here on it watches
		t.Fatal(err)
	}
	<-changes
	return w, changes
}

// until waits for a change after which the service bakes so long.
func (h *house) until(changes <-chan configs.Set, service, bake string) configs.Set {
	h.t.Helper()
	deadline := time.After(patience)
	for {
		select {
		case h.set = <-changes:
			if h.bake(service) == bake {
				return h.set
			}
		case <-deadline:
			h.t.Fatalf("%s bakes %s, want %s", service, h.bake(service), bake)
		}
	}
}

func plan(bake string) string { return head + "bake = '" + bake + "'\n" + byVersion + rule + tail }

func TestAChangedPlanIsNoticed(t *testing.T) {
	for name, every := range map[string]time.Duration{"by a notice": time.Hour, "by reading again": 20 * time.Millisecond} {
		t.Run(name, func(t *testing.T) {
			h := newHouse(t, map[string]string{"team/a.toml": plan("10m")})
			_, changes := watch(t, h, every)
			write(t, h.folder, map[string]string{"plans/team/a.toml": plan("20m")})
			h.until(changes, "checkout", "20m")
			write(t, h.folder, map[string]string{"plans/team/a.toml": "broken"})
			if set := <-changes; h.bake("checkout") != "20m" || len(set.Stale) != 1 || !set.Problems.Failed() {
				t.Errorf("%+v", set)
			}
		})
	}
}

func TestAPlanInANewFolderIsNoticed(t *testing.T) {
	h := newHouse(t, map[string]string{"team/a.toml": plan("10m")})
	_, changes := watch(t, h, 50*time.Millisecond)
	write(t, h.folder, map[string]string{"plans/new/b.toml": strings.Replace(plan("15m"), "checkout", "search", 1)})
	h.until(changes, "search", "15m")
	if h.bake("checkout") != "10m" {
		t.Error("the other plan is gone")
	}
}

func TestASwappedConfigMapIsNoticed(t *testing.T) {
	h := newHouse(t, nil)
	mount := filepath.Join(h.folder, "plans", "mounted")
	write(t, mount, map[string]string{"..1/a.toml": plan("10m"), "..2/a.toml": plan("20m")})
	link := func(target, name string) {
		t.Helper()
		if err := os.Symlink(target, filepath.Join(mount, name)); err != nil {
			t.Fatal(err)
		}
	}
	link("..1", "..data")
	link(filepath.Join("..data", "a.toml"), "a.toml")
	if h.load(nil); h.bake("checkout") != "10m" || h.set.Problems.Failed() {
		t.Fatalf("bake %s, %v", h.bake("checkout"), h.set.Problems)
	}
	_, changes := watch(t, h, time.Hour)
	link("..2", "..data_tmp")
	if err := os.Rename(filepath.Join(mount, "..data_tmp"), filepath.Join(mount, "..data")); err != nil {
		t.Fatal(err)
	}
	h.until(changes, "checkout", "20m")
}

func TestAReloadAnswersWithWhatIsInForce(t *testing.T) {
	h := newHouse(t, map[string]string{"a.toml": plan("10m")})
	w, changes := watch(t, h, time.Hour)
	set, err := w.Reload(t.Context())
	if err != nil || len(set.Plans) != 1 {
		t.Errorf("%+v, %v", set, err)
	}
	<-changes
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	stopped, err := configs.NewWatcher(configs.Watcher{Path: h.path(), First: h.set, Changed: func(configs.Set) {}, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := stopped.Reload(ctx); err == nil {
		t.Error("a reload that nobody does is said to be done")
	}
}

func TestADaemonsFileThatBreaksStaysAsItWas(t *testing.T) {
	h := newHouse(t, map[string]string{"a.toml": plan("10m")})
	w, _ := watch(t, h, time.Hour)
	write(t, h.folder, map[string]string{"bakewatch.toml": "broken", "plans/a.toml": plan("20m")})
	set, err := w.Reload(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	h.set = set
	if set.Daemon == nil || h.bake("checkout") != "20m" || !strings.Contains(set.Problems.String(), "stays as it was until this is corrected") {
		t.Errorf("%v", set.Problems)
	}
}

func TestAWatcherNeedsWhatItNeeds(t *testing.T) {
	if _, err := configs.NewWatcher(configs.Watcher{}); err == nil {
		t.Error("made of nothing")
	}
}
