package webhook

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"time"

	"github.com/cenkalti/backoff/v4"

	"github.com/bakewatch/bakewatch/actions"
	"github.com/bakewatch/bakewatch/integrations/outbound"
)

// State is how far a rollback has come.
type State string

// The states of a rollback.
const (
	Running State = "running"
	Done    State = "done"    // the target is live
	Failed  State = "failed"  // nothing was rolled back
	Unknown State = "unknown" // a person must look
)

// Status is the JSON reply of status_url; the reply to the order may hold it, too.
type Status struct {
	State  State  `json:"state"`
	Live   string `json:"live,omitempty"` // the version that is live now
	Reason string `json:"reason,omitempty"`
}

// version is what a version may look like: the same as in an event.
var version = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._/@:+-]{0,127}$`)

// readStatus reads a reply; one that is no JSON object says nothing of the state.
func readStatus(reply outbound.Reply) (Status, error) {
	if reply.Cut {
		return Status{}, fmt.Errorf("status %d, but the reply is longer than %d bytes", reply.Status, outbound.ReplyLimit)
	}
	if !bytes.HasPrefix(bytes.TrimSpace(reply.Body), []byte("{")) {
		return Status{}, nil
	}
	var said Status
	if err := json.Unmarshal(reply.Body, &said); err != nil {
		return Status{}, errors.New("the reply looks like JSON, but is none that says a state")
	}
	if said.State != "" && !slices.Contains([]State{Running, Done, Failed, Unknown}, said.State) {
		return Status{}, errors.New(`the reply's "state" is none of running, done, failed, unknown`)
	}
	return said, nil
}

// firstAsk is how long after the order its outcome is asked for again; the pauses
// grow from there.
const firstAsk = 500 * time.Millisecond

// errRunning is why to ask again.
var errRunning = errors.New("still running")

// await asks for the outcome until there is one or the context ends. The order
// was accepted, so without an outcome nobody knows what was done.
func (e *executor) await(ctx context.Context, key string) error {
	if e.status.IsZero() {
		return actions.Unknown(fmt.Errorf("%s: %w", e.to, errNoStatusURL))
	}
	wait := &pauses{BackOff: backoff.NewExponentialBackOff(
		backoff.WithInitialInterval(firstAsk), backoff.WithMaxInterval(15*time.Second), backoff.WithMaxElapsedTime(0))}
	said, err := backoff.RetryWithData(func() (Status, error) {
		said, err := e.ask(ctx, key)
		wait.after = asked(err)
		return said, err
	}, backoff.WithContext(wait, ctx))
	if err != nil {
		return actions.Unknown(fmt.Errorf("accepted, but the outcome is not known: %w", err))
	}
	return e.judge(said, e.status)
}

// pauses grow, and are never shorter than the other side asked for.
type pauses struct {
	backoff.BackOff
	after time.Duration
}

// NextBackOff returns the next pause.
func (p *pauses) NextBackOff() time.Duration { return max(p.BackOff.NextBackOff(), p.after) }

// asked says how long the other side asked us to wait.
func asked(err error) time.Duration {
	var classed *actions.Error
	if errors.As(err, &classed) {
		return classed.After
	}
	return 0
}

// ask asks once, under a webhook-id of its own: a receiver drops what it has seen.
// What is asked about is the Idempotency-Key. A server that does not know the key yet is asked again; one
// that refuses us will not change its mind.
func (e *executor) ask(ctx context.Context, key string) (Status, error) {
	header := http.Header{"Accept": {"application/json"}, "Idempotency-Key": {key}}
	reply, err := e.call(ctx, http.MethodGet, e.status, rand.Text(), header, nil)
	if err != nil {
		if actions.Classify(err) == actions.ClassPermanent && reply.Status != http.StatusNotFound {
			return Status{}, backoff.Permanent(err)
		}
		return Status{}, err
	}
	said, err := readStatus(reply)
	switch {
	case err != nil:
		return Status{}, backoff.Permanent(fmt.Errorf("%s: %w", e.status, err))
	case said.State == "":
		return Status{}, backoff.Permanent(fmt.Errorf(`%s did not answer {"state": "…"}`, e.status))
	case said.State == Running:
		return Status{}, fmt.Errorf("%s: %w", e.status, errRunning)
	}
	return said, nil
}
