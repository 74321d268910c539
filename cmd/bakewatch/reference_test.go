package main

import (
	"flag"
	"os"
	"testing"

	"github.com/bakewatch/bakewatch/configs"
)

var update = flag.Bool("update", false, "write the schemas and the reference anew")

func TestSchemasAndReferenceAreThoseOfTheCode(t *testing.T) {
	plan, err := configs.PlanSchema(catalog())
	if err != nil {
		t.Fatal(err)
	}
	daemonFile, err := configs.DaemonSchema(catalog())
	if err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]string{
		"../../configs/plan.schema.json":      string(plan),
		"../../configs/bakewatch.schema.json": string(daemonFile),
		"../../docs/plan-reference.md":        configs.Reference(catalog()),
	} {
		if *update {
			if err := os.WriteFile(path, []byte(want), 0o644); err != nil { //nolint:gosec // a file of this repository
				t.Fatal(err)
			}
		}
		have, err := os.ReadFile(path)
		if err != nil || string(have) != want {
			t.Errorf("%s is not what the code says now (%v); write it with go test ./cmd/bakewatch -run Reference -update", path, err)
		}
	}
}
