package configs_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"testing"

	"github.com/bakewatch/bakewatch/configs"
)

// seeds adds the shipped examples and the broken plans.
func seeds(f *testing.F, globs ...string) {
	f.Helper()
	for _, glob := range globs {
		files, err := filepath.Glob(glob)
		if err != nil || len(files) == 0 {
			f.Fatal("no seeds in", glob, err)
		}
		for _, file := range files {
			text, err := os.ReadFile(file) //nolint:gosec // a seed
			if err != nil {
				f.Fatal(err)
			}
			f.Add(text)
		}
	}
}

func FuzzPlan(f *testing.F) {
	seeds(f, "plans/*.toml", "../testdata/plans/broken/*.toml")
	d, problems := configs.Load("../testdata/plans/bakewatch.toml", catalog())
	if d == nil {
		f.Fatal(problems)
	}
	file := filepath.Join(f.TempDir(), "plan.toml")
	f.Fuzz(func(t *testing.T, text []byte) {
		if err := os.WriteFile(file, text, 0o600); err != nil {
			t.Fatal(err)
		}
		plans, problems := configs.CheckPlans([]string{file}, d, catalog())
		if (len(plans) == 1) == problems.Failed() {
			t.Errorf("%d plans: %v", len(plans), problems)
		}
		for _, plan := range plans {
			if _, err := json.Marshal(plan); err != nil || configs.Explain(plan) == "" {
				t.Errorf("cannot be kept or explained: %v", err)
			}
		}
	})
}

func FuzzDaemon(f *testing.F) {
	seeds(f, "*.toml", "../testdata/plans/*.toml")
	file := filepath.Join(f.TempDir(), "bakewatch.toml")
	f.Fuzz(func(t *testing.T, text []byte) {
		if err := os.WriteFile(file, text, 0o600); err != nil {
			t.Fatal(err)
		}
		if d, problems := configs.Load(file, catalog()); (d == nil) != problems.Failed() {
			t.Errorf("%v: %v", d, problems)
		}
	})
}
