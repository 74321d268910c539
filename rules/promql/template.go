package promql

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"unicode/utf8"

	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/promql/parser"
	"github.com/prometheus/prometheus/promql/parser/posrange"
)

// Template is checked PromQL with placeholders. It is safe for concurrent use.
type Template struct {
	expr parser.Expr

	mu    sync.Mutex // guards the selectors' matchers while a text is written
	slots []slot
}

// slot is a matcher in the tree whose value holds a dollar sign.
type slot struct {
	in      *parser.VectorSelector
	index   int
	matcher *labels.Matcher
}

// Parse reads and checks a template. The error is an *Error about text.
func Parse(text string) (*Template, error) {
	expr, err := parser.NewParser(parser.Options{}).ParseExpr(text)
	if err != nil {
		return nil, syntaxError(text, err)
	}
	t := &Template{expr: expr}
	var wrong []error
	parser.Inspect(expr, func(node parser.Node, _ []parser.Node) error {
		switch n := node.(type) {
		case *parser.VectorSelector:
			wrong = append(wrong, t.addSelector(text, n))
		case *parser.StringLiteral:
			wrong = append(wrong, checkString(text, n))
		}
		return nil
	})
	if err := firstOf(wrong); err != nil {
		return nil, err
	}
	return t, nil
}

// addSelector checks the selector's placeholders and remembers where they are.
func (t *Template) addSelector(text string, selector *parser.VectorSelector) error {
	for i, m := range selector.LabelMatchers {
		if !strings.Contains(m.Value, "$") {
			continue
		}
		for _, name := range names(m.Value) {
			if hint, err := checkPlaceholder(name); err != nil {
				return at(find(text, selector.PosRange, name), hint, err)
			}
			if regex(m) && escaped.MatchString(m.Value) {
				return at(find(text, selector.PosRange, name), "remove the backslash; a dollar sign is $$",
					fmt.Errorf("a backslash before $%s would undo its quoting", name))
			}
		}
		t.slots = append(t.slots, slot{in: selector, index: i, matcher: m})
	}
	return nil
}

// checkString refuses a placeholder in a string that is no matcher's value, where
// it would be left as it is (label_replace has a dollar syntax of its own).
func checkString(text string, literal *parser.StringLiteral) error {
	for _, name := range names(literal.Val) {
		if slices.Contains(Placeholders(), name) {
			return at(find(text, literal.PosRange, name), "a capture group is written ${"+name+"}",
				fmt.Errorf("$%s may stand only inside the value of a label matcher", name))
		}
	}
	return nil
}

// find returns where $name stands within a part of the text, or that whole part.
func find(text string, within posrange.PositionRange, name string) posrange.PositionRange {
	part := text[within.Start:within.End]
	for _, match := range dollar.FindAllStringSubmatchIndex(part, -1) {
		if part[match[2]:match[3]] == name {
			return posrange.PositionRange{Start: within.Start + posrange.Pos(match[0]), End: within.Start + posrange.Pos(match[1])}
		}
	}
	return within
}

func firstOf(errs []error) error {
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}

// Bind returns the PromQL with every placeholder replaced by its value, as a
// label's value and nothing else: quoted under =~ and !~. A placeholder without
// a value, or with an empty one, is a *rules.SampleError (Unbound).
func (t *Template) Bind(values map[string]string) (string, error) {
	bound := make([]*labels.Matcher, len(t.slots))
	for i, s := range t.slots {
		matcher, err := bindMatcher(s.matcher, values)
		if err != nil {
			return "", err
		}
		bound[i] = matcher
	}
	return t.write(bound), nil
}

// write returns the tree's text with these matchers in the slots.
func (t *Template) write(bound []*labels.Matcher) string {
	t.mu.Lock()
	defer t.mu.Unlock()
	for i, s := range t.slots {
		s.in.LabelMatchers[s.index] = bound[i]
	}
	defer func() {
		for _, s := range t.slots {
			s.in.LabelMatchers[s.index] = s.matcher
		}
	}()
	return writable(t.expr.String())
}

// writable spells out the one rune that PromQL's lexer refuses even in a string.
func writable(text string) string {
	return strings.ReplaceAll(text, string(utf8.RuneError), `\ufffd`)
}

// String returns the template's text, placeholders and all.
func (t *Template) String() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return writable(t.expr.String())
}

// Uses says whether the template holds the placeholder $name.
func (t *Template) Uses(name string) bool {
	return slices.ContainsFunc(t.slots, func(s slot) bool { return slices.Contains(names(s.matcher.Value), name) })
}
