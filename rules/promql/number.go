package promql

import (
	"errors"
	"fmt"
	"time"

	"github.com/prometheus/prometheus/promql/parser"

	"github.com/bakewatch/bakewatch/rules"
)

// ReadNumber reads the expression of a key of a rule's options, which must be able to
// give one number at every look. The error is a *rules.FieldError that blames the key.
func ReadNumber(key, text string, words Words) (*Template, error) {
	if text == "" {
		return nil, &rules.FieldError{Key: key, Hint: "PromQL that gives one number", Err: errors.New("is needed")}
	}
	template, err := words.Parse(text)
	if err != nil {
		return nil, Blame(key, err)
	}
	return template, Blame(key, template.CheckNumber())
}

// CheckNumber says what is wrong with the expression of a key, before it is known
// what $window and $interval are.
func CheckNumber(key, text string) error {
	_, err := ReadNumber(key, text, Words{Window: rules.Duration(time.Minute), Interval: rules.Duration(time.Second)})
	return err
}

// CheckNumber refuses an expression that can't give one number at every look.
func (t *Template) CheckNumber() error {
	if pinned(t.expr) {
		return &Error{Hint: "leave it out: every look is at one instant", Err: errors.New("@ start() and @ end() are other instants when looks are caught up with")}
	}
	if comparison(t.expr) {
		return &Error{Hint: "give the value itself, and set max or min", Err: errors.New("a comparison gives nothing at all where it is not true")}
	}
	switch kind := t.expr.Type(); kind {
	case parser.ValueTypeVector, parser.ValueTypeScalar:
		return nil
	case parser.ValueTypeMatrix:
		return &Error{Hint: "put a function such as last_over_time around it", Err: errors.New("this gives ranges of values, not one number")}
	default:
		return &Error{Err: fmt.Errorf("this gives a %s, not a number", kind)}
	}
}

// pinned says whether a part of the expression is evaluated at the start or the
// end of the query's range, which only a look that is fetched later has.
func pinned(expr parser.Expr) (found bool) {
	parser.Inspect(expr, func(node parser.Node, _ []parser.Node) error {
		switch n := node.(type) {
		case *parser.VectorSelector:
			found = found || n.StartOrEnd != 0
		case *parser.SubqueryExpr:
			found = found || n.StartOrEnd != 0
		}
		return nil
	})
	return found
}

// comparison says whether the expression filters by a comparison.
func comparison(expr parser.Expr) bool {
	if paren, ok := expr.(*parser.ParenExpr); ok {
		return comparison(paren.Expr)
	}
	binary, ok := expr.(*parser.BinaryExpr)
	return ok && binary.Op.IsComparisonOperator() && !binary.ReturnBool
}
