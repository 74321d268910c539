package oidc_test

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"github.com/bakewatch/bakewatch/actions"
	"github.com/bakewatch/bakewatch/integrations/oidc"
	"github.com/bakewatch/bakewatch/integrations/oidc/oidctest"
)

const redirect = "https://bakewatch.example/callback"

var ana = oidctest.User{Sub: "4711", Email: "Ana@Example.com", Verified: true}

// registered returns a provider, and Bakewatch as its client.
func registered(t *testing.T, change func(*oidc.Options)) (*oidctest.Provider, *oidc.Provider) {
	t.Helper()
	at := oidctest.New(t, redirect)
	options := oidc.Defaults()
	options.Issuer, options.ClientID = at.Issuer(), at.ClientID
	options.ClientSecretFile = filepath.Join(t.TempDir(), "secret")
	if err := os.WriteFile(options.ClientSecretFile, []byte(at.ClientSecret+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	change(options)
	if err := options.Check(); err != nil {
		t.Fatal(err)
	}
	client, err := options.Provider(redirect)
	if err != nil {
		t.Fatal(err)
	}
	return at, client
}

func bySub(*oidc.Options)     {}
func byEmail(o *oidc.Options) { o.Claim = "email" }

// classed says whether the error is of that class.
func classed(err error, class actions.Class) bool {
	var of *actions.Error
	return errors.As(err, &of) && of.Class == class
}

func TestATokenSaysWhoItWasIssuedFor(t *testing.T) {
	other := func(o *oidc.Options) { o.Audiences = []string{"api", "bakewatch"} }
	for name, test := range map[string]struct {
		options func(*oidc.Options)
		change  func(jwt.MapClaims)
		subject string // empty: the token is refused
		says    string
	}{
		"by its sub":                                    {bySub, func(jwt.MapClaims) {}, "4711", ""},
		"by its e-mail address":                         {byEmail, func(jwt.MapClaims) {}, "ana@example.com", ""},
		"of others too":                                 {bySub, func(c jwt.MapClaims) { c["aud"] = []string{"other", c["aud"].(string)} }, "4711", ""}, //nolint:forcetypeassert // the tests wrote it
		"for an audience that is accepted":              {other, func(c jwt.MapClaims) { c["aud"] = "bakewatch" }, "4711", ""},
		"not for the client, where others are accepted": {other, func(jwt.MapClaims) {}, "", "and not for"},
		"not for another audience":                      {bySub, func(c jwt.MapClaims) { c["aud"] = "other" }, "", "and not for"},
		"not for nobody":                                {bySub, func(c jwt.MapClaims) { delete(c, "aud") }, "", "and not for"},
		"not of another issuer":                         {bySub, func(c jwt.MapClaims) { c["iss"] = "https://evil.example" }, "", "different provider"},
		"not once it has expired":                       {bySub, func(c jwt.MapClaims) { c["exp"] = time.Now().Add(-time.Second).Unix() }, "", "expired"},
		"not for ever":                                  {bySub, func(c jwt.MapClaims) { delete(c, "exp") }, "", "expired"},
		"not before it is good":                         {bySub, func(c jwt.MapClaims) { c["nbf"] = time.Now().Add(time.Hour).Unix() }, "", "nbf"},
		"not without a sub":                             {bySub, func(c jwt.MapClaims) { delete(c, "sub") }, "", "no sub"},
		"not by an address nobody has verified":         {byEmail, func(c jwt.MapClaims) { c["email_verified"] = false }, "", "not verified"},
		"not by an address of which nothing is said":    {byEmail, func(c jwt.MapClaims) { delete(c, "email_verified") }, "", "not verified"},
		"not by an address verified in words":           {byEmail, func(c jwt.MapClaims) { c["email_verified"] = "true" }, "", "cannot be read"},
		"not without an address":                        {byEmail, func(c jwt.MapClaims) { delete(c, "email") }, "", "no email"},
		"by an address that only looks like another":    {byEmail, func(c jwt.MapClaims) { c["email"] = "\u212Aim@example.com" }, "\u212Aim@example.com", ""},
	} {
		t.Run(name, func(t *testing.T) {
			at, client := registered(t, test.options)
			claims := at.Claims(ana)
			test.change(claims)
			subject, err := client.Bearer(t.Context(), at.Token(t, claims))
			if test.subject != "" {
				if err != nil || subject != test.subject {
					t.Fatalf("%q, %v", subject, err)
				}
				return
			}
			if subject != "" || !classed(err, actions.ClassPermanent) || !strings.Contains(err.Error(), test.says) {
				t.Errorf("%q, %v, want %q", subject, err, test.says)
			}
		})
	}
}

func TestAForgedTokenIsRefusedAndTheProviderNotFloodedForIt(t *testing.T) {
	at, client := registered(t, bySub)
	for name, token := range at.Forged(t, at.Claims(ana)) {
		if subject, err := client.Bearer(t.Context(), token); subject != "" || err == nil || strings.Contains(err.Error(), at.ClientSecret) {
			t.Errorf("%s: %q, %v", name, subject, err)
		}
	}
	var last error
	for range 50 {
		_, last = client.Bearer(t.Context(), at.Forged(t, at.Claims(ana))["signed by a key that is not known"])
		if classed(last, actions.ClassRetryable) {
			break
		}
	}
	if !classed(last, actions.ClassRetryable) || at.Asked() > 10 {
		t.Errorf("%v, and the keys were fetched %d times", last, at.Asked())
	}
	if subject, err := client.Bearer(t.Context(), at.Token(t, at.Claims(ana))); subject != "4711" || err != nil {
		t.Errorf("meanwhile a good one: %q, %v", subject, err)
	}
}

func TestALoginInABrowserSaysWhoLoggedIn(t *testing.T) {
	at, client := registered(t, byEmail)
	address, err := client.Begin(t.Context(), "a-state", "a-nonce", verifier)
	if err != nil {
		t.Fatal(err)
	}
	back := at.LogIn(t, address, ana)
	if back.Query().Get("state") != "a-state" || !strings.HasPrefix(back.String(), redirect+"?") {
		t.Fatal(back)
	}
	code := back.Query().Get("code")
	subject, err := client.Finish(t.Context(), code, "a-nonce", verifier)
	if err != nil || subject != "ana@example.com" {
		t.Fatalf("%q, %v", subject, err)
	}
	if subject, err := client.Finish(t.Context(), code, "a-nonce", verifier); !classed(err, actions.ClassPermanent) {
		t.Errorf("the same code again: %q, %v", subject, err)
	}
}

// verifier is one of PKCE; those of another login have other letters.
var verifier = strings.Repeat("v", 43)

func TestALoginOfSomebodyElseIsRefused(t *testing.T) {
	for name, test := range map[string]struct {
		nonce, verifier string
		user            oidctest.User
		code            string
	}{
		"with another nonce":                      {"other", verifier, ana, ""},
		"without a nonce":                         {"", verifier, ana, ""},
		"with another verifier":                   {"a-nonce", strings.Repeat("w", 43), ana, ""},
		"with a code that was never given":        {"a-nonce", verifier, ana, "made-up"},
		"with an address that is not verified":    {"a-nonce", verifier, oidctest.User{Sub: "9", Email: "ana@example.com"}, ""},
		"with no address, though one is asked of": {"a-nonce", verifier, oidctest.User{Sub: "9", Verified: true}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			at, client := registered(t, byEmail)
			address, err := client.Begin(t.Context(), "a-state", "a-nonce", verifier)
			if err != nil {
				t.Fatal(err)
			}
			code := at.LogIn(t, address, test.user).Query().Get("code")
			if test.code != "" {
				code = test.code
			}
			if subject, err := client.Finish(t.Context(), code, test.nonce, test.verifier); subject != "" || !classed(err, actions.ClassPermanent) {
				t.Errorf("%q, %v", subject, err)
			}
		})
	}
}

func TestAProviderThatIsAwayIsAskedAgain(t *testing.T) {
	at, client := registered(t, bySub)
	at.Down(true)
	_, err := client.Begin(t.Context(), "s", "n", verifier)
	if !classed(err, actions.ClassRetryable) || !strings.Contains(err.Error(), at.Issuer()) {
		t.Fatal(err)
	}
	at.Down(false)
	again, late := time.NewTicker(100*time.Millisecond), time.After(20*time.Second)
	defer again.Stop()
	for err = client.Ready(t.Context()); err != nil; err = client.Ready(t.Context()) {
		select {
		case <-again.C:
		case <-late:
			t.Fatal(err)
		}
	}
	token := at.Token(t, at.Claims(ana))
	at.Down(true)
	if _, err := client.Bearer(t.Context(), token); !classed(err, actions.ClassRetryable) {
		t.Errorf("without its keys: %v", err)
	}
	if _, err := client.Finish(t.Context(), "code", "n", verifier); !classed(err, actions.ClassRetryable) {
		t.Errorf("with nobody to take the code: %v", err)
	}
}

func TestAProviderIsAskedNowhereInTheClear(t *testing.T) {
	good := oidctest.New(t, redirect)
	for what, key := range map[string]string{"its keys": "jwks_uri", "to log in": "authorization_endpoint", "for tokens": "token_endpoint"} {
		t.Run(what, func(t *testing.T) {
			mux := http.NewServeMux()
			server := httptest.NewServer(mux)
			defer server.Close()
			mux.HandleFunc("/.well-known/openid-configuration", func(w http.ResponseWriter, _ *http.Request) {
				metadata := map[string]string{
					"issuer": server.URL, "jwks_uri": good.JWKSEndpoint(), "authorization_endpoint": good.AuthorizationEndpoint(), "token_endpoint": good.TokenEndpoint(),
				}
				metadata[key] = "http://192.0.2.1/"
				w.Header().Set("Content-Type", "application/json")
				_ = json.NewEncoder(w).Encode(metadata)
			})
			options := oidc.Defaults()
			options.Issuer, options.ClientID = server.URL, "bakewatch"
			client, err := options.Provider(redirect)
			if err != nil {
				t.Fatal(err)
			}
			claims := good.Claims(ana)
			claims["iss"], claims["aud"] = server.URL, "bakewatch"
			_, begun := client.Begin(t.Context(), "s", "n", verifier)
			_, finished := client.Finish(t.Context(), "code", "n", verifier)
			_, believed := client.Bearer(t.Context(), good.Token(t, claims))
			asked := map[string]error{"jwks_uri": believed, "authorization_endpoint": begun, "token_endpoint": finished}[key]
			if asked == nil || !strings.Contains(asked.Error(), "not https") {
				t.Errorf("%v", asked)
			}
			if key != "jwks_uri" && believed != nil {
				t.Errorf("a good token: %v", believed)
			}
		})
	}
}

func TestAProviderThatHangsKeepsNobodyLongerThanTheyWait(t *testing.T) {
	asked, hang := make(chan struct{}, 10), make(chan struct{})
	server := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
		asked <- struct{}{}
		<-hang
	}))
	defer server.Close()
	defer close(hang)
	options := oidc.Defaults()
	options.Issuer, options.ClientID = server.URL, "bakewatch"
	client, err := options.Provider(redirect)
	if err != nil {
		t.Fatal(err)
	}
	waits := func() <-chan error {
		ended := make(chan error, 1)
		ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
		go func() {
			defer cancel()
			ended <- client.Ready(ctx)
		}()
		return ended
	}
	first := waits()
	<-asked
	for name, ended := range map[string]<-chan error{"who asks first": first, "who comes after": waits()} {
		select {
		case err := <-ended:
			if !classed(err, actions.ClassRetryable) {
				t.Errorf("%s: %v", name, err)
			}
		case <-time.After(5 * time.Second):
			t.Errorf("%s still waits", name)
		}
	}
	if len(asked) > 0 {
		t.Error("it is asked again while it hangs")
	}
}
