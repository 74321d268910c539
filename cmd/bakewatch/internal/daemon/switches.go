package daemon

import (
	"context"
	"encoding/json"
	"log/slog"
	"maps"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/bakewatch/bakewatch/integrations/nats"
	"github.com/bakewatch/bakewatch/watcher"
)

// switchboard knows whether rollbacks are disarmed: by facts, which all replicas
// share, or by a file on this machine, which works without NATS.
type switchboard struct {
	facts *nats.Facts
	file  string
	log   *slog.Logger
	state atomic.Pointer[map[string]string] // why, by the facts: by service, or watcher.Everywhere

	planned func() []string // the services that have a plan

	mu sync.Mutex // of one refresh at a time: the one that began last is stored last
}

var _ watcher.Census = (*switchboard)(nil)

// disarmFact is what is kept of an order to disarm.
type disarmFact struct {
	By     string    `json:"by"`
	Reason string    `json:"reason"`
	At     time.Time `json:"at"`
}

func newSwitchboard(facts *nats.Facts, file string, log *slog.Logger) *switchboard {
	return &switchboard{facts: facts, file: file, log: log}
}

// Disarm implements watcher.Switch.
func (s *switchboard) Disarm(ctx context.Context, service, by, reason string) error {
	text, err := json.Marshal(disarmFact{By: by, Reason: reason, At: time.Now().UTC()})
	if err != nil {
		return err
	}
	if err := s.facts.Put(ctx, nats.FactDisarm, key(service), text); err != nil {
		return err
	}
	return s.refresh(ctx)
}

// Arm implements watcher.Switch.
func (s *switchboard) Arm(ctx context.Context, service, _ string) error {
	if err := s.facts.Delete(ctx, nats.FactDisarm, key(service)); err != nil {
		return err
	}
	return s.refresh(ctx)
}

func key(service string) string {
	if service == "" {
		return watcher.Everywhere
	}
	return service
}

// disarmed says why nothing may be rolled back in a service; empty: it may.
func (s *switchboard) disarmed(service string) string {
	if why, ok := s.byFile(); ok {
		return why
	}
	state := *s.state.Load()
	if why, ok := state[watcher.Everywhere]; ok {
		return why
	}
	return state[service]
}

// Disarmed implements watcher.Census.
func (s *switchboard) Disarmed() map[string]string {
	state := maps.Clone(*s.state.Load())
	if why, ok := s.byFile(); ok {
		state[watcher.Everywhere] = why
	}
	return state
}

// Planned implements watcher.Census.
func (s *switchboard) Planned() []string { return s.planned() }

// run keeps the state fresh. What cannot be read stays as it was.
func (s *switchboard) run(ctx context.Context) error {
	t := time.NewTicker(time.Second)
	defer t.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-t.C:
			if err := s.refresh(ctx); err != nil && ctx.Err() == nil {
				s.log.Warn("cannot read whether rollbacks are disarmed; it stays as it was", "err", err)
			}
		}
	}
}

func (s *switchboard) refresh(ctx context.Context) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	facts, err := s.facts.List(ctx, nats.FactDisarm)
	if err != nil {
		return err
	}
	state := make(map[string]string, len(facts))
	for _, fact := range facts {
		var d disarmFact
		if json.Unmarshal(fact.Value, &d) != nil {
			d.Reason = "an order that cannot be read" // whatever it said, nobody armed again
		}
		state[fact.Key] = strings.TrimSpace(d.Reason + " (" + d.By + ")")
	}
	s.state.Store(&state)
	return nil
}

// byFile says why the file disarms, if it is there. It is looked at whenever somebody
// asks: who wrote it in an emergency waits for nothing, and sees it at once.
func (s *switchboard) byFile() (string, bool) {
	if s.file == "" {
		return "", false
	}
	text, err := os.ReadFile(s.file)
	switch {
	case os.IsNotExist(err):
		return "", false
	case err != nil:
		return "the file " + s.file + " is there and cannot be read", true
	}
	why := strings.TrimSpace(string(text[:min(len(text), 200)]))
	return strings.TrimSpace(why + " (file " + s.file + ")"), true
}
