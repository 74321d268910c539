package watchertest

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"

	"github.com/bakewatch/bakewatch/rules"
	"github.com/bakewatch/bakewatch/watcher"
)

// effects checks what has happened outside against what was intended.
func (c *checker) effects(effects []Effect) {
	intents := map[string]watcher.Entry{}
	for _, w := range c.watches {
		for _, e := range w.of[watcher.Intended] {
			if other, twice := intents[e.Intent.Key]; twice {
				c.breaks(i2, e, "has the key of entry %d", other.Seq)
			}
			intents[e.Intent.Key] = e
		}
	}
	count := map[string]int{}
	for _, effect := range effects {
		if count[effect.Key]++; count[effect.Key] == 2 {
			c.broken = append(c.broken, fmt.Errorf("%s: the rollback %s was done twice", i2, effect.Key))
		}
		intent, ok := intents[effect.Key]
		switch {
		case !ok:
			c.broken = append(c.broken, fmt.Errorf("%s: the rollback %s to %s was never intended", i6, effect.Key, effect.To))
		case effect.To != intent.Intent.Subject.To:
			c.breaks(i6, intent, "intended %s, done was %s", intent.Intent.Subject.To, effect.To)
		case !effect.At.IsZero() && effect.At.Before(intent.At):
			c.breaks(i6, intent, "was written at %s, done at %s", intent.At, effect.At)
		}
	}
}

// events checks that no accepted event was lost.
func (c *checker) events(ids []string) {
	for _, id := range ids {
		if !c.seen[id] {
			c.broken = append(c.broken, fmt.Errorf("%s: event %q is nowhere in the journal", i3, id))
		}
	}
}

// views checks that the Desk shows the fold of the journal, whether that is read
// whole or from the last opened or closed on.
func (c *checker) views(views []watcher.LaneView) {
	if views == nil {
		return
	}
	shown := map[rules.LaneID]watcher.LaneView{}
	for _, view := range views {
		shown[view.Lane] = view
	}
	for id, l := range c.lanes {
		view, ok := shown[id]
		if !ok {
			c.broken = append(c.broken, fmt.Errorf("%s: lane %s is not shown", i7, id))
			continue
		}
		for name, entries := range map[string][]watcher.Entry{"whole": l.entries, "recent": recent(l.entries)} {
			folded := line(watcher.Fold(id, entries))
			if seen := lineOf(view); folded != seen {
				c.broken = append(c.broken, fmt.Errorf("%s: lane %s is shown as\n%s\nand its %s journal says\n%s", i7, id, seen, name, folded))
			}
		}
		if l.open == nil && view.Watch != nil {
			c.broken = append(c.broken, fmt.Errorf("%s: lane %s shows a watch that has ended", i7, id))
		}
	}
}

func recent(entries []watcher.Entry) []watcher.Entry {
	for i, e := range slices.Backward(entries) {
		if e.Kind == watcher.Opened || e.Kind == watcher.Closed {
			return entries[i:]
		}
	}
	return entries
}

// line is a lane as text, of what both a fold and a view know.
func line(l watcher.Lane) string {
	text := words(l.Ledger.Live, l.Ledger.Bad, l.Ledger.Past)
	if w := l.Watch; w != nil {
		text += words(w.Seq, w.Deployment.ID, w.Deployment.Version, w.Target.Version, w.Phase(), w.Ruling.Rule, w.Opened, w.BakeEnds())
	}
	return text
}

func lineOf(v watcher.LaneView) string {
	text := words(v.Live, v.Bad, v.Past)
	if w := v.Watch; w != nil {
		text += words(w.Watch, w.ID, w.Version, w.Target, w.Phase, w.Rule, w.Opened, w.BakeEnds)
	}
	return text
}

// words writes values down so that they can be compared; an empty list is none.
func words(values ...any) string {
	var out bytes.Buffer
	for _, value := range values {
		text, err := json.Marshal(value)
		if err != nil {
			text = []byte(err.Error())
		}
		if string(text) == "null" {
			text = []byte("[]")
		}
		out.Write(append(text, ' '))
	}
	return out.String()
}
