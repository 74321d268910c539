package promql

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/labels"

	"github.com/bakewatch/bakewatch/rules"
)

// Scope finds the series of one deployment among those of its service: a plan's
// [select], checked. It is immutable.
type Scope struct {
	match   []*labels.Matcher
	version string
	join    *rules.Join
	slots   map[string][]*labels.Matcher
}

// NewScope checks [select]. Every error in the joined error is a *rules.FieldError
// whose key begins with "select".
func NewScope(s rules.Select) (Scope, error) {
	var scope Scope
	var wrong []error
	scope.match, wrong = matchers("select.match", s.Match)
	if ways := len(used(s)); ways > 1 {
		wrong = append(wrong, blamef("select", "versions are told apart by one of %s, not by several", strings.Join(used(s), " and ")))
	}
	if s.Version != "" {
		scope.version = s.Version
		wrong = append(wrong, checkLabel("select.version", s.Version))
	}
	if s.Join != nil {
		scope.join = s.Join
		wrong = append(wrong, checkJoin(*s.Join))
	}
	for _, name := range slices.Sorted(maps.Keys(s.Slots)) {
		found, more := matchers("select.slots."+name, s.Slots[name])
		if len(s.Slots[name]) == 0 {
			more = append(more, blamef("select.slots."+name, "a slot needs at least one matcher"))
		}
		if scope.slots == nil {
			scope.slots = map[string][]*labels.Matcher{}
		}
		scope.slots[name] = found
		wrong = append(wrong, more...)
	}
	return scope, errors.Join(wrong...)
}

func used(s rules.Select) []string {
	var ways []string
	if s.Version != "" {
		ways = append(ways, "version")
	}
	if s.Join != nil {
		ways = append(ways, "join")
	}
	if len(s.Slots) > 0 {
		ways = append(ways, "slots")
	}
	return ways
}

func matchers(key string, values map[string]string) (found []*labels.Matcher, wrong []error) {
	for _, label := range slices.Sorted(maps.Keys(values)) {
		key := key + "." + label
		if err := checkLabel(key, label); err != nil {
			wrong = append(wrong, err)
			continue
		}
		for _, name := range names(values[label]) {
			if hint, err := checkPlaceholder(name); err != nil {
				wrong = append(wrong, &rules.FieldError{Key: key, Hint: hint, Err: err})
			}
		}
		found = append(found, equal(label, values[label]))
	}
	return found, wrong
}

// CheckLabel says, blaming the key, what is wrong with the name of a label.
func CheckLabel(key, label string) error { return checkLabel(key, label) }

func checkLabel(key, label string) error {
	if !model.UTF8Validation.IsValidLabelName(label) || label == model.MetricNameLabel {
		return blamef(key, "%q is no name of a label", label)
	}
	return nil
}

func checkJoin(j rules.Join) error {
	wrong := []error{checkLabel("select.join.label", j.Label)}
	if !model.UTF8Validation.IsValidMetricName(j.Metric) {
		wrong = append(wrong, blamef("select.join.metric", "%q is no name of a metric", j.Metric))
	}
	if len(j.On) == 0 {
		wrong = append(wrong, blamef("select.join.on", "at least one label that both metrics share is needed"))
	}
	for _, label := range j.On {
		wrong = append(wrong, checkLabel("select.join.on", label))
	}
	return errors.Join(wrong...)
}

func blamef(key, format string, args ...any) error {
	return &rules.FieldError{Key: key, Err: fmt.Errorf(format, args...)}
}

func equal(label, value string) *labels.Matcher {
	return labels.MustNewMatcher(labels.MatchEqual, label, value) // only a regular expression can fail
}

// Apart says whether the counters that the selector finds are the version's own,
// so that none of their increase belongs to what ran before. A slot's series may
// be those of the version that the slot held before.
func (s Scope) Apart(selector *Selector) bool {
	if s.version != "" && !selector.Settles(s.version) {
		return true
	}
	return s.join != nil || selector.Uses("version")
}

// Parts says whether the deployment's series of the selector are told from those of
// the whole service: neither the selector nor what is added to both settles the version.
func (s Scope) Parts(selector *Selector) bool {
	whole := selector.Where(s.match...)
	switch {
	case whole.Uses("version"), whole.Uses("slot"):
		return false
	case s.version != "":
		return !whole.Settles(s.version)
	case s.join != nil:
		return true
	}
	for _, slot := range s.slots {
		if !slices.ContainsFunc(slot, func(m *labels.Matcher) bool { return !whole.Settles(m.Name) }) {
			return false
		}
	}
	return len(s.slots) > 0
}

// Values returns what the placeholders stand for. The slot is missing if the plan
// has slots but not this one, which makes every query of Series unaskable.
func (s Scope) Values(d rules.Deployment) map[string]string {
	values := d.Values()
	if _, known := s.slots[d.Slot]; len(s.slots) > 0 && !known {
		delete(values, "slot")
	}
	return values
}

// Series returns the series of the selector that belong to the deployment.
func (s Scope) Series(selector *Selector, d rules.Deployment) Series {
	selector = selector.Where(s.match...)
	switch {
	case s.version != "":
		selector = selector.Where(equal(s.version, "$version"))
	case len(s.slots) > 0 && s.slots[d.Slot] == nil:
		selector = selector.and(equal("slot", "$slot")) // never asked: see Values
	case len(s.slots) > 0:
		selector = selector.Where(s.slots[d.Slot]...)
	}
	return Series{selector: selector, only: s.restriction()}
}

// restriction returns the set operators that keep the targets whose version, on
// the joined metric, is or was the deployment's and is not another one now.
func (s Scope) restriction() string {
	if s.join == nil {
		return ""
	}
	by, mine, others := s.joined()
	return fmt.Sprintf(" and on (%s) last_over_time(%s[%s]) unless on (%s) %s", by, mine, lookback, by, others)
}

// others returns the set operators that keep the targets whose version, on the joined
// metric, is or was another one than the deployment's and is not the deployment's now.
func (s Scope) others() string {
	by, mine, others := s.joined()
	return fmt.Sprintf(" and on (%s) last_over_time(%s[%s]) unless on (%s) %s", by, others, lookback, by, mine)
}

// joined returns the labels of the join, and the series of the joined metric of the
// deployment's version and of all others.
func (s Scope) joined() (by string, mine, others *Selector) {
	on := make([]string, len(s.join.On))
	for i, label := range s.join.On {
		on[i] = quoteLabel(label)
	}
	shared := slices.DeleteFunc(slices.Clone(s.match), func(m *labels.Matcher) bool { return !slices.Contains(s.join.On, m.Name) })
	versions := (&Selector{name: s.join.Metric}).Where(shared...)
	mine = versions.Where(equal(s.join.Label, "$version"))
	others = versions.Where(labels.MustNewMatcher(labels.MatchNotEqual, s.join.Label, "$version"))
	return strings.Join(on, ", "), mine, others
}

func quoteLabel(name string) string {
	if model.LegacyValidation.IsValidLabelName(name) {
		return name
	}
	return fmt.Sprintf("%q", name)
}

// Queries returns these templates as queries about the deployment.
func (s Scope) Queries(source string, d rules.Deployment, templates ...string) []rules.Query {
	values := s.Values(d)
	queries := make([]rules.Query, len(templates))
	for i, template := range templates {
		queries[i] = rules.Query{Source: source, Template: template, Values: values}
	}
	return queries
}
