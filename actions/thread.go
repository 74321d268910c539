package actions

import (
	"context"
	"slices"
)

// Threader is a Notifier whose messages about one watch hang together on the other
// side and can be amended there. It keeps no state: what it has told stands in the
// journal, by its receipts.
type Threader interface {
	Notifier
	// Reply is Notify for a message about a watch: it goes where the thread's earlier
	// messages are, or begins the thread.
	Reply(ctx context.Context, key string, m Message, thread Thread) (receipt string, err error)
	// Amend brings what was told before up to date with how the watch stands now.
	// Doing it again is harmless. What can never be amended is no error.
	Amend(ctx context.Context, thread Thread) error
}

// Thread is what one channel has told about a watch, and how the watch stands now.
type Thread struct {
	Told  []Told // oldest first
	State State
}

// Told is a message that was delivered.
type Told struct {
	About   uint64 // the sequence of the entry that was told
	Receipt string // that the channel gave
	Message Message
}

// State is how a watch stands.
type State struct {
	Since uint64 // the sequence of the entry that brought it about
	Title string // the first line of the message about that entry
	Level Level
	Open  uint64 // the question that is open; 0: none
}

// Has says whether the entry was told already.
func (t Thread) Has(about uint64) bool {
	return slices.ContainsFunc(t.Told, func(told Told) bool { return told.About == about })
}
