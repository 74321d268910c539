package configs_test

import (
	"errors"

	"github.com/bakewatch/bakewatch/configs"
	"github.com/bakewatch/bakewatch/rules"
	"github.com/bakewatch/bakewatch/rules/kinds"
)

// catalog is what there is to configure in tests: the real kinds of rules, and
// tools that stand for the integrations, which this package must not know.
func catalog() configs.Catalog {
	return configs.Catalog{
		Rules: kinds.All(), LaterRules: kinds.Later(), Build: kinds.Build,
		Executors: []rules.Kind{
			{Name: "exec", New: func() rules.Options { return &execOptions{} }, With: func() rules.Options { return &execWith{} }},
			{Name: "webhook", New: func() rules.Options { return &hook{} }, With: func() rules.Options { return &hookWith{} }},
			{Name: "needy", New: func() rules.Options { return &nothing{} }, With: func() rules.Options { return &needyWith{} }},
		},
		Channels: []rules.Kind{
			{Name: "log", New: func() rules.Options { return &nothing{} }},
			{Name: "webhook", New: func() rules.Options { return &hook{} }},
			{Name: "hidden", New: func() rules.Options { return &hidden{} }},
			{Name: "slack", New: func() rules.Options { return &hook{} }},
		},
		Schedules:      []rules.Kind{{Name: "pagerduty", New: func() rules.Options { return &hook{URL: "https://api.example.com"} }}},
		Login:          func() rules.Options { return &loginOptions{Claim: "sub"} },
		LaterExecutors: []string{"kubernetes", "helm", "argocd"},
		LaterChannels:  []string{"pagerduty", "email", "alertmanager"},
	}
}

// loginOptions stands for an OpenID provider.
type loginOptions struct {
	Issuer           string `json:"issuer" toml:"issuer" doc:"where people log in"`
	Claim            string `json:"claim" toml:"claim" doc:"how they are named"`
	ClientSecretFile string `json:"client_secret_file" toml:"client_secret_file" doc:"a secret"`
}

func (o *loginOptions) Check() error  { return wanted("issuer", o.Issuer != "") }
func (o *loginOptions) ByEmail() bool { return o.Claim == "email" }

type execOptions struct {
	Command []string          `json:"command" toml:"command" doc:"the program and its arguments"`
	Env     map[string]string `json:"env" toml:"env" doc:"its environment"`
}

func (o *execOptions) Check() error { return wanted("command", len(o.Command) > 0) }

type execWith struct {
	Args []string `json:"args" toml:"args" doc:"more arguments"`
}

func (*execWith) Check() error { return nil }

// nothing is the options of a kind that has none.
type nothing struct{}

func (*nothing) Check() error { return nil }

type hookWith struct {
	Parameters map[string]any `json:"parameters" toml:"parameters" doc:"more in the body"`
}

func (*hookWith) Check() error { return nil }

// needyWith is what a plan must say.
type needyWith struct {
	Workload string `json:"workload" toml:"workload" doc:"what is rolled back"`
}

func (w *needyWith) Check() error { return wanted("workload", w.Workload != "") }

type hook struct {
	URL        string            `json:"url" toml:"url" doc:"the address"`
	URLFile    string            `json:"url_file" toml:"url_file" doc:"the file that holds the address"`
	SecretFile string            `json:"secret_file" toml:"secret_file" doc:"the file that holds the signing secret"`
	TokenFile  string            `json:"token_file" toml:"token_file" doc:"the file that holds the token"`
	TokenEnv   string            `json:"token_env" toml:"token_env" doc:"the variable that holds the token"`
	Headers    map[string]string `json:"headers" toml:"headers" doc:"more headers"`
}

func (o *hook) Check() error { return wanted("url_file", o.URL+o.URLFile != "") }

// hidden is a tool whose address is a secret.
type hidden struct {
	URLFile string `json:"url_file" toml:"url_file" doc:"the file that holds the address"`
	URLEnv  string `json:"url_env" toml:"url_env" doc:"the variable that holds the address"`
}

func (o *hidden) Check() error { return wanted("url_file", o.URLFile+o.URLEnv != "") }

func wanted(key string, there bool) error {
	if there {
		return nil
	}
	return &rules.FieldError{Key: key, Err: errors.New("is required")}
}
