package exec_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"testing"

	"github.com/bakewatch/bakewatch/actions"
	"github.com/bakewatch/bakewatch/integrations/contract"
	"github.com/bakewatch/bakewatch/integrations/exec"
)

const token = "tok-3f9a8b77c1/+ü"

func TestExecutor(t *testing.T) {
	contract.Executor(t, contract.ExecutorSuite{
		Kind: exec.Kind(), Start: start, With: map[string]any{"args": []any{"checkout"}}, Secrets: []string{token},
	})
}

// start runs testdata/outside.sh as the outside.
func start(t *testing.T, conduct contract.Conduct) (contract.Outside, bool) {
	if conduct == contract.Redirects {
		return contract.Outside{}, false
	}
	t.Setenv("DEPLOY_TOKEN", token)
	script, err := filepath.Abs("testdata/outside.sh")
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	options := exec.Kind().New().(*exec.Options)
	options.Command = []string{"/bin/sh", script, string(conduct), dir}
	options.Live = []string{"/bin/sh", "-c", `cat "$0"`, filepath.Join(dir, "live")} // the args come after
	options.Pass = append(options.Pass, "DEPLOY_TOKEN")
	return contract.Outside{Options: options, Calls: func() []contract.Call { return calls(t, dir) }}, true
}

// calls reads what the script recorded.
func calls(t *testing.T, dir string) []contract.Call {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(dir, "call.*"))
	if err != nil {
		t.Fatal(err)
	}
	var calls []contract.Call
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		var input struct {
			Key string `json:"key"`
			actions.Subject
		}
		if err := json.Unmarshal(text, &input); err != nil {
			t.Fatalf("standard input was %q: %v", text, err)
		}
		calls = append(calls, contract.Call{Key: input.Key, Subject: input.Subject})
	}
	return calls
}
