package configs

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/bakewatch/bakewatch/rules"
	"github.com/bakewatch/bakewatch/rules/quantity"
	judge "github.com/bakewatch/bakewatch/rules/threshold"
)

// levels are the kinds that look at what is now, so that a window has no meaning.
var levels = []string{"up", "security-scan"}

// judgedBy says who judges the rule, over what.
func judgedBy(s rules.Spec) string {
	if s.Judge != "" {
		return "judged by " + s.Judge + " " + judgedOver(s)
	}
	return "judged by a test against " + controlsOf(s)
}

// controlsOf lists what the rule's version is compared with, and its limit.
func controlsOf(s rules.Spec) string {
	var against []string
	for _, control := range s.CompareTo {
		against = append(against, string(control))
	}
	if s.CompareTo == nil {
		against = append(against, "the strategy's control", string(rules.Before))
	}
	var limited struct {
		Max quantity.Quantity `json:"max"`
	}
	if json.Unmarshal(s.Options, &limited) == nil && !limited.Max.IsZero() {
		against = append(against, "max")
	}
	return list(against, "and")
}

func judgedOver(s rules.Spec) string {
	if slices.Contains(levels, s.Kind) || s.Kind == "query" && !strings.Contains(string(s.Options), "$window") {
		return "at every look"
	}
	return "over " + s.Window.String()
}

// fewest fills in the min_requests that holds where a rule over a share sets none.
func fewest(options map[string]any) {
	if _, said := options["min_requests"]; said {
		return
	}
	if share := limitOf(options); share > 0 {
		options["min_requests"] = judge.MinRequests(0, share)
	}
}

// limitOf returns the largest share of bad requests that is allowed; 0: the rule
// is over no requests.
func limitOf(options map[string]any) float64 {
	if quantile, is := options["quantile"].(float64); is {
		return 1 - quantile
	}
	limit, err := quantity.Parse(fmt.Sprint(options["max"]))
	if _, over := options["requests"]; !over || err != nil {
		return 0
	}
	return limit.Value()
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
