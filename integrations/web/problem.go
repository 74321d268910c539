package web

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"

	"github.com/bakewatch/bakewatch/actions/authority"
	"github.com/bakewatch/bakewatch/watcher"
)

// Why a request does not get as far as the Desk.
var (
	errUnreadable  = errors.New("the request cannot be read")
	errLarge       = errors.New("the request is too large")
	errMedia       = errors.New("the body must be JSON")
	errNoPath      = errors.New("there is no such path, or not with this method")
	errOtherOrigin = errors.New("a page of another origin asks for this")
	errLogIn       = errors.New("this is done in somebody's name, and nobody has logged in")
	errNobody      = errors.New("this is done in somebody's name, and nobody can show here who they are")
	errNoLink      = errors.New("this link is not good")
	errNoIssuer    = errors.New("nobody can log in now")
)

// Problem is an error as RFC 9457 has it, with what to do.
type Problem struct {
	Title  string `json:"title"`
	Status int    `json:"status"`
	Detail string `json:"detail"`
	Hint   string `json:"hint,omitempty"`
}

// problems maps the errors that callers tell apart. The first one that fits counts.
var problems = []struct {
	err    error
	status int
	title  string
	hint   string
}{
	{errUnreadable, http.StatusBadRequest, "not readable", "see " + APIPath + "openapi.json"},
	{errLogIn, http.StatusUnauthorized, "log in", "as a user of the web_config_file, by a token or at " + LoginPath + ": what there is, the daemon's file says in [http]"},
	{
		errNobody, http.StatusForbidden, "nobody",
		"give [http] a web_config_file with basic_auth_users, and the persons their basic = \"USER\"; or [http.oidc], and the persons their oidc; or, where none but the operator's people reach this machine, set believe_local",
	},
	{authority.ErrUnproved, http.StatusForbidden, "not known", "the daemon's file says in [person.NAME] how people show who they are"},
	{errOtherOrigin, http.StatusForbidden, "other origin", "only pages of this server may ask for it"},
	{errNoLink, http.StatusNotFound, "no such link", "take the link of the newest message, whole"},
	{errNoPath, http.StatusNotFound, "no such path", "see " + APIPath + "openapi.json"},
	{watcher.ErrNotFound, http.StatusNotFound, "not found", "see " + APIPath + "watches"},
	{watcher.ErrConflict, http.StatusConflict, "conflict", "ask again: somebody else wrote at the same moment"},
	{errLarge, http.StatusRequestEntityTooLarge, "too large", "a request has at most 16 KiB"},
	{errMedia, http.StatusUnsupportedMediaType, "not JSON", "send Content-Type: application/json"},
	{watcher.ErrRefused, http.StatusUnprocessableEntity, "refused", "look at the watch again: what it says now is what counts"},
	{watcher.ErrStopped, http.StatusServiceUnavailable, "not active", "ask the replica that is active"},
	{errNoIssuer, http.StatusServiceUnavailable, "no login", "try again: it is about the OpenID provider, and the daemon goes on without it"},
	{context.DeadlineExceeded, http.StatusServiceUnavailable, "no answer in time", "ask again; the daemon's log says what it waits for"},
}

// problemFor returns what is said of an error.
func problemFor(err error) Problem {
	for _, p := range problems {
		if errors.Is(err, p.err) {
			return Problem{Title: p.title, Status: p.status, Detail: err.Error(), Hint: p.hint}
		}
	}
	return Problem{Title: "failed", Status: http.StatusInternalServerError, Detail: err.Error(), Hint: "see the daemon's log"}
}

// problemOf writes an error as problem+json.
func problemOf(w http.ResponseWriter, err error) {
	p := problemFor(err)
	text, err := json.Marshal(p)
	if err != nil {
		text = []byte(`{}`)
	}
	w.Header().Set("Content-Type", "application/problem+json")
	w.WriteHeader(p.Status)
	_, _ = w.Write(append(text, '\n'))
}
