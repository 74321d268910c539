package configs_test

import (
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/bakewatch/bakewatch/configs"
)

var update = flag.Bool("update", false, "write golden files, schemas and the reference anew")

const broken = "../testdata/plans"

// golden compares with a file, or writes it with -update.
func golden(t *testing.T, path, got string) {
	t.Helper()
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path) //nolint:gosec // a golden file
	if err != nil {
		t.Fatalf("%v; write it with -update", err)
	}
	if got != string(want) {
		t.Errorf("%s is not what is said now; write it with -update and read the difference\n got:\n%s\nwant:\n%s", path, got, want)
	}
}

func TestEveryBrokenPlanIsToldWithAllThatIsWrong(t *testing.T) {
	d, problems := configs.Load(filepath.Join(broken, "bakewatch.toml"), catalog())
	if len(problems) > 0 {
		t.Fatal(problems)
	}
	plans, problems := configs.LoadPlans(d, catalog())
	if len(plans) != 0 {
		t.Errorf("%d broken plans were loaded, the first is %s", len(plans), plans[0].File)
	}
	files, err := filepath.Glob(filepath.Join(broken, "broken", "*.toml"))
	if err != nil || len(files) == 0 {
		t.Fatal("no broken plans", err)
	}
	for _, file := range files {
		t.Run(filepath.Base(file), func(t *testing.T) {
			var said configs.Problems
			for _, p := range problems {
				if p.File == file {
					said = append(said, p)
				}
			}
			text := strings.ReplaceAll(said.String(), broken+"/", "")
			golden(t, strings.TrimSuffix(file, ".toml")+".golden", text+"\n")
			if !said.Failed() {
				t.Error("nothing is said to be wrong")
			}
		})
	}
}
