package configs

import (
	"fmt"
	"net/url"
	"os"
	"time"

	"github.com/prometheus/common/config"

	"github.com/bakewatch/bakewatch/rules"
)

// Prometheus is one server to ask, or the one that runs in this process.
type Prometheus struct {
	URL     string         `toml:"url" doc:"the server's address; its API is below it"`
	Settle  rules.Duration `toml:"settle" doc:"how long after an instant all its samples are visible; 60s for remote-write stores"`
	Timeout rules.Duration `toml:"timeout" doc:"the longest a query may take"`
	Limits  Limits         `toml:"limits" doc:"what may be asked of the server"`
	HTTPClient

	Embedded       bool              `toml:"embedded" doc:"scrape, store and answer in this process"`
	Scrape         []string          `toml:"scrape" doc:"targets of the embedded server, as host:port"`
	ScrapeFile     string            `toml:"scrape_file" doc:"a Prometheus file whose scrape_configs are used instead of scrape"`
	ScrapeInterval rules.Duration    `toml:"scrape_interval" doc:"how often the targets of scrape are scraped"`
	Job            string            `toml:"job" doc:"the job label of the targets of scrape"`
	Labels         map[string]string `toml:"labels" doc:"labels added to the targets of scrape"`
	Store          string            `toml:"store" doc:"the embedded server's folder, relative to this file; default: data/prometheus-NAME"`
	Retention      rules.Duration    `toml:"retention" doc:"how long the embedded server keeps samples"`
	MaxBytes       int               `toml:"max_bytes" doc:"above so many bytes on disk the embedded server drops its oldest samples, though not the last hours'; default 0: no bound"`
}

// Limits bound what is asked of one server.
type Limits struct {
	Concurrency int `toml:"concurrency" doc:"queries at a time"`
	PerSecond   int `toml:"per_second" doc:"queries a second"`
	Series      int `toml:"series" doc:"series in one answer; more are too large"`
	BodyBytes   int `toml:"body_bytes" doc:"bytes in one answer; more are too large"`
}

// HTTPClient is how a server is spoken to. Its keys are those of Prometheus'
// own HTTP client, except that a secret is never written in place.
type HTTPClient struct {
	BasicAuth     *BasicAuth        `toml:"basic_auth" doc:"user name and password"`
	Authorization *Authorization    `toml:"authorization" doc:"an Authorization header"`
	OAuth2        *OAuth2           `toml:"oauth2" doc:"OAuth 2.0 client credentials"`
	TLS           TLSConfig         `toml:"tls_config" doc:"how the server is trusted"`
	Headers       map[string]Header `toml:"http_headers" doc:"headers to add, by name"`
	Tenant        string            `toml:"tenant" doc:"the X-Scope-OrgID header that Mimir and Cortex ask for"`

	ProxyURL             string `toml:"proxy_url" doc:"the proxy to go through"`
	NoProxy              string `toml:"no_proxy" doc:"hosts that need no proxy, separated by commas"`
	ProxyFromEnvironment bool   `toml:"proxy_from_environment" doc:"take the proxy from HTTPS_PROXY and its like"`
	FollowRedirects      *bool  `toml:"follow_redirects" doc:"follow redirects; default true"`
	EnableHTTP2          *bool  `toml:"enable_http2" doc:"use HTTP/2; default true"`
}

// BasicAuth is a user name and a password.
type BasicAuth struct {
	Username     string `toml:"username" doc:"the user's name"`
	PasswordFile string `toml:"password_file" doc:"the file that holds the password"`
	PasswordEnv  string `toml:"password_env" doc:"the environment variable that holds the password"`
}

// Authorization is an Authorization header.
type Authorization struct {
	Type            string `toml:"type" doc:"the scheme; default Bearer"`
	CredentialsFile string `toml:"credentials_file" doc:"the file that holds the credentials"`
	CredentialsEnv  string `toml:"credentials_env" doc:"the environment variable that holds the credentials"`
}

// OAuth2 is how a token is got.
type OAuth2 struct {
	ClientID         string            `toml:"client_id" doc:"the client's name"`
	ClientSecretFile string            `toml:"client_secret_file" doc:"the file that holds the client's secret"`
	ClientSecretEnv  string            `toml:"client_secret_env" doc:"the environment variable that holds the client's secret"`
	TokenURL         string            `toml:"token_url" doc:"where tokens are got"`
	Scopes           []string          `toml:"scopes" doc:"the scopes to ask for"`
	EndpointParams   map[string]string `toml:"endpoint_params" doc:"more parameters of the request"`
	TLS              TLSConfig         `toml:"tls_config" doc:"how the token's server is trusted"`
}

