package demo

import (
	"context"
	"os"
	"os/signal"
	"syscall"
)

// interrupted is the exit code of a program that a signal has ended.
const interrupted = 130

// leaves tells that the demo is being stopped, which takes a moment, and makes a
// second signal end it at once, also without leaving its folder behind.
func leaves(ctx context.Context, folder string, tell *story) (done func()) {
	over := make(chan struct{})
	signals := make(chan os.Signal, 2)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM)
	go func() {
		select {
		case <-ctx.Done():
			tell.line("Stopping …")
		case <-over:
			return
		}
		for range 2 { // the first of them is the one that ended the context
			select {
			case <-signals:
			case <-over:
				return
			}
		}
		_ = os.RemoveAll(folder)
		_ = os.RemoveAll(folder) // what was written meanwhile
		os.Exit(interrupted)
	}()
	return func() {
		close(over)
		signal.Stop(signals)
	}
}
