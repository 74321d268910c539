package configs

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/bakewatch/bakewatch/configs/internal/strict"
	"github.com/bakewatch/bakewatch/rules"
)

// comparison checks what the rule's version is compared with, which difference
// matters, and how much better it must be. Without compare_to the strategy says it, which only the event names.
func (l *loader) comparison(t strict.Table, nature rules.Nature, spec *rules.Spec) {
	nothing := spec.CompareTo != nil && len(spec.CompareTo) == 0
	switch {
	case spec.Judge == threshold:
		l.comparesNothing(t, nature, spec.Kind)
	case nothing && t.Has("worse_by"):
		t.Fail("worse_by", "worse_by: there is nothing to be worse than: compare_to is empty", "remove it, or name a control")
	default:
		t.Blame(spec.CheckImprovement())
	}
	for i, control := range spec.CompareTo {
		key := fmt.Sprintf("compare_to.%d", i)
		if slices.Index(spec.CompareTo, control) < i {
			t.Fail(key, fmt.Sprintf("compare_to: %q is named twice", control), "")
			continue
		}
		why, hint := l.incomparable(*spec, control)
		if why == "" && control == rules.LoadTest && !t.Has("load_test") {
			why, hint = "what the load test measured", "name its summary by load_test"
		}
		if why != "" {
			t.Fail(key, fmt.Sprintf("compare_to: %q needs %s", control, why), hint)
		}
	}
}

// comparesNothing refuses the keys of a comparison where a plain limit judges.
func (l *loader) comparesNothing(t strict.Table, nature rules.Nature, kind string) {
	hint := fmt.Sprintf("remove it: rules of kind %q are held against plain limits", kind)
	switch {
	case t.Has("judge"):
		hint = `remove it, or judge = "threshold"`
	case nature.Compared:
		hint = "remove it, or say by compare_to what to compare with besides"
	}
	for _, key := range []string{"compare_to", "worse_by", "better_by", "load_test"} {
		if t.Has(key) {
			t.Fail(key, key+": a plain limit compares nothing", hint)
		}
	}
}

// incomparable says what is missing for a control; empty: nothing.
func (l *loader) incomparable(spec rules.Spec, control rules.Control) (why, hint string) {
	switch control {
	case rules.Before, rules.LastWeek: // the service as a whole
	case rules.Previous, rules.LoadTest:
		if !tellsVersions(l.file.Select, spec) {
			return "versions to be told apart", "name version, join or slots in [select], or compare with before or last-week"
		}
	case rules.Off:
		if !depends(l.file.Select, spec, "cohort") {
			return "cohorts to be told apart", "put $cohort into a matcher of [select] or of the rule's selectors"
		}
	}
	return "", ""
}

// tellsVersions says whether the rule can tell versions apart.
func tellsVersions(selected rules.Select, s rules.Spec) bool {
	of := selected.Version != "" || selected.Join != nil || len(selected.Slots) > 0
	return s.Selecting != rules.SelectNone && of || depends(selected, s, "version")
}

// depends says whether what the rule asks for depends on the placeholder.
func depends(selected rules.Select, s rules.Spec, name string) bool {
	asked := string(s.Options)
	if s.Selecting != rules.SelectNone {
		asked += strings.Join(slices.Collect(maps.Values(selected.Match)), " ")
	}
	return slices.ContainsFunc(placeholder.FindAllStringSubmatch(asked, -1), func(found []string) bool { return found[1] == name })
}

// checkServices checks a list of names of other services; itself is what is wrong with
// the plan's own.
func checkServices(t strict.Table, list, service, itself string, names []string) {
	for i, name := range names {
		key := fmt.Sprintf("%s.%d", list, i)
		switch {
		case !validName(name):
			t.Fail(key, fmt.Sprintf("%s: %q is no name", list, strict.Shorten(name)), nameHint)
		case name == service:
			t.Fail(key, list+": "+itself, "")
		case slices.Index(names, name) < i:
			t.Fail(key, fmt.Sprintf("%s: %q is named twice", list, name), "")
		}
	}
}
