package strict

import (
	"errors"
	"fmt"
	"os"
)

// Need is something of the machine that a file names: a file, a program, a variable
// of the environment. It may be missing where the file is only checked, so that it
// is never an error of the file itself.
type Need struct {
	// Program says that it is run, and so belongs to the daemon's machine alone.
	Program bool

	place Problem
	check func() error
}

// Missing returns a warning if what is needed is not there now. It shows neither
// paths nor names: people put secrets there by mistake.
func (n Need) Missing() (p Problem, missing bool) {
	err := n.check()
	if err == nil {
		return Problem{}, false
	}
	p = n.place
	p.What += ": " + err.Error()
	p.Hint = "the daemon needs it where it runs"
	return p, true
}

// NeedFile notes that the key names a file to be read.
func (t Table) NeedFile(key, path string) {
	if path != "" {
		t.need(key, false, func() error { return readable(path) })
	}
}

// NeedEnv notes that the key names a variable of the environment.
func (t Table) NeedEnv(key, name string) {
	if name != "" {
		t.need(key, false, func() error {
			if os.Getenv(name) == "" {
				return errors.New("this environment variable is not set")
			}
			return nil
		})
	}
}

// NeedProgram notes that the key holds a program and its arguments.
func (t Table) NeedProgram(key string) {
	words, is := t.tree[key].([]any)
	if !is || len(words) == 0 {
		return
	}
	if path, is := words[0].(string); is && path != "" {
		t.need(key+".0", true, func() error { return executable(path) })
	}
}

func (t Table) need(key string, program bool, check func() error) {
	place := t.Place(key)
	place.What, place.Warning = display(key), true
	t.file.Needs = append(t.file.Needs, Need{Program: program, place: place, check: check})
}

func readable(path string) error {
	info, err := os.Stat(path)
	switch {
	case err != nil:
		return fmt.Errorf("cannot be read: %w", errors.Unwrap(err))
	case info.IsDir():
		return errors.New("this is a folder")
	case !info.Mode().IsRegular():
		return nil // opening a pipe would wait
	}
	f, err := os.Open(path) //nolint:gosec // the operator's own file
	if err != nil {
		return fmt.Errorf("cannot be read: %w", errors.Unwrap(err))
	}
	return f.Close()
}

func executable(path string) error {
	info, err := os.Stat(path)
	switch {
	case err != nil:
		return fmt.Errorf("cannot be run: %w", errors.Unwrap(err))
	case info.IsDir() || info.Mode()&0o111 == 0:
		return errors.New("cannot be run: this is no program")
	}
	return nil
}
