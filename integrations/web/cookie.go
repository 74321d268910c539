package web

import (
	"context"
	"net/http"
	"net/url"
	"time"
)

// The cookies, and what is sealed into each.
const (
	attemptCookie = "bakewatch-login"
	sessionCookie = "bakewatch-session"
)

// cookie returns a cookie for all of this server and for no other: with that prefix a
// browser takes it from nobody else.
func (l *Login) cookie(name, value string, life time.Duration) *http.Cookie {
	at, err := url.Parse(l.ExternalURL) // its scheme in small letters, whatever was written
	secure := err == nil && at.Scheme == "https"
	if secure {
		name = "__Host-" + name
	}
	return &http.Cookie{
		Name: name, Value: value, Path: "/", MaxAge: int(life / time.Second), Secure: secure, HttpOnly: true,
		SameSite: http.SameSiteLaxMode, // not strict: the issuer's page leads back here
	}
}

// keep gives the browser what is sealed as that cookie.
func (l *Login) keep(w http.ResponseWriter, r *http.Request, name string, what any, life time.Duration) error {
	sealer, err := l.sealer(r.Context())
	if err != nil {
		return err
	}
	sealed, err := sealer.seal(l.use(name), what)
	if err != nil {
		return err
	}
	http.SetCookie(w, l.cookie(name, sealed, life))
	return nil
}

// kept fills what with what was sealed as that cookie, and says whether there is one that is good.
func (l *Login) kept(r *http.Request, name string, what any) (bool, error) {
	cookie, err := r.Cookie(l.cookie(name, "", 0).Name)
	if err != nil {
		return false, nil //nolint:nilerr // it is not there
	}
	sealer, err := l.sealer(r.Context())
	if err != nil {
		return false, err
	}
	return sealer.unseal(l.use(name), cookie.Value, what), nil
}

// forget takes a cookie back.
func (l *Login) forget(w http.ResponseWriter, name string) {
	http.SetCookie(w, l.cookie(name, "", -time.Second))
}

func (l *Login) use(cookie string) string { return cookie + "-v1\n" + l.Name }

func (l *Login) sealer(ctx context.Context) (*sealer, error) {
	key, err := l.Key(ctx)
	if err != nil {
		return nil, err
	}
	return newSealer(key)
}
