package demo

import (
	"fmt"
	"io"
	"strings"
	"sync"
	"time"

	"github.com/bakewatch/bakewatch/actions"
	"github.com/bakewatch/bakewatch/actions/authority"
	"github.com/bakewatch/bakewatch/rules"
	"github.com/bakewatch/bakewatch/watcher"
)

// story tells what happens, a line a thing, with the seconds since the beginning.
type story struct {
	mu    sync.Mutex // an interrupt tells, too
	out   io.Writer
	began time.Time
	asks  bool   // a question, shown with its reasons, follows on the ruling
	ruled uint64 // the last ruling
}

func newStory(cfg Config) *story {
	return &story{out: cfg.Story, began: time.Now(), asks: cfg.Ask != nil}
}

func (s *story) line(format string, args ...any) {
	s.mu.Lock()
	defer s.mu.Unlock()
	fmt.Fprintf(s.out, "%5.1fs  %s\n", time.Since(s.began).Seconds(), strings.TrimRight(fmt.Sprintf(format, args...), " "))
}

// more adds a reason below a line.
func (s *story) more(text string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	fmt.Fprintf(s.out, "        %s\n", text)
}

// entry tells of one entry of the journal.
func (s *story) entry(e watcher.Entry) {
	switch e.Kind {
	case watcher.Opened:
		s.line("Bakewatch watches %s %s: %d rules, for %s.", e.Deployment.Service, e.Deployment.Version, len(e.Plan.Rules), e.Plan.Bake)
	case watcher.Ruled:
		s.ruling(e)
	case watcher.Decided:
		s.line("DECIDED by %s: roll back to %s.", e.Decision.By, e.Ruling.Target.Version)
		s.reasons(e.Ruling.Why)
		s.blame(e.Ruling)
	case watcher.Intended:
		s.line("Written down before it is done: %s → %s by executor %q.", e.Intent.Subject.From, e.Intent.Subject.To, e.Intent.Executor)
	case watcher.Done:
		s.line("Rollback %s; live now: %s. %s", e.Done.Result, e.Done.Live, e.Done.Reason)
	case watcher.Verified:
		s.line("Verified: %s.", e.Text)
		s.answers(e.Answers)
	case watcher.Noted:
		s.line("Noted: %s.", e.Text)
	case watcher.Closed:
		s.line("The watch ends: %s.", strings.ToUpper(string(e.Outcome)))
		if e.Text != "" {
			s.more(e.Text)
		}
	case watcher.Voted:
		s.line("You answer: %s.", e.Vote.Choice)
	case watcher.Told:
		if e.Told.Receipt != "" && e.Told.About == s.ruled { // not: a reminder
			s.line("The channel %q confirms that you were reached: only now your time runs.", e.Told.Channel)
		}
	case watcher.Verdicts, watcher.Step, watcher.Reminded, watcher.Spent:
	}
}

// ruling tells of a ruling, with the reasons unless they come with a question.
func (s *story) ruling(e watcher.Entry) {
	s.ruled = e.Seq
	s.line("The ruling is now: %s.", e.Ruling.Power)
	if s.asks && e.Ruling.Power == rules.Ask {
		return
	}
	s.reasons(e.Ruling.Why)
	s.blame(e.Ruling)
}

// question shows a question as people get it by any channel.
func (s *story) question(m actions.Message) {
	s.line("ASKED: %s", actions.OneLine(m.Title))
	for _, line := range m.Lines {
		s.more(actions.OneLine(line))
	}
}

func (s *story) reasons(why []string) {
	for _, w := range why {
		s.more("because " + w)
	}
}

// blame tells who is to blame, by the rule that speaks.
func (s *story) blame(r *authority.Ruling) {
	if who := r.Attribution(); who.Blame != "" {
		s.more("to blame: " + who.String())
	}
}

func (s *story) answers(answers []rules.Answer) {
	for _, a := range answers {
		s.more(fmt.Sprintf("%s: %s: %s", a.Rule, a.Verdict, a.Why))
	}
}

// goesOn says what can be looked at while the demo keeps running.
func (s *story) goesOn(address, store string) {
	s.line("The shop and Bakewatch keep running; Ctrl-C stops them. Meanwhile, in another terminal:")
	s.more("bakewatch list --store " + store)
	s.more("bakewatch show shop --store " + store)
	s.more("curl http://" + address + "/metrics")
	s.more("curl 'http://" + address + "/prometheus/api/v1/query?query=http_requests_total'")
}
