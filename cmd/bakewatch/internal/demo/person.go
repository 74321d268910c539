package demo

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/bakewatch/bakewatch/actions"
	"github.com/bakewatch/bakewatch/actions/authority"
	"github.com/bakewatch/bakewatch/rules"
	"github.com/bakewatch/bakewatch/watcher"
)

// person answers what the terminal asks, at the desk that every person's answer goes to.
type person struct {
	ask   Ask
	desk  watcher.Desk
	tell  *story
	lines <-chan string  // what is typed, from the first question on; nil: nothing is read
	read  bool           // the reader was started
	asked *actions.Asked // nil: nothing is open that could be answered
}

// sits answers until ctx ends.
func (p *person) sits(ctx context.Context, asked <-chan actions.Asked) {
	for {
		var typed <-chan string
		if p.asked != nil {
			typed = p.lines // what is typed before is kept for the next question
		}
		select {
		case q := <-asked:
			p.hears(ctx, q)
		case line, more := <-typed:
			p.types(ctx, line, more)
		case <-ctx.Done():
			return
		}
	}
}

// hears is asked, for the first time or again.
func (p *person) hears(ctx context.Context, q actions.Asked) {
	switch {
	case p.ask.Answer == NoAnswer:
		p.tell.more("(nobody answers)")
		return
	case p.ask.Answer != "":
		p.votes(ctx, q, p.ask.Answer)
		return
	case !p.read:
		p.lines, p.read = lines(ctx, p.ask.In), true
	}
	p.asked = &q
	if p.lines != nil {
		p.tell.more(offer(q.Answers))
	}
}

// types answers as a line says; without more lines nobody answers any more.
func (p *person) types(ctx context.Context, line string, more bool) {
	choice, understood := understand(line, p.asked.Answers)
	switch {
	case !more:
		p.lines = nil
		p.tell.line("The input has ended: nobody answers any more.")
	case understood:
		p.votes(ctx, *p.asked, choice)
	case strings.TrimSpace(line) != "":
		p.tell.more("Not understood. " + offer(p.asked.Answers))
	}
}

// offer says what may be typed: a word, or its first letter.
func offer(answers []actions.Reply) string {
	var words []string
	for _, a := range answers {
		words = append(words, fmt.Sprintf("%s (%s)", a.Choice[:1], a.Choice))
	}
	return fmt.Sprintf("Type one of %s, and Enter.", strings.Join(words, ", "))
}

// understand finds the answer that was typed.
func understand(line string, answers []actions.Reply) (authority.Choice, bool) {
	typed := strings.ToLower(strings.TrimSpace(line))
	for _, a := range answers {
		if typed == a.Choice || typed == a.Choice[:1] {
			return authority.Choice(a.Choice), true
		}
	}
	return "", false
}

// votes answers a question; once it is over, there is nothing left to answer.
func (p *person) votes(ctx context.Context, q actions.Asked, choice authority.Choice) {
	w, err := p.desk.Answer(ctx, watcher.Ref{Name: q.Watch}, authority.Vote{
		Question: q.Question, Choice: choice, At: time.Now().UTC(), Proof: authority.LocalProof(voter),
	})
	if ctx.Err() != nil {
		return
	}
	if err != nil {
		p.tell.line("Not counted: %s", actions.OneLine(err.Error()))
		w, err = p.desk.Show(ctx, watcher.Ref{Name: q.Watch})
	}
	switch {
	case err != nil:
	case w.Question == nil:
		p.asked = nil
	case !w.Question.Deadline.IsZero():
		p.tell.more(fmt.Sprintf("There are %s left to answer.", rules.Duration(time.Until(w.Question.Deadline).Round(time.Second))))
	}
}

// lines reads lines for as long as somebody wants them. A terminal cannot be told to
// stop waiting for a key: then the reader stays until the process ends.
func lines(ctx context.Context, in io.Reader) <-chan string {
	typed := make(chan string)
	go func() {
		defer close(typed)
		for scanner := bufio.NewScanner(in); scanner.Scan(); {
			select {
			case typed <- scanner.Text():
			case <-ctx.Done():
				return
			}
		}
	}()
	return typed
}
