package webhook

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"

	"github.com/bakewatch/bakewatch/actions"
	"github.com/bakewatch/bakewatch/integrations/outbound"
)

// binder binds the executor to one plan and one subject.
type binder struct {
	*caller
	status, live outbound.Endpoint
	idempotent   bool
}

// Bind makes the executor for one subject.
func (b *binder) Bind(with map[string]any, subject actions.Subject) (actions.Executor, error) {
	var w With
	if err := outbound.ReadWith(with, &w); err != nil {
		return nil, err
	}
	return &executor{binder: b, parameters: w.Parameters, subject: subject}, nil
}

// Describe says in a line what a rollback does.
func (b *binder) Describe() string { return fmt.Sprintf("posts a signed order to %s", b.to) }

// executor orders rollbacks of one subject.
type executor struct {
	*binder
	parameters map[string]any
	subject    actions.Subject
}

// Order is the body of a rollback's request.
type Order struct {
	Key string `json:"key"`
	actions.Subject
	Parameters map[string]any `json:"parameters,omitempty"` // the plan's
}

// Idempotent is the operator's promise about the receiver.
func (e *executor) Idempotent() bool { return e.idempotent }

// Rollback orders the rollback once and, if the receiver accepted it for later,
// asks for the outcome until the context ends.
func (e *executor) Rollback(ctx context.Context, key string) error {
	body, err := json.Marshal(Order{Key: key, Subject: e.subject, Parameters: e.parameters})
	if err != nil {
		return actions.Permanent(fmt.Errorf("the order is no JSON: %w", err))
	}
	reply, err := e.post(ctx, key, body)
	if err != nil {
		return err
	}
	said, err := readStatus(reply)
	if err != nil {
		return actions.Unknown(fmt.Errorf("%s: %w", e.to, err))
	}
	if said.State == "" && reply.Status != http.StatusAccepted {
		return nil // any other 2xx without a word about the state: done
	}
	if said.State == "" || said.State == Running {
		return e.await(ctx, key)
	}
	return e.judge(said, e.to)
}

// Live asks what is live now. The question names the subject in headers. A server
// that refuses it, or answers without a version, cannot tell.
func (e *executor) Live(ctx context.Context) (string, error) {
	if e.live.IsZero() {
		return "", fmt.Errorf("%w: the executor has no live_url", actions.ErrCannotTell)
	}
	header := http.Header{"Accept": {"application/json"}}
	for name, value := range map[string]string{
		"Bakewatch-Service": e.subject.Service, "Bakewatch-Environment": e.subject.Environment,
		"Bakewatch-Strategy": e.subject.Strategy, "Bakewatch-Flag": e.subject.Flag, "Bakewatch-Slot": e.subject.Slot,
	} {
		if !validHeader(name, value) {
			return "", fmt.Errorf("%w: %s cannot be sent as a header", actions.ErrCannotTell, name)
		}
		if value != "" {
			header.Set(name, value)
		}
	}
	reply, err := e.call(ctx, http.MethodGet, e.live, rand.Text(), header, nil)
	switch {
	case actions.Classify(err) == actions.ClassPermanent:
		return "", fmt.Errorf("%w: %w", actions.ErrCannotTell, err)
	case err != nil: // it may answer the next time
		return "", err
	}
	var said struct {
		Version string `json:"version"`
	}
	if err := json.Unmarshal(reply.Body, &said); err != nil || reply.Cut || !version.MatchString(said.Version) {
		return "", fmt.Errorf(`%w: %s did not answer {"version": "…"}`, actions.ErrCannotTell, e.live)
	}
	return said.Version, nil
}

// judge says what a final state means.
func (e *executor) judge(said Status, who outbound.Endpoint) error {
	reason := e.client.Redact(who, said.Reason)
	switch said.State {
	case Done:
		if said.Live != "" && said.Live != e.subject.To {
			return actions.Unknown(fmt.Errorf("%s says done, but that %q is live, not %q", who, e.client.Redact(who, said.Live), e.subject.To))
		}
		return nil
	case Failed:
		return actions.Permanent(fmt.Errorf("%s says that nothing was rolled back: %s", who, reason))
	case Running, Unknown:
	}
	return actions.Unknown(fmt.Errorf("%s says %s: %s", who, said.State, reason))
}

var errNoStatusURL = errors.New("accepted, and without a status_url nobody says whether it was done")
