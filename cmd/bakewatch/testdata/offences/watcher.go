// Read by a test as if it stood in watcher/: all that nobody there may do.
package watcher

import (
	"context"

	"github.com/bakewatch/bakewatch/actions"
)

func calling(ctx context.Context, x actions.Executor) error { return x.Rollback(ctx, "k") }

type wrapped struct{ actions.Executor }

func handingOn(x wrapped) func(context.Context, string) error { return x.Rollback }

type back interface {
	Rollback(ctx context.Context, key string) error
}

func disguised(ctx context.Context, x actions.Executor) error { return back(x).Rollback(ctx, "k") }

func binding(b actions.Binder) (actions.Executor, error) { return b.Bind(nil, actions.Subject{}) }

func asking() (actions.Grant, error) { return actions.Acknowledged(actions.Intent{Key: "k"}, 1) }

func intending() *Watch { return &Watch{Intent: new(actions.Intent), Intended: 1} }

func overwriting(w *Watch) { w.Intent, w.Intended = new(actions.Intent), 1 }

func folding(w *Watch) { foldIntended(w, Entry{Intent: new(actions.Intent)}) }

func unfolding(l *Lane) { folds[Intended](l, Entry{Intent: new(actions.Intent)}) }
