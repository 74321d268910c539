package actions

import (
	"context"
	"errors"
	"time"
)

// Executor rolls one service back in one way. It is bound to one [executor.NAME]
// of the daemon's file, one plan's `with`, and one Subject.
type Executor interface {
	// Rollback makes the subject's target live. It returns nil only when the tool
	// said that this is done. Its error is typed: see Retryable, Permanent and Unknown.
	Rollback(ctx context.Context, key string) error
	// Live says which version is live now, or ErrCannotTell. Any other error means
	// that the question itself failed, and may be answered when it is asked again.
	Live(ctx context.Context) (version string, err error)
	// Idempotent promises that a second Rollback with the same key does no harm.
	Idempotent() bool
}

// Binder makes an executor for one subject. It does no IO; its error is about `with`.
type Binder interface {
	Bind(with map[string]any, subject Subject) (Executor, error)
}

// LongestEnd is how long after its context is over an executor may take to end what
// it began and come back. Grant.Longest counts on it: after that another replica may
// resume the rollback.
const LongestEnd = 35 * time.Second

// ErrCannotTell is what Live returns when the tool does not know, and will not know
// when it is asked again.
var ErrCannotTell = errors.New("cannot tell which version is live")

// Class says what the caller of a failed call may do next.
type Class uint8

// The classes of errors. An error without a class is ClassUnknown: never guess.
const (
	ClassUnknown   Class = iota // the outside may or may not have acted
	ClassRetryable              // nothing was done; the same call may work later
	ClassPermanent              // nothing was done; the same call will never work
)

// Error is a failed call to the outside with its class.
type Error struct {
	Class Class
	After time.Duration // the other side asked to wait so long before a retry; 0 unsaid
	Err   error
}

func (e *Error) Error() string { return e.Err.Error() }
func (e *Error) Unwrap() error { return e.Err }

// Retryable marks an error: nothing was done, and the same call may work later.
func Retryable(err error) error { return &Error{Class: ClassRetryable, Err: err} }

// Permanent marks an error: nothing was done, and the same call will never work.
func Permanent(err error) error { return &Error{Class: ClassPermanent, Err: err} }

// Unknown marks an error: the outside may or may not have acted.
func Unknown(err error) error { return &Error{Class: ClassUnknown, Err: err} }

// Classify returns the class of an error, ClassUnknown if it has none.
func Classify(err error) Class {
	var classed *Error
	if errors.As(err, &classed) {
		return classed.Class
	}
	return ClassUnknown
}
