package main

import (
	"os"
	"strings"
	"testing"
)

// The arrows between packages are held by depguard; it knows only the folders it
// was told of.
func TestTheLinterHoldsTheArrowsOfEveryIntegration(t *testing.T) {
	config, err := os.ReadFile("../../.golangci.yml")
	if err != nil {
		t.Fatal(err)
	}
	folders, err := os.ReadDir("../../integrations")
	if err != nil {
		t.Fatal(err)
	}
	for _, folder := range folders {
		if glob := `"${base-path}/integrations/` + folder.Name() + `/**"`; folder.IsDir() && !strings.Contains(string(config), glob) {
			t.Errorf("integrations/%s may import its neighbours: give it a depguard rule in .golangci.yml for files %s", folder.Name(), glob)
		}
	}
}
