package audit

import (
	"slices"
	"time"

	"github.com/bakewatch/bakewatch/rules"
	"github.com/bakewatch/bakewatch/watcher"
)

// paid checks that a rollback under a budget was charged before it was decided, and that
// what was decided without people overdrew neither its lane's nor that of all lanes.
func (a *Auditor) paid(w *watch, e watcher.Entry) {
	own := slices.IndexFunc(a.spent, func(s watcher.Entry) bool { return s.Spent.Watch == w.opened.Seq })
	lane, all, told := w.opened.Plan.Budget, (*rules.Allowance)(nil), e.Decision.Budget
	if own >= 0 {
		told = a.spent[own].Spent.Budget // as it was when it was paid from
	}
	if told == nil {
		a.Uncounted++
	} else {
		all = told.All
	}
	if own < 0 {
		if lane != nil || all != nil {
			a.finds(e, "was not charged to the budget")
		}
		return
	}
	if e.Decision.By == watcher.ByVotes {
		return
	}
	before := a.spent[:own] // what other lanes are charged afterwards is theirs to pay
	here := func(s watcher.Entry) bool { return s.Spent.Lane == e.Lane }
	anywhere := func(watcher.Entry) bool { return true }
	if n := within(before, e.At, lane, here); lane != nil && n >= lane.Most {
		a.finds(e, "overdraws the budget of %s: %d before it", lane, n)
	}
	if n := within(before, e.At, all, anywhere); all != nil && n >= all.Most {
		a.finds(e, "overdraws the budget of all lanes, %s: %d before it", all, n)
	}
}

// within counts the charges of these that fall into the allowance's time; 0 without one.
func within(charges []watcher.Entry, now time.Time, of *rules.Allowance, these func(watcher.Entry) bool) (n int) {
	if of == nil {
		return 0
	}
	for _, s := range charges {
		if these(s) && s.At.After(now.Add(-time.Duration(of.Per))) {
			n++
		}
	}
	return n
}
