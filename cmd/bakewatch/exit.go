package main

import (
	"fmt"

	"github.com/bakewatch/bakewatch/watcher"
)

// The exit codes of every command but wait.
const (
	exitFailed = 1 // it did not work; the message says what to do next
	exitUsage  = 2 // the command line is wrong
)

// exitAsking is wait's answer when a person is being waited for.
const exitAsking = 4

// exitUnwatched is wait's answer when there is no watch and will be none.
const exitUnwatched = 11

// exit is an error with an exit code. Without err nothing is printed: the code
// is the answer.
type exit struct {
	code int
	err  error
	hint string // what to do next, on a line of its own
}

func (e *exit) Error() string {
	if e.err == nil {
		return fmt.Sprintf("exit %d", e.code)
	}
	return e.err.Error()
}

func (e *exit) Unwrap() error { return e.err }

// usage blames the command line.
func usage(format string, args ...any) error {
	return &exit{code: exitUsage, err: fmt.Errorf(format, args...)}
}

// hinted adds what to do next to an error.
func hinted(err error, format string, args ...any) error {
	return &exit{code: exitFailed, err: err, hint: fmt.Sprintf(format, args...)}
}

// exitOf says how wait ends for each outcome. These are promised to pipelines.
func exitOf(outcome watcher.Outcome) int {
	switch outcome {
	case watcher.Passed:
		return 0
	case watcher.RolledBack:
		return 1
	case watcher.Undecided:
		return 3
	case watcher.RollbackFailed:
		return 5
	case watcher.Unknown:
		return 6
	case watcher.Kept:
		return 7
	case watcher.Left:
		return 8
	case watcher.Superseded:
		return 9
	case watcher.CancelledWatch:
		return 10
	}
	return 6 // an outcome of a later version: not known to this one
}
