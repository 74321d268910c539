package web_test

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/bakewatch/bakewatch/integrations/web"
)

// serve runs a server until the test ends and returns where it listens.
func serve(t *testing.T, change func(*web.Config)) string {
	t.Helper()
	cfg := web.Config{
		Listen: "127.0.0.1:0", Metrics: prometheus.NewRegistry(), Log: slog.New(slog.DiscardHandler),
		Ready: func() error { return nil }, Reload: func(context.Context) error { return nil },
	}
	change(&cfg)
	ctx, stop := context.WithCancel(t.Context())
	server, err := web.New(ctx, cfg)
	if err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- server.Run(ctx) }()
	t.Cleanup(func() {
		stop()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
	return "http://" + server.Addr()
}

func ask(t *testing.T, method, url string) (int, string) {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), method, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return response.StatusCode, string(body)
}

func TestTheDaemonSaysHowItIs(t *testing.T) {
	broken := func(c *web.Config) {
		c.Ready = func() error { return errors.New("the store is full") }
		c.Reload = func(context.Context) error { return errors.New("plans/a.toml:3:1: unknown key") }
	}
	well := func(c *web.Config) {
		c.Metrics.MustRegister(prometheus.NewCounter(prometheus.CounterOpts{Name: "bakewatch_things_total"}))
		c.Mounts.Guarded = map[string]http.Handler{"/prometheus/": http.NotFoundHandler()}
	}
	for name, c := range map[string]struct {
		config       func(*web.Config)
		method, path string
		status       int
		says         string
	}{
		"its metrics":                           {well, "GET", "/metrics", 200, "bakewatch_things_total 0"},
		"that it lives":                         {broken, "GET", "/-/healthy", 200, "healthy"},
		"that it is ready":                      {well, "GET", "/-/ready", 200, "ready"},
		"why it is not ready":                   {broken, "GET", "/-/ready", 503, "the store is full"},
		"that it has read the plans again":      {well, "POST", "/-/reload", 200, "reloaded"},
		"what is wrong with the plans":          {broken, "POST", "/-/reload", 500, "plans/a.toml:3:1"},
		"nothing when reload is asked by a GET": {well, "GET", "/-/reload", 405, ""},
		"what is mounted":                       {well, "GET", "/prometheus/api", 404, "404"},
	} {
		t.Run(name, func(t *testing.T) {
			status, body := ask(t, c.method, serve(t, c.config)+c.path)
			if status != c.status || !strings.Contains(body, c.says) {
				t.Errorf("%d %q, want %d with %q", status, body, c.status, c.says)
			}
		})
	}
}

func TestAPortThatIsTakenIsAnErrorAtOnce(t *testing.T) {
	taken := strings.TrimPrefix(serve(t, func(*web.Config) {}), "http://")
	if _, err := web.New(t.Context(), web.Config{Listen: taken}); err == nil {
		t.Error("two servers on one port")
	}
}

func TestAWebConfigFileTurnsOnPasswords(t *testing.T) {
	file := filepath.Join(t.TempDir(), "web.yml")
	// The hash is of "secret".
	text := "basic_auth_users:\n  ana: $2y$10$X0h1gDsPszWURQaxFh.zoubFi6DXncSjhoQNJgRrnGs7EsimhC7zG\n"
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	status, _ := ask(t, "GET", serve(t, func(c *web.Config) { c.WebConfigFile = file })+"/metrics")
	if status != http.StatusUnauthorized {
		t.Errorf("status %d without a password", status)
	}
}

func TestWhoeverSendsWithoutEndIsNotWaitedForWithoutEnd(t *testing.T) {
	const patience = 100 * time.Millisecond
	for _, path := range []string{"/called/back", "/-/reload"} {
		base := serve(t, func(c *web.Config) {
			c.Patience, c.WebConfigFile = patience, passwords(t)
			c.Mounts.Open = map[string]http.Handler{"POST /called/back": http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if _, err := io.ReadAll(r.Body); err != nil {
					w.WriteHeader(http.StatusRequestTimeout)
				}
			})}
		})
		conn, err := net.DialTimeout("tcp", strings.TrimPrefix(base, "http://"), 5*time.Second)
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		if _, err := io.WriteString(conn, "POST "+path+" HTTP/1.1\r\nHost: bakewatch\r\nContent-Length: 100\r\n\r\n{"); err != nil {
			t.Fatal(err)
		}
		if err := conn.SetReadDeadline(time.Now().Add(5 * time.Second)); err != nil {
			t.Fatal(err)
		}
		if _, err := io.ReadAll(conn); errors.Is(err, os.ErrDeadlineExceeded) {
			t.Errorf("%s: the connection is still open", path)
		}
	}
}
