package webhook

import (
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/bakewatch/bakewatch/actions"
	"github.com/bakewatch/bakewatch/integrations/outbound"
	"github.com/bakewatch/bakewatch/rules"
)

// ExecutorKind is the executor "webhook".
func ExecutorKind() rules.Kind {
	return rules.Kind{
		Name: "webhook",
		New:  func() rules.Options { return &ExecutorOptions{Timeout: rules.Duration(30 * time.Second)} },
		With: func() rules.Options { return &With{} },
	}
}

// ChannelKind is the channel "webhook".
func ChannelKind() rules.Kind {
	return rules.Kind{
		Name: "webhook",
		New:  func() rules.Options { return &ChannelOptions{Timeout: rules.Duration(10 * time.Second)} },
	}
}

// ExecutorOptions are those of an [executor.NAME] of kind webhook.
type ExecutorOptions struct {
	URL            string            `toml:"url" json:"url,omitempty" doc:"where a rollback is ordered; if it is itself secret, use url_file or url_env"`
	URLFile        string            `toml:"url_file" json:"url_file,omitempty" doc:"file that holds the URL"`
	URLEnv         string            `toml:"url_env" json:"url_env,omitempty" doc:"environment variable that holds the URL"`
	SecretFile     string            `toml:"secret_file" json:"secret_file,omitempty" doc:"file that holds the signing secret, whsec_…"`
	SecretEnv      string            `toml:"secret_env" json:"secret_env,omitempty" doc:"environment variable that holds the signing secret, whsec_…"`
	TokenFile      string            `toml:"token_file" json:"token_file,omitempty" doc:"file that holds a bearer token for the Authorization header"`
	TokenEnv       string            `toml:"token_env" json:"token_env,omitempty" doc:"environment variable that holds a bearer token"`
	Headers        map[string]string `toml:"headers" json:"headers,omitempty" doc:"further headers; no secrets"`
	Timeout        rules.Duration    `toml:"timeout" json:"timeout,omitempty" doc:"for one HTTP call; default 30s"`
	TLS            *outbound.TLS     `toml:"tls" json:"tls,omitempty" doc:"certificates"`
	ProxyURL       string            `toml:"proxy_url" json:"proxy_url,omitempty" doc:"HTTP proxy; the environment's is never used"`
	AllowLinkLocal bool              `toml:"allow_link_local" json:"allow_link_local,omitempty" doc:"allow link-local and metadata addresses; default false"`
	Idempotent     bool              `toml:"idempotent" json:"idempotent,omitempty" doc:"your promise that the receiver drops repeats of an Idempotency-Key; default false"`
	StatusURL      string            `toml:"status_url" json:"status_url,omitempty" doc:"asked for the outcome after a 202; default: the outcome is unknown"`
	LiveURL        string            `toml:"live_url" json:"live_url,omitempty" doc:"asked for the live version; default: cannot tell"`
}

// ChannelOptions are those of a [channel.NAME] of kind webhook.
type ChannelOptions struct {
	URL            string            `toml:"url" json:"url,omitempty" doc:"where messages go; if it is itself secret, use url_file or url_env"`
	URLFile        string            `toml:"url_file" json:"url_file,omitempty" doc:"file that holds the URL"`
	URLEnv         string            `toml:"url_env" json:"url_env,omitempty" doc:"environment variable that holds the URL"`
	SecretFile     string            `toml:"secret_file" json:"secret_file,omitempty" doc:"file that holds the signing secret, whsec_…; default: not signed"`
	SecretEnv      string            `toml:"secret_env" json:"secret_env,omitempty" doc:"environment variable that holds the signing secret, whsec_…"`
	TokenFile      string            `toml:"token_file" json:"token_file,omitempty" doc:"file that holds a bearer token for the Authorization header"`
	TokenEnv       string            `toml:"token_env" json:"token_env,omitempty" doc:"environment variable that holds a bearer token"`
	Headers        map[string]string `toml:"headers" json:"headers,omitempty" doc:"further headers; no secrets"`
	Timeout        rules.Duration    `toml:"timeout" json:"timeout,omitempty" doc:"for one HTTP call; default 10s"`
	TLS            *outbound.TLS     `toml:"tls" json:"tls,omitempty" doc:"certificates"`
	ProxyURL       string            `toml:"proxy_url" json:"proxy_url,omitempty" doc:"HTTP proxy; the environment's is never used"`
	AllowLinkLocal bool              `toml:"allow_link_local" json:"allow_link_local,omitempty" doc:"allow link-local and metadata addresses; default false"`
}

// With is what a plan adds.
type With struct {
	Parameters map[string]any `toml:"parameters" json:"parameters,omitempty" doc:"put into the request's body as they are"`
}

// Check has nothing to say: parameters are the receiver's.
func (*With) Check() error { return nil }

// Check says what is wrong with the options.
func (o *ExecutorOptions) Check() error {
	return errors.Join(o.common().check(true), checkTimeout(o.Timeout),
		outbound.CheckURL("status_url", o.StatusURL), outbound.CheckURL("live_url", o.LiveURL),
		o.common().checkToken("status_url", o.StatusURL), o.common().checkToken("live_url", o.LiveURL))
}

// Check says what is wrong with the options.
func (o *ChannelOptions) Check() error {
	return errors.Join(o.common().check(false), actions.CheckNotifyTimeout(o.Timeout))
}

