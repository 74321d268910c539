package watcher

import (
	"context"
	"strings"
	"time"

	"github.com/bakewatch/bakewatch/rules"
)

// Historian is what a Journal may offer as well: with one, a watch that ended is
// shown as whole as an open one.
type Historian interface {
	// History returns the entries of one watch, from its opened up to one of the
	// lane's sequences.
	History(ctx context.Context, lane rules.LaneID, watch, upTo uint64) ([]Entry, error)
}

func (o *Owner) watchView(h *held) WatchView {
	view := h.Watch.view(h.ID)
	view.Disarmed, view.Aside = o.Guards(h.ID.Service).Disarmed, h.Aside
	if view.Aside != "" && view.Stage != nil {
		view.Stage.Passed = time.Time{}
	}
	switch {
	case h.sight.fits(h.Watch) && h.sight.said != nil:
		view.Answers = h.sight.said
	case view.Answers == nil: // the first look is not due
		for _, spec := range h.Watch.Plan.Rules {
			view.Answers = append(view.Answers, unseen(spec.Name))
		}
	}
	return view
}

func (w *Watch) view(lane rules.LaneID) WatchView {
	view := WatchView{
		ID: w.Deployment.ID, Watch: w.Seq, Lane: lane, Version: w.Deployment.Version, Target: w.Target.Version,
		Phase: w.Phase(), Opened: w.Opened, BakeEnds: w.BakeEnds(), VerifyEnds: w.verifyEnds(), Rule: w.Ruling.Rule,
		Reason: strings.Join(w.Ruling.Why, "; "), Answers: w.Answers, Ruling: &w.Ruling, Decision: w.Decision, Done: w.Done, KeptBy: w.KeptBy,
		Deployment: &w.Deployment, Plan: &w.Plan,
	}
	if w.staged() {
		ends := w.stageEnds()
		if rests := w.Stage.restsUntil(); rests.After(ends) {
			ends = rests
		}
		view.Stage = &StageView{Name: w.Stage.Name, Since: w.Stage.Since, Ends: ends, Passed: w.maySince()}
	}
	if w.Verified != nil {
		view.Verified = w.Verified.Text
	}
	if q := w.Question; q != nil {
		deadline, _ := q.Deadline()
		view.Question = &QuestionView{
			Question: q.Seq, Veto: q.Veto, Level: q.Level, Asked: q.Asked, Heard: q.Heard, Deadline: deadline,
			Needs: q.Needs(), Else: q.Escalated(), Votes: q.Votes, Silence: w.Ruling.Silence(),
		}
		if q.Veto {
			view.Question.Silence = rules.SilenceRollsBack
		}
	}
	return view
}

// verifyEnds returns by when the rollback must have helped; zero: none has ended.
func (w *Watch) verifyEnds() time.Time {
	if w.Done == nil {
		return time.Time{}
	}
	rollback, _ := w.Plan.RollbackFor(w.Deployment.Strategy)
	return w.DoneAt.Add(time.Duration(rollback.Verify))
}

func (p PastWatch) view(lane rules.LaneID) WatchView {
	return WatchView{
		ID: p.ID, Watch: p.Watch, Lane: lane, Version: p.Version, Target: p.Target, Phase: Ended,
		Outcome: p.Outcome, Opened: p.Opened, Closed: p.Closed, Rule: p.Rule, Reason: p.Reason, Wrong: p.Wrong,
	}
}

// after returns a sequence of the lane by which the watch had ended.
func (h *held) after(watch uint64) uint64 {
	for _, past := range h.Ledger.Past {
		if past.Watch > watch {
			return past.Watch
		}
	}
	if h.Watch != nil {
		return h.Watch.Seq
	}
	return h.Last
}

// recalled adds to a watch that ended what the journal still has of it: the rules, the
// ruling, who decided, and what was done. It runs outside the loop, which waits for nothing.
func (o *Owner) recalled(ctx context.Context, past WatchView, last uint64) WatchView {
	journal, ok := o.Journal.(Historian)
	if !ok {
		return past
	}
	entries, err := journal.History(ctx, past.Lane, past.Watch, last)
	if err != nil {
		o.Log.Warn("the journal does not give a watch that ended", "lane", past.Lane.String(), "watch", past.Watch, "err", err)
	}
	w := foldWatch(past, entries)
	if w == nil {
		return past // its beginning was cut off by age
	}
	view := w.view(past.Lane)
	view.Phase, view.Outcome, view.Closed, view.Question = Ended, past.Outcome, past.Closed, nil
	view.Target, view.Rule, view.Reason, view.Wrong = past.Target, past.Rule, past.Reason, past.Wrong
	// Entries of older versions do not say what the rules said last: then what was ruled on
	// is known, and of any other watch their last journaled words may be of its beginning.
	if view.Answers = saidLast(past.Watch, entries); view.Answers == nil {
		view.Answers = w.Ruling.Answers
	}
	if w.Ruling.Rule == "" {
		view.Ruling = nil
	}
	return view
}

// foldWatch folds the entries of a watch but its end, which would forget it.
func foldWatch(past WatchView, entries []Entry) *Watch {
	lane := Lane{ID: past.Lane}
	for _, e := range entries {
		if (e.Seq == past.Watch || e.Watch == past.Watch) && e.Kind != Closed {
			lane = lane.Apply(e)
		}
	}
	return lane.Watch
}
