package web

import (
	"bytes"
	"context"
	_ "embed"
	"errors"
	"fmt"
	"html/template"
	"net/http"
	"slices"
	"time"

	"github.com/bakewatch/bakewatch/actions/authority"
	"github.com/bakewatch/bakewatch/watcher"
)

// AnswerPath is below which a link leads to the page of one question, for one person.
const AnswerPath = "/answer/"

// pagePolicy lets the page run nothing and load nothing; its one form goes back to
// where it came from.
const pagePolicy = "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"

//go:embed answer.html
var answerHTML string

var answerPage = template.Must(template.New("answer").Parse(answerHTML))

// sheet is what the page shows.
type sheet struct {
	Title, Person string
	Lines         []string
	Choices       []choice // what may be answered; none: it is only shown
	Action        string   // where an answer goes; empty: to this page
	Question      uint64   // which is answered, where the address does not say; 0: it does
	Said          string
}

type choice struct {
	Value authority.Choice
	Label string
}

// pages serves the page. To GET it never votes: programs that look into mails follow links.
func (a *api) pages() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET "+AnswerPath+"{token}", func(w http.ResponseWriter, r *http.Request) {
		a.page(w, r, func(_ context.Context, _ watcher.Desk, link Link) error {
			_, err := a.Identify(proofOf(link))
			return err
		})
	})
	mux.HandleFunc("POST "+AnswerPath+"{token}", func(w http.ResponseWriter, r *http.Request) {
		r.Body = http.MaxBytesReader(w, r.Body, maxBody)
		a.page(w, r, func(ctx context.Context, desk watcher.Desk, link Link) error {
			return vote(ctx, desk, link, authority.Choice(r.PostFormValue("choice")), proofOf(link))
		})
	})
	mux.HandleFunc(AnswerPath, func(w http.ResponseWriter, _ *http.Request) { pageOf(w, errNoLink) })
	return mux
}

// page believes the link, does what is asked, and shows how the question stands then.
func (a *api) page(w http.ResponseWriter, r *http.Request, do func(context.Context, watcher.Desk, Link) error) {
	ctx, cancel := context.WithTimeout(r.Context(), apiTimeout)
	defer cancel()
	link, desk, err := a.follow(ctx, r.PathValue("token"))
	if err == nil {
		err = do(ctx, desk, link)
	}
	var view watcher.WatchView
	if err == nil {
		view, err = desk.Show(ctx, watcher.Ref{Name: link.Watch})
	}
	if err != nil {
		a.refuses("link", err)
		if r.Method == http.MethodPost && errors.Is(err, errNoLink) {
			a.unproved(ctx, r, err)
		}
		pageOf(w, err)
		return
	}
	render(w, http.StatusOK, sheetFor(view, link))
}

// follow returns what the link is for, if we have signed it. Whether its person may still
// answer so is the Desk's to say.
func (a *api) follow(ctx context.Context, token string) (Link, watcher.Desk, error) {
	links, err := a.Links(ctx)
	if err != nil {
		return Link{}, nil, err
	}
	link, err := links.read(token, a.Now())
	if err != nil {
		return Link{}, nil, err
	}
	desk, err := a.Desk(ctx)
	return link, desk, err
}

// unproved logs and counts an answer whose link is not ours, or is over, and hands it on
// where it names a watch and its question, if there were not too many just now. To look at
// such a link is no answer.
func (a *api) unproved(ctx context.Context, r *http.Request, err error) {
	a.Log.Warn("a request was refused", "method", "link", "reason", err)
	a.Refused("link")
	link, ok := claimed(r.PathValue("token"))
	if !ok || !a.forged.AllowN(a.Now(), 1) {
		return
	}
	answer := watcher.Unproved{Question: link.Question, Choice: authority.Choice(r.PostFormValue("choice")), Given: "a link", Why: err}
	err = a.Unproved(ctx, watcher.Ref{Name: link.Watch}, answer)
	if err != nil && !errors.Is(err, watcher.ErrRefused) && !errors.Is(err, watcher.ErrNotFound) {
		a.Log.Warn("a refused vote is not in the journal", "err", err)
	}
}

func proofOf(link Link) authority.Proof {
	return authority.Proof{Way: authority.Link, Subject: link.Person}
}

// vote gives the answer once: what is said is not taken back on a page.
func vote(ctx context.Context, desk watcher.Desk, link Link, said authority.Choice, by authority.Proof) error {
	if !slices.ContainsFunc(choices, func(c choice) bool { return c.Value == said }) {
		return fmt.Errorf("%w: a page answers roll-back, keep or looking, not %q", errUnreadable, said)
	}
	_, err := desk.Answer(ctx, watcher.Ref{Name: link.Watch}, authority.Vote{Question: link.Question, Choice: said, Proof: by})
	return err
}

// choices are the answers that a link offers.
var choices = []choice{
	{authority.RollBack, "Roll back"}, {authority.Keep, "Keep"}, {authority.Looking, "I am looking (10 more minutes)"},
}

// sheetFor shows a question to one of those who are asked.
func sheetFor(view watcher.WatchView, link Link) sheet {
	s := sheet{
		Title:  fmt.Sprintf("Roll %s %s back in %s?", view.Lane.Service, view.Version, view.Lane.Environment),
		Person: link.Person,
	}
	if view.Reason != "" {
		s.Lines = append(s.Lines, view.Reason)
	}
	said := given(view, link)
	switch q := view.Question; {
	case said != nil:
		s.Said = fmt.Sprintf("You answered %s at %s%s. The watch is %s.", said.Choice, said.At.UTC().Format("15:04 UTC"), became(view, link), stands(view))
	case q == nil || q.Question != link.Question:
		s.Said = fmt.Sprintf("This question is over%s. The watch is %s.", became(view, link), stands(view))
	default:
		s.Lines = append(s.Lines, circumstances(view)...)
		s.Choices = choices
	}
	return s
}

func circumstances(view watcher.WatchView) (lines []string) {
	if view.Target != "" {
		lines = append(lines, "It would go back to "+view.Target+".")
	}
	q := view.Question
	if !q.Deadline.IsZero() {
		lines = append(lines, "Until "+q.Deadline.UTC().Format(time.RFC1123)+".")
	}
	if q.Veto {
		return append(lines, "Nobody objects: it is rolled back. To object is to keep.")
	}
	return append(lines, fmt.Sprintf("Nobody answers: %s. Votes so far: %d.", q.Silence, len(q.Votes)))
}

func stands(view watcher.WatchView) string {
	if view.Outcome != "" {
		return string(view.Outcome)
	}
	return string(view.Phase)
}

// pageOf writes an error as a page. Pages are shown to strangers: what has failed inside is
// for the log alone.
func pageOf(w http.ResponseWriter, err error) {
	p := problemFor(err)
	if p.Status == http.StatusInternalServerError {
		p.Detail = "What went wrong is not said here."
	}
	render(w, p.Status, sheet{Title: "This could not be done: " + p.Title, Lines: []string{p.Detail, p.Hint}})
}

func render(w http.ResponseWriter, status int, s sheet) {
	var text bytes.Buffer
	if err := answerPage.Execute(&text, s); err != nil {
		problemOf(w, err)
		return
	}
	h := w.Header()
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Content-Security-Policy", pagePolicy)
	// With no-referrer a browser would say of its own form that it comes from nowhere.
	h.Set("Referrer-Policy", "same-origin")
	h.Set("X-Robots-Tag", "noindex")
	w.WriteHeader(status)
	_, _ = w.Write(text.Bytes())
}
