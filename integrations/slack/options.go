package slack

import (
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"regexp"
	"strings"
	"time"

	"github.com/bakewatch/bakewatch/actions"
	"github.com/bakewatch/bakewatch/integrations/outbound"
	"github.com/bakewatch/bakewatch/rules"
)

// Kind is the channel "slack".
func Kind() rules.Kind {
	return rules.Kind{
		Name: "slack",
		New: func() rules.Options {
			return &Options{Timeout: rules.Duration(10 * time.Second), APIURL: "https://slack.com/api"}
		},
	}
}

// Options are those of a [channel.NAME] of kind slack: of an incoming webhook (URL) or of an app (Token).
type Options struct {
	URLFile string `toml:"url_file" json:"url_file,omitempty" doc:"file that holds the incoming webhook's URL, which is a secret"`
	URLEnv  string `toml:"url_env" json:"url_env,omitempty" doc:"environment variable that holds the incoming webhook's URL"`

	TokenFile         string `toml:"token_file" json:"token_file,omitempty" doc:"instead of a webhook: file that holds the bot token of an app, xoxb-…; gives threads, edits and buttons"`
	TokenEnv          string `toml:"token_env" json:"token_env,omitempty" doc:"environment variable that holds the bot token"`
	Channel           string `toml:"channel" json:"channel,omitempty" doc:"with a token: the id of the channel, C…"`
	AppTokenFile      string `toml:"app_token_file" json:"app_token_file,omitempty" doc:"file that holds the app-level token, xapp-…: buttons are heard by Socket Mode"`
	AppTokenEnv       string `toml:"app_token_env" json:"app_token_env,omitempty" doc:"environment variable that holds the app-level token"`
	SigningSecretFile string `toml:"signing_secret_file" json:"signing_secret_file,omitempty" doc:"file that holds the app's signing secret: buttons are heard by signed requests to /api/v1/slack/actions"`
	SigningSecretEnv  string `toml:"signing_secret_env" json:"signing_secret_env,omitempty" doc:"environment variable that holds the signing secret"`
	APIURL            string `toml:"api_url" json:"api_url,omitempty" doc:"base of Slack's Web API; default https://slack.com/api"`

	Timeout  rules.Duration `toml:"timeout" json:"timeout,omitempty" doc:"for one call; default 10s"`
	TLS      *outbound.TLS  `toml:"tls" json:"tls,omitempty" doc:"certificates"`
	ProxyURL string         `toml:"proxy_url" json:"proxy_url,omitempty" doc:"HTTP proxy; the environment's is never used"`
}

var channelID = regexp.MustCompile(`^[CGD][A-Z0-9]{6,30}$`)

// Check says what is wrong with the options.
func (o *Options) Check() error {
	return errors.Join(o.checkMode(), outbound.CheckSecret("url", o.URLFile, o.URLEnv, false),
		outbound.CheckSecret("token", o.TokenFile, o.TokenEnv, false),
		outbound.CheckSecret("app_token", o.AppTokenFile, o.AppTokenEnv, false),
		outbound.CheckSecret("signing_secret", o.SigningSecretFile, o.SigningSecretEnv, false),
		outbound.CheckURL("api_url", o.APIURL), o.TLS.Check(),
		outbound.CheckProxy(o.ProxyURL), actions.CheckNotifyTimeout(o.Timeout))
}

func (o *Options) webhook() bool { return o.URLFile+o.URLEnv != "" }
func (o *Options) bot() bool     { return o.TokenFile+o.TokenEnv != "" }
func (o *Options) socket() bool  { return o.AppTokenFile+o.AppTokenEnv != "" }
func (o *Options) signed() bool  { return o.SigningSecretFile+o.SigningSecretEnv != "" }

