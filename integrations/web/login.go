package web

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/bakewatch/bakewatch/actions"
	"github.com/bakewatch/bakewatch/actions/authority"
)

// The pages by which people log in and out.
const (
	LoginPath    = "/login"
	CallbackPath = "/callback"
	LogoutPath   = "/logout"
)

// Issuer is who says who people are: an OpenID provider. What it returns as a subject is
// that of an authority.Proof. An error that is retryable says that it is only away.
type Issuer interface {
	// Bearer returns whom a token speaks for.
	Bearer(ctx context.Context, token string) (subject string, err error)
	// Begin returns the address at which a browser logs in. The three are new, and secret.
	Begin(ctx context.Context, state, nonce, verifier string) (address string, err error)
	// Finish returns who has come back with the code from where Begin has led.
	Finish(ctx context.Context, code, nonce, verifier string) (subject string, err error)
}

// Login is how people log in. What it keeps of a login is in the browser's cookies, so that
// every replica with the same key knows it.
type Login struct {
	Issuer Issuer
	// Name tells this issuer and its settings from others: what was kept under another one
	// is no login here.
	Name string
	// Key returns the key of the cookies, of KeyBytes bytes: whoever has it can log in as anybody.
	Key func(context.Context) ([]byte, error)
	// ExternalURL is where people reach this server. If it is https, cookies are kept from
	// every connection that is not.
	ExternalURL string
	Session     time.Duration // how long a login lasts
}

const (
	attemptFor  = 10 * time.Minute // how long somebody may take to log in
	longestNext = 512              // bytes: a cookie does not hold much
)

// attempt is a login that has begun. Nobody but the browser and the issuer knows it.
type attempt struct {
	State    string    `json:"s"`
	Nonce    string    `json:"n"`
	Verifier string    `json:"v"` // of PKCE
	Next     string    `json:"x"` // the path to go on to
	Expires  time.Time `json:"e"`
}

// session is a login that has been made.
type session struct {
	Subject string    `json:"s"`
	Expires time.Time `json:"e"`
}

// at returns the address of one of our paths, as people reach it.
func (l *Login) at(path string) string { return strings.TrimSuffix(l.ExternalURL, "/") + path }

// proof is what a request shows of a login here: a bearer token, or a cookie where it has
// no other credentials. Of tried it says whether it shows any.
func (l *Login) proof(r *http.Request, now time.Time) (by authority.Proof, tried bool, err error) {
	header := r.Header.Get("Authorization")
	if token, is := bearer(header); is {
		subject, err := l.Issuer.Bearer(r.Context(), token)
		return loginOf(subject), true, refusal(err)
	}
	if header != "" {
		return authority.Proof{}, false, nil
	}
	s, err := l.session(r, now)
	if err != nil || s.Subject == "" {
		return authority.Proof{}, err != nil, err
	}
	return loginOf(s.Subject), true, nil
}

// session returns the login of a browser; the zero one: there is none, or it is over.
func (l *Login) session(r *http.Request, now time.Time) (s session, err error) {
	if good, err := l.kept(r, sessionCookie, &s); err != nil || !good || !now.Before(s.Expires) {
		return session{}, err
	}
	return s, nil
}

func loginOf(subject string) authority.Proof {
	return authority.Proof{Way: authority.OIDC, Subject: subject}
}

func bearer(header string) (token string, is bool) {
	scheme, token, _ := strings.Cut(header, " ")
	return strings.TrimSpace(token), strings.EqualFold(scheme, "Bearer")
}

// refusal says of an issuer's error whether to log in anew, or to wait.
func refusal(err error) error {
	var classed *actions.Error
	switch {
	case err == nil:
		return nil
	case errors.As(err, &classed) && classed.Class == actions.ClassRetryable:
		return fmt.Errorf("%w: %w", errNoIssuer, err)
	}
	return fmt.Errorf("%w: %w", errLogIn, err)
}

// begun makes a new attempt, to go on to a path of this server.
func begun(next string, now time.Time) attempt {
	return attempt{State: rand.Text(), Nonce: rand.Text(), Verifier: rand.Text() + rand.Text(), Next: within(next), Expires: now.Add(attemptFor)}
}

// within returns a path of this server, whatever was asked for: a login must not lead
// people to a page of somebody else.
func within(next string) string {
	parsed, err := url.Parse(next)
	if err != nil || len(next) > longestNext || parsed.IsAbs() || parsed.Host != "" || !strings.HasPrefix(parsed.Path, "/") || strings.HasPrefix(parsed.Path, "//") || strings.ContainsAny(next, "\\\r\n\t") {
		return LoginPath
	}
	return (&url.URL{Path: parsed.Path, RawQuery: parsed.RawQuery}).String()
}
