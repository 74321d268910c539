package main

import (
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/bakewatch/bakewatch/rules"
)

// No list is filled by itself: a folder that is missing from its list would be
// code that nobody can use.
func TestEveryIntegrationIsInTheCatalog(t *testing.T) {
	c := catalog()
	listed := map[string][]rules.Kind{"executor": c.Executors, "channel": c.Channels}
	examples, err := filepath.Glob("../../integrations/*/example.toml")
	if err != nil || len(examples) == 0 {
		t.Fatalf("no integration has an example (%v)", err)
	}
	for _, example := range examples {
		name := filepath.Base(filepath.Dir(example))
		t.Run(name, func(t *testing.T) {
			if _, err := os.Stat(filepath.Join(filepath.Dir(example), "README.md")); err != nil {
				t.Error(err)
			}
			for _, kinds := range listed {
				if slices.ContainsFunc(kinds, func(k rules.Kind) bool { return k.Name == name }) {
					return
				}
			}
			t.Errorf("integrations/%s is in no list of catalog.go", name)
		})
	}
}

func TestWhatIsHereIsNotPromisedForLater(t *testing.T) {
	c := catalog()
	for _, list := range []struct {
		now   []rules.Kind
		later []string
	}{{c.Rules, c.LaterRules}, {c.Executors, c.LaterExecutors}, {c.Channels, c.LaterChannels}} {
		for _, kind := range list.now {
			if slices.Contains(list.later, kind.Name) {
				t.Errorf("%s is both here and for later", kind.Name)
			}
		}
	}
}

func TestTheShippedExamplesAreGood(t *testing.T) {
	b := newBench(t)
	b.expect(0, "check", "--config", "../../configs/bakewatch.toml")
}
