package watcher

import (
	"fmt"
	"slices"

	"github.com/bakewatch/bakewatch/actions"
	"github.com/bakewatch/bakewatch/actions/authority"
)

// Refusal is a vote that did not count, and why.
type Refusal struct {
	Vote authority.Vote
	Why  string
}

// How many refused votes on one question are written down: whoever forges them must not
// fill the journal. Each bound holds for what is as little known as it says, and for all
// that is less: forged votes leave room for strangers, and strangers for people.
const (
	maxNobodys   = 10 // of which nobody knows whose they are
	maxStrangers = 25 // of somebody whom a service knows, and we do not
	maxRefused   = 50
)

// Bounds of what is written down of a refused vote, in characters.
const (
	maxWhy  = 500
	maxName = 128
)

// refuse writes down that the vote does not count and why: once, and not without end.
func (w *Watch) refuse(v authority.Vote, err error) (Entry, bool) {
	r := Refusal{Vote: bounded(v), Why: actions.Shorten(actions.OneLine(err.Error()), maxWhy)}
	if w.refused(r) || !w.hasRoom(r) {
		return Entry{}, false
	}
	return Entry{Kind: Noted, Topic: Refused, Vote: &r.Vote, Text: r.Why}, true
}

// bounded returns the vote as it is written down although it does not count.
func bounded(v authority.Vote) authority.Vote {
	v.Reason = actions.Shorten(v.Reason, LongestReason)
	v.Choice = authority.Choice(actions.Shorten(string(v.Choice), maxName))
	v.Proof.Subject = actions.Shorten(v.Proof.Subject, maxName)
	v.Person = actions.Shorten(v.Person, maxName)
	return v
}

// refused says whether the same was refused for the same reason before.
func (w *Watch) refused(now Refusal) bool {
	return slices.ContainsFunc(w.Refused, func(r Refusal) bool {
		return r.Vote.Person == now.Vote.Person && r.Vote.Proof == now.Vote.Proof && r.Vote.Choice == now.Vote.Choice && r.Why == now.Why
	})
}

// hasRoom says whether one more refusal like this is written down.
func (w *Watch) hasRoom(now Refusal) bool {
	for _, most := range []int{maxNobodys, maxStrangers, maxRefused} {
		if most < now.most() {
			continue
		}
		taken := 0
		for _, r := range w.Refused {
			if r.most() <= most {
				taken++
			}
		}
		if taken >= most {
			return false
		}
	}
	return true
}

// most is how many refusals of votes that are as little known as this one are written down.
func (r Refusal) most() int {
	switch {
	case r.Vote.Person != "":
		return maxRefused
	case r.Vote.Proof.Vouched():
		return maxStrangers
	}
	return maxNobodys
}

// Unproved is an answer of somebody who could not show who they are. All of it is what
// somebody has written into a message, and none of it says who that was.
type Unproved struct {
	Question uint64 // 0: the one that is open
	Choice   authority.Choice
	// Given is what was given in place of a proof, such as "the key U…"; empty: nothing. Who
	// takes the answer in checks that it looks as it should.
	Given string
	Why   error // why it is no proof, in words that are none of the sender's
}

// why says that nobody is known to have answered, and why not.
func (u Unproved) why() error {
	given := ""
	if u.Given != "" {
		given = ", with " + u.Given
	}
	return fmt.Errorf("somebody who could not show who they are%s: %w", given, u.Why)
}

// vote is as much of the answer as is written down: no name, no proof and no reason.
func (u Unproved) vote() authority.Vote {
	v := authority.Vote{Question: u.Question}
	if slices.Contains(authority.Choices(), u.Choice) {
		v.Choice = u.Choice
	}
	return v
}
