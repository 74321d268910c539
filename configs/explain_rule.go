package configs

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/bakewatch/bakewatch/rules"
	"github.com/bakewatch/bakewatch/rules/promql"
	"github.com/bakewatch/bakewatch/rules/quantity"
	judge "github.com/bakewatch/bakewatch/rules/threshold"
)

// tests says whether any rule of the plan is judged by a test.
func tests(p rules.Plan) bool {
	return slices.ContainsFunc(p.Rules, func(s rules.Spec) bool { return s.Judge != threshold })
}

// besides says what plain limits beside the tests promise.
func besides(p rules.Plan) string {
	if slices.ContainsFunc(p.Rules, func(s rules.Spec) bool { return s.Judge == threshold }) {
		return "; its plain limits promise nothing"
	}
	return ""
}

// levels are the kinds that look at what is now, so that a window has no meaning.
var levels = []string{"up", "security-scan"}

// judgedBy says who judges the rule, over what.
func judgedBy(p rules.Plan, s rules.Spec, options map[string]any) string {
	if s.Judge != "" || asksExpression(options) {
		return "judged by " + threshold + " " + judgedOver(s, options)
	}
	return "judged by a test against " + controlsOf(p.Select, s)
}

// controlsOf lists what the rule's version is compared with, and its limit.
func controlsOf(selected rules.Select, s rules.Spec) string {
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
	if json.Unmarshal(s.Options, &limited) == nil && !limited.Max.IsZero() {
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
	asked := string(s.Options)
	told := s.Selecting != rules.SelectNone
	if told {
		asked += strings.Join(slices.Collect(maps.Values(selected.Match)), " ")
	}
	previous := told && (selected.Version != "" || selected.Join != nil || len(selected.Slots) > 0) || holds(asked, "version")
	off := holds(asked, "cohort")
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

// expressions are the keys of kinds that ask a whole expression: it looks at what is
// now as well, unless it holds $window.
var expressions = []string{"expr", "rating"}

// asksExpression says whether the rule asks one, which is compared with nothing.
func asksExpression(options map[string]any) bool {
	return slices.ContainsFunc(expressions, func(key string) bool { return options[key] != nil })
}

func judgedOver(s rules.Spec, options map[string]any) string {
	now := slices.Contains(levels, s.Kind)
	for _, key := range expressions {
		text, _ := options[key].(string)
		now = now || text != "" && !promql.UsesWindow(text)
	}
	if now {
		return "at every look"
	}
	return "over " + s.Window.String()
}

// fewest fills in the default of how many events a rule is judged on, where it sets none.
func fewest(options map[string]any) {
	key := "min_requests"
	if _, per := options["per"]; per {
		key = "min_sessions"
	}
	if _, said := options[key]; said {
		return
	}
	if n := fewestOf(options); n > 0 {
		options[key] = n
	}
}

// fewestOf returns what a limit needs at least; 0: the rule is over no events.
func fewestOf(options map[string]any) float64 {
	share := func(key string) float64 {
		limit, err := quantity.Parse(fmt.Sprint(options[key]))
		if err != nil {
			return 0
		}
		return limit.Value()
	}
	has := func(key string) bool { _, said := options[key]; return said }
	quantile, slow := options["quantile"].(float64)
	switch {
	case slow:
		return judge.MinRequests(0, 1-quantile)
	case has("planned"):
		return judge.MinOfShare(0, share("planned"), share("min"))
	case has("uses"):
		return judge.MinForGoal(0, share("min"))
	case (has("requests") || has("complaints")) && share("max") > 0:
		return judge.MinRequests(0, share("max"))
	}
	return 0
}

// doing says what each power comes to.
var doing = map[rules.Power]string{
	rules.None: "only recorded", rules.Notify: "told", rules.Ask: "people are asked", rules.Auto: "rolled back at once",
}

// highest says the most that a breach of the rule can lead to, whatever an
// authority further down says: the ceilings of the rule hold there too.
func (e *explainer) highest(p rules.Plan, s rules.Spec) {
	most, why := rules.Auto, ""
	for _, ceiling := range []struct {
		power rules.Power
		why   string
	}{
		{granted(p, s), "no authority gives more"},
		{s.Mode.Ceiling(), "its mode is " + s.Mode.String()},
		{s.Severity.Ceiling(), "its severity is " + s.Severity.String()},
	} {
		if ceiling.power < rules.Auto && ceiling.power <= most {
			most, why = ceiling.power, ", since "+ceiling.why
		}
	}
	e.line("    at most: %s%s", doing[most], why)
}

// granted returns the most that an authority could grant for the rule; none
// matches: people are told.
func granted(p rules.Plan, s rules.Spec) rules.Power {
	most := rules.Notify
	for _, a := range p.Authorities {
		named := len(a.Rules) == 0 || slices.Contains(a.Rules, s.Name)
		if named && (len(a.Severity) == 0 || slices.Contains(a.Severity, s.Severity)) {
			most = max(most, a.Decide)
		}
	}
	return most
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
