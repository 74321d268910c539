package oidc

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"

	"github.com/bakewatch/bakewatch/actions"
	"github.com/bakewatch/bakewatch/integrations/outbound"
)

// againAfter is how soon a provider that could not be asked for its metadata is asked again.
const againAfter = 3 * time.Second

// Provider is an OpenID provider. It is asked for its metadata when they are first needed,
// and until it has given them, so that one that is down keeps nobody from starting. Its
// errors are retryable (actions.Error) where it is only away. It is safe for concurrent use.
type Provider struct {
	issuer    string
	byEmail   bool
	audiences []string // of a bearer token
	http      *http.Client
	oauth     oauth2.Config // without the provider's addresses
	redact    outbound.Redactor
	now       func() time.Time

	mu     sync.Mutex
	known  *oidc.Provider // nil: not asked, or in vain
	failed error          // of the last try
	tried  time.Time
}

// Ready returns nil once the provider has said where it logs people in.
func (p *Provider) Ready(ctx context.Context) error {
	_, err := p.discovered(ctx)
	return err
}

// Bearer returns who a token was issued for, in the provider's terms, if the provider has
// signed it, for one of the audiences, and it is good now.
func (p *Provider) Bearer(ctx context.Context, token string) (subject string, err error) {
	known, err := p.discovered(ctx)
	if err != nil {
		return "", err
	}
	verified, err := p.verified(ctx, known, token, &oidc.Config{SkipClientIDCheck: true, Now: p.now})
	if err != nil {
		return "", err
	}
	meant := func(audience string) bool { return slices.Contains(p.audiences, audience) }
	if !slices.ContainsFunc(verified.Audience, meant) {
		return "", actions.Permanent(fmt.Errorf("the token is for %q, and not for %q", verified.Audience, p.audiences))
	}
	return p.subject(verified)
}

// Begin returns the address at which somebody logs in. State, nonce and verifier are new
// for each login, and nobody else's to know.
func (p *Provider) Begin(ctx context.Context, state, nonce, verifier string) (address string, err error) {
	known, err := p.discovered(ctx)
	if err != nil {
		return "", err
	}
	oauth, err := p.client(known)
	if err != nil {
		return "", err
	}
	return oauth.AuthCodeURL(state, oidc.Nonce(nonce), oauth2.S256ChallengeOption(verifier)), nil
}

// Finish trades the code with which somebody came back, which is good once, for who they
// are in the provider's terms. Nonce and verifier are those of the login that was begun.
func (p *Provider) Finish(ctx context.Context, code, nonce, verifier string) (subject string, err error) {
	known, err := p.discovered(ctx)
	if err != nil {
		return "", err
	}
	oauth, err := p.client(known)
	if err != nil {
		return "", err
	}
	traded, err := oauth.Exchange(oidc.ClientContext(ctx, p.http), code, oauth2.VerifierOption(verifier))
	if err != nil {
		return "", p.classed(ctx, "the provider does not take the code", err)
	}
	token, is := traded.Extra("id_token").(string)
	if !is {
		return "", actions.Permanent(errors.New("the provider has given no id_token: is this an OAuth server without OpenID?"))
	}
	verified, err := p.verified(ctx, known, token, &oidc.Config{ClientID: p.oauth.ClientID, Now: p.now})
	if err != nil {
		return "", err
	}
	if nonce == "" || verified.Nonce != nonce {
		return "", actions.Permanent(errors.New("the token is of another login: its nonce is not the one that was sent"))
	}
	return p.subject(verified)
}

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

func (p *Provider) verified(ctx context.Context, known *oidc.Provider, token string, how *oidc.Config) (*oidc.IDToken, error) {
	// The provider's own verifier, which remembers the keys.
	verified, err := known.Verifier(how).Verify(ctx, token)
	if err != nil {
		return nil, p.classed(ctx, "the token is not good", err)
	}
	return verified, nil
}

// classed says what went wrong, and whether it is worth trying again.
func (p *Provider) classed(ctx context.Context, what string, err error) error {
	said := fmt.Errorf("%s: %s", what, p.redact.Excerpt(err.Error(), 300))
	// By its text: where keys are fetched, go-oidc passes on no more of an error than that.
	if strings.Contains(err.Error(), errAway.Error()) || ctx.Err() != nil {
		return actions.Retryable(said)
	}
	return actions.Permanent(said)
}

// subject returns the claim by which people are named here.
func (p *Provider) subject(token *oidc.IDToken) (string, error) {
	if !p.byEmail {
		if token.Subject == "" {
			return "", actions.Permanent(errors.New("the token names no sub"))
		}
		return token.Subject, nil
	}
	var claims struct {
		Email    string `json:"email"`
		Verified bool   `json:"email_verified"`
	}
	if err := token.Claims(&claims); err != nil {
		return "", actions.Permanent(fmt.Errorf("the token's email and email_verified cannot be read: %s", p.redact.Excerpt(err.Error(), 200)))
	}
	switch {
	case claims.Email == "":
		return "", actions.Permanent(errors.New("the token names no email: is the scope asked for?"))
	case !claims.Verified:
		return "", actions.Permanent(fmt.Errorf("the provider has not verified the address %q: anybody may have written it there", actions.Shorten(claims.Email, 200)))
	}
	return lower(claims.Email), nil
}

// lower makes the letters small that mail servers do not tell apart. Of others it is not
// known, and some become an ASCII letter of another address.
func lower(address string) string {
	return strings.Map(func(r rune) rune {
		if 'A' <= r && r <= 'Z' {
			return r - 'A' + 'a'
		}
		return r
	}, address)
}
