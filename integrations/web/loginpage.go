package web

import (
	"context"
	"crypto/subtle"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/bakewatch/bakewatch/actions"
)

// errNoLogin says that somebody has come back from a login that was not begun here.
var errNoLogin = fmt.Errorf("%w: this login has not begun in this browser, took more than %s, or was used already", errLogIn, attemptFor)

// doors are the pages by which people log in and out, by their patterns.
func (a *api) doors() map[string]http.Handler {
	pages := map[string]http.Handler{}
	for pattern, page := range map[string]func(http.ResponseWriter, *http.Request) error{
		"GET " + LoginPath: a.logIn, "GET " + CallbackPath: a.callback, "POST " + LogoutPath: a.logOut,
		"GET " + QuestionPath + "{watch}": a.question, "POST " + QuestionPath + "{watch}": a.question,
	} {
		pages[pattern] = guarded(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			ctx, cancel := context.WithTimeout(r.Context(), apiTimeout)
			defer cancel()
			r.Body = http.MaxBytesReader(w, r.Body, maxBody)
			if err := page(w, r.WithContext(ctx)); err != nil {
				a.refuses("login", err)
				pageOf(w, err)
			}
		}), pageOf)
	}
	return pages
}

// logIn shows who has logged in, or leads to where one does.
func (a *api) logIn(w http.ResponseWriter, r *http.Request) error {
	s, err := a.Login.session(r, a.Now())
	if err != nil {
		return err
	}
	if s.Subject != "" {
		if person, err := a.Identify(loginOf(s.Subject)); err == nil {
			a.loggedIn(w, r, person, s)
			return nil
		}
		a.Login.forget(w, sessionCookie) // nobody is known by it any more: let them log in as another
	}
	begun := begun(r.URL.Query().Get("next"), a.Now())
	address, err := a.Login.Issuer.Begin(r.Context(), begun.State, begun.Nonce, begun.Verifier)
	if err != nil {
		return refusal(err)
	}
	if err := a.Login.keep(w, r, attemptCookie, begun, attemptFor); err != nil {
		return err
	}
	http.Redirect(w, r, address, http.StatusFound)
	return nil
}

// loggedIn leads somebody on, or shows who they are.
func (a *api) loggedIn(w http.ResponseWriter, r *http.Request, person string, s session) {
	if next := within(r.URL.Query().Get("next")); next != LoginPath {
		http.Redirect(w, r, a.Login.at(next), http.StatusFound)
		return
	}
	render(w, http.StatusOK, doorFor(person, s))
}

// doorFor shows who has logged in, and lets them out.
func doorFor(person string, s session) sheet {
	return sheet{
		Title: "You are logged in as " + person, Lines: []string{"Until " + s.Expires.UTC().Format(time.RFC1123) + "."},
		Action: strings.TrimPrefix(LogoutPath, "/"), Choices: []choice{{"log-out", "Log out"}},
	}
}

// callback is where the issuer leads back to: whoever comes with a good code is logged in,
// if anybody is known by it.
func (a *api) callback(w http.ResponseWriter, r *http.Request) error {
	a.Login.forget(w, attemptCookie) // whatever comes of it
	begun, err := a.attempt(r)
	if err != nil {
		return err
	}
	q := r.URL.Query()
	if said := q.Get("error"); said != "" {
		return fmt.Errorf("%w: the provider says %s", errLogIn, actions.Shorten(actions.OneLine(said+" "+q.Get("error_description")), 200))
	}
	subject, err := a.Login.Issuer.Finish(r.Context(), q.Get("code"), begun.Nonce, begun.Verifier)
	if err != nil {
		return refusal(err)
	}
	person, err := a.Identify(loginOf(subject))
	if err != nil {
		return err
	}
	made := session{Subject: subject, Expires: a.Now().Add(a.Login.Session)}
	if err := a.Login.keep(w, r, sessionCookie, made, a.Login.Session); err != nil {
		return err
	}
	a.Log.Info("somebody has logged in", "person", person, "until", made.Expires)
	http.Redirect(w, r, a.Login.at(begun.Next), http.StatusFound)
	return nil
}

// attempt returns the login that this browser has begun, and to which it comes back.
func (a *api) attempt(r *http.Request) (begun attempt, err error) {
	good, err := a.Login.kept(r, attemptCookie, &begun)
	if err != nil {
		return attempt{}, err
	}
	state := r.URL.Query().Get("state")
	if !good || !a.Now().Before(begun.Expires) || subtle.ConstantTimeCompare([]byte(state), []byte(begun.State)) != 1 {
		return attempt{}, errNoLogin
	}
	if r.URL.Query().Get("code") == "" && r.URL.Query().Get("error") == "" {
		return attempt{}, fmt.Errorf("%w: the provider sends no code", errLogIn)
	}
	return begun, nil
}

// logOut ends the login of this browser.
func (a *api) logOut(w http.ResponseWriter, _ *http.Request) error {
	a.Login.forget(w, sessionCookie)
	render(w, http.StatusOK, sheet{Title: "You are logged out", Lines: []string{"The provider may still know you: whoever logs in again in this browser may not be asked for a password."}})
	return nil
}
