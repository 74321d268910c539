package web

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"os"

	"go.yaml.in/yaml/v2"
	"golang.org/x/crypto/bcrypt"

	"github.com/bakewatch/bakewatch/actions/authority"
)

// asHeader says who speaks, where whoever is on this machine is believed.
const asHeader = "Bakewatch-As"

// proof is what a request establishes about who sends it: a login, or the user whose
// password it has, or, where nobody logs in, a claim from this very machine. Nothing of a
// body or a query counts.
func (a *api) proof(r *http.Request) (authority.Proof, error) {
	if a.Login != nil {
		if by, tried, err := a.Login.proof(r, a.Now()); tried {
			return by, err
		}
	}
	users, err := usersOf(a.WebConfigFile)
	if err != nil {
		return authority.Proof{}, err
	}
	if len(users) > 0 {
		return withPassword(r, users)
	}
	if a.Login != nil {
		return authority.Proof{}, errLogIn
	}
	if !a.BelieveLocal {
		return authority.Proof{}, errNobody
	}
	if err := local(r); err != nil {
		return authority.Proof{}, fmt.Errorf("%w: %w", errNobody, err)
	}
	if r.Header.Get(asHeader) == "" {
		return authority.Proof{}, fmt.Errorf("%w: say who you are in the header %s", errNobody, asHeader)
	}
	return authority.LocalProof(r.Header.Get(asHeader)), nil
}

// logins lets whoever shows a login of somebody who is known inside. A token that is not
// good is no password either; with any other request the password is asked for.
func (a *api) logins(inside, password http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		ctx, cancel := context.WithTimeout(r.Context(), apiTimeout)
		defer cancel()
		by, tried, err := a.Login.proof(r.WithContext(ctx), a.Now())
		if tried && err == nil {
			_, err = a.Identify(by)
		}
		switch _, token := bearer(r.Header.Get("Authorization")); {
		case tried && err == nil:
			inside.ServeHTTP(w, r)
		case token && (a.hasUsers() || !errors.Is(err, authority.ErrUnproved)):
			a.refused(w, "login", err)
		default:
			password.ServeHTTP(w, r)
		}
	})
}

// hasUsers says whether there is a password to ask for, as far as can be told.
func (a *api) hasUsers() bool {
	users, err := usersOf(a.WebConfigFile)
	return err != nil || len(users) > 0
}

// withPassword looks at the password itself, though the server in front has done so: that
// one lets everybody in while the file names nobody, and the file may change between.
func withPassword(r *http.Request, users map[string]string) (authority.Proof, error) {
	user, password, given := r.BasicAuth()
	hash, known := users[user]
	if !given || !known || bcrypt.CompareHashAndPassword([]byte(hash), []byte(password)) != nil {
		return authority.Proof{}, errLogIn
	}
	return authority.Proof{Way: authority.Basic, Subject: user}, nil
}

// usersOf returns the users of a web config file with the hashes of their passwords.
func usersOf(file string) (map[string]string, error) {
	if file == "" {
		return nil, nil
	}
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, fmt.Errorf("read the web config file: %w", err)
	}
	var config struct {
		Users map[string]string `yaml:"basic_auth_users"`
	}
	if err := yaml.Unmarshal(text, &config); err != nil {
		return nil, fmt.Errorf("the web config file %s cannot be read as YAML", file) // the error may quote a secret
	}
	return config.Users, nil
}

// proxied are headers of a request that somebody has passed on.
var proxied = []string{"Forwarded", "Via", "X-Forwarded-For", "X-Forwarded-Host", "X-Forwarded-Proto", "X-Real-Ip"}

// local returns nil if a request comes from this machine: by its connection, and by the
// name under which it was asked for, so that no page can send it under a name that
// leads here. What a proxy has passed on comes from somewhere else.
func local(r *http.Request) error {
	from, err := netip.ParseAddrPort(r.RemoteAddr)
	if err != nil || !from.Addr().Unmap().IsLoopback() {
		return fmt.Errorf("%s is another machine", r.RemoteAddr)
	}
	for _, header := range proxied {
		if r.Header.Get(header) != "" {
			return fmt.Errorf("a proxy has passed it on (%s)", header)
		}
	}
	if host := hostOf(r.Host); host != "localhost" {
		if addr, err := netip.ParseAddr(host); err != nil || !addr.IsLoopback() {
			return fmt.Errorf("%q is no name of this machine: ask 127.0.0.1 or localhost", host)
		}
	}
	return nil
}

func hostOf(host string) string {
	if name, _, err := net.SplitHostPort(host); err == nil {
		return name
	}
	return host
}
