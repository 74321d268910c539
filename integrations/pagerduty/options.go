package pagerduty

import (
	"errors"
	"fmt"
	"log/slog"
	"regexp"
	"time"

	"github.com/bakewatch/bakewatch/actions"
	"github.com/bakewatch/bakewatch/integrations/outbound"
	"github.com/bakewatch/bakewatch/rules"
)

// enqueue is where PagerDuty takes events, unless the account is served from the EU.
const enqueue = "https://events.pagerduty.com/v2/enqueue"

// Kind is the channel "pagerduty".
func Kind() rules.Kind {
	return rules.Kind{
		Name: "pagerduty",
		New:  func() rules.Options { return &Options{URL: enqueue, Timeout: rules.Duration(10 * time.Second)} },
	}
}

// Options are those of a [channel.NAME] of kind pagerduty.
type Options struct {
	RoutingKeyFile    string         `toml:"routing_key_file" json:"routing_key_file,omitempty" doc:"file that holds the integration key of an Events API v2 integration"`
	RoutingKeyEnv     string         `toml:"routing_key_env" json:"routing_key_env,omitempty" doc:"environment variable that holds the integration key"`
	URL               string         `toml:"url" json:"url,omitempty" doc:"where events go; of an account in the EU https://events.eu.pagerduty.com/v2/enqueue"`
	WebhookSecretFile string         `toml:"webhook_secret_file" json:"webhook_secret_file,omitempty" doc:"file that holds the secret of a v3 webhook subscription, by which acknowledgements come back"`
	WebhookSecretEnv  string         `toml:"webhook_secret_env" json:"webhook_secret_env,omitempty" doc:"environment variable that holds that secret"`
	Timeout           rules.Duration `toml:"timeout" json:"timeout,omitempty" doc:"for one event; default 10s"`
	TLS               *outbound.TLS  `toml:"tls" json:"tls,omitempty" doc:"certificates"`
	ProxyURL          string         `toml:"proxy_url" json:"proxy_url,omitempty" doc:"HTTP proxy; the environment's is never used"`
}

// Check says what is wrong with the options.
func (o *Options) Check() error {
	return errors.Join(
		outbound.CheckSecret("routing_key", o.RoutingKeyFile, o.RoutingKeyEnv, true),
		outbound.CheckSecret("webhook_secret", o.WebhookSecretFile, o.WebhookSecretEnv, false),
		required("url", o.URL), outbound.CheckURL("url", o.URL),
		o.TLS.Check(), outbound.CheckProxy(o.ProxyURL), actions.CheckNotifyTimeout(o.Timeout))
}

func required(key, value string) error {
	if value == "" {
		return &rules.FieldError{Key: key, Err: errors.New("must not be empty"), Hint: "remove it: the default is PagerDuty's own"}
	}
	return nil
}

// keyPattern is what an integration key looks like.
var keyPattern = regexp.MustCompile(`^[A-Za-z0-9]{32}$`)

// Notifier makes the channel; it reads the integration key and certificates.
func (o *Options) Notifier(name string, _ *slog.Logger) (actions.Notifier, error) {
	fail := func(err error) (actions.Notifier, error) { return nil, fmt.Errorf("channel %s: %w", name, err) }
	key, err := outbound.ReadSecret("routing_key", o.RoutingKeyFile, o.RoutingKeyEnv)
	if err != nil {
		return fail(err)
	}
	if !keyPattern.MatchString(key.Reveal()) {
		return fail(errors.New("routing_key: not an integration key, which has 32 letters and digits: copy that of the service's \"Events API v2\" integration"))
	}
	to, err := endpoint(o.URL)
	if err != nil {
		return fail(err)
	}
	client, err := outbound.New(outbound.Config{
		Timeout: time.Duration(o.Timeout), TLS: o.TLS, Proxy: o.ProxyURL, Secrets: []outbound.Secret{key},
	})
	if err != nil {
		return fail(err)
	}
	return &channel{client: client, to: to, key: key}, nil
}

// endpoint reads a URL to which a secret is sent.
func endpoint(raw string) (outbound.Endpoint, error) {
	to, err := outbound.ParseEndpoint(raw)
	if err == nil && !to.Private() {
		err = fmt.Errorf("a secret would go to %s unencrypted: use https", to)
	}
	if err != nil {
		return to, fmt.Errorf("url: %w", err)
	}
	return to, nil
}

// WebhookSecret reads the secret by which acknowledgements of this channel's incidents
// are known to be PagerDuty's; none: they do not come back.
func (o *Options) WebhookSecret() (outbound.Secret, error) {
	return outbound.ReadSecret("webhook_secret", o.WebhookSecretFile, o.WebhookSecretEnv)
}
