// Package oidctest has an OpenID provider for tests: mockoidc, with what it leaves out of
// the contract (how a client shows its secret, where a login may lead), and tokens of every
// other sort.
package oidctest

import (
	"crypto/rand"
	"crypto/rsa"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"
	"github.com/oauth2-proxy/mockoidc"
)

// User is whoever logs in.
type User struct {
	Sub, Email string
	Verified   bool
}

// Provider is a provider that is up until the test ends, on 127.0.0.1.
type Provider struct {
	*mockoidc.MockOIDC
	redirect string
	down     atomic.Bool
	asked    atomic.Int64
}

// New starts a provider at which one client is registered, for one redirect address.
func New(t testing.TB, redirect string) *Provider {
	t.Helper()
	mock, err := mockoidc.NewServer(nil)
	if err != nil {
		t.Fatal(err)
	}
	p := &Provider{MockOIDC: mock, redirect: redirect}
	if err := mock.AddMiddleware(p.keepsTheContract); err != nil {
		t.Fatal(err)
	}
	listener, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	if err := mock.Start(listener, nil); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = mock.Shutdown() })
	return p
}

// Down lets the provider fail, or work again.
func (p *Provider) Down(down bool) { p.down.Store(down) }

// Asked returns how often the provider was asked for its keys.
func (p *Provider) Asked() int64 { return p.asked.Load() }

func (p *Provider) keepsTheContract(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch {
		case p.down.Load():
			http.Error(w, "down for maintenance", http.StatusServiceUnavailable)
			return
		case r.URL.Path == mockoidc.JWKSEndpoint:
			p.asked.Add(1)
		case r.URL.Path == mockoidc.AuthorizationEndpoint && r.FormValue("redirect_uri") != p.redirect:
			http.Error(w, "redirect_uri is not registered", http.StatusBadRequest)
			return
		case r.URL.Path == mockoidc.AuthorizationEndpoint && (r.FormValue("code_challenge_method") != "S256" || r.FormValue("nonce") == ""):
			http.Error(w, "without PKCE, or without a nonce", http.StatusBadRequest)
			return
		case r.URL.Path == mockoidc.TokenEndpoint:
			id, secret, given := r.BasicAuth() // as the metadata say; mockoidc looks into the form
			if !given {
				http.Error(w, "the client has not shown its secret", http.StatusUnauthorized)
				return
			}
			_ = r.ParseForm()
			r.Form.Set("client_id", unescaped(id))
			r.Form.Set("client_secret", unescaped(secret))
		}
		next.ServeHTTP(w, r)
	})
}

func unescaped(text string) string {
	plain, err := url.QueryUnescape(text)
	if err != nil {
		return text
	}
	return plain
}

// LogIn does what a person's browser does at the provider: it goes to the address, logs in
// as the user, and returns the address to which it is sent back.
func (p *Provider) LogIn(t testing.TB, address string, user User) *url.URL {
	t.Helper()
	p.QueueUser(&mockoidc.MockUser{Subject: user.Sub, Email: user.Email, EmailVerified: user.Verified})
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, address, nil)
	if err != nil {
		t.Fatal(err)
	}
	w := httptest.NewRecorder()
	p.Server.Handler.ServeHTTP(w, request)
	back, err := url.Parse(w.Header().Get("Location"))
	if err != nil || w.Code != http.StatusFound {
		t.Fatalf("the provider says %d %s", w.Code, w.Body)
	}
	return back
}

// Claims are those of a good token for the user, to be changed.
func (p *Provider) Claims(user User) jwt.MapClaims {
	now := time.Now()
	return jwt.MapClaims{
		"iss": p.Issuer(), "aud": p.ClientID, "sub": user.Sub, "email": user.Email, "email_verified": user.Verified,
		"iat": now.Unix(), "exp": now.Add(time.Hour).Unix(),
	}
}

// Token returns a token with these claims, as the provider signs them.
func (p *Provider) Token(t testing.TB, claims jwt.Claims) string {
	t.Helper()
	token, err := p.Keypair.SignJWT(claims)
	if err != nil {
		t.Fatal(err)
	}
	return token
}

// Forged returns the ways of others to sign the same claims, by what is wrong with them.
func (p *Provider) Forged(t testing.TB, claims jwt.Claims) map[string]string {
	t.Helper()
	other, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	good := p.Token(t, claims)
	signed := func(method jwt.SigningMethod, key any, id string) string {
		token := jwt.NewWithClaims(method, claims)
		token.Header["kid"] = id
		text, err := token.SignedString(key)
		if err != nil {
			t.Fatal(err)
		}
		return text
	}
	ours, _, err := new(jwt.Parser).ParseUnverified(good, jwt.MapClaims{})
	if err != nil {
		t.Fatal(err)
	}
	id, _ := ours.Header["kid"].(string)
	cut := []byte(good)
	cut[len(cut)-10] ^= 1
	return map[string]string{
		"signed by another key under the same name": signed(jwt.SigningMethodRS256, other, id),
		"signed by a key that is not known":         signed(jwt.SigningMethodRS256, other, "another"),
		"signed by nobody":                          signed(jwt.SigningMethodNone, jwt.UnsafeAllowNoneSignatureType, id),
		"signed with the public key as a secret":    signed(jwt.SigningMethodHS256, p.Keypair.PublicKey.N.Bytes(), id),
		"signed with the client's secret":           signed(jwt.SigningMethodHS256, []byte(p.ClientSecret), id),
		"changed":                                   string(cut),
		"without its signature":                     good[:slices.Index(cut, '.')+1],
	}
}
