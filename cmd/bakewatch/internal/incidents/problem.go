package incidents

import (
	"errors"
	"fmt"
	"strings"
)

// Problem is one thing that is wrong with a file.
type Problem struct {
	File string
	Line int // from 1; 0: the whole file
	What string
	Hint string // what to do, or empty
}

func (p *Problem) Error() string {
	var b strings.Builder
	b.WriteString(p.File)
	if p.Line > 0 {
		fmt.Fprintf(&b, ":%d", p.Line)
	}
	b.WriteString(": " + p.What)
	if p.Hint != "" {
		b.WriteString("; " + p.Hint)
	}
	return b.String()
}

// Problems are all that was found, in the order of files and lines.
type Problems []*Problem

func (p Problems) Error() string {
	lines := make([]string, len(p))
	for i, problem := range p {
		lines[i] = problem.Error()
	}
	return strings.Join(lines, "\n")
}

// Unwrap returns the problems one by one.
func (p Problems) Unwrap() []error {
	all := make([]error, len(p))
	for i, problem := range p {
		all[i] = problem
	}
	return all
}

// mostProblems of one file are told; more help nobody.
const mostProblems = 20

// report collects the problems of one file.
type report struct {
	file  string
	found Problems
	more  int
}

// add notes a problem of a line.
func (r *report) add(line int, hint, what string, args ...any) {
	if len(r.found) >= mostProblems {
		r.more++
		return
	}
	r.found = append(r.found, &Problem{File: r.file, Line: line, What: fmt.Sprintf(what, args...), Hint: hint})
}

// problems returns what was found.
func (r *report) problems() Problems {
	if r.more == 0 {
		return r.found
	}
	return append(r.found, &Problem{File: r.file, What: fmt.Sprintf("and %d more", r.more)})
}

// asProblems says whether the error is of the files that were read.
func asProblems(err error) (Problems, bool) { return errors.AsType[Problems](err) }
