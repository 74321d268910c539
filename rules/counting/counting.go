// Package counting says which looks at exact counts are of the deployment: not those
// before it, of its warm-up, or after a gap so long that a query cannot tell series
// that came back from newborn ones. The judges share it. It judges nothing.
//
// Start reading at Start.
package counting

import (
	"fmt"
	"math"
	"strconv"
	"time"

	"github.com/bakewatch/bakewatch/rules"
	"github.com/bakewatch/bakewatch/rules/promql"
	"github.com/bakewatch/bakewatch/rules/quantity"
)

// Start is where the counting of one deployment begins.
type Start struct {
	From     time.Time     // the deployment
	Interval time.Duration // between looks
	WarmUp   time.Duration
	// Apart says that counts are the version's own, so that a look which began before
	// the deployment counts as well.
	Apart bool

	data time.Time // the last look that had data; or zero
}

// Early says that the look does not count: it is of the time before the deployment,
// or the version is still warming up.
func (s *Start) Early(at time.Time) (why string, early bool) {
	switch {
	case s.Apart && !at.After(s.From), !s.Apart && at.Add(-s.Interval).Before(s.From):
		return "before the deployment", true
	case at.Before(s.From.Add(s.WarmUp)):
		return WarmingUp(at.Sub(s.From), s.WarmUp), true
	}
	return "", false
}

// WarmingUp says how much of the warm-up has passed.
func WarmingUp(passed, warmUp time.Duration) string {
	return fmt.Sprintf("warming up: %s of %s", Length(passed.Round(time.Second)), Length(warmUp))
}

// Baseline says that the look is the first with data after none for so long that a
// query would count the whole past of series that came back, and missing data would
// become a breach. Where counts are not the version's own, nobody knows how long there
// was none before the deployment. It is to be asked at every look.
func (s *Start) Baseline(at time.Time, data bool) bool {
	if !data {
		return false
	}
	last := s.data
	s.data = at
	if last.IsZero() {
		return !s.Apart && at.Add(-s.Interval).After(s.From)
	}
	return at.Sub(last) > promql.Remembered+s.Interval
}

// Again says that the version ran here before the deployment as well, so that its
// series do not begin with it.
func Again(d rules.Deployment) bool { return d.Retry || d.Version == d.Previous && d.Version != "" }

// Length returns a length of time for people: "1m30s".
func Length(d time.Duration) string { return rules.Duration(d).String() }

// Number writes a count: whole where it is, for native histograms are interpolated,
// and without what the arithmetic of floats leaves behind.
func Number(count float64) string {
	return strconv.FormatFloat(math.Round(count*100)/100, 'f', -1, 64)
}

// Among writes what something was counted among, where its share or rate is in this unit:
// "of 1000" events, or "in 2.5 pod-hours".
func Among(total float64, unit quantity.Unit) string {
	switch {
	case unit != quantity.PerPodSecond:
		return "of " + Number(total)
	case total < 3600:
		return "in " + quantity.Format(total/60, quantity.Plain) + " pod-minutes"
	}
	return "in " + quantity.Format(total/3600, quantity.Plain) + " pod-hours"
}
