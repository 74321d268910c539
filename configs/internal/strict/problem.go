package strict

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// Problem is one thing that is wrong with a file, or (Warning) worth knowing.
type Problem struct {
	File string
	// Line and Column count from 1, Column in characters; Line 0 means the whole file.
	Line, Column int
	Where        string // what the place belongs to: `rule "5xx"`, or empty
	What         string // what is wrong
	Hint         string // what to do, or empty
	Source       string // the line and a caret below what is wrong, or empty
	Warning      bool   // the file is usable all the same
}

// String returns `file:line:column: rule "x": what; hint` and, below it, the source.
func (p Problem) String() string {
	var b strings.Builder
	b.WriteString(p.File)
	if p.Line > 0 {
		fmt.Fprintf(&b, ":%d:%d", p.Line, p.Column)
	}
	if p.Warning {
		b.WriteString(": warning")
	}
	if p.Where != "" {
		b.WriteString(": " + p.Where)
	}
	b.WriteString(": " + p.What)
	if p.Hint != "" {
		b.WriteString("; " + p.Hint)
	}
	if p.Source != "" {
		b.WriteString("\n" + p.Source)
	}
	return b.String()
}

// Problems are all that was found, by file and place.
type Problems []Problem

// Error returns the problems, one a line.
func (p Problems) Error() string { return p.String() }

// String returns the problems, one a line, each with its source below it.
func (p Problems) String() string {
	lines := make([]string, 0, len(p))
	for _, problem := range p {
		lines = append(lines, problem.String())
	}
	return strings.Join(lines, "\n")
}

// Failed says whether any of the problems is more than a warning.
func (p Problems) Failed() bool {
	return slices.ContainsFunc(p, func(problem Problem) bool { return !problem.Warning })
}

// Sorted returns the problems by file, line and column, without repeats.
func (p Problems) Sorted() Problems {
	sorted := slices.Clone(p)
	slices.SortStableFunc(sorted, func(a, b Problem) int {
		return cmp.Or(
			cmp.Compare(a.File, b.File), cmp.Compare(a.Line, b.Line), cmp.Compare(a.Column, b.Column),
			cmp.Compare(a.Where, b.Where), cmp.Compare(a.What, b.What),
		)
	})
	return slices.Compact(sorted)
}
