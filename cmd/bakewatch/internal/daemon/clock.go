package daemon

import (
	"context"
	"fmt"
	"sync/atomic"
	"time"
)

// clock notices when the wall clock jumps away from the monotonic one.
type clock struct {
	jump atomic.Pointer[jump]
}

type jump struct {
	by time.Duration
	at time.Time
}

// distrust is how long nothing is decided without people after a jump: as long as
// a usual sliding window holds looks from before it.
const distrust = 10 * time.Minute

func newClock() *clock { return &clock{} }

func (c *clock) run(ctx context.Context) error {
	t := time.NewTicker(time.Second)
	defer t.Stop()
	before := time.Now()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-t.C:
			now := time.Now()
			c.look(before, now)
			before = now
		}
	}
}

// look compares how far the two clocks went between two readings.
func (c *clock) look(before, now time.Time) {
	by := now.Round(0).Sub(before.Round(0)) - now.Sub(before)
	if by.Abs() > maxSkew {
		c.jump.Store(&jump{by, now})
	}
}

// jumped says that the clock jumped not long ago; empty: it did not.
func (c *clock) jumped(now time.Time) string {
	j := c.jump.Load()
	if j == nil || now.Sub(j.at) > distrust {
		return ""
	}
	return fmt.Sprintf("this machine's clock jumped by %s", j.by.Round(time.Second))
}
