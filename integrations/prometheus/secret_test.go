package prometheus_test

import (
	"bytes"
	"encoding/base64"
	"encoding/pem"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/common/config"

	"github.com/bakewatch/bakewatch/integrations/prometheus"
	"github.com/bakewatch/bakewatch/rules"
)

const secret = "hunter2-swordfish"

// certificate writes the server's certificate to a file.
func certificate(t *testing.T, server *httptest.Server) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "ca.pem")
	text := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw})
	if err := os.WriteFile(path, text, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// guarded answers those who prove who they are.
func guarded(proves func(*http.Request) bool) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if !proves(r) {
			http.Error(w, "who are you?", http.StatusUnauthorized)
			return
		}
		success("vector", one, "")(w, r)
	}
}

func TestTLSAndProofsOfIdentityWorkForReal(t *testing.T) {
	tokens := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if id, password, ok := r.BasicAuth(); !ok || id != "bakewatch" || password != secret {
			http.Error(w, "no", http.StatusUnauthorized)
			return
		}
		w.Header().Set("Content-Type", "application/json")
		_, _ = io.WriteString(w, `{"access_token":"of-the-hour","token_type":"Bearer"}`)
	}))
	t.Cleanup(tokens.Close)
	passwordFile := filepath.Join(t.TempDir(), "password")
	if err := os.WriteFile(passwordFile, []byte(secret+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	byPassword := func(r *http.Request) bool {
		user, password, ok := r.BasicAuth()
		return ok && user == "ana" && password == secret
	}
	byBearer := func(r *http.Request) bool { return r.Header.Get("Authorization") == "Bearer of-the-hour" }
	byTenant := func(r *http.Request) bool { return r.Header.Get("X-Scope-Orgid") == "shop" }
	for name, test := range map[string]struct {
		with   config.HTTPClientConfig
		user   *url.Userinfo
		proves func(*http.Request) bool
	}{
		"basic auth":             {config.HTTPClientConfig{BasicAuth: &config.BasicAuth{Username: "ana", Password: secret}}, nil, byPassword},
		"basic auth from a file": {config.HTTPClientConfig{BasicAuth: &config.BasicAuth{Username: "ana", PasswordFile: passwordFile}}, nil, byPassword},
		"a user in the URL":      {config.HTTPClientConfig{}, url.UserPassword("ana", secret), byPassword},
		"a bearer token":         {config.HTTPClientConfig{Authorization: &config.Authorization{Credentials: "of-the-hour"}}, nil, byBearer},
		"OAuth2":                 {config.HTTPClientConfig{OAuth2: &config.OAuth2{ClientID: "bakewatch", ClientSecret: secret, TokenURL: tokens.URL}}, nil, byBearer},
		"a tenant's header": {config.HTTPClientConfig{HTTPHeaders: &config.Headers{Headers: map[string]config.Header{
			"X-Scope-OrgID": {Values: []string{"shop"}},
		}}}, nil, byTenant},
	} {
		t.Run(name, func(t *testing.T) {
			server := httptest.NewTLSServer(guarded(test.proves))
			t.Cleanup(server.Close)
			test.with.TLSConfig.CAFile = certificate(t, server)
			address, _ := url.Parse(server.URL)
			address.User = test.user
			if got := sampleUp(t, sampler(t, prometheus.Config{URL: address.String(), HTTP: test.with})); got.Err != nil {
				t.Fatal(got.Err)
			}
			nobody := config.HTTPClientConfig{TLSConfig: test.with.TLSConfig}
			failsWith(t, sampleUp(t, sampler(t, prometheus.Config{URL: server.URL, HTTP: nobody})), rules.Unreachable, "401")
		})
	}
}

func TestACertificateOfNobodyKnownIsUnreachable(t *testing.T) {
	server := httptest.NewUnstartedServer(success("vector", one, ""))
	server.Config.ErrorLog = slog.NewLogLogger(slog.DiscardHandler, 0)
	server.StartTLS()
	t.Cleanup(server.Close)
	failsWith(t, sampleUp(t, sampler(t, prometheus.Config{URL: server.URL})), rules.Unreachable, "certificate")
}

func TestNoSecretIsEverShown(t *testing.T) {
	told := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { // a server that gives away what it is told
		apiError(400, "bad_data", fmt.Sprint(r.Header.Get("X-Key"), " ", r.Header))(w, r)
	})
	listening, gone := httptest.NewServer(told), httptest.NewServer(told)
	t.Cleanup(listening.Close)
	gone.Close()
	with := config.HTTPClientConfig{HTTPHeaders: &config.Headers{Headers: map[string]config.Header{
		"X-Key": {Secrets: []config.Secret{secret}},
	}}}
	for name, at := range map[string]string{"a server that repeats it": listening.URL, "a server that is gone": gone.URL} {
		for kind, cfg := range map[string]prometheus.Config{
			"in a header":                  {URL: at, HTTP: with},
			"in the URL":                   {URL: strings.Replace(at, "://", "://ana:"+secret+"@", 1)},
			"in the parameters of the URL": {URL: at + "?token=" + secret},
		} {
			t.Run(name+", "+kind, func(t *testing.T) {
				var log bytes.Buffer
				cfg.Log = slog.New(slog.NewTextHandler(&log, nil))
				source, err := prometheus.NewSource("main", cfg)
				if err != nil {
					t.Fatal(err)
				}
				s, err := prometheus.NewSampler(nil, source)
				if err != nil {
					t.Fatal(err)
				}
				for range 7 { // until it is given up
					got := s.Sample(t.Context(), time.Now(), []rules.Query{ask("up")})[0]
					if got.Err == nil {
						t.Fatal("no error to look at")
					}
					shown := fmt.Sprintf("%v %+v %s %v %+v %v %s", got.Err, got.Err, got.Err, source, source, cfg, log.String())
					coded := base64.StdEncoding.EncodeToString([]byte("ana:" + secret))
					if strings.Contains(shown, secret) || strings.Contains(shown, coded) || strings.Contains(shown, "token=") {
						t.Fatalf("the secret is shown: %s", shown)
					}
				}
			})
		}
	}
}

