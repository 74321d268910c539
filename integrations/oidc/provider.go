package oidc

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"sync"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"

	"github.com/bakewatch/bakewatch/actions"
	"github.com/bakewatch/bakewatch/integrations/outbound"
)

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

	mu   sync.Mutex
	last *discovery // nil: it was not asked yet
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
	_, oauth, err := p.client(ctx)
	if err != nil {
		return "", err
	}
	return oauth.AuthCodeURL(state, oidc.Nonce(nonce), oauth2.S256ChallengeOption(verifier)), nil
}

// Finish trades the code with which somebody came back, which is good once, for who they
// are in the provider's terms. Nonce and verifier are those of the login that was begun.
func (p *Provider) Finish(ctx context.Context, code, nonce, verifier string) (subject string, err error) {
	known, oauth, err := p.client(ctx)
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
