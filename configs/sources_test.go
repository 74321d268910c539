package configs_test

import (
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/common/config"

	"github.com/bakewatch/bakewatch/configs"
)

// loadSource loads a daemon's file whose one Prometheus has these keys.
func loadSource(t *testing.T, keys string) configs.Prometheus {
	t.Helper()
	folder := t.TempDir()
	write(t, folder, map[string]string{
		"bakewatch.toml": "plans = ['x.toml']\n[prometheus.main]\n" + keys,
		"password":       "from a file\n",
	})
	d, problems := configs.Load(filepath.Join(folder, "bakewatch.toml"), catalog())
	if d == nil {
		t.Fatal(problems)
	}
	return d.Prometheus["main"]
}

func TestThePrometheusIsSpokenToAsThePlanSays(t *testing.T) {
	t.Setenv("BAKEWATCH_TEST_SECRET", "from the environment")
	for name, test := range map[string]struct {
		keys string
		want func(*http.Request) bool
	}{
		"basic auth from a file": {`basic_auth = { username = "u", password_file = "password" }`, func(r *http.Request) bool {
			user, password, _ := r.BasicAuth()
			return user == "u" && password == "from a file"
		}},
		"a token from the environment": {`authorization = { credentials_env = "BAKEWATCH_TEST_SECRET" }`, func(r *http.Request) bool {
			return r.Header.Get("Authorization") == "Bearer from the environment"
		}},
		"headers and a tenant": {"tenant = 'team-a'\nhttp_headers = { X-A = { values = ['a'] }, X-B = { files = ['password'] }, X-C = { env = 'BAKEWATCH_TEST_SECRET' } }", func(r *http.Request) bool {
			return r.Header.Get("X-Scope-OrgID") == "team-a" && r.Header.Get("X-A") == "a" &&
				r.Header.Get("X-B") == "from a file" && r.Header.Get("X-C") == "from the environment"
		}},
	} {
		t.Run(name, func(t *testing.T) {
			asked := make(chan *http.Request, 1)
			server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { asked <- r }))
			defer server.Close()
			made, err := loadSource(t, "url = '"+server.URL+"'\n"+test.keys).Config()
			if err != nil {
				t.Fatal(err)
			}
			client, err := config.NewClientFromConfig(made, "test")
			if err != nil {
				t.Fatal(err)
			}
			request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, server.URL, http.NoBody)
			if err != nil {
				t.Fatal(err)
			}
			answer, err := client.Do(request)
			if err != nil {
				t.Fatal(err)
			}
			answer.Body.Close() //nolint:errcheck,gosec // empty
			if r := <-asked; !test.want(r) {
				t.Errorf("asked with %v", r.Header)
			}
		})
	}
}

func TestASecretThatIsNotSetIsAnErrorThatNamesTheVariable(t *testing.T) {
	_, err := loadSource(t, "url = 'http://x'\nauthorization = { credentials_env = 'BAKEWATCH_TEST_UNSET' }").Config()
	if err == nil || !strings.Contains(err.Error(), "BAKEWATCH_TEST_UNSET is not set") {
		t.Errorf("%v", err)
	}
}

func TestOAuthAndTLSAndProxiesAreHandedOn(t *testing.T) {
	s := loadSource(t, `
url = "https://x"
proxy_url = "http://proxy:3128"
follow_redirects = false
enable_http2 = false
oauth2 = { client_id = "c", client_secret_file = "password", token_url = "https://t", scopes = ["s"] }
tls_config = { ca_file = "/ca", server_name = "n" }
`)
	made, err := s.Config()
	if err != nil {
		t.Fatal(err)
	}
	if made.OAuth2.ClientID != "c" || !filepath.IsAbs(made.OAuth2.ClientSecretFile) || made.TLSConfig.CAFile != "/ca" ||
		made.TLSConfig.ServerName != "n" || made.ProxyURL.Host != "proxy:3128" || made.FollowRedirects || made.EnableHTTP2 {
		t.Errorf("%+v", made)
	}
}

func TestAnEmbeddedPrometheusHasAFolderOfItsOwn(t *testing.T) {
	s := loadSource(t, "embedded = true\nscrape = ['127.0.0.1:8080']\nscrape_interval = '1s'\n")
	if !strings.HasSuffix(s.Store, filepath.Join("data", "prometheus-main")) || time.Duration(s.ScrapeInterval) != time.Second || time.Duration(s.Retention) != 15*24*time.Hour {
		t.Errorf("%+v", s)
	}
}
