package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// What people see is what the loader's golden files say, whatever the real kinds of
// executors and channels are.
func TestCheckTellsEveryErrorOfAFolderOfBrokenPlans(t *testing.T) {
	b := newBench(t)
	t.Chdir("../../testdata/plans")
	b.expect(exitFailed, "check", "broken")
	goldens, err := filepath.Glob("broken/*.golden")
	if err != nil || len(goldens) < 20 {
		t.Fatalf("%d golden files, %v", len(goldens), err)
	}
	said := b.stdout.String()
	for _, file := range goldens {
		golden, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for line := range strings.Lines(string(golden)) {
			if line = strings.TrimSpace(line); !strings.Contains(said, line) {
				t.Errorf("%s: not told:\n%s", file, line)
			}
		}
	}
}