// TLSConfig is TLS as Prometheus' HTTP client has it.
type TLSConfig struct {
	TLS
	ServerName         string `toml:"server_name" doc:"the name to expect in the server's certificate"`
	InsecureSkipVerify bool   `toml:"insecure_skip_verify" doc:"trust any certificate; for tests only"`
}

// Header is one header to add.
type Header struct {
	Values []string `toml:"values" doc:"values that are no secret"`
	Files  []string `toml:"files" doc:"files that hold the values; absolute, or relative to this file"`
	Env    string   `toml:"env" doc:"the environment variable that holds the value"`
}

// tenantHeader names the tenant to Mimir, Cortex and their like.
const tenantHeader = "X-Scope-OrgID"

// Config returns the client's configuration as Prometheus' library takes it. It
// reads the secrets that are in the environment; those in files are read when used.
func (c HTTPClient) Config() (config.HTTPClientConfig, error) {
	made := config.DefaultHTTPClientConfig
	made.TLSConfig = c.TLS.config()
	made.ProxyConfig = config.ProxyConfig{NoProxy: c.NoProxy, ProxyFromEnvironment: c.ProxyFromEnvironment}
	if c.ProxyURL != "" {
		proxy, err := url.Parse(c.ProxyURL)
		if err != nil {
			return made, fmt.Errorf("proxy_url: %w", err)
		}
		made.ProxyURL = config.URL{URL: proxy}
	}
	if c.FollowRedirects != nil {
		made.FollowRedirects = *c.FollowRedirects
	}
	if c.EnableHTTP2 != nil {
		made.EnableHTTP2 = *c.EnableHTTP2
	}
	if err := c.credentials(&made); err != nil {
		return made, err
	}
	if err := c.headers(&made); err != nil {
		return made, err
	}
	if err := made.Validate(); err != nil {
		return made, fmt.Errorf("http client: %w", err)
	}
	return made, nil
}

func (c HTTPClient) credentials(made *config.HTTPClientConfig) (err error) {
	if a := c.BasicAuth; a != nil {
		made.BasicAuth = &config.BasicAuth{Username: a.Username, PasswordFile: a.PasswordFile}
		if made.BasicAuth.Password, err = fromEnv(a.PasswordEnv); err != nil {
			return err
		}
	}
	if a := c.Authorization; a != nil {
		made.Authorization = &config.Authorization{Type: a.Type, CredentialsFile: a.CredentialsFile}
		if made.Authorization.Credentials, err = fromEnv(a.CredentialsEnv); err != nil {
			return err
		}
	}
	if a := c.OAuth2; a != nil {
		made.OAuth2 = &config.OAuth2{
			ClientID: a.ClientID, ClientSecretFile: a.ClientSecretFile, TokenURL: a.TokenURL,
			Scopes: a.Scopes, EndpointParams: a.EndpointParams, TLSConfig: a.TLS.config(),
		}
		if made.OAuth2.ClientSecret, err = fromEnv(a.ClientSecretEnv); err != nil {
			return err
		}
	}
	return nil
}

func (c HTTPClient) headers(made *config.HTTPClientConfig) error {
	if len(c.Headers) == 0 && c.Tenant == "" {
		return nil
	}
	headers := map[string]config.Header{}
	for name, h := range c.Headers {
		secret, err := fromEnv(h.Env)
		if err != nil {
			return err
		}
		header := config.Header{Values: h.Values, Files: h.Files}
		if secret != "" {
			header.Secrets = []config.Secret{secret}
		}
		headers[name] = header
	}
	if c.Tenant != "" {
		headers[tenantHeader] = config.Header{Values: []string{c.Tenant}}
	}
	made.HTTPHeaders = &config.Headers{Headers: headers}
	return nil
}

func (t TLSConfig) config() config.TLSConfig {
	return config.TLSConfig{
		CAFile: t.CAFile, CertFile: t.CertFile, KeyFile: t.KeyFile,
		ServerName: t.ServerName, InsecureSkipVerify: t.InsecureSkipVerify,
	}
}

// fromEnv reads a secret; an unset variable is an error, since an empty password
// would only fail later.
func fromEnv(name string) (config.Secret, error) {
	if name == "" {
		return "", nil
	}
	value := os.Getenv(name)
	if value == "" {
		return "", fmt.Errorf("the environment variable %s is not set", name)
	}
	return config.Secret(value), nil
}

// source returns the defaults of a [prometheus.NAME].
func source() Prometheus {
	return Prometheus{
		Settle: rules.Duration(5 * time.Second), Timeout: rules.Duration(10 * time.Second),
		Limits:         Limits{Concurrency: 8, PerSecond: 500, Series: 10_000, BodyBytes: 8 << 20},
		ScrapeInterval: rules.Duration(15 * time.Second), Retention: rules.Duration(15 * 24 * time.Hour),
	}
}
