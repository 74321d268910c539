package watcher

import (
	"cmp"
	"math"
	"time"

	"github.com/bakewatch/bakewatch/rules"
)

// trail is what a rule's looks tell of a breach besides that it is one: since when,
// and where.
type trail struct {
	spatial rules.Spatial // nil: neither the rule nor its evidence can say where
	from    time.Time     // the deployment
	onset   time.Time     // since when it is worse, as its answers tell; zero: it is not
	where   *where        // nil: not asked yet
}

// where is the last question about instances.
type where struct {
	asked time.Time // the look that it was asked at
	busy  bool      // no answer yet
	known bool      // there was one once: space is it
	space rules.Space
}

func trailOf(rule rules.Rule, evidence rules.Evidence, d rules.Deployment) trail {
	spatial, is := evidence.(rules.Spatial)
	if !is {
		spatial, _ = rule.(rules.Spatial)
	}
	return trail{spatial: spatial, from: d.At}
}

// follow takes in one answer. A test is on a trail while it has won anything, or a limit
// besides is broken; a plain limit while it is broken, even if not yet for long enough.
func (t *trail) follow(a rules.Answer, interval time.Duration) {
	worse := a.Verdict == rules.Breached || a.Verdict == rules.Inconclusive && a.Value != nil && a.Limit != nil
	if a.Test != nil {
		worse = a.Test.Wealth > 1 || a.Verdict == rules.Breached
	}
	switch {
	case !worse:
		t.onset, t.where = time.Time{}, nil
	case t.onset.IsZero():
		t.onset = a.At.Add(-interval)
		if t.onset.Before(t.from) {
			t.onset = t.from
		}
	}
}

// near says that a rule is breached, or about to be: a test that has won a tenth of
// what it takes and more than twice what it began with, a limit that is broken but not for long enough.
func (t *trail) near(a rules.Answer, alarms rules.Chance) bool {
	switch {
	case a.Verdict == rules.Breached:
		return true
	case a.Test != nil:
		return a.Test.Wealth >= max(2, rules.Threshold(alarms)/10) || math.IsNaN(a.Test.Wealth)
	}
	return !t.onset.IsZero()
}

// again is how often a rule that stays breached is asked anew where it is.
const again = time.Minute

// owes says whether to ask now where it is, in this answer's rule.
func (t *trail) owes(at time.Time) bool {
	return t.spatial != nil && (t.where == nil || !t.where.busy && at.Sub(t.where.asked) >= again)
}

// The span over which instances are counted begins with the trouble.
const longestSpan = 30 * time.Minute

// span returns over how long the instances of a look are counted.
func (f *feed) span(at time.Time) rules.Duration {
	since := cmp.Or(f.onset(), f.trail.from)
	return rules.Duration(min(max(at.Sub(since).Round(time.Second), f.interval), longestSpan))
}

// awaits says that the first question where it is was asked at this look.
func (t *trail) awaits(at time.Time) bool {
	return t.where != nil && t.where.busy && !t.where.known && t.where.asked.Equal(at)
}

// space returns where it is, as far as that is known.
func (t *trail) space() rules.Space {
	if t.where == nil {
		return rules.Space{}
	}
	return t.where.space
}

// came takes in what was answered. Without an answer, what was known before stays.
func (w *where) came(space rules.Space, err error) {
	w.busy = false
	if err == nil {
		w.known, w.space = true, space
	}
}

// onset returns since when the rule is worse: by the evidence itself where it knows.
func (f *feed) onset() time.Time {
	if dated, is := f.evidence.(rules.Dated); is {
		if at, known := dated.Onset(); known {
			return at
		}
	}
	return f.trail.onset
}
