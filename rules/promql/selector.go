package promql

import (
	"errors"
	"fmt"
	"slices"

	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/promql/parser"

	"github.com/bakewatch/bakewatch/rules"
)

// Selector names the series of one metric. It may hold placeholders and is immutable.
type Selector struct {
	name     string
	matchers []*labels.Matcher // without the name's
}

// ParseSelector reads exactly one vector selector of exactly one metric. The
// error is an *Error about text.
func ParseSelector(text string) (*Selector, error) {
	t, err := Parse(text)
	if err != nil {
		return nil, err
	}
	whole := func(hint, format string, args ...any) error {
		return &Error{Length: len(text), Hint: hint, Err: fmt.Errorf(format, args...)}
	}
	vector, ok := t.expr.(*parser.VectorSelector)
	if !ok {
		return nil, whole("name the counter alone, without rate() or sum(): its exact count is taken for you; a whole expression goes into a rule of kind query",
			"a selector such as http_requests_total{code=\"500\"} is wanted here, not an expression")
	}
	if vector.OriginalOffset != 0 || vector.OriginalOffsetExpr != nil || vector.Timestamp != nil || vector.StartOrEnd != 0 {
		return nil, whole("", "a selector may have no offset and no @")
	}
	s := &Selector{name: vector.Name}
	for _, m := range vector.LabelMatchers {
		if m.Name != model.MetricNameLabel {
			s.matchers = append(s.matchers, m)
			continue
		}
		if m.Type != labels.MatchEqual || len(names(m.Value)) > 0 {
			return nil, whole("write one rule for each metric", "the selector matches several metric names (%s)", m)
		}
		s.name = m.Value
	}
	if s.name == "" {
		return nil, whole("", "the selector names no metric")
	}
	return s, nil
}

// ReadSelector reads the selector of a key of a rule's options. The error is a
// *rules.FieldError that blames the key.
func ReadSelector(key, text string) (*Selector, error) {
	if text == "" {
		return nil, &rules.FieldError{Key: key, Hint: "name the metric, or a preset that does", Err: errors.New("is needed")}
	}
	s, err := ParseSelector(text)
	return s, Blame(key, err)
}

// Metric returns the metric's name.
func (s *Selector) Metric() string { return s.name }

// Named returns the selector of another metric with the same matchers.
func (s *Selector) Named(metric string) *Selector {
	return &Selector{name: metric, matchers: s.matchers}
}

// Has says whether the selector has a matcher on this label.
func (s *Selector) Has(label string) bool {
	return slices.ContainsFunc(s.matchers, func(m *labels.Matcher) bool { return m.Name == label })
}

// Uses says whether the selector asks for what the placeholder $name stands for.
// A matcher that excludes it does not.
func (s *Selector) Uses(name string) bool {
	return slices.ContainsFunc(s.matchers, func(m *labels.Matcher) bool { return picks(m) && slices.Contains(names(m.Value), name) })
}

// Settles says whether the selector decides alone about this label: by =, by a
// placeholder, or by =~".*", which lets everything through on purpose. Another
// matcher only narrows, and says nothing about which version is meant.
func (s *Selector) Settles(label string) bool {
	return slices.ContainsFunc(s.matchers, func(m *labels.Matcher) bool {
		return m.Name == label && (m.Type == labels.MatchEqual || picks(m) && (m.Value == ".*" || len(names(m.Value)) > 0))
	})
}

func picks(m *labels.Matcher) bool {
	return m.Type == labels.MatchEqual || m.Type == labels.MatchRegexp
}

// Of returns the selector that asks for $other wherever this one asks for $name.
func (s *Selector) Of(name, other string) *Selector {
	swapped := slices.Clone(s.matchers)
	for i, m := range swapped {
		value := dollar.ReplaceAllStringFunc(m.Value, func(word string) string {
			if word == "$"+name {
				return "$" + other
			}
			return word
		})
		if value != m.Value {
			swapped[i] = labels.MustNewMatcher(m.Type, m.Name, value)
		}
	}
	return &Selector{name: s.name, matchers: swapped}
}

// Where returns the selector with more matchers. A label that the selector itself
// settles is left to it.
func (s *Selector) Where(more ...*labels.Matcher) *Selector {
	return s.and(slices.DeleteFunc(slices.Clone(more), func(m *labels.Matcher) bool { return s.Settles(m.Name) })...)
}

func (s *Selector) and(more ...*labels.Matcher) *Selector {
	return &Selector{name: s.name, matchers: slices.Concat(s.matchers, more)}
}

// Matching returns the selector with label =~ pattern, a regular expression known
// to be right. A label that the selector itself matches on is left to it.
func (s *Selector) Matching(label, pattern string) *Selector {
	if s.Has(label) {
		return s
	}
	return s.and(labels.MustNewMatcher(labels.MatchRegexp, label, pattern))
}

// Labelled returns the selector of those series that have this label.
func (s *Selector) Labelled(label string) *Selector {
	return s.and(labels.MustNewMatcher(labels.MatchNotEqual, label, ""))
}

// String returns the selector as PromQL.
func (s *Selector) String() string {
	vector := parser.VectorSelector{LabelMatchers: append(slices.Clone(s.matchers), equal(model.MetricNameLabel, s.name))}
	if model.LegacyValidation.IsValidMetricName(s.name) {
		vector.Name = s.name // written before the braces
	}
	return writable(vector.String())
}
