package watcher

import (
	"cmp"
	"context"
	"errors"
	"maps"
	"slices"

	"github.com/bakewatch/bakewatch/actions/authority"
	"github.com/bakewatch/bakewatch/rules"
)

// peer returns the oldest open question about another deployment of the same release,
// to which nobody has answered yet; nil: there is none. It is looked for only where the
// look may lead to a question: there may be thousands of lanes.
func (o *Owner) peer(h *held, look *Look) *Peer {
	accuses := func(a rules.Answer) bool { return a.Verdict == rules.Breached || a.Verdict == rules.NoData }
	if h.Watch == nil || h.Watch.Deployment.Release == "" || h.Watch.Question != nil || !slices.ContainsFunc(look.Answers, accuses) {
		return nil
	}
	var oldest *Peer
	for id, other := range o.lanes {
		w := other.Watch
		if id == h.ID || id.Environment != h.ID.Environment || w == nil || w.Question == nil || w.Joins != nil {
			continue
		}
		fresh := len(w.Question.Votes) == 0 && w.Question.Level == 0
		if w.Deployment.Release == h.Watch.Deployment.Release && fresh && (oldest == nil || w.Question.Seq < oldest.Question.Seq) {
			oldest = &Peer{Watch: w.Seq, Question: *w.Question}
		}
	}
	return oldest
}

// joins names the peer where the ruling asks the same of the same people as it does:
// then one question stands for both.
func (p *Peer) joins(ruling authority.Ruling) *Joined {
	if p == nil || ruling.Power != rules.Ask && ruling.Power != rules.Veto || (ruling.Power == rules.Veto) != p.Question.Veto {
		return nil
	}
	a, b := ruling.Clause, p.Question.Clause
	same := maps.Equal(a.Needs, b.Needs) && slices.Equal(a.Escalate, b.Escalate) && a.Within == b.Within && a.Silence == b.Silence &&
		maps.EqualFunc(ruling.Groups, p.Question.Groups, slices.Equal)
	if !same {
		return nil
	}
	return &Joined{Watch: p.Watch, Question: p.Question.Seq}
}

// passOn gives a vote on a question to those for which it stands. Each lane counts it
// for itself: whoever deployed there has no vote there.
func (o *Owner) passOn(ctx context.Context, vote authority.Vote) error {
	var joined []*held
	for _, h := range o.lanes {
		if w := h.Watch; w != nil && w.Question != nil && w.Joins != nil && w.Joins.Question == vote.Question {
			joined = append(joined, h)
		}
	}
	slices.SortFunc(joined, func(a, b *held) int { return cmp.Compare(a.Watch.Seq, b.Watch.Seq) })
	var errs []error
	for _, h := range joined {
		passed := vote
		passed.Through, passed.Question = vote.Question, h.Watch.Question.Seq
		errs = append(errs, o.handle(ctx, h.ID, Input{Vote: &passed}))
	}
	return errors.Join(errs...)
}
