package watcher_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/bakewatch/bakewatch/actions/authority"
	"github.com/bakewatch/bakewatch/rules"
	"github.com/bakewatch/bakewatch/watcher"
)

// flood gives a vote of nobody who is known many times, each a little different, and
// returns how many were written down.
func (l *lab) flood(vote func(i int) authority.Vote) (written int) {
	l.t.Helper()
	before := len(l.entries)
	for i := range 200 {
		v := vote(i)
		v.Question, v.Choice, v.At = l.Watch.Question.Seq, authority.Keep, l.now
		in := watcher.Input{Vote: &v}
		if v.Person == "" {
			in.Refuse = fmt.Errorf("forgery %d", i)
		}
		l.give(in)
	}
	return len(l.entries) - before
}

func TestWhoeverIsLessKnownLeavesRoomInTheJournalForTheOthers(t *testing.T) {
	forged := func(int) authority.Vote { return authority.Vote{} }
	keys := func(i int) authority.Vote {
		return authority.Vote{Proof: authority.Proof{Way: authority.Signature, Subject: fmt.Sprint("U", i)}}
	}
	strangers := func(i int) authority.Vote {
		return authority.Vote{Proof: authority.Proof{Way: authority.Slack, Subject: fmt.Sprint("U", i)}}
	}
	people := func(i int) authority.Vote { return authority.Vote{Person: fmt.Sprint("person", i)} }
	type wave struct {
		votes func(int) authority.Vote
		want  int
	}
	for name, waves := range map[string][]wave{
		"forged votes before all others": {{forged, 10}, {strangers, 15}, {people, 25}},
		"strangers before all others":    {{strangers, 25}, {forged, 0}, {people, 25}},
		"people before all others":       {{people, 50}, {strangers, 0}, {forged, 0}},
		"keys that anybody can make":     {{keys, 10}, {forged, 0}, {strangers, 15}},
	} {
		t.Run(name, func(t *testing.T) {
			l := newLab(t, plan(asks(rules.SilenceKeeps)))
			l.asks()
			for i, w := range waves {
				if got := l.flood(w.votes); got != w.want {
					t.Errorf("wave %d: %d of 200 were written down, want %d", i, got, w.want)
				}
			}
			if got := l.vote("ben", authority.RollBack); !strings.HasPrefix(got, "voted") {
				t.Errorf("a vote that counts: %q", got)
			}
		})
	}
}

func TestWhatIsWrittenOfARefusedVoteIsBoundedAndOneLine(t *testing.T) {
	l := newLab(t, plan(asks(rules.SilenceKeeps)))
	l.asks()
	long := strings.Repeat("x", 1<<20)
	l.give(watcher.Input{Vote: &authority.Vote{
		Question: l.Watch.Question.Seq, Person: long, Choice: authority.Choice("no\n" + long), Reason: long, At: l.now,
		Proof: authority.Proof{Way: authority.Local, Subject: long},
	}})
	e := l.entries[len(l.entries)-1]
	if e.Topic != watcher.Refused || strings.Contains(e.Text, "\n") {
		t.Errorf("%s %q", e.Topic, e.Text[:20])
	}
	if n := len(e.Text) + len(e.Vote.Person) + len(e.Vote.Choice) + len(e.Vote.Reason) + len(e.Vote.Proof.Subject); n > 2000 {
		t.Errorf("%d bytes", n)
	}
}

