package daemon

import (
	"context"
	"errors"
	"fmt"

	"golang.org/x/sync/errgroup"
)

// group runs parts side by side; the first that fails ends the others.
type group struct {
	*errgroup.Group
	ctx context.Context
}

func newGroup(ctx context.Context) *group {
	g, ctx := errgroup.WithContext(ctx)
	return &group{g, ctx}
}

// run starts a part. An ended context is success.
func (g *group) run(name string, part func(context.Context) error) {
	g.Go(func() error {
		if err := part(g.ctx); err != nil && !errors.Is(err, context.Canceled) {
			return fmt.Errorf("%s: %w", name, err)
		}
		return nil
	})
}

func (g *group) wait() error { return g.Wait() }
