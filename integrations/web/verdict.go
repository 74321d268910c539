package web

import (
	"context"
	"fmt"
	"net/http"

	"github.com/bakewatch/bakewatch/watcher"
)

// always is the gate through which every verdict goes.
const always = "none"

// verdict answers 200 if the verdict is the one that the gate is for, else 403; a body
// is not looked at, for a gate's own says nothing that Bakewatch knows.
func (a *api) verdict(w http.ResponseWriter, r *http.Request) {
	gate := r.URL.Query().Get("gate")
	if gate == "" {
		gate = string(watcher.Promote)
	}
	reply, err := a.verdictOf(r, gate)
	switch {
	case err != nil:
		a.failed("verdict", err)
		problemOf(w, err)
	case gate == always || gate == string(reply.Verdict):
		write(w, http.StatusOK, reply)
	default:
		write(w, http.StatusForbidden, reply)
	}
}

func (a *api) verdictOf(r *http.Request, gate string) (watcher.Advice, error) {
	ask := r.URL.Query()
	service := ask.Get("service")
	switch {
	case service == "":
		return watcher.Advice{}, fmt.Errorf("%w: service is missing", errUnreadable)
	case gate != always && gate != string(watcher.Promote) && gate != string(watcher.RollBack):
		return watcher.Advice{}, fmt.Errorf("%w: gate is %s, %s or %s", errUnreadable, watcher.Promote, watcher.RollBack, always)
	}
	ctx, cancel := context.WithTimeout(r.Context(), apiTimeout)
	defer cancel()
	desk, err := a.Desk(ctx)
	if err != nil {
		return watcher.Advice{}, err
	}
	return watcher.Advise(ctx, desk, watcher.Enquiry{
		Service: service, Environment: ask.Get("environment"), Version: ask.Get("version"), Stage: ask.Get("stage"),
	})
}
