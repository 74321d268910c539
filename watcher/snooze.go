package watcher

import (
	"slices"
	"time"

	"github.com/bakewatch/bakewatch/actions/authority"
	"github.com/bakewatch/bakewatch/rules"
)

// defaultSnooze is how long people who said keep are not asked about the same again,
// where the clause does not say.
const defaultSnooze = 30 * time.Minute

func snoozeOf(q *authority.Question) time.Duration {
	if q == nil || q.Clause.Snooze <= 0 {
		return defaultSnooze
	}
	return time.Duration(q.Clause.Snooze)
}

// snoozes says that people said keep not long ago, and nothing new speaks: what they
// kept is neither asked about again nor decided over their heads, unless it has become
// clearly worse.
func (w *Watch) snoozes(ruling authority.Ruling, now time.Time) bool {
	kept := w.Question == nil && !w.Kept.IsZero() && now.Before(w.Kept.Add(w.KeptFor))
	switch {
	case !kept:
		return false
	case ruling.Rule == "":
		return true
	}
	return slices.Contains(w.Ruling.Blamed, ruling.Rule) && !w.clearlyWorse(ruling)
}

// muchWorse is how many times as high a share, or a value, is clearly worse than what people kept.
const muchWorse = 2

// clearlyWorse says whether it is more than twice as bad by the rule that speaks as when
// people said keep.
func (w *Watch) clearlyWorse(ruling authority.Ruling) bool {
	before, known := amount(ruling.Rule, w.KeptAt)
	now, seen := amount(ruling.Rule, ruling.Answers)
	if !known || !seen {
		return false
	}
	if now.fewer {
		return now.share*muchWorse < before.share
	}
	return before.share > 0 && now.share > muchWorse*before.share
}

// badness is how bad it is by a rule.
type badness struct {
	share float64 // of bad events or, where fewer are worse, of wanted ones; or a value
	fewer bool    // the smaller, the worse
}

// amount returns how bad it is by the rule. A breach without one bad event is a want of
// good ones, and so is a value below its limit.
func amount(rule string, answers []rules.Answer) (badness, bool) {
	for _, a := range answers {
		switch {
		case a.Rule != rule:
		case a.Total > 0 && a.Bad > 0:
			return badness{share: a.Bad / a.Total}, true
		case a.Total > 0:
			return badness{a.Part / a.Total, true}, true
		case a.Value != nil:
			return badness{*a.Value, a.Limit != nil && *a.Value < *a.Limit}, true
		}
	}
	return badness{}, false
}
