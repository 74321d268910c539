package web

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"unicode/utf8"

	"github.com/bakewatch/bakewatch/actions/authority"
	"github.com/bakewatch/bakewatch/watcher"
)

// maxBody bounds a request, in bytes.
const maxBody = 16 << 10

// What is asked and answered, as JSON. Who speaks is not in it.
type (
	listReply struct {
		Lanes []watcher.LaneView `json:"lanes"`
	}
	answerRequest struct {
		Question uint64           `json:"question"`
		Choice   authority.Choice `json:"choice"`
		Reason   string           `json:"reason"`
	}
	wordRequest struct {
		Reason string `json:"reason"`
	}
	orderRequest struct {
		Service string `json:"service"`
		Reason  string `json:"reason"`
		Force   bool   `json:"force"`
	}
	orderReply struct {
		Service string `json:"service"` // watcher.Everywhere: all of them
	}
)

func list(ctx context.Context, desk watcher.Desk, _ *http.Request) (any, error) {
	lanes, err := desk.List(ctx)
	if lanes == nil {
		lanes = []watcher.LaneView{}
	}
	return listReply{Lanes: lanes}, err
}

func show(ctx context.Context, desk watcher.Desk, r *http.Request) (any, error) {
	return desk.Show(ctx, refOf(r))
}

func answer(ctx context.Context, desk watcher.Desk, r *http.Request, q answerRequest, by authority.Proof) (any, error) {
	if q.Question == 0 {
		return nil, fmt.Errorf("%w: question is missing: the number of the question that is answered", errUnreadable)
	}
	if err := reasonable(q.Reason); err != nil {
		return nil, err
	}
	return desk.Answer(ctx, refOf(r), authority.Vote{Question: q.Question, Choice: q.Choice, Reason: q.Reason, Proof: by})
}

// word makes a method of those that take a person's word about a watch.
func word(method func(watcher.Desk, context.Context, watcher.Ref, authority.Proof, string) (watcher.WatchView, error)) func(context.Context, watcher.Desk, *http.Request, wordRequest, authority.Proof) (any, error) {
	return func(ctx context.Context, desk watcher.Desk, r *http.Request, q wordRequest, by authority.Proof) (any, error) {
		if q.Reason == "" {
			return nil, fmt.Errorf("%w: reason is missing", errUnreadable)
		}
		if err := reasonable(q.Reason); err != nil {
			return nil, err
		}
		return method(desk, ctx, refOf(r), by, q.Reason)
	}
}

// order makes a method of those that forbid rollbacks, or allow them again.
func order(method func(watcher.Desk, context.Context, watcher.Order) error) func(context.Context, watcher.Desk, *http.Request, orderRequest, authority.Proof) (any, error) {
	return func(ctx context.Context, desk watcher.Desk, _ *http.Request, q orderRequest, by authority.Proof) (any, error) {
		if err := reasonable(q.Reason); err != nil {
			return nil, err
		}
		if q.Service == "" {
			return nil, fmt.Errorf("%w: service is missing: name one, or %q for all of them", errUnreadable, watcher.Everywhere)
		}
		said := orderReply{Service: q.Service}
		if q.Service == watcher.Everywhere {
			q.Service = ""
		}
		return said, method(desk, ctx, watcher.Order{Service: q.Service, By: by, Reason: q.Reason, Force: q.Force})
	}
}

func refOf(r *http.Request) watcher.Ref {
	return watcher.Ref{Name: r.PathValue("ref"), Environment: r.URL.Query().Get("environment")}
}

func reasonable(reason string) error {
	if n := utf8.RuneCountInString(reason); n > watcher.LongestReason {
		return fmt.Errorf("%w: reason has %d characters, at most %d are taken", errUnreadable, n, watcher.LongestReason)
	}
	return nil
}

// read reads a body of JSON, and refuses what it does not know: a misspelt field would
// be an order that is not the one meant.
func read[Q any](w http.ResponseWriter, r *http.Request) (q Q, err error) {
	if kind, _, err := mime.ParseMediaType(r.Header.Get("Content-Type")); err != nil || kind != "application/json" {
		return q, errMedia
	}
	decoder := json.NewDecoder(http.MaxBytesReader(w, r.Body, maxBody))
	decoder.DisallowUnknownFields()
	err = decoder.Decode(&q)
	if err == nil {
		if _, more := decoder.Token(); !errors.Is(more, io.EOF) {
			err = errors.New("more follows after the object")
		}
	}
	var large *http.MaxBytesError
	if errors.As(err, &large) {
		return q, errLarge
	}
	if err != nil {
		return q, fmt.Errorf("%w: %w", errUnreadable, err)
	}
	return q, nil
}

func write(w http.ResponseWriter, status int, said any) {
	text, err := json.Marshal(said)
	if err != nil {
		problemOf(w, err)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_, _ = w.Write(append(text, '\n'))
}