func TestAVoteOfNobodyIsWrittenDownWhereItsQuestionIsOpen(t *testing.T) {
	directory := authority.Directory{People: map[string]authority.Person{"ben": {Local: true}}}
	s := &scene{world: &world{bad: []string{"2.4.0"}}, plan: plan(asks(rules.SilenceKeeps)), config: func(c *watcher.Config) {
		c.Directory = func() authority.Directory { return directory }
	}}
	stageWith(t, s, func(s *scene) {
		s.passed("2.3.9")
		s.deploy("2.4.0")
		s.wait(2 * time.Minute)
		owner, ctx := s.owners[0], s.t.Context()
		question := s.journal.last().Seq
		forged := errors.New("its signature does not hold")
		unproved := func(ref string, answer watcher.Unproved) error {
			answer.Why = forged
			return owner.Unproved(ctx, watcher.Ref{Name: ref}, answer)
		}
		for _, c := range []struct {
			what   string
			answer func() error
			fails  error
			text   string // of the entry; empty: none
		}{
			{"of no watch", func() error { return unproved("nothing", watcher.Unproved{}) }, watcher.ErrNotFound, ""},
			{"of a watch that has ended", func() error { return unproved("event-2.3.9", watcher.Unproved{}) }, watcher.ErrRefused, ""},
			{"of a question of old", func() error { return unproved("checkout", watcher.Unproved{Question: question - 1}) }, watcher.ErrRefused, ""},
			{"of the open one", func() error {
				return unproved("checkout", watcher.Unproved{Question: question, Choice: "no such", Given: "the key U1"})
			}, nil, "somebody who could not show who they are, with the key U1: its signature does not hold"},
			{"of whatever is open", func() error { return unproved("checkout", watcher.Unproved{Choice: authority.Keep}) }, nil, "somebody who could not show who they are: its signature does not hold"},
			{"with a name that is not believed", func() error {
				_, err := owner.Answer(ctx, watcher.Ref{Name: "checkout"}, authority.Vote{Choice: authority.Keep, Reason: "zoe says so", Proof: authority.LocalProof("zoe")})
				return err
			}, authority.ErrUnproved, "somebody who could not show who they are: a name that is only claimed is not believed"},
		} {
			before := s.journal.length()
			if err := c.answer(); !errors.Is(err, c.fails) {
				t.Errorf("%s: %v, want %v", c.what, err, c.fails)
			}
			e := s.journal.last()
			switch written := s.journal.length() - before; {
			case c.text == "" && written == 0:
			case written != 1 || e.Topic != watcher.Refused || e.Text != c.text || e.Vote.Question != question:
				t.Errorf("%s: %d entries, %s %q", c.what, written, e.Topic, e.Text)
			case *e.Vote != authority.Vote{Question: question, Choice: e.Vote.Choice, At: e.Vote.At} || e.Vote.Choice == "no such":
				t.Errorf("%s: the vote is %+v", c.what, *e.Vote)
			}
		}
		if view, err := owner.Show(ctx, watcher.Ref{Name: "checkout"}); err != nil || view.Question == nil || len(view.Question.Votes) != 0 {
			t.Errorf("%+v, %v", view.Question, err)
		}
	})
}

func TestAVoteThatIsRefusedDoesNotCountOnceTheSameMomentLetsOthersVote(t *testing.T) {
	s := &scene{world: &world{bad: []string{"2.4.0"}}, plan: plan(asks(rules.SilenceKeeps), escalates)}
	stageWith(t, s, func(s *scene) {
		s.passed("2.3.9")
		s.deploy("2.4.0")
		s.wait(2*time.Minute + 10*time.Millisecond) // the time of those who are asked first ends between two looks at the clock
		s.heard()
		mark := s.journal.kinds()
		s.wait(10 * time.Minute)
		s.answer("zoe", authority.RollBack, watcher.ErrRefused)
		if got := s.since(mark); got != "reminded reminded refused reminded" {
			t.Errorf("journal: %s", got)
		}
		s.answer("zoe", authority.RollBack, nil)
	})
}

func TestAVoteOfNobodyIsNotWrittenDownOnceItsQuestionIsOver(t *testing.T) {
	l := newLab(t, plan(asks(rules.SilenceKeeps)))
	l.asks()
	forged := watcher.Input{Vote: &authority.Vote{Question: l.Watch.Question.Seq, Choice: authority.Keep}, Refuse: errors.New("forged")}
	other := watcher.Input{Vote: &authority.Vote{Question: 1, Choice: authority.Keep}, Refuse: errors.New("forged")}
	expect(
		t, "another question", l.give(other), "",
		"kept", l.vote("ben", authority.Keep), "voted kept",
		"too late", l.give(forged), "",
	)
}
