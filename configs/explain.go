package configs

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/bakewatch/bakewatch/rules"
)

// Explain returns the plan as sentences, with every default written out.
func (c Catalog) Explain(p rules.Plan) string {
	e := &explainer{catalog: c}
	e.line("%s, owned by %s, is watched %s.", p.Service, p.Owner, placesOf(p))
	e.watching(p)
	e.selecting(p.Select)
	for _, spec := range p.Rules {
		e.rule(p, spec)
	}
	for _, r := range p.Rollbacks {
		e.rollback(r)
	}
	e.calls(p)
	e.hearing(p.Notify)
	e.line("(plan %s, version %s)", p.File, p.Hash)
	return e.text.String()
}

type explainer struct {
	catalog Catalog
	text    strings.Builder
}

func (e *explainer) line(format string, args ...any) { fmt.Fprintf(&e.text, format+"\n", args...) }

func placesOf(p rules.Plan) string {
	where := "in every environment"
	if len(p.Environments) > 0 {
		where = "in " + list(p.Environments, "and")
	}
	if p.Tier > 0 {
		where += fmt.Sprintf(", tier %d", p.Tier)
	}
	return where + labelsOf(p.Labels)
}

func labelsOf(labels map[string]string) string {
	var said []string
	for _, name := range slices.Sorted(maps.Keys(labels)) {
		said = append(said, name+"="+labels[name])
	}
	if len(said) == 0 {
		return ""
	}
	return " (" + strings.Join(said, ", ") + ")"
}

func (e *explainer) watching(p rules.Plan) {
	if tests(p) {
		e.line("A deployment bakes for %s after it is live; it passes before that, but never before %s, once its tests have proved it well.", p.Bake, p.BakeMin)
		e.line("Of healthy deployments, %s may be blamed by chance, by all tests of the plan together%s.", p.FalseAlarms, e.besides(p))
	} else {
		e.line("A deployment bakes for %s after it is live, and never passes before %s.", p.Bake, p.BakeMin)
	}
	e.stages(p)
	e.line("One that is started but not finished after %s is told.", p.RollOut)
	source := "Prometheus"
	if p.Source != "" {
		source = fmt.Sprintf("Prometheus %q", p.Source)
	}
	e.line("%s is asked every %s, about the instant %s before; when it gives no answers for %s, people are told.", source, p.Interval, p.Settle, p.BlindFor)
	if len(p.DependsOn) > 0 {
		e.line("It depends on %s, which may be to blame instead.", list(p.DependsOn, "and"))
	}
	e.borrowing(p)
}

// stages says how long each stage bakes.
func (e *explainer) stages(p rules.Plan) {
	if len(p.Stages) == 0 {
		return
	}
	var each []string
	for _, s := range p.Stages {
		each = append(each, fmt.Sprintf("%s for %s", s.At, s.Bake))
	}
	e.line("Of a deployment in stages, stage %s bakes before the tool may go on; a stage not named here for %s.", list(each, "and"), p.Bake)
}

// borrowing says which rules borrow other services, and when.
func (e *explainer) borrowing(p rules.Plan) {
	var borrowing []string
	for _, s := range p.Rules {
		if e.catalog.borrows(s) {
			borrowing = append(borrowing, fmt.Sprintf("%q", s.Name))
		}
	}
	if len(p.Weather) == 0 || len(borrowing) == 0 {
		return
	}
	rule := "Rule " + borrowing[0] + " borrows"
	if len(borrowing) > 1 {
		rule = "Rules " + list(borrowing, "and") + " borrow"
	}
	e.line("%s %s: what rises there in the same minutes is not held against the version. A control of its own that serves then, the previous version or off of a toggle, goes before.", rule, list(p.Weather, "and"))
}

func (e *explainer) selecting(s rules.Select) {
	if len(s.Match) > 0 {
		e.line("Its series are those with%s.", labelsOf(s.Match))
	}
	switch {
	case s.Version != "":
		e.line("The label %s tells versions apart.", s.Version)
	case s.Join != nil:
		e.line("Versions are told apart by the label %s of %s, joined on %s.", s.Join.Label, s.Join.Metric, list(s.Join.On, "and"))
	case len(s.Slots) > 0:
		e.line("The event names the slot: %s.", list(slotsOf(s.Slots), "or"))
	default:
		e.line("Versions cannot be told apart: rules judge the whole service, old and new version together.")
	}
}

