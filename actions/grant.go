package actions

import (
	"errors"
	"time"

	"github.com/bakewatch/bakewatch/rules"
)

// Intent is what an `intended` entry says: everything that one rollback, or what is
// done instead of one, needs.
type Intent struct {
	Key      string         `json:"key"` // idempotency key: hash of lane, watch and action
	Executor string         `json:"executor"`
	With     map[string]any `json:"with,omitempty"`
	Subject  Subject        `json:"subject"`
	Timeout  rules.Duration `json:"timeout"` // longer: unknown
	// Contingency says that it is no rollback, but what is done where there is no way
	// back: it has no target, and no version shows that it was done.
	Contingency bool `json:"contingency,omitempty"`
}

// Subject is what a rollback is about. Its values come from events: an executor
// hands them on as data, never as code.
type Subject struct {
	Service     string `json:"service"`
	Environment string `json:"environment"`
	Strategy    string `json:"strategy,omitempty"`
	Flag        string `json:"flag,omitempty"`
	Slot        string `json:"slot,omitempty"`
	From        string `json:"from"` // the version that is to go
	To          string `json:"to"`   // the target
	Watch       string `json:"watch"`
	Reason      string `json:"reason"`
}

// Grant is the right to roll back once. The zero Grant permits nothing.
type Grant struct {
	intent Intent
	seq    uint64
	newer  string // the version that was deployed after the intent; empty: none
}

// ErrNoGrant is returned to whoever tries to act without an acknowledged intent.
var ErrNoGrant = errors.New("no grant: the intent is not in the journal")

// Acknowledged makes the grant for an intent that the journal has acknowledged
// under this sequence. Only the fold of a lane calls it.
func Acknowledged(intent Intent, seq uint64) (Grant, error) {
	if seq == 0 || intent.Key == "" || (intent.Subject.To == "") != intent.Contingency {
		return Grant{}, ErrNoGrant
	}
	return Grant{intent: intent, seq: seq}, nil
}

// Overtaken returns the grant after a newer version was deployed in the lane: nothing
// may be begun any more that would put an older one over it.
func (g Grant) Overtaken(newer string) Grant {
	g.newer = newer
	return g
}

// Key returns the idempotency key, the same after every restart.
func (g Grant) Key() string { return g.intent.Key }

// Subject returns what the grant is about.
func (g Grant) Subject() Subject { return g.intent.Subject }

// Longest returns how long carrying it out may take at most: after that nobody is at it any more.
func (g Grant) Longest() time.Duration {
	return g.timeout() + abandon
}

// timeout is how long the plan gives it.
func (g Grant) timeout() time.Duration {
	if g.intent.Timeout <= 0 {
		return defaultTimeout
	}
	return time.Duration(g.intent.Timeout)
}
