package promql

import (
	"fmt"

	"github.com/prometheus/prometheus/model/labels"
)

// distinct returns the series, where those that differ only in who exports them are
// one: every replica of an exporter tells of the same thing.
func (s Series) distinct() string {
	return fmt.Sprintf("max without (instance,pod) (%s)", s.values())
}

// Distinct returns the sum of the series' values, replicas of an exporter aside.
func (s Series) Distinct() string { return fmt.Sprintf("sum(%s)", s.distinct()) }

// Added returns by how much more the distinct series sum up to than before did, for
// each value of the label by itself: fewer of one never make up for more of another.
func (s Series) Added(before Series, label string) string {
	now := fmt.Sprintf("sum by (%s) (%s)", quoteLabel(label), s.distinct())
	then := fmt.Sprintf("sum by (%s) (%s)", quoteLabel(label), before.distinct())
	return fmt.Sprintf("sum(clamp_min(%s - %s, 0) or %s)", now, then, now)
}

// Unlike returns the sum of the distinct series whose value of the label no series of
// before has that is above zero.
func (s Series) Unlike(before Series, label string) string {
	return fmt.Sprintf("sum(%s unless on (%s) (%s > 0))", s.distinct(), quoteLabel(label), before.distinct())
}

// Nameless returns how many series above zero lack the label, among these and others.
func (s Series) Nameless(others Series, label string) string {
	lacking := labels.MustNewMatcher(labels.MatchEqual, label, "")
	s.selector, others.selector = s.selector.and(lacking), others.selector.and(lacking)
	return fmt.Sprintf("count((%s) > 0 or (%s) > 0)", s.values(), others.values())
}
