package shop

import (
	"encoding/json"
	"net/http"
	"sync"
)

// order is what the webhook executor posts; of its body the shop reads these.
type order struct {
	Key     string `json:"key"`
	Service string `json:"service"`
	To      string `json:"to"`
}

// state is the reply to an order.
type state struct {
	State  string `json:"state"` // done or failed
	Live   string `json:"live"`
	Reason string `json:"reason,omitempty"`
}

// orders remembers which orders were carried out: the same one again, perhaps after
// another deployment, must not be.
type orders struct {
	mu   sync.Mutex
	done map[string]struct{} // by Idempotency-Key
}

// controlHandler serves POST /rollback and GET /live, as the webhook executor wants them.
func (s *Shop) controlHandler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("POST /rollback", s.rollback)
	mux.HandleFunc("GET /live", func(w http.ResponseWriter, _ *http.Request) {
		reply(w, http.StatusOK, map[string]string{"version": s.Live()})
	})
	return mux
}

func (s *Shop) rollback(w http.ResponseWriter, r *http.Request) {
	var o order
	if err := json.NewDecoder(http.MaxBytesReader(w, r.Body, 1<<20)).Decode(&o); err != nil {
		reply(w, http.StatusBadRequest, state{State: "failed", Live: s.Live(), Reason: "the order is not JSON"})
		return
	}
	if o.Service != s.config.Service {
		reply(w, http.StatusNotFound, state{State: "failed", Live: s.Live(), Reason: "this is " + s.config.Service})
		return
	}
	s.orders.mu.Lock()
	defer s.orders.mu.Unlock()
	if _, done := s.orders.done[o.Key]; done && o.Key != "" {
		reply(w, http.StatusOK, state{State: "done", Live: s.Live()})
		return
	}
	if err := s.Switch(o.To); err != nil {
		reply(w, http.StatusOK, state{State: "failed", Live: s.Live(), Reason: err.Error()})
		return
	}
	s.orders.done[o.Key] = struct{}{}
	reply(w, http.StatusOK, state{State: "done", Live: o.To})
}

func reply(w http.ResponseWriter, status int, body any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(body)
}
