package prometheus

import (
	"encoding/base64"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"time"

	"github.com/prometheus/common/config"
)

// Config says how to reach one server, and how much to ask of it.
type Config struct {
	// URL is where the server is, without /api/v1; http or https. A name and
	// password in it are used as basic auth and shown nowhere.
	URL string
	// HTTP is TLS, basic auth, OAuth2, headers, proxy …; ignored where Transport is set.
	HTTP config.HTTPClientConfig
	// Transport carries the requests instead of the network, for a server in the same process.
	Transport http.RoundTripper

	// Timeout ends one query; default 10s.
	Timeout time.Duration
	// Concurrency is how many queries may be under way; default 8.
	Concurrency int
	// PerSecond is how many queries may be sent a second; default 500.
	PerSecond float64
	// MaxBody is how many bytes a reply may have, decompressed; default 8 MiB.
	MaxBody int64
	// MaxSeries is how many series a reply may have; default 10,000.
	MaxSeries int

	// Log hears when the server is given up and when it is back; default: nobody.
	Log *slog.Logger
}

// String names the server and nothing that could be secret.
func (c Config) String() string {
	at, err := url.Parse(c.URL)
	if err != nil {
		return "prometheus at an unreadable URL"
	}
	return "prometheus at " + at.Host
}

func (c *Config) defaults() error {
	orDefault(&c.Timeout, 10*time.Second)
	orDefault(&c.Concurrency, 8)
	orDefault(&c.PerSecond, 500)
	orDefault(&c.MaxBody, 8<<20)
	orDefault(&c.MaxSeries, 10_000)
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	if c.Timeout < 0 || c.Concurrency < 0 || c.PerSecond < 0 || c.MaxBody < 0 || c.MaxSeries < 0 {
		return errors.New("a limit is negative")
	}
	return c.address()
}

// address checks the URL and moves its user into HTTP, so that no error that
// names the URL can show it.
func (c *Config) address() error {
	at, err := url.Parse(c.URL)
	if err != nil {
		return errors.New("url: it cannot be read as one") // the cause would quote it
	}
	if at.Scheme != "http" && at.Scheme != "https" || at.Host == "" {
		return fmt.Errorf("url: http://host:port or https://host is needed, not scheme %q and host %q", at.Scheme, at.Host)
	}
	if at.User == nil {
		return nil
	}
	if c.HTTP.BasicAuth != nil || c.Transport != nil {
		return errors.New("url: it names a user, and so do the options: keep one")
	}
	password, _ := at.User.Password()
	c.HTTP.BasicAuth = &config.BasicAuth{Username: at.User.Username(), Password: config.Secret(password)}
	at.User = nil
	c.URL = at.String()
	return nil
}

// uncached returns the URL with a parameter that keeps VictoriaMetrics from moving
// the instants to where its cache has them; other servers ignore it.
func (c *Config) uncached() string {
	at, err := url.Parse(c.URL)
	if err != nil {
		return c.URL // address refused it
	}
	parameters := at.Query()
	parameters.Set("nocache", "1")
	at.RawQuery = parameters.Encode()
	return at.String()
}

// secrets returns what must not be shown, even if a server sends it back to us.
// What stands in files is not known here, and is never in an error either.
func (c *Config) secrets() []string {
	h := c.HTTP
	all := []config.Secret{h.BearerToken}
	if h.BasicAuth != nil {
		// The header's form of it too, which a chatty proxy might repeat.
		coded := base64.StdEncoding.EncodeToString([]byte(h.BasicAuth.Username + ":" + string(h.BasicAuth.Password)))
		all = append(all, h.BasicAuth.Password, config.Secret(coded))
	}
	if h.Authorization != nil {
		all = append(all, h.Authorization.Credentials)
	}
	if h.OAuth2 != nil {
		all = append(all, h.OAuth2.ClientSecret)
	}
	if proxy := h.ProxyURL.URL; proxy != nil && proxy.User != nil {
		password, _ := proxy.User.Password()
		all = append(all, config.Secret(password))
	}
	all = append(all, headerSecrets(h.HTTPHeaders)...)
	all = append(all, querySecrets(c.URL)...)

	var hide []string
	for _, secret := range all {
		if len(secret) >= 4 { // shorter ones would only garble the text
			hide = append(hide, string(secret))
		}
	}
	return hide
}

func headerSecrets(headers *config.Headers) (all []config.Secret) {
	if headers == nil {
		return nil
	}
	for _, header := range headers.Headers {
		all = append(all, header.Secrets...)
		for _, value := range header.Values {
			all = append(all, config.Secret(value))
		}
	}
	return all
}

func querySecrets(address string) (all []config.Secret) {
	at, err := url.Parse(address)
	if err != nil {
		return nil
	}
	for _, values := range at.Query() {
		for _, value := range values {
			all = append(all, config.Secret(value))
		}
	}
	return all
}

func orDefault[T comparable](value *T, fallback T) {
	var zero T
	if *value == zero {
		*value = fallback
	}
}
