package quality

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"

	"github.com/bakewatch/bakewatch/watcher/replay/quality/sim"
)

// kept is how a cell is written down.
type kept struct {
	Cell
	Runs, Alarms, Asked, Early, Unjudged int
	Delays, Alone                        [sim.Looks + 1]int
	Requests                             []float32
}

// MarshalJSON writes the counts of all cells, in order.
func (r Result) MarshalJSON() ([]byte, error) {
	var all []kept
	for _, c := range r.cells() {
		t := r[c]
		all = append(all, kept{c, t.Runs, t.Alarms, t.Asked, t.Early, t.Unjudged, t.delays, t.alone, t.requests})
	}
	return json.Marshal(all)
}

// UnmarshalJSON reads what MarshalJSON wrote.
func (r *Result) UnmarshalJSON(text []byte) error {
	var all []kept
	if err := json.Unmarshal(text, &all); err != nil {
		return fmt.Errorf("counts that were kept: %w", err)
	}
	*r = Result{}
	for _, k := range all {
		(*r)[k.Cell] = &Tally{k.Runs, k.Alarms, k.Asked, k.Early, k.Unjudged, k.Delays, k.Alone, k.Requests}
	}
	return nil
}

// Fingerprint tells judges and simulations apart: it is another one as soon as one of a
// few deployments of every service is judged otherwise. What was kept under another
// fingerprint says nothing of the judges there are now.
func Fingerprint(c Config) (string, error) {
	c.Runs = func(Service, sim.Control) (healthy, bad int) { return 2, 2 }
	c.Several = func(Service) int { return 1 }
	c.Kept, c.Keep, c.Progress = nil, nil, nil
	text, err := json.Marshal(Run(c))
	if err != nil {
		return "", fmt.Errorf("fingerprint: %w", err)
	}
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:8]), nil
}
