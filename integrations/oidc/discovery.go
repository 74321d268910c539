package oidc

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"

	"github.com/bakewatch/bakewatch/actions"
)

// againAfter is how soon a provider that could not be asked for its metadata is asked again.
const againAfter = 3 * time.Second

// discovery is one try to have the provider describe itself. Its results may be read once
// it is done.
type discovery struct {
	done  chan struct{}
	known *oidc.Provider
	err   error
	at    time.Time
}

// discovered returns the provider as it describes itself. Whoever waits for that waits no
// longer than their ctx: the provider may hang.
func (p *Provider) discovered(ctx context.Context) (*oidc.Provider, error) {
	try := p.discovery(ctx)
	select {
	case <-try.done:
		return try.known, try.err
	case <-ctx.Done():
		return nil, actions.Retryable(fmt.Errorf("what %s says of itself has not come yet: %w", p.issuer, ctx.Err()))
	}
}

// discovery returns the try that is under way, or has come to something, or a new one.
func (p *Provider) discovery(ctx context.Context) *discovery {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.last != nil && !p.last.again(p.now()) {
		return p.last
	}
	p.last = &discovery{done: make(chan struct{})}
	// Whoever asks first and leaves must not make it fail for those who wait; the client has
	// a timeout of its own.
	go p.discover(context.WithoutCancel(ctx), p.last)
	return p.last
}

// again says whether the try was in vain, and is to be followed by another.
func (d *discovery) again(now time.Time) bool {
	select {
	case <-d.done:
		return d.err != nil && now.Sub(d.at) >= againAfter
	default:
		return false
	}
}

func (p *Provider) discover(ctx context.Context, try *discovery) {
	defer close(try.done)
	known, err := oidc.NewProvider(oidc.ClientContext(ctx, p.http), p.issuer)
	try.known, try.at = known, p.now()
	if err != nil {
		// Whatever it is, it may be put right over there.
		try.err = actions.Retryable(fmt.Errorf("what %s says of itself cannot be had: %s", p.issuer, p.redact.Excerpt(err.Error(), 300)))
	}
}

// client returns the provider, and Bakewatch as it knows it.
func (p *Provider) client(ctx context.Context) (*oidc.Provider, *oauth2.Config, error) {
	known, err := p.discovered(ctx)
	if err != nil {
		return nil, nil, err
	}
	var metadata struct {
		Methods []string `json:"token_endpoint_auth_methods_supported"`
	}
	if err := known.Claims(&metadata); err != nil {
		return nil, nil, actions.Permanent(fmt.Errorf("the provider's metadata: %w", err))
	}
	oauth := p.oauth
	oauth.Endpoint = known.Endpoint()
	oauth.Endpoint.AuthStyle = oauth2.AuthStyleInHeader // what OpenID takes for granted
	if p.oauth.ClientSecret == "" || len(metadata.Methods) > 0 && !slices.Contains(metadata.Methods, "client_secret_basic") {
		oauth.Endpoint.AuthStyle = oauth2.AuthStyleInParams
	}
	if err := private(oauth.Endpoint.AuthURL); err != nil { // the only one at which the browser asks
		return nil, nil, actions.Permanent(err)
	}
	return known, &oauth, nil
}
