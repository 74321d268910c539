package configs_test

import (
	"context"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/bakewatch/bakewatch/configs"
	"github.com/bakewatch/bakewatch/rules"
)

// memory keeps last good plans as a store would: as JSON.
type memory struct {
	plans map[string][]byte
	puts  int
	err   error
}

func (m *memory) Put(_ context.Context, p rules.Plan) error {
	text, err := json.Marshal(p)
	m.plans[p.File], m.puts = text, m.puts+1
	return errors.Join(err, m.err)
}

func (m *memory) Get(_ context.Context, file string) (p rules.Plan, ok bool, err error) {
	text, ok := m.plans[file]
	if ok {
		err = json.Unmarshal(text, &p)
	}
	return p, ok, errors.Join(err, m.err)
}

// house is a folder with a daemon's file and plans.
type house struct {
	t      *testing.T
	folder string
	kept   *memory
	set    configs.Set
}

func newHouse(t *testing.T, plans map[string]string) *house {
	t.Helper()
	h := &house{t: t, folder: t.TempDir(), kept: &memory{plans: map[string][]byte{}}}
	write(t, h.folder, map[string]string{"bakewatch.toml": minimal})
	h.load(plans)
	return h
}

func (h *house) path() string { return filepath.Join(h.folder, "bakewatch.toml") }

// load writes the plans and loads all.
func (h *house) load(plans map[string]string) configs.Set {
	h.t.Helper()
	write(h.t, filepath.Join(h.folder, "plans"), plans)
	d, problems := configs.Load(h.path(), catalog())
	if d == nil {
		h.t.Fatal(problems)
	}
	h.set = configs.LoadSet(h.t.Context(), d, catalog(), h.set, h.kept)
	return h.set
}

// restart forgets all but what is kept.
func (h *house) restart() { h.set = configs.Set{} }

func (h *house) bake(service string) string {
	p, ok := h.set.Plan(service, "production")
	if !ok {
		return "none"
	}
	return p.Bake.String()
}

func TestABrokenFileKeepsItsLastGoodVersion(t *testing.T) {
	good := head + "bake = '20m'\n" + byVersion + rule + tail
	for name, test := range map[string]struct {
		then func(*house)
		want string
		says string
	}{
		"while running": {
			func(h *house) { h.load(map[string]string{"a.toml": "broken"}) }, "20m", "last good version stays in force",
		},
		"after a restart": {
			func(h *house) { h.restart(); h.load(map[string]string{"a.toml": "broken"}) }, "20m", "last good version stays in force",
		},
		"and broken differently again": {
			func(h *house) {
				h.load(map[string]string{"a.toml": "broken"})
				h.restart()
				h.load(map[string]string{"a.toml": head + "bakee = 1"})
			}, "20m", `unknown key "bakee"`,
		},
		"until it is corrected": {
			func(h *house) {
				h.load(map[string]string{"a.toml": "broken"})
				h.load(map[string]string{"a.toml": strings.Replace(good, "20m", "25m", 1)})
			}, "25m", "",
		},
		"but not when it is removed": {
			func(h *house) {
				if err := os.Remove(filepath.Join(h.folder, "plans", "a.toml")); err != nil {
					t.Fatal(err)
				}
				h.load(nil)
			}, "none", "no file matches",
		},
		"but gives way to a new file for the service": {
			func(h *house) {
				h.load(map[string]string{"a.toml": "broken", "b.toml": strings.Replace(good, "20m", "10m", 1)})
			}, "10m", "given way to plans/b.toml",
		},
		"also when another team claims the service": {
			func(h *house) { h.load(map[string]string{"b.toml": strings.Replace(good, "20m", "10m", 1)}) }, "20m", "another plan for the same environment",
		},
		"but not when its Prometheus is gone": {
			func(h *house) {
				write(h.t, h.folder, map[string]string{"bakewatch.toml": strings.Replace(minimal, "main", "other", 1)})
				h.load(map[string]string{"a.toml": "broken"})
			}, "none", "there is no [prometheus.main]",
		},
	} {
		t.Run(name, func(t *testing.T) {
			h := newHouse(t, map[string]string{"a.toml": good})
			test.then(h)
			if got := h.bake("checkout"); got != test.want {
				t.Errorf("bake %s, want %s", got, test.want)
			}
			if said := h.set.Problems.String(); !strings.Contains(said, test.says) || test.says == "" && said != "" {
				t.Errorf("said %q, want %q", said, test.says)
			}
		})
	}
}

