package oidc

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/coreos/go-oidc/v3/oidc"

	"github.com/bakewatch/bakewatch/actions"
)

// verified returns a token that the provider has signed and that is good now.
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
