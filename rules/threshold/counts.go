package threshold

import (
	"fmt"
	"time"

	"github.com/bakewatch/bakewatch/rules/promql"
)

// early says that the look does not count: it is of the time before the
// deployment, or the version is still warming up.
func (e *evidence) early(at time.Time) (why string, early bool) {
	switch {
	case e.Measure == Level && at.Before(e.from),
		e.Measure != Level && e.Apart && !at.After(e.from),
		e.Measure != Level && !e.Apart && at.Add(-e.interval()).Before(e.from):
		return "before the deployment", true
	case at.Before(e.from.Add(e.warmUp())):
		return fmt.Sprintf("warming up: %s of %s", length(at.Sub(e.from).Round(time.Second)), length(e.warmUp())), true
	}
	return "", false
}

// baseline says that the look is the first with data after none for so long that
// a query cannot tell series that came back from newborn ones: it would count
// their whole past, and missing data would become a breach. Where counts are not
// the version's own, nobody knows how long there was none before the deployment.
func (e *evidence) baseline(at time.Time, data bool) bool {
	if !data {
		return false
	}
	last := e.data
	e.data = at
	switch {
	case e.Measure == Level:
		return false
	case last.IsZero():
		return !e.Apart && at.Add(-e.interval()).After(e.from)
	}
	return at.Sub(last) > promql.Remembered+e.interval()
}
