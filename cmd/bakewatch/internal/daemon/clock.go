package daemon

import (
	"context"
	"fmt"
	"sync/atomic"
	"time"
)

// clock notices when the wall clock jumps away from the monotonic one.
type clock struct {
	began time.Time
	last  atomic.Pointer[reading]
	jump  atomic.Pointer[jump]
}

// reading is what both clocks show at one moment.
type reading struct {
	wall      time.Time
	monotonic time.Duration // since the clock began
}

type jump struct {
	by time.Duration
	at time.Duration // by the monotonic clock
}

// distrust is how long nothing is decided without people after a jump: as long as
// a usual sliding window holds looks from before it.
const distrust = 10 * time.Minute

func newClock() *clock { return &clock{began: time.Now()} }

// read reads both clocks.
func (c *clock) read() reading { return reading{time.Now().Round(0), time.Since(c.began)} }

func (c *clock) run(ctx context.Context) error {
	t := time.NewTicker(time.Second)
	defer t.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-t.C:
			c.look(c.read())
		}
	}
}

// look compares how far the two clocks went since the reading before.
func (c *clock) look(now reading) {
	before := c.last.Swap(&now)
	if before == nil {
		return
	}
	if by := now.wall.Sub(before.wall) - (now.monotonic - before.monotonic); by.Abs() > maxSkew {
		c.jump.Store(&jump{by, now.monotonic})
	}
}

// jumped says that the clock jumped not long ago; empty: it did not. It looks for itself:
// whoever asks may be about to find that a countdown is over.
func (c *clock) jumped(now reading) string {
	c.look(now)
	j := c.jump.Load()
	if j == nil || now.monotonic-j.at > distrust {
		return ""
	}
	return fmt.Sprintf("this machine's clock jumped by %s", j.by.Round(time.Second))
}
