package oidc

import (
	"errors"
	"fmt"
	"net/http"
	"slices"
	"time"

	"golang.org/x/oauth2"

	"github.com/bakewatch/bakewatch/integrations/outbound"
	"github.com/bakewatch/bakewatch/rules"
)

// The claims by which a person may be named.
const (
	claimSub   = "sub"
	claimEmail = "email"
)

// Bounds of how long a login lasts, and of one call.
const (
	shortestSession = time.Minute
	longestSession  = 7 * 24 * time.Hour
	longestTimeout  = time.Minute
)

// Options are those of [http.oidc].
type Options struct {
	Issuer           string         `toml:"issuer" json:"issuer" doc:"the provider's address, letter by letter as its tokens name it"`
	ClientID         string         `toml:"client_id" json:"client_id" doc:"the name under which Bakewatch is registered at the provider"`
	ClientSecretFile string         `toml:"client_secret_file" json:"client_secret_file,omitempty" doc:"file that holds the client's secret; neither: a public client"`
	ClientSecretEnv  string         `toml:"client_secret_env" json:"client_secret_env,omitempty" doc:"environment variable that holds the client's secret"`
	Claim            string         `toml:"claim" json:"claim,omitempty" doc:"what of a login is the oidc of a person: sub, or email, which counts only if the provider has verified it"`
	Scopes           []string       `toml:"scopes" json:"scopes,omitempty" doc:"what a login in a browser asks for, besides openid; default: email where that is the claim"`
	Audiences        []string       `toml:"audiences" json:"audiences,omitempty" doc:"for whom a bearer token may be issued: one of these must be in its aud; default: the client_id alone"`
	Session          rules.Duration `toml:"session" json:"session,omitempty" doc:"how long a login in a browser lasts, 1m to 1w"`
	Timeout          rules.Duration `toml:"timeout" json:"timeout,omitempty" doc:"for one call to the provider"`
	TLS              *outbound.TLS  `toml:"tls" json:"tls,omitempty" doc:"certificates"`
	ProxyURL         string         `toml:"proxy_url" json:"proxy_url,omitempty" doc:"HTTP proxy; the environment's is never used"`
}

// Defaults returns the options that say nothing.
func Defaults() *Options {
	return &Options{Claim: claimSub, Session: rules.Duration(8 * time.Hour), Timeout: rules.Duration(10 * time.Second)}
}

// ByEmail says whether people are named by e-mail address, in lower case.
func (o *Options) ByEmail() bool { return o.Claim == claimEmail }

// Check says what is wrong with the options.
func (o *Options) Check() error {
	return errors.Join(
		o.checkIssuer(), wanted("client_id", o.ClientID, "as the provider shows it where Bakewatch is registered"),
		outbound.CheckSecret("client_secret", o.ClientSecretFile, o.ClientSecretEnv, false),
		o.checkClaim(), filled("scopes", o.Scopes), filled("audiences", o.Audiences),
		within("session", o.Session, shortestSession, longestSession), within("timeout", o.Timeout, time.Second, longestTimeout),
		o.TLS.Check(), outbound.CheckProxy(o.ProxyURL))
}

func (o *Options) checkIssuer() error {
	if o.Issuer == "" {
		return wanted("issuer", "", `such as issuer = "https://login.example.com/realms/main"`)
	}
	to, err := outbound.ParseEndpoint(o.Issuer)
	if err == nil && !to.Private() {
		err = errors.New("whoever is on the way could answer in its place: use https")
	}
	if err != nil {
		return &rules.FieldError{Key: "issuer", Err: err}
	}
	return nil
}

func (o *Options) checkClaim() error {
	if o.Claim != claimSub && o.Claim != claimEmail {
		return &rules.FieldError{Key: "claim", Err: errors.New("it is neither sub nor email"), Hint: "sub is for ever one person's; an e-mail address may be given to another"}
	}
	return nil
}

func wanted(key, value, hint string) error {
	if value == "" {
		return &rules.FieldError{Key: key, Err: errors.New("missing"), Hint: hint}
	}
	return nil
}

func filled(key string, list []string) error {
	if slices.Contains(list, "") {
		return &rules.FieldError{Key: key, Err: errors.New("one of them is empty")}
	}
	return nil
}

func within(key string, given rules.Duration, least, most time.Duration) error {
	if d := time.Duration(given); d < least || d > most {
		return &rules.FieldError{Key: key, Err: fmt.Errorf("must be %s to %s", rules.Duration(least), rules.Duration(most))}
	}
	return nil
}

// Provider makes the provider; it reads the secret and certificates, and asks nothing yet.
// The provider sends browsers back to the redirect address.
func (o *Options) Provider(redirect string) (*Provider, error) {
	secret, err := outbound.ReadSecret("client_secret", o.ClientSecretFile, o.ClientSecretEnv)
	if err != nil {
		return nil, err
	}
	client, err := outbound.New(outbound.Config{TLS: o.TLS, Proxy: o.ProxyURL})
	if err != nil {
		return nil, err
	}
	return &Provider{
		issuer: o.Issuer, byEmail: o.ByEmail(), redact: outbound.NewRedactor(secret),
		audiences: orElse(o.Audiences, o.ClientID),
		http:      &http.Client{Transport: newTransport(client.HTTP().Transport), CheckRedirect: client.HTTP().CheckRedirect, Timeout: time.Duration(o.Timeout)},
		oauth:     oauth2.Config{ClientID: o.ClientID, ClientSecret: secret.Reveal(), RedirectURL: redirect, Scopes: o.scopes()},
		now:       time.Now,
	}, nil
}

// scopes are those that a login asks for.
func (o *Options) scopes() []string {
	asked := []string{"openid"}
	if o.Scopes == nil && o.ByEmail() {
		return append(asked, "email")
	}
	return append(asked, slices.DeleteFunc(slices.Clone(o.Scopes), func(s string) bool { return s == "openid" })...)
}

func orElse(list []string, standard string) []string {
	if len(list) == 0 {
		return []string{standard}
	}
	return list
}
