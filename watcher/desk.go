package watcher

import (
	"context"
	"errors"
	"time"

	"github.com/bakewatch/bakewatch/actions"
	"github.com/bakewatch/bakewatch/actions/authority"
	"github.com/bakewatch/bakewatch/rules"
)

// The errors of a Desk that its callers tell apart. They are wrapped with what to do.
var (
	ErrNotFound = errors.New("not found")
	ErrRefused  = errors.New("refused") // understood, and not allowed or not possible now
)

// Desk is what people and tools may ask of a running Bakewatch: the one interface
// behind the HTTP API, the NATS request API and the command line.
type Desk interface {
	// List returns all lanes, sorted by environment, service and flag; first come the
	// services, without an environment, that are disarmed and have no lane.
	List(ctx context.Context) ([]LaneView, error)
	// Show finds one watch, open or remembered.
	Show(ctx context.Context, ref Ref) (WatchView, error)
	// Answer records a person's vote on the open question. Who it is follows from the vote's
	// proof alone: Person is filled in.
	Answer(ctx context.Context, ref Ref, vote authority.Vote) (WatchView, error)
	// Cancel ends an open watch.
	Cancel(ctx context.Context, ref Ref, by authority.Proof, reason string) (WatchView, error)
	// Rollback asks, at a person's wish, whether to roll an open watch's version back: the
	// same people decide as over a breach. The wish of one of them is the first vote.
	Rollback(ctx context.Context, ref Ref, by authority.Proof, reason string) (WatchView, error)
	// Wrong marks a watch that ended as a false alarm, and lifts its version's quarantine.
	Wrong(ctx context.Context, ref Ref, by authority.Proof, reason string) (WatchView, error)
	// Disarm forbids rollbacks, everywhere or in one service; Arm allows them again.
	// Both refuse a service that nobody knows, unless they are forced.
	Disarm(ctx context.Context, order Order) error
	Arm(ctx context.Context, order Order) error
}

// LongestReason is how many characters a person's reason has at most. Whatever serves a
// Desk refuses longer ones: a decision repeats those of all its votes, and must fit into
// the journal.
const LongestReason = 1000

// Order is a person's word about whether rollbacks are allowed.
type Order struct {
	Service string          `json:"service,omitempty"` // empty: everywhere
	By      authority.Proof `json:"by"`
	Reason  string          `json:"reason,omitempty"` // of Disarm
	Force   bool            `json:"force,omitempty"`  // also in a service that is not known
}

// Everywhere stands for every service where one could be named; none has this name.
const Everywhere = "*"

// Census is what a Switch may know as well. With one, a misspelt service is refused
// and what is disarmed is listed though nothing was ever deployed there.
type Census interface {
	// Disarmed returns why nothing may be rolled back, by service or Everywhere.
	Disarmed() map[string]string
	// Planned returns the services that have a plan.
	Planned() []string
}

// Ref names a watch as people do: its number, the id of its event, or a service
// (the open watch, or else the last).
type Ref struct {
	Name        string `json:"name"`
	Environment string `json:"environment,omitempty"` // needed only where the name is not enough
	Unflagged   bool   `json:"unflagged,omitempty"`   // of the service's deployments, not of its flags
}

// LaneView is one lane as people see it.
type LaneView struct {
	Lane rules.LaneID `json:"lane"`
	Live string       `json:"live,omitempty"`
	// Unwatched says that it went live without a plan, or that it is unclear what is
	// live: the next event about it opens a watch, if there is a plan.
	Unwatched bool        `json:"unwatched,omitempty"`
	Bad       []string    `json:"quarantined,omitempty"`
	Watch     *WatchView  `json:"watch,omitempty"` // the open one
	Past      []PastWatch `json:"past,omitempty"`
	Disarmed  string      `json:"disarmed,omitempty"`
	Aside     string      `json:"set_aside,omitempty"`
}

// WatchView is one watch as people see it. A list, and a journal that has let go of
// the watch's entries, know no more of one that ended than the ledger keeps.
type WatchView struct {
	ID         string            `json:"id"` // of the event
	Watch      uint64            `json:"watch"`
	Lane       rules.LaneID      `json:"lane"`
	Version    string            `json:"version"`
	Target     string            `json:"target,omitempty"`
	Phase      Phase             `json:"phase"`
	Disarmed   string            `json:"disarmed,omitempty"`  // why nothing may be rolled back now
	Aside      string            `json:"set_aside,omitempty"` // why nobody watches it now
	Outcome    Outcome           `json:"outcome,omitempty"`
	Opened     time.Time         `json:"opened"`
	Stage      *StageView        `json:"stage,omitempty"` // while it is rolled out in stages
	BakeEnds   time.Time         `json:"bake_ends,omitzero"`
	VerifyEnds time.Time         `json:"verify_ends,omitzero"` // by when the rollback must have helped
	Closed     time.Time         `json:"closed,omitzero"`
	Rule       string            `json:"rule,omitempty"`
	Reason     string            `json:"reason,omitempty"`
	Wrong      bool              `json:"wrong,omitempty"` // a person says that it was a false alarm
	Answers    []rules.Answer    `json:"answers,omitempty"`
	Ruling     *authority.Ruling `json:"ruling,omitempty"`
	Decision   *Decision         `json:"decision,omitempty"`
	Done       *actions.Outcome  `json:"done,omitempty"`     // of the rollback
	Verified   string            `json:"verified,omitempty"` // whether it helped, in words
	Question   *QuestionView     `json:"question,omitempty"`
	KeptBy     []authority.Vote  `json:"kept_by,omitempty"` // the votes on the last question that people answered with keep
	Deployment *rules.Deployment `json:"deployment,omitempty"`
	Plan       *rules.Plan       `json:"plan,omitempty"`
}

// StageView is the stage of a roll-out that is watched now.
type StageView struct {
	Name   string    `json:"name"`
	Since  time.Time `json:"since"`
	Ends   time.Time `json:"ends"`            // when it is left if all is well then
	Passed time.Time `json:"passed,omitzero"` // since when its tool may go on
}

// QuestionView is the open question of a watch.
type QuestionView struct {
	Question uint64           `json:"question"`
	Asked    time.Time        `json:"asked"`
	Heard    time.Time        `json:"heard,omitzero"` // first confirmed delivery: the countdown begins
	Deadline time.Time        `json:"deadline,omitzero"`
	Veto     bool             `json:"veto,omitempty"`  // a countdown: one objection stops it
	Level    int              `json:"level,omitempty"` // how often it was escalated
	Needs    map[string]int   `json:"needs"`
	Else     []map[string]int `json:"else,omitempty"` // what would be enough as well, since it was escalated
	Votes    []authority.Vote `json:"votes,omitempty"`
	Silence  rules.Silence    `json:"silence"`
}
