package watcher

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/bakewatch/bakewatch/actions/authority"
)

// identify returns the person that a proof speaks for.
func (o *Owner) identify(proof authority.Proof) (string, error) {
	person, err := o.Directory().Identify(proof)
	if err != nil {
		return "", fmt.Errorf("%w: %w", ErrRefused, err)
	}
	return person, nil
}

// Answer implements Desk. A vote without a question is for the one that is open. One
// that does not count is written down as well, and its voter is told why.
func (o *Owner) Answer(ctx context.Context, ref Ref, vote authority.Vote) (WatchView, error) {
	person, unproved := o.identify(vote.Proof)
	if unproved != nil {
		return WatchView{}, o.answerOfNobody(ctx, ref, vote, unproved)
	}
	vote.Person = person
	return o.change(ctx, ref, func(ctx context.Context, h *held) error {
		if q := h.Watch.Question; q != nil && vote.Question == 0 {
			vote.Question = q.Seq
		}
		vote.At = time.Now().UTC()
		refused := h.Watch.admit(vote)
		if err := o.handle(ctx, h.ID, Input{Vote: &vote}); err != nil {
			return err
		}
		if refused != nil {
			return fmt.Errorf("%w: %w", ErrRefused, refused)
		}
		if err := h.counted(vote); err != nil {
			return err
		}
		return o.passOn(ctx, vote)
	})
}

// errClaimed is why a name that somebody has only said is nobody's.
var errClaimed = errors.New("a name that is only claimed is not believed")

// answerOfNobody writes down a vote whose proof speaks for nobody, and returns why it does
// not count. What nobody vouches for is not written down as a proof.
func (o *Owner) answerOfNobody(ctx context.Context, ref Ref, vote authority.Vote, unproved error) error {
	var err error
	switch {
	case vote.Proof.Vouched():
		err = o.refuse(ctx, ref, vote, unproved)
	case vote.Proof.Way == authority.Signature:
		err = o.Unproved(ctx, ref, Unproved{vote.Question, vote.Choice, "the key " + vote.Proof.Subject, authority.ErrUnproved})
	default:
		err = o.Unproved(ctx, ref, Unproved{vote.Question, vote.Choice, "", errClaimed})
	}
	if err != nil && !errors.Is(err, ErrRefused) {
		return err
	}
	return unproved
}

// Unproved writes down that somebody who could not show who they are has answered the
// open question of a watch. Where no such question is open nothing is written down, and
// it returns ErrNotFound or ErrRefused.
func (o *Owner) Unproved(ctx context.Context, ref Ref, answer Unproved) error {
	return o.refuse(ctx, ref, answer.vote(), answer.why())
}

// refuse writes down why a vote of nobody on an open question does not count.
func (o *Owner) refuse(ctx context.Context, ref Ref, vote authority.Vote, why error) error {
	_, err := o.change(ctx, ref, func(ctx context.Context, h *held) error {
		q := h.Watch.Question
		if q == nil {
			return fmt.Errorf("%w: %w", ErrRefused, errNotAsking)
		}
		if vote.Question == 0 {
			vote.Question = q.Seq
		}
		if vote.Question != q.Seq {
			return fmt.Errorf("%w: %w", ErrRefused, authority.ErrOtherQuestion)
		}
		vote.At = time.Now().UTC()
		return o.handle(ctx, h.ID, Input{Vote: &vote, Refuse: why})
	})
	return err
}

// counted says whether the vote is in the journal: the question may have ended at the
// same moment, by another replica.
func (h *held) counted(vote authority.Vote) error {
	if w := h.Watch; w == nil || !w.counts(vote) {
		return fmt.Errorf("%w: the question is not open any more", ErrRefused)
	}
	return nil
}

// Cancel implements Desk.
func (o *Owner) Cancel(ctx context.Context, ref Ref, by authority.Proof, reason string) (WatchView, error) {
	person, err := o.identify(by)
	if err != nil {
		return WatchView{}, err
	}
	return o.change(ctx, ref, func(ctx context.Context, h *held) error {
		if phase := h.Watch.Phase(); phase == Acting || phase == Verifying {
			return fmt.Errorf("%w: the watch of %s is %s; a rollback is not taken back", ErrRefused, h.ID, phase)
		}
		watch := h.Watch.Seq
		if err := o.handle(ctx, h.ID, Input{Cancel: &Request{By: person, Reason: reason}}); err != nil {
			return err
		}
		if h.Watch != nil && h.Watch.Seq == watch {
			return fmt.Errorf("%w: the watch of %s is %s by now", ErrRefused, h.ID, h.Watch.Phase())
		}
		return nil
	})
}

// Rollback implements Desk.
func (o *Owner) Rollback(ctx context.Context, ref Ref, by authority.Proof, reason string) (WatchView, error) {
	person, err := o.identify(by)
	if err != nil {
		return WatchView{}, err
	}
	return o.change(ctx, ref, func(ctx context.Context, h *held) error {
		in := o.input(h, Input{Begin: &Request{By: person, Reason: reason}})
		if err := h.Askable(in); err != nil {
			return err
		}
		if err := o.handle(ctx, h.ID, in); err != nil {
			return err
		}
		return o.firstVote(ctx, h, person, by, reason)
	})
}

// firstVote counts the wish of one who is asked as the first vote. Of anybody else, and of
// whoever deployed, it stays a wish.
func (o *Owner) firstVote(ctx context.Context, h *held, person string, by authority.Proof, reason string) error {
	if h.Watch == nil || h.Watch.Question == nil {
		return nil
	}
	vote := authority.Vote{
		Question: h.Watch.Question.Seq, Person: person, Choice: authority.RollBack, Reason: reason, At: time.Now().UTC(), Proof: by,
	}
	if h.Watch.Question.Admit(vote) != nil {
		return nil
	}
	return o.handle(ctx, h.ID, Input{Vote: &vote})
}

// Wrong implements Desk.
func (o *Owner) Wrong(ctx context.Context, ref Ref, by authority.Proof, reason string) (view WatchView, err error) {
	person, err := o.identify(by)
	if err != nil {
		return WatchView{}, err
	}
	err = o.do(ctx, func(ctx context.Context) error {
		found, h, err := o.find(ref)
		switch {
		case err != nil:
			return err
		case found.Outcome == "":
			return fmt.Errorf("%w: the watch of %s is still open: cancel it, or answer keep", ErrRefused, h.ID)
		case found.Wrong:
			return fmt.Errorf("%w: watch %d of %s is known to have been a false alarm", ErrRefused, found.Watch, h.ID)
		}
		if err := o.handle(ctx, h.ID, Input{Wrong: &Request{By: person, Reason: reason, Watch: found.Watch}}); err != nil {
			return err
		}
		view, _, err = o.find(ref)
		return err
	})
	return view, err
}