func TestALastGoodVersionIsUsedAsTheDaemonsFileIsNow(t *testing.T) {
	const people = "[group.oncall]\npeople = ['ana', 'ben']\n"
	const calendar = "[calendar.night]\nhours = ['22:00-06:00']\n"
	const tools = "[executor.e]\nuse = 'exec'\ncommand = ['/x']\n[executor.stop]\nuse = 'exec'\ncommand = ['/x']\n"
	plan := head + rule + "[[rollback]]\nuse = 'e'\notherwise = 'stop'\n[[authority]]\ndecide = 'ask'\ncalendar = ['night']\nneeds = { oncall = 1 }\nwithin = '5m'\nsilence = 'keep'\n" + tail
	for name, test := range map[string]struct{ now, says string }{
		"a policy that is new":   {minimal + people + calendar + tools + "[[policy]]\nmost = 'ask'\n", "last good version stays in force"},
		"a group that is gone":   {minimal + calendar + tools, "there is no [group.oncall]"},
		"a calendar that is":     {minimal + people + tools, "there is no [calendar.night]"},
		"an executor that is":    {minimal + people + calendar + strings.Replace(tools, "stop", "start", 1), "there is no [executor.stop]"},
		"people who are new":     {minimal + strings.Replace(people, "ben", "cem", 1) + calendar + tools, "last good version stays in force"},
		"nothing that it needed": {minimal + people + calendar + tools, "last good version stays in force"},
	} {
		t.Run(name, func(t *testing.T) {
			h := &house{t: t, folder: t.TempDir(), kept: &memory{plans: map[string][]byte{}}}
			write(t, h.folder, map[string]string{"bakewatch.toml": minimal + people + calendar + tools})
			before, _ := h.load(map[string]string{"a.toml": plan}).Plan("checkout", "production")
			h.restart()
			write(t, h.folder, map[string]string{"bakewatch.toml": test.now})
			set := h.load(map[string]string{"a.toml": "broken"})
			p, stays := set.Plan("checkout", "production")
			if !strings.Contains(set.Problems.String(), test.says) || stays != strings.Contains(test.says, "stays") {
				t.Fatal(set.Problems)
			}
			if !stays {
				return
			}
			if changed := name != "nothing that it needed"; (p.Hash != before.Hash) != changed {
				t.Errorf("versions %s and %s", before.Hash, p.Hash)
			}
			if len(p.Policies) != strings.Count(test.now, "policy") || !strings.Contains(test.now, p.Groups["oncall"][1]) {
				t.Errorf("policies %v, groups %v", p.Policies, p.Groups)
			}
		})
	}
}

func TestAFileThatWasNeverGoodIsSaidToLeaveItsServiceUnwatched(t *testing.T) {
	h := newHouse(t, map[string]string{"a.toml": "broken"})
	if h.bake("checkout") != "none" || !strings.Contains(h.set.Problems.String(), "not watched") {
		t.Errorf("%v", h.set.Problems)
	}
}

func TestOnlyNewVersionsAreKept(t *testing.T) {
	h := newHouse(t, map[string]string{"a.toml": head + rule + tail})
	h.load(nil)
	h.load(map[string]string{"a.toml": "# a comment changes nothing\n" + head + rule + tail})
	if h.kept.puts != 1 {
		t.Errorf("%d times kept, want once", h.kept.puts)
	}
	h.load(map[string]string{"a.toml": head + "bake = '10m'\n" + rule + tail})
	if h.kept.puts != 2 {
		t.Errorf("%d times kept, want twice", h.kept.puts)
	}
}

func TestAKeeperThatFailsIsToldAndStopsNothing(t *testing.T) {
	h := newHouse(t, nil)
	h.kept.err = errors.New("disk full")
	h.load(map[string]string{"a.toml": head + rule + tail, "b.toml": "broken"})
	said := h.set.Problems.String()
	if h.bake("checkout") != "30m" || !strings.Contains(said, "cannot be kept as the last good version: disk full") || !strings.Contains(said, "could not be read: disk full") {
		t.Errorf("%s", said)
	}
}

func TestAnOwnerHearsOnlyOfTheirOwnFile(t *testing.T) {
	good := head + byVersion + rule + tail
	h := newHouse(t, map[string]string{"a.toml": good, "b.toml": strings.Replace(good, "checkout", "basket", 1)})
	set := h.load(map[string]string{"a.toml": head + "bakee = 1", "b.toml": head + "windw = 1"})
	set.Problems = append(set.Problems, configs.Problem{File: h.path(), What: "the daemon's own"})
	said := set.ProblemsOf("plans/a.toml").String()
	if !strings.Contains(said, "bakee") || !strings.Contains(said, "stays in force") || strings.Contains(said, "windw") || strings.Contains(said, "the daemon's own") {
		t.Errorf("%s", said)
	}
}
