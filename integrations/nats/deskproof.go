package nats

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/nats-io/nats.go/micro"

	"github.com/bakewatch/bakewatch/actions/authority"
	"github.com/bakewatch/bakewatch/integrations/nats/signing"
	"github.com/bakewatch/bakewatch/watcher"
)

// signedFor is how long it is kept that a request was there: longer than any copy of it
// can be fresh, whose clock may be ahead.
const signedFor = 2*signing.Fresh + time.Minute

// proof is what a request establishes about who sends it: the key that signed it, or,
// without any signature, a claim over a connection that may or may not be believed. A
// signature that does not hold is refused, never taken for none.
func (s *deskServer) proof(ctx context.Context, req micro.Request, claimed string) (authority.Proof, error) {
	if !signing.Present(req.Headers()) {
		return authority.LocalProof(claimed), nil
	}
	signed, err := signing.Verify(signing.Message{Cluster: s.Cluster, Subject: req.Subject(), Body: req.Data()}, req.Headers())
	if err != nil {
		return authority.Proof{}, unproved(err)
	}
	if err := signed.Fresh(s.Now()); err != nil {
		return authority.Proof{}, unproved(err)
	}
	by := authority.Proof{Way: authority.Signature, Subject: signed.Key}
	if _, err := s.Identify(by); err != nil {
		return authority.Proof{}, fmt.Errorf("%w: %w", watcher.ErrRefused, err)
	}
	return by, s.first(ctx, signed)
}

// first refuses a request that was there before, however often the daemon was started
// anew in between: that it was there is a fact.
func (s *deskServer) first(ctx context.Context, signed signing.Signed) error {
	err := s.Facts.Claim(ctx, FactSigned, signed.Key+"."+signed.ID, signedFor)
	if errors.Is(err, ErrClaimed) {
		return unproved(fmt.Errorf("%w, under the id %s", signing.ErrReplayed, signed.ID))
	}
	return err
}

func unproved(why error) error {
	return fmt.Errorf("%w: the request %w: %w", watcher.ErrRefused, authority.ErrUnproved, why)
}

// unproved hands on that a vote is refused because nobody knows whose it is. What no
// question is open for is only logged.
func (s *deskServer) unproved(ctx context.Context, req micro.Request, q any, err error) {
	vote, is := q.(answerRequest)
	if !is || !errors.Is(err, authority.ErrUnproved) {
		return
	}
	answer := watcher.Unproved{Question: vote.Vote.Question, Choice: vote.Vote.Choice, Why: cmp.Or(signing.Why(err), authority.ErrUnproved)}
	if key, ok := signing.Given(req.Headers()); ok {
		answer.Given = "the key " + key
	}
	err = s.Unproved(ctx, vote.Ref, answer)
	if err != nil && !errors.Is(err, watcher.ErrRefused) && !errors.Is(err, watcher.ErrNotFound) {
		s.Log.Warn("a refused vote is not in the journal", slog.Any("error", err))
	}
}
