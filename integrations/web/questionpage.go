package web

import (
	"fmt"
	"net/http"
	"net/url"
	"strconv"

	"github.com/bakewatch/bakewatch/actions/authority"
	"github.com/bakewatch/bakewatch/watcher"
)

// QuestionPath is below which whoever has logged in answers the open question of a watch,
// by the watch's number. Unlike a link it is nobody's own, and may be told to everybody.
const QuestionPath = "/question/"

// question shows the open question, and takes an answer to the one that was shown.
func (a *api) question(w http.ResponseWriter, r *http.Request) error {
	by, person, err := a.visitor(r)
	if err != nil {
		return err
	}
	switch {
	case person == "" && r.Method == http.MethodPost:
		// Led to the provider, it would be a form that goes to another site: browsers refuse that.
		return fmt.Errorf("%w: your login is over; open this page again", errLogIn)
	case person == "":
		http.Redirect(w, r, a.Login.at(LoginPath+"?next="+url.QueryEscape(r.URL.EscapedPath())), http.StatusSeeOther)
		return nil
	}
	desk, err := a.Desk(r.Context())
	if err != nil {
		return err
	}
	seen := Link{Watch: r.PathValue("watch"), Person: person}
	if r.Method == http.MethodPost {
		if seen.Question, err = strconv.ParseUint(r.PostFormValue("question"), 10, 64); err != nil || seen.Question == 0 {
			return fmt.Errorf("%w: it does not say which question is answered", errUnreadable)
		}
		if err := vote(r.Context(), desk, seen, authority.Choice(r.PostFormValue("choice")), by); err != nil {
			return err
		}
	}
	view, err := desk.Show(r.Context(), watcher.Ref{Name: seen.Watch})
	if err != nil {
		return err
	}
	render(w, http.StatusOK, questionFor(view, seen))
	return nil
}

// visitor returns who has logged in in this browser; no person: nobody has.
func (a *api) visitor(r *http.Request) (by authority.Proof, person string, err error) {
	s, err := a.Login.session(r, a.Now())
	if err != nil || s.Subject == "" {
		return authority.Proof{}, "", err
	}
	by = loginOf(s.Subject)
	person, err = a.Identify(by)
	return by, person, err
}

// questionFor shows the question that is open, or the one that was just answered.
func questionFor(view watcher.WatchView, seen Link) sheet {
	if seen.Question == 0 && view.Question == nil {
		return sheet{Title: "Nothing is asked about " + view.Lane.Service + " " + view.Version + " now", Said: fmt.Sprintf("The watch is %s.", stands(view))}
	}
	if seen.Question == 0 {
		seen.Question = view.Question.Question
	}
	shown := sheetFor(view, seen)
	shown.Person, shown.Question = "", seen.Question
	shown.Lines = append(shown.Lines, "You are logged in as "+seen.Person+".")
	return shown
}
