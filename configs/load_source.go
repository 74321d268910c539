package configs

import (
	"fmt"
	"net/url"
	"path/filepath"

	"github.com/bakewatch/bakewatch/configs/internal/strict"
	"github.com/bakewatch/bakewatch/rules"
)

// loadSource reads one [prometheus.NAME].
func (d *Daemon) loadSource(name string, t strict.Table) {
	s := source()
	t.Decode(&s)
	positive(t, map[string]rules.Duration{"timeout": s.Timeout, "scrape_interval": s.ScrapeInterval, "retention": s.Retention})
	s.Limits.check(t)
	if s.Embedded {
		s.checkEmbedded(t)
		if s.Store == "" {
			s.Store = filepath.Join("data", "prometheus-"+name)
		}
		s.Store = t.Path(s.Store)
	} else {
		s.checkRemote(t)
	}
	for header, h := range s.Headers {
		if len(h.Values) > 0 && strict.Secret(header) {
			t.Fail("http_headers."+header+".values", fmt.Sprintf("http_headers: %s: a secret must not be written in place", strict.Shorten(header)), "write files or env; or use authorization or basic_auth")
		}
		for i := range h.Files {
			h.Files[i] = t.Path(h.Files[i])
			t.NeedFile(fmt.Sprintf("http_headers.%s.files.%d", header, i), h.Files[i])
		}
		t.NeedEnv("http_headers."+header+".env", h.Env)
		s.Headers[header] = h
	}
	if !validName(name) {
		t.Fail("", "the name of a Prometheus must be a name", nameHint)
	}
	d.Prometheus[name] = s
}

func (l Limits) check(t strict.Table) {
	for _, limit := range []struct {
		key string
		n   int
	}{
		{"limits.concurrency", l.Concurrency},
		{"limits.per_second", l.PerSecond},
		{"limits.series", l.Series},
		{"limits.body_bytes", l.BodyBytes},
	} {
		if limit.n < 1 {
			t.Fail(limit.key, limit.key+" must be at least 1", "")
		}
	}
}

// leastBytes is less than any store in use: a bound below it is a slip of the unit.
const leastBytes = 64 << 20

// remoteKeys and embeddedKeys are the keys of one sort of server only.
var (
	remoteKeys = []string{
		"url", "basic_auth", "authorization", "oauth2", "tls_config", "http_headers", "tenant",
		"proxy_url", "no_proxy", "proxy_from_environment", "follow_redirects", "enable_http2",
	}
	embeddedKeys = []string{"scrape", "scrape_file", "scrape_interval", "job", "labels", "store", "retention", "max_bytes"}
)

func (s Prometheus) checkEmbedded(t strict.Table) {
	for _, key := range remoteKeys {
		if t.Has(key) {
			t.Fail(key, key+" is for a server elsewhere", "remove it, or remove embedded = true")
		}
	}
	if (len(s.Scrape) == 0) == (s.ScrapeFile == "") {
		t.Fail("scrape", "an embedded server needs scrape or scrape_file", `write scrape = ["127.0.0.1:8080"], or name a Prometheus file; not both`)
	}
	if s.MaxBytes != 0 && s.MaxBytes < leastBytes {
		t.Fail("max_bytes", fmt.Sprintf("max_bytes must be at least %d", leastBytes), "it counts bytes: 10 GiB are 10737418240; leave it out for no bound")
	}
	if s.ScrapeFile != "" {
		for _, key := range []string{"scrape_interval", "job", "labels"} {
			if t.Has(key) {
				t.Fail(key, key+" is for scrape", "say it in scrape_file")
			}
		}
	}
	s.checkTargets(t)
}

func (s Prometheus) checkRemote(t strict.Table) {
	for _, key := range embeddedKeys {
		if t.Has(key) {
			t.Fail(key, key+" is for the embedded server", "set embedded = true, or remove it")
		}
	}
	if s.URL == "" {
		t.Fail("url", "url is required", `write url = "http://prometheus:9090", or embedded = true`)
	} else if !webAddress(s.URL) {
		t.Fail("url", "url must be an http or https address", `such as "http://prometheus:9090"`)
	}
	if s.ProxyURL != "" && s.ProxyFromEnvironment {
		t.Fail("proxy_url", "proxy_url and proxy_from_environment exclude each other", "keep one of them")
	}
	checkPair(t.Table("tls_config"), s.TLS.TLS)
	s.checkCredentials(t)
}

func (s Prometheus) checkCredentials(t strict.Table) {
	ways := 0
	if a := s.BasicAuth; a != nil {
		ways++
		oneSecret(t, "basic_auth", "password", a.PasswordFile, a.PasswordEnv)
		if a.Username == "" {
			t.Fail("basic_auth", "basic_auth: username is required", "")
		}
	}
	if a := s.Authorization; a != nil {
		ways++
		oneSecret(t, "authorization", "credentials", a.CredentialsFile, a.CredentialsEnv)
	}
	if a := s.OAuth2; a != nil {
		ways++
		oneSecret(t, "oauth2", "client_secret", a.ClientSecretFile, a.ClientSecretEnv)
		if a.ClientID == "" || !webAddress(a.TokenURL) {
			t.Fail("oauth2", "oauth2: client_id and token_url are required", "")
		}
	}
	if ways > 1 {
		t.Fail("", "basic_auth, authorization and oauth2 exclude each other", "keep one of them")
	}
}

// oneSecret wants a secret in a file or in the environment, and not in both.
func oneSecret(t strict.Table, table, key, file, env string) {
	if (file == "") == (env == "") {
		t.Fail(table, table+": "+key+" must come from one place", "set "+key+"_file or "+key+"_env")
	}
}

func webAddress(text string) bool {
	u, err := url.Parse(text)
	return err == nil && u.Host != "" && (u.Scheme == "http" || u.Scheme == "https")
}