// common are the options that both share.
func (o *ExecutorOptions) common() *ChannelOptions {
	return &ChannelOptions{
		URL: o.URL, URLFile: o.URLFile, URLEnv: o.URLEnv, SecretFile: o.SecretFile, SecretEnv: o.SecretEnv,
		TokenFile: o.TokenFile, TokenEnv: o.TokenEnv, Headers: o.Headers, Timeout: o.Timeout, TLS: o.TLS,
		ProxyURL: o.ProxyURL, AllowLinkLocal: o.AllowLinkLocal,
	}
}

func (o *ChannelOptions) common() *ChannelOptions { return o }

func (o *ChannelOptions) check(mustSign bool) error {
	errs := []error{
		outbound.CheckURL("url", o.URL),
		outbound.CheckSecret("url", o.URLFile, o.URLEnv, o.URL == ""),
		outbound.CheckSecret("secret", o.SecretFile, o.SecretEnv, mustSign),
		outbound.CheckSecret("token", o.TokenFile, o.TokenEnv, false),
		o.checkToken("url", o.URL),
		outbound.CheckProxy(o.ProxyURL),
		o.TLS.Check(),
	}
	if o.URL != "" && o.URLFile+o.URLEnv != "" {
		errs = append(errs, &rules.FieldError{Key: "url", Err: errors.New("set twice"), Hint: "keep one of url, url_file and url_env"})
	}
	for name, value := range o.Headers {
		errs = append(errs, checkHeader(name, value))
	}
	return errors.Join(errs...)
}

func checkTimeout(timeout rules.Duration) error {
	if timeout <= 0 {
		return &rules.FieldError{Key: "timeout", Err: errors.New("must be more than nothing")}
	}
	return nil
}

// secretHeaders are headers whose values are secrets.
var secretHeaders = []string{"Authorization", "Proxy-Authorization", "Cookie"}

// ours are headers that say what the call itself says.
var ours = []string{"Content-Type", "Content-Length", "Host", "Idempotency-Key", "User-Agent", "Connection", "Transfer-Encoding"}

func checkHeader(name, value string) error {
	key, canonical := "headers."+name, http.CanonicalHeaderKey(name)
	switch {
	case slices.Contains(secretHeaders, canonical), strings.HasSuffix(canonical, "-Token"), strings.HasSuffix(canonical, "-Api-Key"):
		return &rules.FieldError{Key: key, Err: errors.New("a secret written in place"), Hint: "use token_file or token_env"}
	case slices.Contains(ours, canonical), strings.HasPrefix(canonical, "Webhook-"), strings.HasPrefix(canonical, "Bakewatch-"):
		return &rules.FieldError{Key: key, Err: errors.New("set by Bakewatch"), Hint: "leave it out"}
	case !validHeader(name, value):
		return &rules.FieldError{Key: key, Err: errors.New("not a header that HTTP allows")}
	}
	return outbound.CheckNoPlaceholder(key, value, "values of the deployment are in the request's body")
}

// oneHostHint is for whoever has two hosts and one token.
const oneHostHint = "ask the same host, or leave the token out and let the receiver check the signature"

// checkToken says whether the token, if there is one, may be sent to a URL. What is
// wrong with the URL itself is said elsewhere; one that is secret is checked when it is read.
func (o *ChannelOptions) checkToken(key, raw string) error {
	to, err := outbound.ParseEndpoint(raw)
	if err != nil || o.TokenFile+o.TokenEnv == "" {
		return nil //nolint:nilerr // CheckURL says so
	}
	if !to.Private() {
		return &rules.FieldError{Key: key, Err: errors.New("the token would go there unencrypted"), Hint: "use https"}
	}
	if main, err := outbound.ParseEndpoint(o.URL); err == nil && !to.SameHost(main) {
		return &rules.FieldError{Key: key, Err: errors.New("the token would go to another host than that of url"), Hint: oneHostHint}
	}
	return nil
}

// Binder makes the executor; it reads the secrets and certificates.
func (o *ExecutorOptions) Binder(name string, _ *slog.Logger) (actions.Binder, error) {
	caller, err := o.common().caller(name, actions.ClassUnknown)
	if err != nil {
		return nil, err
	}
	b := &binder{caller: caller, idempotent: o.Idempotent}
	var statusErr, liveErr error
	b.status, statusErr = optional(o.StatusURL)
	b.live, liveErr = optional(o.LiveURL)
	if err := errors.Join(statusErr, liveErr); err != nil {
		return nil, fmt.Errorf("executor %s: status_url or live_url: %w", name, err)
	}
	if err := caller.mayHold(b.status, b.live); err != nil {
		return nil, fmt.Errorf("executor %s: %w", name, err)
	}
	return b, nil
}

// optional parses a URL that may be left out.
func optional(raw string) (outbound.Endpoint, error) {
	if raw == "" {
		return outbound.Endpoint{}, nil
	}
	return outbound.ParseEndpoint(raw)
}

// Notifier makes the channel; it reads the secrets and certificates.
func (o *ChannelOptions) Notifier(name string, _ *slog.Logger) (actions.Notifier, error) {
	caller, err := o.caller(name, actions.ClassRetryable)
	if err != nil {
		return nil, err
	}
	if err := caller.mayHold(); err != nil {
		return nil, fmt.Errorf("channel %s: %w", name, err)
	}
	return &channel{caller: caller}, nil
}
