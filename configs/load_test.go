package configs_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/bakewatch/bakewatch/configs"
)

func TestShippedExamplesLoad(t *testing.T) {
	d, problems := configs.Load("bakewatch.toml", catalog())
	if len(problems) > 0 {
		t.Fatal(problems)
	}
	plans, problems := configs.LoadPlans(d, catalog())
	if problems.Failed() {
		t.Fatal(problems)
	}
	files, err := filepath.Glob("plans/*.toml")
	if err != nil || len(plans) != len(files) {
		t.Errorf("%d plans of %d files", len(plans), len(files))
	}
	for _, file := range append(files, "bakewatch.toml") {
		text, err := os.ReadFile(file) //nolint:gosec // a shipped example
		if err != nil || !strings.HasPrefix(string(text), "#:schema ") {
			t.Errorf("%s does not begin with a #:schema line (%v)", file, err)
		}
	}
}

// write puts files into a folder, made for the test.
func write(t *testing.T, folder string, files map[string]string) {
	t.Helper()
	for name, text := range files {
		path := filepath.Join(folder, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o750); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

// minimal is a daemon's file with nothing to spare.
const minimal = `
plans = ["plans/**/*.toml"]
[prometheus.main]
url = "http://127.0.0.1:9090"
`

// signed is a daemon's file whose events must be signed, by this key.
const (
	nkey   = "UAB2CB576PHBBPQ5ODORRZ2LYCMWPZGWGCN2KDK7DXOIMZASKUY3RLKK"
	signed = minimal + "[trust]\nrequired = true\n[trust.announcer.ci]\nnkeys = ['" + nkey + "']\nservices = ['checkout', 'shop-*', '*']\nenvironments = ['production']\n"
)

// reached is where people reach a daemon, and login where they log in.
const (
	reached = "[http]\nexternal_url = 'https://bakewatch.example'\n"
	login   = "[http.oidc]\nissuer = 'https://login.example'\n"
)

func TestTheDaemonsFileIsAllOrNothing(t *testing.T) {
	for name, test := range map[string]struct{ text, want string }{
		"no plans":                    {"[prometheus.main]\nurl = 'http://x'", "plans is required"},
		"a glob that is none":         {"plans = ['a[']\n[prometheus.main]\nurl = 'http://x'", `"a[" is no glob`},
		"no Prometheus":               {"plans = ['x']", "no Prometheus to ask"},
		"neither url nor embedded":    {"plans = ['x']\n[prometheus.main]", "url is required"},
		"both":                        {minimal + "embedded = true\nscrape = ['x:1']", "url is for a server elsewhere"},
		"embedded without targets":    {"plans = ['x']\n[prometheus.main]\nembedded = true", "needs scrape or scrape_file"},
		"embedded keys elsewhere":     {minimal + "retention = '1d'", "retention is for the embedded server"},
		"a bound in gigabytes":        {"plans = ['x']\n[prometheus.main]\nembedded = true\nscrape = ['x:1']\nmax_bytes = 10", "max_bytes must be at least 67108864"},
		"a negative bound":            {"plans = ['x']\n[prometheus.main]\nembedded = true\nscrape = ['x:1']\nmax_bytes = -1", "max_bytes must be at least 67108864"},
		"a bound elsewhere":           {minimal + "max_bytes = 100000000", "max_bytes is for the embedded server"},
		"no queries a second":         {minimal + "limits = { per_second = 0 }", "limits.per_second must be at least 1"},
		"not a web address":           {"plans = ['x']\n[prometheus.main]\nurl = 'prometheus:9090'", "http or https address"},
		"a password in a URL":         {"plans = ['x']\n[prometheus.main]\nurl = 'http://u:hunter2@x'", "password must not be written into a URL"},
		"a password in place":         {minimal + "basic_auth = { username = 'u', password = 'hunter2' }", "write password_file = … or password_env = …"},
		"a token in place":            {minimal + "[channel.c]\nuse = 'slack'\nurl_file = 'x'\ntoken = 'hunter2'", "a secret must not be written in place; write token_file"},
		"a secret among headers":      {minimal + "[channel.c]\nuse = 'webhook'\nurl_file = 'x'\nheaders = { Authorization = 'hunter2' }", "Authorization: a secret must not"},
		"a secret in the environment": {minimal + "[executor.e]\nuse = 'exec'\ncommand = ['/x']\nenv = { API_TOKEN = 'hunter2' }", "API_TOKEN: a secret must not"},
		"a secret of no known key":    {minimal + "[nats]\npassword = 'hunter2'", "password: a secret must not"},
		"a secret header in place":    {minimal + "http_headers = { Authorization = { values = ['Bearer hunter2'] } }", `Authorization: a secret must not be written in place; write files or env`},
		"an API key in place":         {minimal + "http_headers = { X-API-Key = { values = ['hunter2'] } }", "X-API-Key: a secret must not"},
		"a token in a URL":            {"plans = ['x']\n[prometheus.main]\nurl = 'http://x?token=hunter2'", "url: a secret must not be written into a URL"},
		"an address that is a secret": {minimal + "[channel.c]\nuse = 'hidden'\nurl = 'https://hooks/hunter2'", `unknown key "url"; it is a secret: write url_file = … or url_env = …`},
		"credentials by half a name":  {minimal + "[nats]\nurl = 'nats://x'\ncreds = 'hunter2'", `unknown key "creds"; write creds_file = …`},
		"headers by half a name":      {minimal + "headers = { X-A = { values = ['a'] } }", `did you mean "http_headers"?`},
		"a program as a line":         {minimal + "[executor.e]\nuse = 'exec'\ncommand = 'rollback.sh  now'", `write ["rollback.sh", "now"]`},
		"an unknown default":          {minimal + "[defaults]\nfoo = 1", `defaults: unknown key "foo"`},
		"two ways to log in":          {minimal + "basic_auth = { username = 'u', password_env = 'P' }\nauthorization = { credentials_env = 'A' }", "exclude each other"},
		"a secret from two places":    {minimal + "basic_auth = { username = 'u', password_env = 'P', password_file = 'p' }", "set password_file or password_env"},
		"a target without port":       {"plans = ['x']\n[prometheus.main]\nembedded = true\nscrape = ['x:1', 'nohost']", `:4:18: prometheus "main": scrape: "nohost" is no host:port`},
		"a target that is a URL":      {"plans = ['x']\n[prometheus.main]\nembedded = true\nscrape = ['http://x:80/metrics']", "is no host:port"},
		"a target of a wrong port":    {"plans = ['x']\n[prometheus.main]\nembedded = true\nscrape = ['x:99999']", "is no host:port"},
		"a certificate without key":   {minimal + "tls_config = { cert_file = 'c' }", "cert_file and key_file belong together"},
		"an unknown key":              {minimal + "[http]\nlisen = 'x:1'", `did you mean "listen"?`},
		"a listener without port":     {minimal + "[http]\nlisten = '127.0.0.1'", "an address with a port"},
		"an unknown executor":         {minimal + "[executor.e]\nuse = 'exce'", `did you mean "exec"?`},
		"a later executor":            {minimal + "[executor.e]\nuse = 'kubernetes'", `use = "kubernetes" is not yet supported`},
		"a later channel":             {minimal + "[channel.e]\nuse = 'pagerduty'", `use = "pagerduty" is not yet supported`},
		"a tool without use":          {minimal + "[executor.e]\ncommand = ['/x']", "use is required"},
		"an executor's own error":     {minimal + "[executor.e]\nuse = 'exec'", "command: is required"},
		"another channel called log":  {minimal + "[channel.log]\nuse = 'slack'\nurl_file = 'x'", "Bakewatch's own log"},
		"a channel that is not there": {minimal + "[notify]\npage = ['pager']", "there is no [channel.pager]"},
		"a group without people":      {minimal + "[group.oncall]\n", `group "oncall": there are no people`},
		"signatures of nobody":        {minimal + "[trust]\nrequired = true", "nobody may announce a deployment"},
		"an announcer without a key":  {minimal + "[trust.announcer.ci]\nservices = ['x']", `announcer "ci": nkeys is required`},
		"a key that is none":          {minimal + "[trust.announcer.ci]\nservices = ['x']\nnkeys = ['UAB']", "this is no public nkey of a user"},
		"a seed for a key":            {minimal + "[trust.announcer.ci]\nservices = ['x']\nnkeys = ['SUhunter2']", "a secret must not be written in place"},
		"a key of an account":         {minimal + "[trust.announcer.ci]\nservices = ['x']\nnkeys = ['AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA']", "this is no public nkey of a user"},
		"a key of two announcers":     {signed + "[trust.announcer.b]\nservices = ['x']\nnkeys = ['" + nkey + "']", `this key stands in "`},
		"an announcer of nothing":     {minimal + "[trust.announcer.ci]\nnkeys = ['" + nkey + "']", `announcer "ci": services is required`},
		"a service by a middle part":  {minimal + "[trust.announcer.ci]\nnkeys = ['" + nkey + "']\nservices = ['x', 'a*b']", `"a*b" is neither a name nor the beginning of one`},
		"an environment with a star":  {minimal + "[trust.announcer.ci]\nnkeys = ['" + nkey + "']\nservices = ['*']\nenvironments = ['*']", `environments: "*" is no name`},
		"templates":                   {minimal + "[template.x]\nbake = '1m'", `key "template" is not yet supported`},
		"a login nowhere":             {minimal + reached + "[http.oidc]\n", "http.oidc: issuer: is required"},
		"a login with a key too many": {minimal + reached + login + "isuer = 'x'", "http.oidc: unknown key"},
		"a secret of a login":         {minimal + reached + login + "client_secret = 'x'", "client_secret: a secret must not be written in place"},
		"a login that leads nowhere":  {minimal + login, "there is no external_url in [http]"},
		"a login in the clear":        {minimal + "[http]\nexternal_url = 'http://bakewatch.example'\n" + login, "external_url: logins would go over the network unencrypted"},
		"files of an embedded NATS":   {minimal + "[nats]\ncreds_file = 'x'", "creds_file is for an external cluster"},
		"a store of an external NATS": {minimal + "[nats]\nurl = 'nats://x'\nstore = 'x'", "store is for the embedded server"},
		"replicas of an embedded one": {minimal + "[nats]\nreplicas = 3", "replicas is for an external cluster"},
		"an even number of replicas":  {minimal + "[nats]\nurl = 'nats://x'\nreplicas = 2", "replicas must be 1, 3 or 5"},
		"a NATS that is none":         {minimal + "[nats]\nurl = 'http://x'", "url must name servers"},
		"a preset of an unknown kind": {minimal + "[preset.p]\nrule.eror-rate = {}", `did you mean "error-rate"?`},
		"a preset with unknown keys":  {minimal + "[preset.p]\nrule.error-rate = { error = 'x' }", `did you mean "errors"?`},
		"a preset's broken selector":  {minimal + "[preset.p]\nrule.error-rate = { errors = 'x{', requests = 'r' }", `:6:32: preset "p": errors: `},
		"defaults of no plan":         {minimal + "[defaults]\nservice = 'x'", `unknown key "service"`},
		"no TOML":                     {"plans = [", "is not valid TOML"},
	} {
		t.Run(name, func(t *testing.T) {
			folder := t.TempDir()
			write(t, folder, map[string]string{"bakewatch.toml": test.text})
			d, problems := configs.Load(filepath.Join(folder, "bakewatch.toml"), catalog())
			if d != nil || !strings.Contains(problems.String(), test.want) {
				t.Errorf("%v, want %q and no daemon", problems, test.want)
			}
			if strings.Contains(problems.String(), "hunter2") {
				t.Errorf("a secret is shown: %v", problems)
			}
		})
	}
}

func TestADaemonsFileThatIsMissingIsAProblem(t *testing.T) {
	d, problems := configs.Load(filepath.Join(t.TempDir(), "no.toml"), catalog())
	if d != nil || !strings.Contains(problems.String(), "cannot be read") {
		t.Errorf("%v, %v", d, problems)
	}
}

func TestAKeyIsNotMissedWhereItsValueWasRefused(t *testing.T) {
	folder := t.TempDir()
	write(t, folder, map[string]string{"bakewatch.toml": minimal + "[channel.c]\nuse = 'hidden'\nurl = 'https://hooks/hunter2'"})
	if _, problems := configs.Load(filepath.Join(folder, "bakewatch.toml"), catalog()); len(problems) != 1 {
		t.Errorf("%v", problems)
	}
}

func TestAListenerOfTheEmbeddedNATSThatOthersReachIsWarnedOf(t *testing.T) {
	for listen, warned := range map[string]bool{
		"127.0.0.1:4222": false, "localhost:0": false, "[::1]:4222": false,
		"0.0.0.0:4222": true, ":4222": true, "nats.example.com:4222": true,
	} {
		folder := t.TempDir()
		write(t, folder, map[string]string{"bakewatch.toml": minimal + "[nats]\nlisten = '" + listen + "'"})
		d, problems := configs.Load(filepath.Join(folder, "bakewatch.toml"), catalog())
		if d == nil || strings.Contains(problems.String(), "is reached from other machines") != warned {
			t.Errorf("%s: %v", listen, problems)
		}
	}
}

func TestAnnouncersThatNobodyAsksForAreWarnedOf(t *testing.T) {
	folder := t.TempDir()
	for name, test := range map[string]struct {
		text   string
		warned bool
	}{
		"required":     {signed, false},
		"not required": {strings.Replace(signed, "required = true", "required = false", 1), true},
		"not said":     {strings.Replace(signed, "required = true", "", 1), true},
		"nobody named": {minimal, false},
	} {
		write(t, folder, map[string]string{"bakewatch.toml": test.text})
		d, problems := configs.Load(filepath.Join(folder, "bakewatch.toml"), catalog())
		if d == nil || strings.Contains(problems.String(), "announcers are not asked for") != test.warned {
			t.Errorf("%s: %v", name, problems)
		}
		if d != nil && d.Trust.Signed() != (name == "required") {
			t.Errorf("%s: signed is %v", name, d.Trust.Signed())
		}
	}
}
