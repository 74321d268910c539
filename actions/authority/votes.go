package authority

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/bakewatch/bakewatch/rules"
)

// Choice is what a person answers.
type Choice string

// The answers to a question. To object to a countdown is to keep.
const (
	RollBack Choice = "roll-back"
	Keep     Choice = "keep"
	Withdraw Choice = "withdraw" // takes one's own vote back
	Looking  Choice = "looking"  // asks for more time, once a question
)

// Choices lists every answer.
func Choices() []Choice { return []Choice{RollBack, Keep, Withdraw, Looking} }

// Grace is how much longer people have once one of them said that they are looking.
const Grace = 10 * time.Minute

// Vote is one person's answer to one question.
type Vote struct {
	Question uint64    `json:"question"` // the sequence of the entry that asked
	Person   string    `json:"person"`
	Choice   Choice    `json:"choice"`
	Reason   string    `json:"reason,omitempty"`
	At       time.Time `json:"at"`
	Proof    Proof     `json:"proof"` // how the person was recognized
	// Through is the question that was answered, where one of several of a release stood for all.
	Through uint64 `json:"through,omitempty"`
}

// Question is a ruling that waits for people: for their agreement or, where it is a
// countdown, for their objection.
type Question struct {
	Seq    uint64 // of the ruled entry; votes are bound to it
	Veto   bool   // it is a countdown: silence rolls back, one objection stops it
	Clause rules.Authority
	// Required are the people whom policies want, whoever else agrees.
	Required map[string]int
	Groups   map[string][]string // the people of every group, as they were when it was asked
	Barred   []string            // the deployer and the authors of the release
	Asked    time.Time
	Votes    []Vote
	Looked   *Vote // who asked for more time; nil: nobody did

	// Level is how often it was escalated; Since is when it was, last (or Asked).
	Level int
	Since time.Time
	// Told is the sequence of the entry that tells those of the level; Heard is its
	// first confirmed delivery, zero: nobody is known to have heard.
	Told  uint64
	Heard time.Time
	// Reached says that the people of some level are known to have heard.
	Reached bool
}

// Why a vote does not count.
var (
	ErrOtherQuestion = errors.New("the vote is for another question")
	ErrChoice        = errors.New("an answer is roll-back, keep, withdraw or looking")
	ErrNotAsked      = errors.New("not one of the people asked")
	ErrBarred        = errors.New("whoever deployed or wrote the release does not vote on it")
	ErrVoted         = errors.New("has voted already; withdraw that vote first")
	ErrNotVoted      = errors.New("has no vote to withdraw")
	ErrLooked        = errors.New("more time was asked for already")
)

// Admit says whether the vote counts: nil, or why not. It is the one place that
// decides this, however the vote came.
func (q Question) Admit(v Vote) error {
	switch {
	case v.Question != q.Seq:
		return fmt.Errorf("%w: this one is %d, not %d", ErrOtherQuestion, q.Seq, v.Question)
	case !slices.Contains(Choices(), v.Choice):
		return fmt.Errorf("%w, not %q", ErrChoice, v.Choice)
	case !q.asks(v.Person):
		return fmt.Errorf("%s is %w", v.Person, ErrNotAsked)
	case q.bars(v.Person):
		return fmt.Errorf("%s: %w", v.Person, ErrBarred)
	case v.Choice == Looking && q.Looked != nil:
		return fmt.Errorf("%w, by %s", ErrLooked, q.Looked.Person)
	case v.Choice == Looking:
		return nil
	case v.Choice == Withdraw && !q.voted(v.Person):
		return fmt.Errorf("%s %w", v.Person, ErrNotVoted)
	case v.Choice != Withdraw && q.voted(v.Person):
		return fmt.Errorf("%s %w", v.Person, ErrVoted)
	}
	return nil
}

// With returns the question after a vote that was admitted.
func (q Question) With(v Vote) Question {
	switch v.Choice {
	case Looking:
		q.Looked = &v
	case Withdraw:
		q.Votes = slices.DeleteFunc(slices.Clone(q.Votes), func(w Vote) bool { return w.Person == v.Person })
	case RollBack, Keep:
		q.Votes = append(slices.Clip(q.Votes), v)
	}
	return q
}

