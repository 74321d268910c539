// Package oidc knows an OpenID provider: it verifies the tokens that the provider has
// signed, and takes people through the authorization code flow (with PKCE, state and
// nonce), so that a login there says who somebody is here.
//
// It says who the provider has seen, and never who that is to Bakewatch or what they may
// do: see authority.Directory. Cookies and pages are the web's.
//
// Start reading at Provider (provider.go).
package oidc
