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

// discovered returns the provider as it describes itself.
func (p *Provider) discovered(ctx context.Context) (*oidc.Provider, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.known != nil {
		return p.known, nil
	}
	if p.failed != nil && p.now().Sub(p.tried) < againAfter {
		return nil, p.failed
	}
	// Whoever asks first and leaves must not make it fail for those who wait; the client has
	// a timeout of its own.
	known, err := oidc.NewProvider(oidc.ClientContext(context.WithoutCancel(ctx), p.http), p.issuer)
	p.tried = p.now()
	if err != nil {
		// Whatever it is, it may be put right over there.
		p.failed = actions.Retryable(fmt.Errorf("what %s says of itself cannot be had: %s", p.issuer, p.redact.Excerpt(err.Error(), 300)))
		return nil, p.failed
	}
	p.known = known
	return known, nil
}

// client is Bakewatch as the provider knows it.
func (p *Provider) client(known *oidc.Provider) (*oauth2.Config, error) {
	var metadata struct {
		Methods []string `json:"token_endpoint_auth_methods_supported"`
	}
	if err := known.Claims(&metadata); err != nil {
		return nil, actions.Permanent(fmt.Errorf("the provider's metadata: %w", err))
	}
	oauth := p.oauth
	oauth.Endpoint = known.Endpoint()
	oauth.Endpoint.AuthStyle = oauth2.AuthStyleInHeader // what OpenID takes for granted
	if p.oauth.ClientSecret == "" || len(metadata.Methods) > 0 && !slices.Contains(metadata.Methods, "client_secret_basic") {
		oauth.Endpoint.AuthStyle = oauth2.AuthStyleInParams
	}
	if err := private(oauth.Endpoint.AuthURL); err != nil { // the only one at which the browser asks
		return nil, actions.Permanent(err)
	}
	return &oauth, nil
}