func (e *explainer) rule(p rules.Plan, s rules.Spec) {
	nature := e.catalog.nature(s)
	e.line("Rule %q (%s, %s, %s), %s:", s.Name, s.Kind, s.Severity, modeOf(s.Mode), judgedBy(p, s, nature))
	var options map[string]any
	if err := json.Unmarshal(s.Options, &options); err == nil {
		if s.Judge != "" && nature.FewestKey != "" {
			options[nature.FewestKey] = nature.Fewest
		}
		for _, key := range slices.Sorted(maps.Keys(options)) {
			e.line("    %s = %s", key, value(options[key]))
		}
	}
	if s.Selecting == rules.SelectNone {
		e.line("    its selectors are asked as they stand, without [select]")
	}
	if s.Judge == "" {
		e.line("    %s", differs(s))
	}
	if s.LoadTest != nil {
		e.line("    load_test = %s: %s", s.LoadTest.File, measured(*s.LoadTest))
	}
	held := "at once"
	switch {
	case s.Judge == "" && !s.BetterBy.IsZero():
		held = "once it is proved that it is not"
	case s.Judge == "":
		held = "once it is proved"
		if nature.Gated {
			held += ", or at once beyond max"
		}
	case s.For > 0:
		held = "after " + s.For.String() + " without a pause"
	}
	e.line("    breached %s; looks in the first %s do not count; without data: %s", held, s.WarmUp, s.OnNoData)
}

func modeOf(m rules.Mode) string {
	switch m {
	case rules.Shadow:
		return "only recorded"
	case rules.Enforce:
		return "enforced"
	case rules.ModeUnset, rules.ModeNotify:
	}
	return "only told"
}

// value writes an option as the plan would.
func value(v any) string {
	if text, is := v.(string); is && strings.Contains(text, `"`) && !strings.ContainsAny(text, "'\n") {
		return "'" + text + "'"
	}
	var b strings.Builder
	encoder := json.NewEncoder(&b)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(v); err != nil {
		return fmt.Sprint(v)
	}
	return strings.TrimSpace(b.String())
}

func (e *explainer) rollback(r rules.Rollback) {
	strategies := "Any deployment"
	if len(r.Strategies) > 0 {
		strategies = "A " + list(r.Strategies, "or") + " deployment"
	}
	target := "the last version that passed"
	if r.Target == rules.PreviousVersion {
		target = "the version that was live before"
	}
	e.line("%s is rolled back by %q to %s.", strategies, r.Use, target)
	if r.Takes > 0 {
		e.line("    It should take %s.", r.Takes)
	}
	if len(r.With) > 0 {
		e.line("    with = %s", value(r.With))
	}
	e.line("    After %s without an end it is unknown, and a person is told; the limits must be kept again within %s.", r.Timeout, r.Verify)
	switch {
	case r.Reversible == nil:
		e.line("    The plan does not say that this is reversible: people are asked at most, and silence rolls nothing back.")
	case !*r.Reversible && r.Otherwise == "":
		e.line("    This is not reversible: nobody rolls back, people are told.")
	}
	if r.Otherwise != "" {
		e.line("    Where there is no way back, people are asked whether to run %q instead.", r.Otherwise)
	}
	if r.Runbook != "" {
		e.line("    Runbook: %s", r.Runbook)
	}
}

// calls says who makes the call, and when the calendars are on of which that depends.
func (e *explainer) calls(p rules.Plan) {
	for _, name := range slices.Sorted(maps.Keys(p.Calendars)) {
		e.line("%s", calendarOf(name, p.Calendars[name]))
	}
	if e.catalog.Calls == nil {
		return
	}
	e.line("Who makes the call:")
	for _, call := range e.catalog.Calls(p) {
		e.line("    %s", call)
	}
}

func (e *explainer) hearing(n rules.Notification) {
	for _, heard := range []struct {
		what     string
		channels []string
	}{{"is paged when a person is needed", n.Page}, {"hears everything", n.Chat}, {"hears in plain words what became of it", n.Stakeholders}} {
		if len(heard.channels) > 0 {
			e.line("%s %s.", list(heard.channels, "and"), heard.what)
		}
	}
}

func texts[T any](values []T) []string {
	words := make([]string, 0, len(values))
	for _, v := range values {
		words = append(words, fmt.Sprint(v))
	}
	return words
}

// list joins words: a, b and c.
func list[T ~string](words []T, last string) string {
	said := texts(words)
	if len(said) < 2 {
		return strings.Join(said, "")
	}
	end := len(said) - 1
	return strings.Join(said[:end], ", ") + " " + last + " " + said[end]
}
