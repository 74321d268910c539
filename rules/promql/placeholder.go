package promql

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/util/strutil"

	"github.com/bakewatch/bakewatch/rules"
)

// Placeholders lists what may stand, after a dollar sign, in a label matcher's value.
func Placeholders() []string {
	return []string{"service", "environment", "version", "previous", "flag", "cohort", "slot"}
}

// dollar matches an escaped dollar sign or a placeholder. A dollar sign before
// anything else ("5..$", "$1") is just that.
var dollar = regexp.MustCompile(`\$(\$|[A-Za-z_][A-Za-z0-9_]*)`)

// EscapeDollars makes a plain text stand for itself inside a matcher's value.
func EscapeDollars(text string) string { return strings.ReplaceAll(text, "$", "$$") }

// names lists the placeholders of a matcher's value, in order.
func names(value string) []string {
	var found []string
	for _, match := range dollar.FindAllStringSubmatch(value, -1) {
		if match[1] != "$" {
			found = append(found, match[1])
		}
	}
	return found
}

// placeholderAt says whether a placeholder begins at this byte of the text.
func placeholderAt(text string, offset int) (name string, length int, found bool) {
	if offset < 0 || offset >= len(text) || text[offset] != '$' {
		return "", 0, false
	}
	match := dollar.FindStringSubmatch(text[offset:])
	if match == nil || match[1] == "$" {
		return "", 0, false
	}
	return match[1], len(match[0]), true
}

// checkPlaceholder says what is wrong with a placeholder's name.
func checkPlaceholder(name string) (hint string, err error) {
	if slices.Contains(Placeholders(), name) {
		return "", nil
	}
	if name == "window" || name == "interval" {
		return "it is known only in the expr of a rule", fmt.Errorf("$%s has no meaning here", name)
	}
	return "did you mean $" + nearest(name) + "? A dollar sign is $$", fmt.Errorf("unknown placeholder $%s", name)
}

func nearest(name string) string {
	score := strutil.NewJaroWinklerMatcher(name).Score
	return slices.MaxFunc(Placeholders(), func(a, b string) int {
		if score(a) < score(b) {
			return -1
		}
		return 1
	})
}

// escaped matches a placeholder behind a backslash: in a regular expression its
// value would lose its quoting.
var escaped = regexp.MustCompile(`(?:^|[^\\])(?:\\\\)*\\\$[A-Za-z_]`)

func regex(m *labels.Matcher) bool {
	return m.Type == labels.MatchRegexp || m.Type == labels.MatchNotRegexp
}

// bindMatcher returns the matcher with its placeholders replaced by their values,
// quoted if it is a regular expression.
func bindMatcher(m *labels.Matcher, values map[string]string) (*labels.Matcher, error) {
	var unbound error
	bound := dollar.ReplaceAllStringFunc(m.Value, func(word string) string {
		if word == "$$" {
			return "$"
		}
		value := values[word[1:]]
		if value == "" { // an empty matcher would match every series without that label
			unbound = rules.Failed(rules.Unbound, "%s", missing(word[1:]))
		}
		if regex(m) {
			return regexp.QuoteMeta(value)
		}
		return value
	})
	if unbound != nil {
		return nil, unbound
	}
	matcher, err := labels.NewMatcher(m.Type, m.Name, bound)
	if err != nil {
		return nil, rules.Failed(rules.BadQuery, "matcher of %s: %w", m.Name, err)
	}
	return matcher, nil
}

func missing(name string) string {
	switch name {
	case "previous":
		return "no previous version"
	case "slot":
		return "the event names no slot that the plan knows"
	}
	return "no " + name
}
