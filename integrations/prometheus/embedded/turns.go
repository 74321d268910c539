package embedded

import "context"

// turns lets so many queries run at a time; it is the engine's query tracker.
type turns chan struct{}

func newTurns(n int) turns { return make(turns, n) }

// GetMaxConcurrent says how many queries may run at a time.
func (t turns) GetMaxConcurrent() int { return cap(t) }

// Insert waits for a turn.
func (t turns) Insert(ctx context.Context, _ string) (int, error) {
	select {
	case t <- struct{}{}:
		return 0, nil
	case <-ctx.Done():
		return 0, context.Cause(ctx)
	}
}

// Delete gives the turn back.
func (t turns) Delete(int) { <-t }

// Close has nothing to do.
func (t turns) Close() error { return nil }
