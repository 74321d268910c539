package web

import (
	"context"
	"fmt"
	"net/http"
	"strings"

	"github.com/bakewatch/bakewatch/rules"
	"github.com/bakewatch/bakewatch/watcher"
)

// Verdict is what a deployment tool may do now with a version.
type Verdict string

// The verdicts.
const (
	Promote  Verdict = "promote"   // the watch has passed
	Hold     Verdict = "hold"      // not yet, or it cannot be told
	RollBack Verdict = "roll-back" // it was decided to roll back
)

// always is the gate through which every verdict goes.
const always = "none"

// verdictReply is a verdict in words, and of which watch.
type verdictReply struct {
	Verdict     Verdict         `json:"verdict"`
	Why         string          `json:"why"`
	Service     string          `json:"service"`
	Environment string          `json:"environment"`
	Version     string          `json:"version"`
	Watch       uint64          `json:"watch"`
	ID          string          `json:"id"` // of the event
	Phase       watcher.Phase   `json:"phase"`
	Outcome     watcher.Outcome `json:"outcome,omitempty"`
}

// verdict answers 200 if the verdict is the one that the gate is for, else 403; a body
// is not looked at, for a gate's own says nothing that Bakewatch knows.
func (a *api) verdict(w http.ResponseWriter, r *http.Request) {
	gate := r.URL.Query().Get("gate")
	if gate == "" {
		gate = string(Promote)
	}
	reply, err := a.verdictOf(r, gate)
	switch {
	case err != nil:
		problemOf(w, err)
	case gate == always || gate == string(reply.Verdict):
		write(w, http.StatusOK, reply)
	default:
		write(w, http.StatusForbidden, reply)
	}
}

func (a *api) verdictOf(r *http.Request, gate string) (verdictReply, error) {
	ask := r.URL.Query()
	service := ask.Get("service")
	switch {
	case service == "":
		return verdictReply{}, fmt.Errorf("%w: service is missing", errUnreadable)
	case gate != always && gate != string(Promote) && gate != string(RollBack):
		return verdictReply{}, fmt.Errorf("%w: gate is %s, %s or %s", errUnreadable, Promote, RollBack, always)
	}
	ctx, cancel := context.WithTimeout(r.Context(), apiTimeout)
	defer cancel()
	desk, err := a.Desk(ctx)
	if err != nil {
		return verdictReply{}, err
	}
	view, err := desk.Show(ctx, watcher.Ref{Name: service, Environment: ask.Get("environment")})
	if err == nil && view.Lane.Service != service {
		err = fmt.Errorf("no watch of a service %q: %w", service, watcher.ErrNotFound)
	}
	if err != nil {
		return verdictReply{}, err
	}
	return replyFor(view, ask.Get("version")), nil
}

// replyFor says what is to be done with a version; empty: the one that is watched, or
// was watched last.
func replyFor(view watcher.WatchView, version string) verdictReply {
	reply := verdictReply{
		Service: view.Lane.Service, Environment: view.Lane.Environment, Version: view.Version,
		Watch: view.Watch, ID: view.ID, Phase: view.Phase, Outcome: view.Outcome,
	}
	reply.Verdict, reply.Why = judged(view), because(view)
	if version != "" && version != view.Version {
		reply.Verdict, reply.Why = Hold, fmt.Sprintf("the last watch is of version %s, not of %s: was it announced?", view.Version, version)
	}
	return reply
}

// judged is hold for all that is neither proved well nor decided: missing data
// promotes nothing and rolls nothing back.
func judged(view watcher.WatchView) Verdict {
	switch view.Outcome {
	case watcher.Passed:
		return Promote
	case watcher.RolledBack, watcher.RollbackFailed, watcher.Unknown:
		return RollBack
	case "":
		if view.Decision != nil {
			return RollBack
		}
	default:
	}
	return Hold
}

// because says how the watch stands and what keeps it from passing.
func because(view watcher.WatchView) string {
	text := string(view.Phase)
	if view.Outcome != "" {
		text = string(view.Outcome)
	}
	if view.Reason != "" {
		text += ": " + view.Reason
	}
	for _, answer := range view.Answers {
		if answer.Verdict != rules.Healthy {
			text += fmt.Sprintf("; %s is %s", answer.Rule, answer.Verdict)
			if why := strings.TrimSpace(answer.Why); why != "" {
				text += " (" + why + ")"
			}
		}
	}
	return text
}
