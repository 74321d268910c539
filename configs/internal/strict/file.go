package strict

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/BurntSushi/toml"
)

// MaxSize is the most bytes that a file may have; a longer one is no plan.
const MaxSize = 1 << 20

// File is one TOML file, decoded, with the place of everything in it and the
// problems found so far.
type File struct {
	Name     string // as problems name it
	Problems Problems
	Needs    []Need // what it names that must be on the machine

	data  []byte
	lines []int // where each line begins
	tree  map[string]any
	root  *node
}

// maxProblems bounds what is told about one file; who has so many needs no more.
const maxProblems = 200

// Read reads and parses the file at path. ok is false if there is nothing to
// look at; then Problems says why.
func Read(path string) (file *File, ok bool) {
	data, err := readBounded(path)
	if err != nil {
		return &File{Name: path, Problems: Problems{{File: path, What: err.Error()}}}, false
	}
	return Parse(path, data)
}

func readBounded(path string) ([]byte, error) {
	f, err := os.Open(path) //nolint:gosec // the operator's own file
	if err != nil {
		return nil, fmt.Errorf("cannot be read: %w", errors.Unwrap(err))
	}
	defer f.Close() //nolint:errcheck // only read
	data, err := io.ReadAll(io.LimitReader(f, MaxSize+1))
	if err != nil {
		return nil, fmt.Errorf("cannot be read: %w", err)
	}
	return data, nil
}

// Parse parses a file that was already read.
func Parse(name string, data []byte) (file *File, ok bool) {
	data = bytes.TrimPrefix(data, []byte("\xef\xbb\xbf"))
	f := &File{Name: name, data: data, tree: map[string]any{}, root: &node{}}
	if len(data) > MaxSize {
		f.add(Problem{What: fmt.Sprintf("is longer than %d KiB", MaxSize>>10), Hint: "split it, or check that the path is right"})
		return f, false
	}
	f.lines = lineStarts(data)
	root, err := index(data)
	if errors.Is(err, errTooDeep) {
		f.add(Problem{What: "lists or tables are nested too deeply"})
		return f, false
	}
	f.root = root
	if err := toml.Unmarshal(data, &f.tree); err != nil {
		f.syntax(err)
		return f, false
	}
	return f, true
}

// syntax reports what the TOML parser stumbled over.
func (f *File) syntax(err error) {
	var parse toml.ParseError
	if !errors.As(err, &parse) {
		f.add(Problem{What: "is not valid TOML: " + strings.TrimPrefix(err.Error(), "toml: ")})
		return
	}
	line, column := f.place(min(max(parse.Position.Start, 0), len(f.data)))
	if parse.Position.Len == 0 && parse.Position.Line > 0 && parse.Position.Line != line {
		line, column = parse.Position.Line, 1
	}
	f.add(Problem{Line: line, Column: column, What: "is not valid TOML: " + parse.Message})
}

// Root returns the file's outermost table.
func (f *File) Root() Table { return Table{file: f, tree: f.tree, node: f.root} }

// Path returns a path written in the file: relative ones begin at its folder.
func (f *File) Path(path string) string {
	if path == "" || filepath.IsAbs(path) {
		return path
	}
	return filepath.Join(filepath.Dir(f.Name), path)
}

func (f *File) add(p Problem) {
	if f.full() {
		return
	}
	p.File = f.Name
	if len(f.Problems) == maxProblems-1 {
		p = Problem{File: f.Name, What: fmt.Sprintf("more than %d problems; the rest is not told", maxProblems-1)}
	}
	f.Problems = append(f.Problems, p)
}

// full says whether no more problems are taken.
func (f *File) full() bool { return len(f.Problems) >= maxProblems }

// at adds a problem at a place; a nil node is the whole file.
func (f *File) at(where span, p Problem) {
	if where.end > 0 {
		p.Line, p.Column = f.place(where.start)
	}
	f.add(p)
}

// blamed says whether an error was already reported at the place.
func (f *File) blamed(where span) bool {
	line, column := f.place(where.start)
	return where.end > 0 && slices.ContainsFunc(f.Problems, func(p Problem) bool {
		return p.Line == line && p.Column == column && !p.Warning
	})
}

// place returns line and column of a byte, both from 1.
func (f *File) place(offset int) (line, column int) {
	offset = min(offset, len(f.data))
	line, exact := slices.BinarySearch(f.lines, offset)
	if exact {
		line++
	}
	if line == 0 {
		return 1, 1
	}
	return line, 1 + utf8.RuneCount(f.data[f.lines[line-1]:offset])
}

func lineStarts(data []byte) []int {
	starts := []int{0}
	for i, b := range data {
		if b == '\n' {
			starts = append(starts, i+1)
		}
	}
	return starts
}
