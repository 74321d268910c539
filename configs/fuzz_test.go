package configs_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"reflect"
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
			if _, err := json.Marshal(plan); err != nil || catalog().Explain(plan) == "" {
				t.Errorf("cannot be kept or explained: %v", err)
			}
		}
	})
}

func FuzzReadLoadTest(f *testing.F) {
	seeds(f, "testdata/loadtest/*.json")
	f.Fuzz(func(t *testing.T, text []byte) {
		s, err := configs.ReadLoadTest(text)
		if err != nil {
			return
		}
		if again, err := configs.ReadLoadTest(text); err != nil || !reflect.DeepEqual(s, again) {
			t.Errorf("read as %+v, then as %+v, %v", s, again, err)
		}
		if _, err := json.Marshal(s); err != nil || !(s.Requests >= 1 && s.Errors >= 0 && s.Errors <= s.Requests) {
			t.Errorf("%+v: %v", s, err)
		}
		for i, q := range s.Slowest {
			if !(q.Quantile > 0 && q.Quantile < 1 && q.Seconds > 0) || i > 0 && (q.Quantile < s.Slowest[i-1].Quantile || q.Seconds < s.Slowest[i-1].Seconds) {
				t.Errorf("quantiles %+v", s.Slowest)
			}
			if share, known := s.Slower(q.Seconds); !known || !(share > 0 && share < 1) {
				t.Errorf("%v are slower than %v s", share, q.Seconds)
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
