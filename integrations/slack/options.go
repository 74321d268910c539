package slack

import (
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/bakewatch/bakewatch/actions"
	"github.com/bakewatch/bakewatch/integrations/outbound"
	"github.com/bakewatch/bakewatch/rules"
)

// Kind is the channel "slack".
func Kind() rules.Kind {
	return rules.Kind{
		Name: "slack",
		New:  func() rules.Options { return &Options{Timeout: rules.Duration(10 * time.Second)} },
	}
}

// Options are those of a [channel.NAME] of kind slack.
type Options struct {
	URLFile  string         `toml:"url_file" json:"url_file,omitempty" doc:"file that holds the incoming webhook's URL, which is a secret"`
	URLEnv   string         `toml:"url_env" json:"url_env,omitempty" doc:"environment variable that holds the incoming webhook's URL"`
	Timeout  rules.Duration `toml:"timeout" json:"timeout,omitempty" doc:"for one message; default 10s"`
	TLS      *outbound.TLS  `toml:"tls" json:"tls,omitempty" doc:"certificates"`
	ProxyURL string         `toml:"proxy_url" json:"proxy_url,omitempty" doc:"HTTP proxy; the environment's is never used"`
}

// Check says what is wrong with the options.
func (o *Options) Check() error {
	return errors.Join(outbound.CheckSecret("url", o.URLFile, o.URLEnv, true), o.TLS.Check(),
		outbound.CheckProxy(o.ProxyURL), actions.CheckNotifyTimeout(o.Timeout))
}

// Notifier makes the channel; it reads the URL and certificates.
func (o *Options) Notifier(name string, _ *slog.Logger) (actions.Notifier, error) {
	address, err := outbound.ReadSecret("url", o.URLFile, o.URLEnv)
	if err != nil {
		return nil, fmt.Errorf("channel %s: %w", name, err)
	}
	to, err := outbound.ParseEndpoint(address.Reveal())
	if err != nil {
		return nil, fmt.Errorf("channel %s: url: %w", name, err)
	}
	if !to.Private() {
		return nil, fmt.Errorf("channel %s: url: the URL is a secret and would go to %s unencrypted: use https", name, to)
	}
	client, err := outbound.New(outbound.Config{Timeout: time.Duration(o.Timeout), TLS: o.TLS, Proxy: o.ProxyURL})
	if err != nil {
		return nil, fmt.Errorf("channel %s: %w", name, err)
	}
	return &channel{client: client, to: to}, nil
}