// checkMode says whether the options are those of one way to post.
func (o *Options) checkMode() error {
	wrong := func(key, what, hint string) error {
		return &rules.FieldError{Key: key, Err: errors.New(what), Hint: hint}
	}
	switch {
	case !o.webhook() && !o.bot():
		return wrong("url_file", "missing", "set url_file or url_env for an incoming webhook, token_file or token_env for an app")
	case o.webhook() && o.bot():
		return wrong("token_file", "an incoming webhook is set as well", "keep the token or the URL")
	case o.webhook() && (o.Channel != "" || o.socket() || o.signed()):
		return wrong("channel", "an incoming webhook has its own channel, and no buttons", "set token_file instead of url_file")
	case o.bot() && o.Channel == "":
		return wrong("channel", "missing", "set the id of the channel, C…: it stands at the end of the channel's details in Slack")
	case o.bot() && !channelID.MatchString(o.Channel):
		return wrong("channel", fmt.Sprintf("%q is not the id of a channel", o.Channel), "an id begins with C: it stands at the end of the channel's details in Slack")
	case o.socket() && o.signed():
		return wrong("signing_secret_file", "app_token is set as well, and with Socket Mode Slack calls no URL", "keep one of the two")
	}
	return nil
}

// Notifier makes the channel; it reads the secrets and certificates.
func (o *Options) Notifier(name string, log *slog.Logger) (actions.Notifier, error) {
	begin := o.newWebhook
	if o.bot() {
		begin = o.newBot
	}
	notifier, err := begin(log)
	if err != nil {
		return nil, fmt.Errorf("channel %s: %w", name, err)
	}
	return notifier, nil
}

func (o *Options) newWebhook(*slog.Logger) (actions.Notifier, error) {
	address, err := outbound.ReadSecret("url", o.URLFile, o.URLEnv)
	if err != nil {
		return nil, err
	}
	to, err := outbound.ParseEndpoint(address.Reveal())
	if err != nil {
		return nil, fmt.Errorf("url: %w", err)
	}
	if !to.Private() {
		return nil, fmt.Errorf("url: the URL is a secret and would go to %s unencrypted: use https", to)
	}
	client, err := o.client()
	if err != nil {
		return nil, err
	}
	return &webhook{client: client, to: to}, nil
}

func (o *Options) newBot(log *slog.Logger) (actions.Notifier, error) {
	token, err := readToken("token", o.TokenFile, o.TokenEnv, "xoxb-")
	app, appErr := readToken("app_token", o.AppTokenFile, o.AppTokenEnv, "xapp-")
	signing, signErr := outbound.ReadSecret("signing_secret", o.SigningSecretFile, o.SigningSecretEnv)
	if err := errors.Join(err, appErr, signErr); err != nil {
		return nil, err
	}
	to, err := outbound.ParseEndpoint(o.APIURL)
	if err != nil {
		return nil, fmt.Errorf("api_url: %w", err)
	}
	if !to.Private() {
		return nil, fmt.Errorf("api_url: the token would go to %s unencrypted: use https", to)
	}
	base, err := url.Parse(o.APIURL)
	if err != nil {
		return nil, fmt.Errorf("api_url: %w", err)
	}
	client, err := o.client(token, app, signing)
	if err != nil {
		return nil, err
	}
	b := &bot{api: &api{client, base, token}, signing: signing, channel: o.Channel, log: log}
	if !app.IsZero() {
		b.app = &api{client, base, app}
	}
	return b, nil
}

func (o *Options) client(secrets ...outbound.Secret) (*outbound.Client, error) {
	return outbound.New(outbound.Config{Timeout: time.Duration(o.Timeout), TLS: o.TLS, Proxy: o.ProxyURL, Secrets: secrets})
}

// readToken reads a token of Slack's, which shows by its beginning what it is for.
func readToken(key, file, env, begins string) (outbound.Secret, error) {
	token, err := outbound.ReadSecret(key, file, env)
	if err == nil && !token.IsZero() && !strings.HasPrefix(token.Reveal(), begins) {
		return outbound.Secret{}, fmt.Errorf("%s: that in %s is of another kind: one that begins with %s is wanted", key, file+env, begins)
	}
	return token, err
}
