package alertmanager

import (
	"encoding/base64"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"time"

	"github.com/bakewatch/bakewatch/actions"
	"github.com/bakewatch/bakewatch/integrations/outbound"
	"github.com/bakewatch/bakewatch/rules"
)

// Kind is the channel "alertmanager".
func Kind() rules.Kind {
	return rules.Kind{
		Name: "alertmanager",
		New: func() rules.Options {
			return &Options{EndsAfter: rules.Duration(24 * time.Hour), Timeout: rules.Duration(10 * time.Second)}
		},
	}
}

// Options are those of a [channel.NAME] of kind alertmanager.
type Options struct {
	URL            string            `toml:"url" json:"url,omitempty" doc:"Alertmanager's address, such as http://alertmanager:9093; with its path prefix, without /api"`
	Labels         map[string]string `toml:"labels" json:"labels,omitempty" doc:"labels added to every alert, to route it by"`
	EndsAfter      rules.Duration    `toml:"ends_after" json:"ends_after,omitempty" doc:"an alert that nothing ends ends by itself after so long; default 1d"`
	Username       string            `toml:"username" json:"username,omitempty" doc:"user name of basic auth"`
	PasswordFile   string            `toml:"password_file" json:"password_file,omitempty" doc:"file that holds its password"`
	PasswordEnv    string            `toml:"password_env" json:"password_env,omitempty" doc:"environment variable that holds its password"`
	TokenFile      string            `toml:"token_file" json:"token_file,omitempty" doc:"file that holds a bearer token"`
	TokenEnv       string            `toml:"token_env" json:"token_env,omitempty" doc:"environment variable that holds a bearer token"`
	Timeout        rules.Duration    `toml:"timeout" json:"timeout,omitempty" doc:"for one call; default 10s"`
	TLS            *outbound.TLS     `toml:"tls" json:"tls,omitempty" doc:"certificates"`
	ProxyURL       string            `toml:"proxy_url" json:"proxy_url,omitempty" doc:"HTTP proxy; the environment's is never used"`
	AllowLinkLocal bool              `toml:"allow_link_local" json:"allow_link_local,omitempty" doc:"allow link-local and metadata addresses; default false"`
}

// Check says what is wrong with the options.
func (o *Options) Check() error {
	return errors.Join(
		o.checkURL(), o.checkLabels(), o.checkLogin(), o.TLS.Check(), outbound.CheckProxy(o.ProxyURL), actions.CheckNotifyTimeout(o.Timeout))
}

func (o *Options) checkURL() error {
	switch {
	case o.URL == "":
		return &rules.FieldError{Key: "url", Err: errors.New("missing"), Hint: `such as "http://alertmanager:9093"`}
	case strings.Contains(o.URL, "/api/"):
		return &rules.FieldError{Key: "url", Err: errors.New("ends in /api/…"), Hint: "leave that out: it is added"}
	case strings.Contains(o.URL, "?"):
		return &rules.FieldError{Key: "url", Err: errors.New("has a query"), Hint: "leave it out"}
	case o.EndsAfter < rules.Duration(time.Minute):
		return &rules.FieldError{Key: "ends_after", Err: errors.New("must be at least a minute"), Hint: "an alert that ends too early says that all is well"}
	}
	return outbound.CheckURL("url", o.URL)
}

func (o *Options) checkLabels() error {
	var errs []error
	for name := range o.Labels {
		if labelNames[name] {
			errs = append(errs, &rules.FieldError{Key: "labels." + name, Err: fmt.Errorf("labels: %s is Bakewatch's own", name), Hint: "choose another name"})
		}
		if !labelPattern.MatchString(name) {
			errs = append(errs, &rules.FieldError{Key: "labels", Err: fmt.Errorf("%q is no label name", name), Hint: "letters, digits and _; the first no digit"})
		}
	}
	return errors.Join(errs...)
}

func (o *Options) checkLogin() error {
	basic := o.Username != ""
	err := errors.Join(outbound.CheckSecret("password", o.PasswordFile, o.PasswordEnv, basic), outbound.CheckSecret("token", o.TokenFile, o.TokenEnv, false))
	if !basic && o.PasswordFile+o.PasswordEnv != "" {
		err = errors.Join(err, &rules.FieldError{Key: "username", Err: errors.New("missing, though there is a password")})
	}
	if basic && o.TokenFile+o.TokenEnv != "" {
		err = errors.Join(err, &rules.FieldError{Key: "username", Err: errors.New("there is a token as well"), Hint: "keep one of the two"})
	}
	return err
}

// Notifier makes the channel; it reads secrets and certificates.
func (o *Options) Notifier(name string, _ *slog.Logger) (actions.Notifier, error) {
	fail := func(err error) (actions.Notifier, error) { return nil, fmt.Errorf("channel %s: %w", name, err) }
	to, err := outbound.ParseEndpoint(strings.TrimSuffix(o.URL, "/") + "/api/v2/alerts")
	if err != nil {
		return fail(fmt.Errorf("url: %w", err))
	}
	login, secrets, err := o.login()
	if err != nil {
		return fail(err)
	}
	if !login.IsZero() && !to.Private() {
		return fail(fmt.Errorf("the login would go to %s unencrypted: use https", to))
	}
	client, err := outbound.New(outbound.Config{
		Timeout: time.Duration(o.Timeout), TLS: o.TLS, Proxy: o.ProxyURL, AllowLinkLocal: o.AllowLinkLocal, Secrets: secrets,
	})
	if err != nil {
		return fail(err)
	}
	return &channel{client: client, to: to, login: login, labels: o.Labels, lasts: time.Duration(o.EndsAfter)}, nil
}

// login returns the Authorization header, and what of it must not be shown.
func (o *Options) login() (header outbound.Secret, secrets []outbound.Secret, err error) {
	token, err := outbound.ReadSecret("token", o.TokenFile, o.TokenEnv)
	if err != nil {
		return header, nil, err
	}
	password, err := outbound.ReadSecret("password", o.PasswordFile, o.PasswordEnv)
	if err != nil {
		return header, nil, err
	}
	switch {
	case !token.IsZero():
		return outbound.NewSecret("Bearer " + token.Reveal()), []outbound.Secret{token}, nil
	case !password.IsZero():
		pair := outbound.NewSecret(base64.StdEncoding.EncodeToString([]byte(o.Username + ":" + password.Reveal())))
		return outbound.NewSecret("Basic " + pair.Reveal()), []outbound.Secret{pair, password}, nil
	}
	return header, nil, nil
}
