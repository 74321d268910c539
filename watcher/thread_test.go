package watcher_test

import (
	"strings"
	"testing"
	"time"

	"github.com/bakewatch/bakewatch/actions"
	"github.com/bakewatch/bakewatch/actions/authority"
	"github.com/bakewatch/bakewatch/rules"
	"github.com/bakewatch/bakewatch/watcher"
)

// tell records that a channel has delivered what stands under a sequence.
func (l *lab) tell(channel string, about uint64, receipt string) {
	l.t.Helper()
	l.give(watcher.Input{Told: &watcher.Delivery{Channel: channel, Audience: actions.Chat, About: about, Receipt: receipt}})
}

// newest returns the newest entry of a kind.
func (l *lab) newest(kind watcher.Kind) (newest watcher.Entry) {
	for _, e := range l.entries {
		if e.Kind == kind {
			newest = e
		}
	}
	return newest
}

func TestAThreadIsWhatTheChannelHasToldOfTheWatch(t *testing.T) {
	l := newLab(t, plan(asks(rules.SilenceKeeps)))
	l.pass("2.3.9")
	l.tell("chat", l.newest(watcher.Opened).Seq, "of another watch")
	l.bad("2.4.0")
	watch, question := l.Watch.Seq, l.Watch.Question.Seq
	l.tell("chat", watch, "first")
	l.tell("pager", question, "of another channel")
	l.give(watcher.Input{Told: &watcher.Delivery{Channel: "chat", About: question, Failed: "gone"}})
	l.tell("chat", question, "second")

	thread := watcher.ThreadOf(watch, l.entries, "chat")
	if len(thread.Told) != 2 || thread.Told[0].Receipt != "first" || thread.Told[1].Receipt != "second" {
		t.Fatalf("told: %+v", thread.Told)
	}
	if asked := thread.Told[1].Message.Question; asked == nil || asked.Question != question {
		t.Errorf("the question is not told again as it was: %+v", thread.Told[1].Message)
	}
	if state := thread.State; state.Open != question || state.Since != question || !strings.Contains(state.Title, "2.4.0 → 2.3.9") {
		t.Errorf("while people are asked the state is %+v", state)
	}
	if !thread.Has(question) || thread.Has(question+1) {
		t.Error("a thread does not know what was told")
	}

	l.vote("ben", authority.Keep)
	state := watcher.ThreadOf(watch, l.entries, "chat").State
	if state.Open != 0 || l.entries[state.Since-1].Topic != watcher.KeptByPeople {
		t.Errorf("after people said keep the state is %+v", state)
	}
}

func TestAThreadEndsWithItsWatchAlsoWhereItsMessagesAreRecordedLater(t *testing.T) {
	l := newLab(t, plan(asks(rules.SilenceKeeps)))
	l.asks()
	watch, question := l.Watch.Seq, l.Watch.Question.Seq
	l.event("2.5.0", rules.Finished)
	opened := l.newest(watcher.Opened)
	l.tell("chat", question, "late")
	l.tell("chat", opened.Seq, "of the next")
	l.after(time.Minute).look(rules.Breached)

	thread := watcher.ThreadOf(watch, l.entries, "chat")
	if len(thread.Told) != 1 || thread.Told[0].Receipt != "late" {
		t.Errorf("told: %+v", thread.Told)
	}
	if thread.State.Open != 0 || thread.State.Since != opened.Seq {
		t.Errorf("the question has lapsed, but the state is %+v", thread.State)
	}
	if opened.Superseded() != watch || l.entries[watch-1].Superseded() != 0 {
		t.Errorf("%d has superseded %d, not %d", opened.Seq, opened.Superseded(), watch)
	}
}

func TestAWatchThatHasEndedStandsAsItEnded(t *testing.T) {
	l := newLab(t, plan())
	l.pass("2.3.9")
	closed := l.newest(watcher.Closed)
	l.tell("chat", closed.Seq, "the end")
	l.event("2.4.0", rules.Finished)
	thread := watcher.ThreadOf(1, l.entries, "chat")
	if thread.State.Since != closed.Seq || len(thread.Told) != 1 || thread.Told[0].Receipt != "the end" {
		t.Errorf("%+v", thread)
	}
}

func TestAThreadOfAWatchWhoseBeginningIsGoneIsNotMadeUp(t *testing.T) {
	l := newLab(t, plan(asks(rules.SilenceKeeps)))
	l.asks()
	watch, question := l.Watch.Seq, l.Watch.Question.Seq
	l.tell("chat", question, "c")
	thread := watcher.ThreadOf(watch, l.entries[watch:], "chat")
	if len(thread.Told) != 1 || thread.Told[0].Receipt != "c" || thread.Told[0].Message.Title != "" || thread.State.Title != "" {
		t.Errorf("%+v", thread)
	}
	if empty := watcher.ThreadOf(watch, nil, "chat"); len(empty.Told) != 0 || empty.State.Open != 0 {
		t.Errorf("of nothing: %+v", empty)
	}
}
