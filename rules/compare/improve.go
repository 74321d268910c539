package compare

import (
	"fmt"

	"github.com/bakewatch/bakewatch/rules"
	"github.com/bakewatch/bakewatch/rules/eprocess"
)

// improves says whether the version must be better than what it is compared with.
func (c Config) improves() bool { return !c.Setting.BetterBy.IsZero() }

// better returns the level that is just as much better than p as the plan asks.
func (c Config) better(p float64) float64 {
	if c.Fewer {
		return c.Setting.BetterBy.Apply(p)
	}
	return c.Setting.BetterBy.Below(p)
}

// hold holds the version against what is known of the past, unless an improvement that
// is asked for could not be told there.
func (e *evidence) hold(setup *eprocess.Setup, control rules.Control, m eprocess.Model) {
	null := m.Null
	if e.improves() {
		improved, askable := m.Improved(e.better)
		if askable != eprocess.CanAsk {
			e.unasked[control] = askable
			return
		}
		null = improved.Null
	}
	if len(e.nulls) == 0 {
		e.null = null
	}
	setup.Nulls, e.nulls = append(setup.Nulls, m), append(e.nulls, control)
}

// improvable says whether an improvement that is asked for can be judged: a limit alone
// does not tell.
func (e *evidence) improvable(f eprocess.Finding) bool {
	return !e.improves() || len(e.nulls) > 0 || !f.Alone
}

// aim says how much better the version must be, and how that stands.
func (e *evidence) aim(answer rules.Answer, f eprocess.Finding) string {
	aim := "to be " + e.Setting.BetterBy.String() + " better"
	switch {
	case answer.Proved:
		return aim + ": proved"
	case f.Short && (f.Telling || f.Suspicious(e.bets().Threshold)):
		return aim + ": not so in all, " + e.level(share(e.seen))
	case !f.Telling:
		return aim + ": too few " + e.Of + " yet to tell"
	}
	return aim
}

// unaskable says why no improvement can be asked for on what has such a share.
func (e *evidence) unaskable(why eprocess.Askable, share float64) string {
	if why == eprocess.OutOfReach {
		return fmt.Sprintf("nothing can be %s better than %s", e.Setting.BetterBy, e.level(share))
	}
	return fmt.Sprintf("too little is known of it, or it varies too much, to tell %s better", e.Setting.BetterBy)
}
