package demo

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"time"

	"github.com/bakewatch/bakewatch/actions"
	"github.com/bakewatch/bakewatch/actions/authority"
	"github.com/bakewatch/bakewatch/rules"
	"github.com/bakewatch/bakewatch/watcher"
)

// NoAnswer is the Answer of a demo in which everybody stays silent.
const NoAnswer authority.Choice = "none"

// Answers lists what a demo can answer by itself.
func Answers() []authority.Choice {
	return []authority.Choice{authority.RollBack, authority.Keep, NoAnswer}
}

// Ask says that a person decides about the bad deployment.
type Ask struct {
	// Answer is given by itself, one of Answers; empty: In is read.
	Answer authority.Choice
	In     io.Reader // a line an answer; its end: nobody answers any more
}

// voter is the person who is asked; who deploys is another one, as whoever deployed
// cannot vote.
const voter = "you"

// How long the question waits for an answer: long enough to read it and to type one,
// unless it is known that none will come.
const (
	toAnswer = time.Minute
	toNobody = 3 * time.Second
)

// within is how long there is to answer.
func (a *Ask) within() rules.Duration {
	if a.Answer == NoAnswer {
		return rules.Duration(toNobody)
	}
	return rules.Duration(toAnswer)
}

// patience is how much longer a watch may take because somebody is asked.
func (a *Ask) patience() time.Duration {
	if a == nil {
		return 0
	}
	return toAnswer + authority.Grace
}

// expected is how the watch must end, by what the person said; a demo that answers by
// itself knows what that must have been.
func (a *Ask) expected(said authority.Choice) watcher.Outcome {
	if a.Answer != "" {
		said = a.Answer
	}
	switch said {
	case authority.RollBack:
		return watcher.RolledBack
	case authority.Keep:
		return watcher.Kept
	default:
		return watcher.Left
	}
}

// terminal is the channel by which the person who sits before the demo is asked. What
// else there is to tell, the story tells.
type terminal struct {
	tell  *story
	asked chan actions.Asked
}

// severalAsked is how many questions may be shown before the first is looked at.
const severalAsked = 16

func newTerminal(tell *story) *terminal {
	return &terminal{tell: tell, asked: make(chan actions.Asked, severalAsked)}
}

// kind is the channel "terminal" of the demo's catalog.
func (t *terminal) kind() rules.Kind {
	return rules.Kind{Name: "terminal", New: func() rules.Options { return &options{terminal: t} }}
}

// options are those of [channel.terminal]: there are none.
type options struct{ terminal *terminal }

// Check finds nothing wrong.
func (*options) Check() error { return nil }

// Notifier makes the channel.
func (o *options) Notifier(string, *slog.Logger) (actions.Notifier, error) { return o.terminal, nil }

// Notify shows a question. The receipt says that it was shown: the time to answer runs
// from then on.
func (t *terminal) Notify(ctx context.Context, _ string, m actions.Message) (string, error) {
	if m.Question == nil {
		return "", nil
	}
	t.tell.question(m)
	select {
	case t.asked <- *m.Question:
		return "shown in the terminal", nil
	case <-ctx.Done():
		return "", actions.Retryable(fmt.Errorf("nobody looks at the terminal: %w", ctx.Err()))
	}
}
