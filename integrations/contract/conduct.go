package contract

import (
	"context"
	"sync"
	"testing"
	"time"

	"github.com/bakewatch/bakewatch/actions"
	"github.com/bakewatch/bakewatch/rules"
)

// Conduct is how the fake outside answers every call.
type Conduct string

// The conducts.
const (
	Works     Conduct = "works"               // does what it is asked, and says so
	TriesNot  Conduct = "says try later"      // does nothing; the same call may work later
	Refuses   Conduct = "refuses"             // does nothing, and never will
	Unclear   Conduct = "fails half-way"      // fails, and may or may not have acted
	Hangs     Conduct = "hangs"               // takes the call and does not answer
	Floods    Conduct = "never stops talking" // answers without an end
	Redirects Conduct = "redirects"           // sends the caller elsewhere
	Echoes    Conduct = "echoes secrets"      // fails, and repeats what it was sent
)

// Call is what reached the fake outside.
type Call struct {
	Key     string
	Subject actions.Subject // executors only
	Text    string          // channels only: all that people would read
}

// Outside is a running fake.
type Outside struct {
	Options rules.Options // how to reach it
	Calls   func() []Call // the calls that reached it, oldest first
	// Elsewhere counts the calls that followed a redirect; nil where there are none.
	Elsewhere func() int
	// After is how long TriesNot asked to wait; 0: it did not say.
	After time.Duration
}

// Start starts a fake with this conduct and stops it when the test ends. It
// returns false where the medium knows no such conduct.
type Start func(t *testing.T, conduct Conduct) (Outside, bool)

// start starts the fake or skips the test.
func (s Start) start(t *testing.T, conduct Conduct) Outside {
	t.Helper()
	outside, can := s(t, conduct)
	if !can {
		t.Skipf("nothing in this medium %s", conduct)
	}
	return outside
}

// patience is how long a suite waits for what must come.
const patience = 30 * time.Second

// eventually waits until the condition holds.
func eventually(t *testing.T, what string, holds func() bool) {
	t.Helper()
	deadline := time.NewTimer(patience)
	defer deadline.Stop()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for !holds() {
		select {
		case <-deadline.C:
			t.Fatalf("waited %s for: %s", patience, what)
		case <-tick.C:
		}
	}
}

// within fails the test if f does not return in time.
func within(t *testing.T, f func() error) error {
	t.Helper()
	done := make(chan error, 1)
	go func() { done <- f() }()
	select {
	case err := <-done:
		return err
	case <-time.After(patience):
		t.Fatalf("did not return within %s", patience)
		return nil
	}
}

// reached is a context whose deadline passes when the test says so.
type reached struct {
	context.Context
	done chan struct{}
	once sync.Once
}

func newDeadline(parent context.Context) *reached {
	return &reached{Context: parent, done: make(chan struct{})}
}

func (r *reached) pass()                       { r.once.Do(func() { close(r.done) }) }
func (r *reached) Done() <-chan struct{}       { return r.done }
func (r *reached) Deadline() (time.Time, bool) { return time.Time{}, false }

func (r *reached) Err() error {
	select {
	case <-r.done:
		return context.DeadlineExceeded
	default:
		return nil
	}
}
