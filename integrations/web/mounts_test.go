package web_test

import (
	"context"
	"crypto/x509"
	"encoding/pem"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/bakewatch/bakewatch/actions/authority"
	"github.com/bakewatch/bakewatch/integrations/web"
)

func TestOnlyWhatShowsForItselfWhomItServesIsServedWithoutThePassword(t *testing.T) {
	links, err := web.NewLinks([]byte(strings.Repeat("k", web.KeyBytes)), "")
	if err != nil {
		t.Fatal(err)
	}
	cfg := web.APIConfig{
		Desk: deskOf(asking()), Identify: func(p authority.Proof) (string, error) { return p.Subject, nil }, WebConfigFile: passwords(t),
		Links: func(context.Context) (*web.Links, error) { return links, nil }, Login: login(&issuer{}),
	}
	const mounted = 299 // a status that nothing else has
	reached := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(mounted) })
	base := serve(t, func(c *web.Config) {
		c.Mounts, c.WebConfigFile = web.API(cfg), cfg.WebConfigFile
		c.Mounts.Open["POST /api/v1/slack/actions"] = reached
		c.Mounts.Guarded["/prometheus/"] = reached
	})
	for _, test := range []struct {
		method, path string
		open         bool
	}{
		{"POST", "/api/v1/slack/actions", true},
		{"GET", web.AnswerPath + "token", true},
		{"POST", web.AnswerPath + "token", true},
		{"GET", web.LoginPath, true},
		{"GET", web.CallbackPath, true},
		{"POST", web.LogoutPath, true},
		{"GET", web.QuestionPath + "20", true},
		{"POST", web.QuestionPath + "20", true},

		{"GET", "/metrics", false},
		{"GET", "/-/healthy", false},
		{"GET", "/-/ready", false},
		{"POST", "/-/reload", false},
		{"PUT", "/-/reload", false},
		{"GET", "/prometheus/api/v1/query", false},
		{"GET", web.APIPath + "openapi.json", false},
		{"GET", web.APIPath + "watches", false},
		{"GET", web.APIPath + "watches/20", false},
		{"GET", web.APIPath + "verdict?service=checkout", false},
		{"POST", web.APIPath + "verdict?service=checkout", false},
		{"POST", web.APIPath + "watches/20/answers", false},
		{"POST", web.APIPath + "watches/20/rollback", false},
		{"POST", web.APIPath + "watches/20/cancel", false},
		{"POST", web.APIPath + "watches/20/wrong", false},
		{"POST", web.APIPath + "disarm", false},
		{"POST", web.APIPath + "arm", false},
		{"GET", "/nothing", false},

		{"GET", "/api/v1/slack/actions", false},
		{"POST", "/api/v1/slack/actions/", false},
		{"POST", "/api/v1/slack/other", false},
		{"POST", web.LoginPath, false},
		{"GET", "/login/x", false},
		{"GET", "/api/v1/watches?x=/answer/", false},
	} {
		for password, asked := range map[string]bool{"": !test.open, "guess": !test.open, "secret": false} {
			response, text := call{method: test.method, path: test.path, password: password, body: "{}"}.do(t, base)
			// exporter-toolkit's own words: those of the API are a problem, as JSON.
			if refused := response.StatusCode == http.StatusUnauthorized && text == "Unauthorized\n"; refused != asked {
				t.Errorf("%s %s with %q: %d %s", test.method, test.path, password, response.StatusCode, text)
			}
		}
	}
	for _, path := range []string{"/answer/../metrics", "/answer/%2e%2e/metrics", "/answer/..%2fmetrics", "//metrics", "/login/../-/reload", "/answer/x/../../prometheus/"} {
		response, text := call{method: "GET", path: path}.do(t, base)
		if strings.Contains(text, "# HELP") || response.StatusCode == mounted || response.StatusCode == http.StatusOK && !strings.Contains(text, "<html") {
			t.Errorf("%s leads to %d %s", path, response.StatusCode, text)
		}
	}
}

func TestWithTLSTheSameIsServedWithoutThePassword(t *testing.T) {
	lent := httptest.NewTLSServer(http.NotFoundHandler())
	defer lent.Close()
	key, err := x509.MarshalPKCS8PrivateKey(lent.TLS.Certificates[0].PrivateKey)
	if err != nil {
		t.Fatal(err)
	}
	file := passwords(t)
	users, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string][]byte{
		file:                             append(users, "tls_server_config:\n  cert_file: cert.pem\n  key_file: key.pem\n"...),
		filepath.Dir(file) + "/cert.pem": pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: lent.Certificate().Raw}),
		filepath.Dir(file) + "/key.pem":  pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: key}),
	} {
		if err := os.WriteFile(name, text, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	base := serve(t, func(c *web.Config) {
		c.WebConfigFile = file
		c.Mounts.Open = map[string]http.Handler{"POST /called/back": http.NotFoundHandler()}
	})
	for path, status := range map[string]int{"/called/back": http.StatusNotFound, "/-/reload": http.StatusUnauthorized} {
		response, text := call{method: "POST", path: path}.by(t, lent.Client(), strings.Replace(base, "http:", "https:", 1))
		if response.StatusCode != status {
			t.Errorf("%s: %d %s, want %d", path, response.StatusCode, text, status)
		}
	}
}
