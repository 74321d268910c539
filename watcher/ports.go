package watcher

import (
	"context"
	"errors"
	"time"

	"github.com/bakewatch/bakewatch/rules"
)

// ErrConflict says that someone else wrote to the lane: fold again, ask again.
var ErrConflict = errors.New("journal: the lane has moved on")

// Journal is the append-only record of all lanes.
type Journal interface {
	// Append writes the entry if the lane's last sequence is still e.Seq (0: the
	// lane is empty) and returns it with its own Seq and Hash, or ErrConflict. After
	// a timeout it has read back whether its own write arrived; an error means that
	// the entry is not known to be written.
	Append(ctx context.Context, e Entry) (Entry, error)
	// Read returns one lane's entries in order, from its last `opened` or `closed`,
	// whichever is later (both carry the lane's memory); if it has neither, all.
	Read(ctx context.Context, lane rules.LaneID) ([]Entry, error)
	// Load calls fold for every lane with the same entries that Read returns.
	Load(ctx context.Context, fold func(rules.LaneID, []Entry) error) error
}

// Sampler asks Prometheus. Implementations bind the queries' values in the syntax
// tree, and answer each query with a result or a *rules.SampleError of its own.
type Sampler interface {
	// Sample answers all queries for one instant, in order.
	Sample(ctx context.Context, at time.Time, queries []rules.Query) []rules.Result
	// Range answers all queries at from, from+step, … up to and including to:
	// result[i][j] is query i at the j-th instant.
	Range(ctx context.Context, from, to time.Time, step time.Duration, queries []rules.Query) [][]rules.Result
}

// Switch is where it is kept that nothing may be rolled back.
type Switch interface {
	// Disarm keeps the reason until Arm; an empty service means everywhere.
	Disarm(ctx context.Context, service, by, reason string) error
	Arm(ctx context.Context, service, by string) error
}