func TestASecretThatIsCutIsHidden(t *testing.T) {
	server := newFake(apiError(400, "bad_data", strings.Repeat(secret+" ", 20)))
	s := sampler(t, prometheus.Config{URL: "http://fake?token=" + secret, Transport: server})
	got := sampleUp(t, s)
	failsWith(t, got, rules.BadQuery, "<secret>")
	if strings.Contains(got.Err.Error(), secret[:4]) {
		t.Fatalf("a part of the secret is shown: %v", got.Err)
	}
}

func TestAConfigurationThatCannotWorkIsRefusedWithoutShowingIt(t *testing.T) {
	basic := config.HTTPClientConfig{BasicAuth: &config.BasicAuth{Username: "ana", Password: secret}}
	both := basic
	both.BearerToken = secret
	for name, test := range map[string]struct {
		cfg  prometheus.Config
		want string
	}{
		"no URL":              {prometheus.Config{}, "http://host:port"},
		"a URL of a file":     {prometheus.Config{URL: "file:///etc/passwd"}, `scheme "file"`},
		"a broken URL":        {prometheus.Config{URL: "http://ana:" + secret + "@ho st\x7f"}, "cannot be read"},
		"a user in two":       {prometheus.Config{URL: "http://ana:" + secret + "@host", HTTP: basic}, "keep one"},
		"two proofs":          {prometheus.Config{URL: "http://host", HTTP: both}, "at most one"},
		"a missing CA":        {prometheus.Config{URL: "https://host", HTTP: config.HTTPClientConfig{TLSConfig: config.TLSConfig{CAFile: "none.pem"}}}, "none.pem"},
		"a negative deadline": {prometheus.Config{URL: "http://host", Timeout: -1}, "negative"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := prometheus.NewSource("eu", test.cfg)
			if err == nil || !strings.Contains(err.Error(), test.want) || !strings.Contains(err.Error(), `prometheus "eu"`) {
				t.Fatalf("want an error with %q, got %v", test.want, err)
			}
			if strings.Contains(err.Error(), secret) {
				t.Fatalf("the secret is shown: %v", err)
			}
		})
	}
}
