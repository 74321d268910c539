package configs_test

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/bakewatch/bakewatch/configs"
)

func TestWhatTheMachineLacksIsToldWithItsPlace(t *testing.T) {
	t.Setenv("BAKEWATCH_TEST_SET", "x")
	for name, test := range map[string]struct{ lines, want string }{
		"a CA":                    {"tls_config = { ca_file = 'hunter2' }", `5:26: warning: prometheus "main": ca_file: cannot be read: no such file or directory`},
		"a folder":                {"tls_config = { ca_file = '.' }", "ca_file: this is a folder"},
		"a password":              {"basic_auth = { username = 'u', password_file = 'hunter2' }", "password_file: cannot be read"},
		"a password's variable":   {"basic_auth = { username = 'u', password_env = 'hunter2' }", "password_env: this environment variable is not set"},
		"a header's file":         {"http_headers = { X-A = { files = ['hunter2'] } }", "http_headers.X-A.files[0]: cannot be read"},
		"a header's variable":     {"http_headers = { X-A = { env = 'hunter2' } }", "http_headers.X-A.env: this environment variable"},
		"a web config":            {"[http]\nweb_config_file = 'hunter2'", "6:19: warning: http: web_config_file: cannot be read"},
		"credentials of a NATS":   {"[nats]\nurl = 'nats://x'\ncreds_file = 'hunter2'", "creds_file: cannot be read"},
		"a channel's secret":      {"[channel.c]\nuse = 'webhook'\nurl_file = 'bakewatch.toml'\nsecret_file = 'hunter2'", `8:15: warning: channel "c": secret_file: cannot be read`},
		"an executor's variable":  {"[executor.e]\nuse = 'webhook'\nurl_file = 'bakewatch.toml'\ntoken_env = 'hunter2'", "token_env: this environment variable"},
		"nothing":                 {"basic_auth = { username = 'u', password_env = 'BAKEWATCH_TEST_SET' }\ntls_config = { ca_file = 'bakewatch.toml' }", ""},
		"no program, when run":    {"[executor.e]\nuse = 'exec'\ncommand = ['/no/hunter2']", `7:12: warning: executor "e": command[0]: cannot be run: no such file`},
		"what is no program":      {"[executor.e]\nuse = 'exec'\ncommand = ['/etc/passwd']", "command[0]: cannot be run: this is no program"},
		"a program that is there": {"[executor.e]\nuse = 'exec'\ncommand = ['/bin/sh']", ""},
	} {
		t.Run(name, func(t *testing.T) {
			folder := t.TempDir()
			write(t, folder, map[string]string{"bakewatch.toml": minimal + test.lines, "plans/a.toml": head + byVersion + rule + tail})
			d, problems := configs.Load(filepath.Join(folder, "bakewatch.toml"), catalog())
			if len(problems) > 0 {
				t.Fatal(problems)
			}
			_, checked := configs.LoadPlans(d, catalog())
			run := configs.LoadSet(t.Context(), d, catalog(), configs.Set{}, nil).Problems
			for who, problems := range map[string]configs.Problems{"check": checked, "run": run} {
				if who == "check" && strings.Contains(test.lines, "'exec'") {
					if len(problems) > 0 {
						t.Errorf("check looks for programs: %v", problems)
					}
					continue
				}
				said := problems.String()
				if problems.Failed() || !strings.Contains(said, test.want) || strings.Contains(said, "hunter2") || (said == "") != (test.want == "") {
					t.Errorf("%s: %v", who, problems)
				}
			}
		})
	}
}
