package quality

import (
	"time"

	"github.com/bakewatch/bakewatch/watcher/replay"
	"github.com/bakewatch/bakewatch/watcher/replay/peers"
	"github.com/bakewatch/bakewatch/watcher/replay/quality/sim"
)

// shown is a peer that is shown the looks of a simulation.
type shown struct {
	replay.Watchman
	look [1]replay.Seen
}

// See shows the peer one look. It is compared with whatever there is beside it; the
// other service is no part of this one.
func (s *shown) See(l sim.Look) bool {
	fresh, old := exact(l.New), exact(l.Control)
	s.look[0] = replay.Seen{New: fresh, Control: old.Plus(exact(l.Other)), Service: fresh.Plus(old), Missed: l.Missed}
	return s.Watchman.See(s.look[:])
}

func exact(c sim.Counts) replay.Counts {
	return replay.Counts{Total: float64(c.Total), Bad: float64(c.Bad)}
}

// show begins a peer beside a control. One that cannot judge never accuses.
func show(begin peers.Begin, known replay.Before, control sim.Control) sim.Judge {
	watchman := begin(replay.Start{
		Step: sim.Step * time.Second, Beside: control != sim.NoControl, Measures: []replay.Before{known},
	})
	if watchman == nil {
		watchman = peers.Each(nil)
	}
	return &shown{Watchman: watchman}
}

// shownTo makes judges of a peer.
func shownTo(begin peers.Begin, learn learner) sim.Maker {
	return func(h *sim.History) func(sim.Case) sim.Judge {
		known := learn(h)
		return func(c sim.Case) sim.Judge { return show(begin, known, c.Control) }
	}
}

// learner says what peers know of a service.
type learner func(*sim.History) replay.Before

// lately learns a history once, though all peers of a world ask in turn. It is for one goroutine.
func lately(learn learner) learner {
	var last *sim.History
	var known replay.Before
	return func(h *sim.History) replay.Before {
		if h != last {
			last, known = h, learn(h)
		}
		return known
	}
}

// hours is how many looks peers see of the past: six hours.
const hours = 6 * 60 * sim.Minute

// learn takes from a history what peers know.
func learn(h *sim.History) (known replay.Before) {
	var all replay.Counts
	for _, m := range h.Minutes {
		all = all.Plus(exact(m))
	}
	known.Level = all.Level()
	for _, look := range h.Looks[max(0, len(h.Looks)-hours):] {
		known.Past.Add(exact(look))
	}
	return known
}
