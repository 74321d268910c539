package configs

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/bakewatch/bakewatch/rules"
	"github.com/bakewatch/bakewatch/rules/quantity"
)

// tests says whether any rule of the plan is judged by a test.
func tests(p rules.Plan) bool {
	return slices.ContainsFunc(p.Rules, func(s rules.Spec) bool { return s.Judge != threshold })
}

// besides says what plain limits beside the tests promise.
func (e *explainer) besides(p rules.Plan) string {
	if slices.ContainsFunc(p.Rules, func(s rules.Spec) bool { return s.Judge == threshold || e.catalog.nature(s).Gated }) {
		return "; its plain limits promise nothing"
	}
	return ""
}

// judgedBy says who judges the rule, over what.
func judgedBy(p rules.Plan, s rules.Spec, n rules.Nature) string {
	switch {
	case s.Judge == "" && n.Gated:
		return "judged by a test against " + controlsOf(p.Select, s, n) + ", and by threshold over " + s.Window.String()
	case s.Judge == "":
		return "judged by a test against " + controlsOf(p.Select, s, n)
	case n.Now:
		return "judged by " + s.Judge + " at every look"
	}
	return "judged by " + s.Judge + " over " + s.Window.String()
}

// differs says by how much a version must differ, or may.
func differs(s rules.Spec) string {
	if !s.BetterBy.IsZero() {
		return fmt.Sprintf("it must be at least %s better", s.BetterBy)
	}
	margin := s.WorseBy
	if margin.IsZero() {
		margin = rules.SmallestMargin
	}
	return fmt.Sprintf("smaller differences than %s do not matter", margin)
}

// controlsOf lists what the rule's version is compared with, and its limit where that is
// of the test.
func controlsOf(selected rules.Select, s rules.Spec, n rules.Nature) string {
	var against []string
	for _, control := range s.CompareTo {
		against = append(against, string(control))
	}
	if s.CompareTo == nil {
		if beside := strategyControl(selected, s); beside != "" {
			against = append(against, beside)
		}
		against = append(against, string(rules.Before))
	}
	var limited struct {
		Max quantity.Quantity `json:"max"`
		Min quantity.Quantity `json:"min"`
	}
	if json.Unmarshal(s.Options, &limited) == nil && !limited.Max.IsZero() && !n.Gated {
		against = append(against, "max")
	}
	if !limited.Min.IsZero() {
		against = append(against, "min")
	}
	return list(against, "and")
}

// measured says what a load test measured.
func measured(s rules.LoadTestSummary) string {
	said := fmt.Sprintf("%s requests, %s errors", quantity.Format(s.Requests, quantity.Plain), quantity.Format(s.Errors, quantity.Plain))
	for _, q := range s.Slowest {
		said += fmt.Sprintf(", p%s %s", quantity.Format(100*q.Quantile, quantity.Plain), quantity.Format(q.Seconds, quantity.Seconds))
	}
	return said
}

// strategyControl names the control of the deployment's strategy, as far as the rule can tell it
// from the version; empty: it cannot.
func strategyControl(selected rules.Select, s rules.Spec) string {
	previous, off := tellsVersions(selected, s), depends(selected, s, "cohort")
	switch {
	case previous && off:
		return "the strategy's control (previous, or off of a toggle)"
	case previous:
		return string(rules.Previous)
	case off:
		return string(rules.Off)
	}
	return ""
}

// slotsOf lists the slots with what tells each of them.
func slotsOf(slots map[string]map[string]string) []string {
	var said []string
	for slot, match := range slots {
		said = append(said, strings.TrimSpace(slot+labelsOf(match)))
	}
	slices.Sort(said)
	return said
}