// Answer returns what the people have said: once enough of each group agree or, in a
// countdown, once one objects. Keep comes first where both are agreed on.
func (q Question) Answer() (Choice, bool) {
	if q.Veto && q.Said(Keep) {
		return Keep, true
	}
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
func (q Question) Needs() map[string]int { return q.oneMore(q.Clause.Needs) }

func (q Question) oneMore(of map[string]int) map[string]int {
	needs := maps.Clone(of)
	if len(q.Barred) > 0 {
		return needs
	}
	for group, n := range needs {
		needs[group] = max(n, min(n+1, len(q.Groups[group])))
	}
	return needs
}

// Escalated returns what it takes of each group that was asked later: any one of
// these is enough as well.
func (q Question) Escalated() (ways []map[string]int) {
	for _, e := range q.Clause.Escalate[:min(q.Level, len(q.Clause.Escalate))] {
		ways = append(ways, q.oneMore(atLeast(map[string]int{e.To: max(1, e.Needs)}, q.Required)))
	}
	return ways
}

// Within returns how long the people of the level have.
func (q Question) Within() time.Duration {
	if q.Level > 0 && q.Level <= len(q.Clause.Escalate) {
		return time.Duration(q.Clause.Escalate[q.Level-1].Within)
	}
	return time.Duration(q.Clause.Within)
}

// Next returns who is asked next, when those of this level do not answer.
func (q Question) Next() (rules.Escalation, bool) {
	if q.Level >= len(q.Clause.Escalate) {
		return rules.Escalation{}, false
	}
	return q.Clause.Escalate[q.Level], true
}

// Began returns when the time of this level began to run: with its first confirmed
// delivery. Where nobody of a later level is known to have heard, but somebody of an
// earlier one is, with the escalation itself; where nobody at all is, it does not.
func (q Question) Began() (time.Time, bool) {
	switch {
	case !q.Heard.IsZero():
		return q.Heard, true
	case q.Reached:
		return q.Since, true
	}
	return time.Time{}, false
}

// Deadline returns when the time of this level is over. Without a confirmed delivery it never is.
func (q Question) Deadline() (time.Time, bool) {
	began, runs := q.Began()
	if !runs {
		return time.Time{}, false
	}
	deadline := began.Add(q.Within())
	if q.Looked != nil && !q.Looked.At.Before(q.Since) {
		deadline = deadline.Add(Grace)
	}
	return deadline, true
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

func (q Question) voted(person string) bool {
	return slices.ContainsFunc(q.Votes, func(v Vote) bool { return v.Person == person })
}

// groups returns every group that the question may go to, sorted.
func (q Question) groups() []string {
	names := slices.Collect(maps.Keys(q.Clause.Needs))
	for _, e := range q.Clause.Escalate {
		names = append(names, e.To)
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// answerable says whether enough people may vote, at some level.
func (q Question) answerable() bool {
	q.Level = len(q.Clause.Escalate)
	var able []string
	for _, group := range q.groups() {
		for _, person := range q.Groups[group] {
			if !q.bars(person) {
				able = append(able, person)
			}
		}
	}
	return q.enough(able)
}

// stoppable says whether somebody may object.
func (q Question) stoppable() bool {
	for group := range q.Clause.Needs {
		if slices.ContainsFunc(q.Groups[group], func(person string) bool { return !q.bars(person) }) {
			return true
		}
	}
	return false
}

func (q Question) asks(person string) bool {
	for group := range q.Clause.Needs {
		if slices.Contains(q.Groups[group], person) {
			return true
		}
	}
	for _, way := range q.Escalated() {
		for group := range way {
			if slices.Contains(q.Groups[group], person) {
				return true
			}
		}
	}
	return false
}

func (q Question) agreed(choice Choice) bool {
	var people []string
	for _, v := range q.Votes {
		if v.Choice == choice {
			people = append(people, v.Person)
		}
	}
	return q.enough(people)
}

// enough says whether these people are enough, by what the clause needs or by any
// group that it was escalated to.
func (q Question) enough(people []string) bool {
	return slices.ContainsFunc(append(q.Escalated(), q.Needs()), func(needs map[string]int) bool {
		return filled(needs, q.Groups, people)
	})
}
