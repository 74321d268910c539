package main

import (
	"crypto/tls"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"testing"
)

func TestHealth(t *testing.T) {
	ready := http.StatusServiceUnavailable
	mux := http.NewServeMux()
	mux.HandleFunc("GET /-/healthy", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprintln(w, "well") })
	mux.HandleFunc("GET /-/ready", func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(ready)
		fmt.Fprintln(w, "no Prometheus yet")
	})
	server := httptest.NewServer(mux)
	defer server.Close()

	t.Run("a daemon that is well gives 0", func(t *testing.T) {
		b := newBench(t)
		b.expect(0, "health", "--url", server.URL)
		b.says("well")
	})
	t.Run("well is not yet ready", func(t *testing.T) {
		b := newBench(t)
		b.expect(exitFailed, "health", "--ready", "--url", server.URL, "--output", "json")
		b.says(`"status": 503`, "no Prometheus yet")
	})
	t.Run("nobody there gives 1 and where to look", func(t *testing.T) {
		b := newBench(t)
		gone := httptest.NewServer(mux)
		gone.Close()
		b.expect(exitFailed, "health", "--url", gone.URL)
		b.advises("[http] listen")
	})
}

// daemonAt starts a server that answers with the status and gives a daemon's file that
// says where it listens.
func daemonAt(t *testing.T, start func(*httptest.Server), status int, secured bool) (file string) {
	t.Helper()
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(status) }))
	server.Config.ErrorLog = log.New(io.Discard, "", 0)
	start(server)
	t.Cleanup(server.Close)
	listen := server.Listener.Addr().(*net.TCPAddr)
	text := fmt.Sprintf("[nats]\nno_such_key = 1\n[http]\nlisten = \":%d\"\n", listen.Port)
	if secured {
		text += "web_config_file = \"web.yml\"\n"
	}
	return fileWith(t, text)
}

func fileWith(t *testing.T, text string) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "bakewatch.toml")
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

func TestHealthOfADaemonThatItsFileDescribes(t *testing.T) {
	clear, encrypted := (*httptest.Server).Start, (*httptest.Server).StartTLS
	certified := func(s *httptest.Server) {
		s.TLS = &tls.Config{ClientAuth: tls.RequireAnyClientCert, MinVersion: tls.VersionTLS12}
		s.StartTLS()
	}
	for name, c := range map[string]struct {
		start          func(*httptest.Server)
		status         int
		secured        bool
		healthy, ready int // the exit codes
	}{
		"on another port":                  {clear, 200, false, 0, 0},
		"with a password, but no TLS":      {clear, 401, true, 0, exitFailed},
		"with TLS":                         {encrypted, 200, true, 0, 0},
		"with TLS and a password":          {encrypted, 401, true, 0, exitFailed},
		"which forbids it":                 {encrypted, 403, true, 0, exitFailed},
		"which asks for a certificate":     {certified, 200, true, 0, exitFailed},
		"which is unwell":                  {encrypted, 500, true, exitFailed, exitFailed},
		"with TLS that the file says none": {encrypted, 200, false, exitFailed, exitFailed},
	} {
		t.Run(name, func(t *testing.T) {
			file, b := daemonAt(t, c.start, c.status, c.secured), newBench(t)
			b.expect(c.healthy, "health", "--config", file)
			b.expect(c.ready, "health", "--ready", "--config", file)
		})
	}
	t.Run("a certificate is verified where no file of ours names the address", func(t *testing.T) {
		server := httptest.NewUnstartedServer(http.NotFoundHandler())
		server.Config.ErrorLog = log.New(io.Discard, "", 0)
		server.StartTLS()
		defer server.Close()
		b := newBench(t)
		b.expect(exitFailed, "health", "--url", server.URL)
		b.advises("certificate")
	})
}

func TestAddressesOfADaemonsFile(t *testing.T) {
	for name, c := range map[string]struct{ text, want string }{
		"nothing said":        {"", "http://127.0.0.1:9595"},
		"all addresses":       {"http.listen = \"0.0.0.0:80\"", "http://localhost:80"},
		"all of IPv6":         {"http.listen = \"[::]:80\"", "http://localhost:80"},
		"one":                 {"http.listen = \"10.1.2.3:80\"", "http://10.1.2.3:80"},
		"with a web config":   {"http.listen = \"[::1]:80\"\nhttp.web_config_file = \"web.yml\"", "https://[::1]:80"},
		"a file that is torn": {"[http\n", ""},
		"no address":          {"http.listen = \"here\"", ""},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := readAddress(fileWith(t, c.text))
			if got.base != c.want || (err == nil) != (c.want != "") {
				t.Errorf("%q, %v; want %q", got.base, err, c.want)
			}
		})
	}
	t.Run("without a file the default is asked, and why is said", func(t *testing.T) {
		b := newBench(t)
		p := newProgram(nil, &b.stdout, &b.stderr)
		if got := p.addressBy("/no/such/file"); got.base != "http://"+defaultHTTP || got.ours {
			t.Errorf("%+v", got)
		}
		b.advises("/no/such/file", "the default is asked")
	})
}
