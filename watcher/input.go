package watcher

import (
	"time"

	"github.com/bakewatch/bakewatch/actions"
	"github.com/bakewatch/bakewatch/actions/authority"
	"github.com/bakewatch/bakewatch/rules"
)

// Input is what has arrived for one lane: at most one of its pointers is set, or
// none, when only time has passed.
type Input struct {
	Now    time.Time
	Event  *Announced
	Look   *Look
	Vote   *authority.Vote
	Refuse error // why the vote does not count, whatever it says and whatever follows
	Cancel *Request
	Begin  *Request // a person's wish to roll back
	Wrong  *Request // a person's word that a breach was a false alarm
	Told   *Delivery
	Done   *actions.Outcome
	Guards Guards
	Rota   Rota
	// Said is what the rules of the open watch said at the last look; nil: there was none.
	Said []rules.Answer
	// Peer is an open question about another deployment of the same release, which may
	// stand for this lane's own.
	Peer *Peer
}

// asks says whether somebody waits to hear what came of it.
func (in Input) asks() bool {
	return in.Event != nil || in.Vote != nil || in.Cancel != nil || in.Begin != nil || in.Wrong != nil || in.Done != nil
}

// Announced is a deployment event with the plan it falls under; Plan is nil if there is none.
type Announced struct {
	Deployment rules.Deployment
	Plan       *rules.Plan
}

// Look is what the evidence of the open watch says now.
type Look struct {
	Watch   uint64 // the watch that was looked at
	Verify  bool   // the target was looked at, to verify a rollback
	Answers []rules.Answer
	// Partly says that some rule is being asked right now, so its answer is of the look before.
	Partly bool
	// Behind says that some rule that counts has not caught up: with what it missed, or with the past.
	Behind bool
	// Calm is how many looks in a row found every limit kept.
	Calm int
	// BlindSince is when answers stopped coming; zero: they come.
	BlindSince time.Time
}

// Peer is an open question of the same release.
type Peer struct {
	Watch    uint64 // whose question it is
	Question authority.Question
}

// Request is what a person asks for.
type Request struct {
	By     string
	Reason string
	Watch  uint64 // of Wrong: which watch was wrong
}

// Guards are the checks outside the lane that can only lower power. Empty: none does.
type Guards struct {
	Disarmed string // why nothing may be rolled back
	Skewed   string // why the clocks cannot be trusted
	Budget   string // why no more is rolled back without people
}
