package authority

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/bakewatch/bakewatch/rules"
)

// Choice is what a person answers.
type Choice string

// The answers to a question.
const (
	RollBack Choice = "roll-back"
	Keep     Choice = "keep"
)

// Vote is one person's answer to one question.
type Vote struct {
	Question uint64    `json:"question"` // the sequence of the entry that asked
	Person   string    `json:"person"`
	Choice   Choice    `json:"choice"`
	Reason   string    `json:"reason,omitempty"`
	At       time.Time `json:"at"`
	Proof    Proof     `json:"proof"` // how the person was recognized
}

// Question is a ruling that waits for people.
type Question struct {
	Seq    uint64 // of the ruled entry; votes are bound to it
	Clause rules.Authority
	Groups map[string][]string // the people of every group
	Barred []string            // the deployer and the authors of the release
	Asked  time.Time
	Heard  time.Time // first confirmed delivery; zero: nobody is known to have heard
	Votes  []Vote
}

// Why a vote does not count.
var (
	ErrOtherQuestion = errors.New("the vote is for another question")
	ErrChoice        = errors.New("an answer is roll-back or keep")
	ErrNotAsked      = errors.New("not one of the people asked")
	ErrBarred        = errors.New("whoever deployed or wrote the release does not vote on it")
	ErrVoted         = errors.New("has voted already")
)

// Admit says whether the vote counts: nil, or why not. It is the one place that
// decides this, however the vote came.
func (q Question) Admit(v Vote) error {
	switch {
	case v.Question != q.Seq:
		return fmt.Errorf("%w: this one is %d, not %d", ErrOtherQuestion, q.Seq, v.Question)
	case v.Choice != RollBack && v.Choice != Keep:
		return fmt.Errorf("%w, not %q", ErrChoice, v.Choice)
	case !q.asks(v.Person):
		return fmt.Errorf("%s is %w", v.Person, ErrNotAsked)
	case q.bars(v.Person):
		return fmt.Errorf("%s: %w", v.Person, ErrBarred)
	case slices.ContainsFunc(q.Votes, func(w Vote) bool { return w.Person == v.Person }):
		return fmt.Errorf("%s %w", v.Person, ErrVoted)
	}
	return nil
}

// Answer returns what the people have said, once enough of each group agree.
func (q Question) Answer() (Choice, bool) {
	for _, choice := range []Choice{Keep, RollBack} {
		if q.agreed(choice) {
			return choice, true
		}
	}
	return "", false
}

// Needs returns how many people of each group must agree. Where neither the
// deployer nor the authors are known, it takes one more, as far as the group has
// one: the one who voted may be the one who deployed.
func (q Question) Needs() map[string]int {
	needs := make(map[string]int, len(q.Clause.Needs))
	for group, n := range q.Clause.Needs {
		if len(q.Barred) == 0 {
			n = max(n, min(n+1, len(q.Groups[group])))
		}
		needs[group] = n
	}
	return needs
}

// Deadline returns when silence begins to count. Without a confirmed delivery it never does.
func (q Question) Deadline() (time.Time, bool) {
	if q.Heard.IsZero() {
		return time.Time{}, false
	}
	return q.Heard.Add(time.Duration(q.Clause.Within)), true
}

// Said says whether any vote makes this choice.
func (q Question) Said(choice Choice) bool {
	return slices.ContainsFunc(q.Votes, func(v Vote) bool { return v.Choice == choice })
}

// Bar returns the question after it became known who else does not vote: their votes lapse.
func (q Question) Bar(people []string) Question {
	q.Barred = people
	q.Votes = slices.DeleteFunc(slices.Clone(q.Votes), func(v Vote) bool { return q.bars(v.Person) })
	return q
}

// bars says whether the person does not vote. Tools write names as they like, so case does not tell people apart.
func (q Question) bars(person string) bool {
	return slices.ContainsFunc(q.Barred, func(barred string) bool { return strings.EqualFold(barred, person) })
}

// answerable says whether enough people of every group may vote.
func (q Question) answerable() bool {
	for group, n := range q.Needs() {
		for _, person := range q.Groups[group] {
			if !q.bars(person) {
				n--
			}
		}
		if n > 0 {
			return false
		}
	}
	return true
}

func (q Question) asks(person string) bool {
	for group := range q.Clause.Needs {
		if slices.Contains(q.Groups[group], person) {
			return true
		}
	}
	return false
}

func (q Question) agreed(choice Choice) bool {
	for group, n := range q.Needs() {
		for _, v := range q.Votes {
			if v.Choice == choice && slices.Contains(q.Groups[group], v.Person) {
				n--
			}
		}
		if n > 0 {
			return false
		}
	}
	return len(q.Clause.Needs) > 0
}
