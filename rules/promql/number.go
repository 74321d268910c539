package promql

import (
	"errors"
	"fmt"

	"github.com/prometheus/prometheus/promql/parser"
)

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
