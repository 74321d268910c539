package main

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/bakewatch/bakewatch/configs"
)

func TestWhatCheckSaysOfTheShippedExamples(t *testing.T) {
	daemon, problems := configs.Load("../../configs/bakewatch.toml", catalog())
	if daemon == nil {
		t.Fatal(problems)
	}
	plans, problems := configs.LoadPlans(daemon, catalog())
	if problems.Failed() || len(plans) == 0 {
		t.Fatal(problems)
	}
	for _, plan := range plans {
		said := catalog().Explain(plan)
		path := filepath.Join("testdata", "explain", plan.Service+".txt")
		if *update {
			write(t, path, said)
		}
		if want, err := os.ReadFile(path); err != nil || said != string(want) { //nolint:gosec // a golden file
			t.Errorf("%s (%v): said\n%s", path, err, said)
		}
	}
}
