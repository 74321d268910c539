package daemon

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/cenkalti/backoff/v4"

	"github.com/bakewatch/bakewatch/integrations/oidc"
	"github.com/bakewatch/bakewatch/integrations/web"
)

// openLogin reads what it takes to log in at the OpenID provider, which is not asked yet.
func (d *Daemon) openLogin(context.Context) error {
	if d.cfg.Daemon.Login == nil {
		return nil
	}
	options, ok := d.cfg.Daemon.Login.(*oidc.Options)
	if !ok {
		return fmt.Errorf("[http.oidc]: nobody logs in by %T", d.cfg.Daemon.Login)
	}
	issuer, err := options.Provider(d.reachedAt(web.CallbackPath))
	if err != nil {
		return fmt.Errorf("[http.oidc]: %w", err)
	}
	d.issuer = issuer
	return nil
}

// login is how people log in over HTTP; nil: only by a password.
func (d *Daemon) login() *web.Login {
	options, ok := d.cfg.Daemon.Login.(*oidc.Options)
	if !ok {
		return nil
	}
	return &web.Login{
		Issuer: d.issuer, ExternalURL: d.cfg.Daemon.HTTP.ExternalURL, Session: time.Duration(options.Session),
		Name: strings.Join([]string{options.Issuer, options.ClientID, options.Claim}, "\n"),
		Key: func(ctx context.Context) ([]byte, error) {
			key, err := d.loginKey.of(ctx, d)
			if err != nil {
				return nil, fmt.Errorf("the key of the logins: %w", err)
			}
			return key, nil
		},
	}
}

// awaitIssuer asks the OpenID provider who it is, until it says so: an operator reads in
// the log that nobody can log in before somebody has to.
func (d *Daemon) awaitIssuer(ctx context.Context) error {
	if d.issuer == nil {
		return nil
	}
	pace := backoff.NewExponentialBackOff(backoff.WithInitialInterval(5*time.Second), backoff.WithMaxInterval(time.Minute), backoff.WithMaxElapsedTime(0))
	err := backoff.RetryNotify(func() error { return d.issuer.Ready(ctx) }, backoff.WithContext(pace, ctx), func(err error, pause time.Duration) {
		d.cfg.Log.Warn("nobody can log in; the OpenID provider is asked again", "err", err, "again_in", pause)
	})
	if err == nil {
		d.cfg.Log.Info("people can log in at the OpenID provider")
	}
	return nil //nolint:nilerr // it was told to stop
}
