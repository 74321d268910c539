package threshold

import (
	"time"

	"github.com/bakewatch/bakewatch/rules/counting"
)

// early says that the look does not count: it is of the time before the
// deployment, or the version is still warming up.
func (e *evidence) early(at time.Time) (why string, early bool) {
	if e.Measure != Level {
		return e.start.Early(at)
	}
	switch {
	case at.Before(e.from):
		return "before the deployment", true
	case at.Before(e.from.Add(e.warmUp())):
		return counting.WarmingUp(at.Sub(e.from), e.warmUp()), true
	}
	return "", false
}

// baseline says that the look can only be counted from: see counting.Start.Baseline.
func (e *evidence) baseline(at time.Time, data bool) bool {
	return e.Measure != Level && e.start.Baseline(at, data)
}
