package configs

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"

	"github.com/bakewatch/bakewatch/configs/internal/strict"
	"github.com/bakewatch/bakewatch/rules"
)

// loadTest reads the summary that a rule names into the rule, so that a plan stands
// alone wherever it travels.
func (l *loader) loadTest(t strict.Table, file string, spec *rules.Spec) {
	if !t.Has("load_test") || spec.Judge == threshold {
		return
	}
	if _, text := t.Values()["load_test"].(string); !text {
		return // said already
	}
	if !slices.Contains(spec.CompareTo, rules.LoadTest) {
		t.Warn("load_test", "load_test is of no use: nothing is compared with it", `add "load-test" to compare_to`)
	}
	if file == "" {
		t.Fail("load_test", "load_test names no file", "name the summary that k6 or JMeter wrote")
		return
	}
	path := t.Path(file)
	text, err := readSummary(path)
	l.read = append(l.read, summaryFile{path: path, sum: sumOf(text, err)})
	if err != nil {
		t.Fail("load_test", "load_test "+err.Error(), "name the summary that k6 or JMeter wrote, relative to this file")
		return
	}
	summary, err := ReadLoadTest(text)
	if err != nil {
		t.Fail("load_test", fmt.Sprintf("load_test: %s: %v", strict.Shorten(file), err), "")
		return
	}
	summary.File = file
	spec.LoadTest = &summary
}

// summaryFile is a summary that was read at a load, so that a change is noticed.
type summaryFile struct {
	path string
	sum  [sha256.Size]byte
}

func (s summaryFile) changed() bool { return sumOf(readSummary(s.path)) != s.sum }

func sumOf(text []byte, err error) [sha256.Size]byte {
	if err != nil {
		text = []byte(err.Error())
	}
	return sha256.Sum256(text)
}

// readSummary reads a file no further than to see that it is too large.
func readSummary(path string) ([]byte, error) {
	info, err := os.Stat(path)
	switch {
	case err != nil:
		return nil, fmt.Errorf("cannot be read: %w", errors.Unwrap(err))
	case !info.Mode().IsRegular(): // opening a pipe would wait
		return nil, errors.New("cannot be read: it is no file")
	}
	f, err := os.Open(path) //nolint:gosec // the operator's own file
	if err != nil {
		return nil, fmt.Errorf("cannot be read: %w", errors.Unwrap(err))
	}
	defer f.Close() //nolint:errcheck // only read
	text, err := io.ReadAll(io.LimitReader(f, maxLoadTest+1))
	if err != nil {
		return nil, fmt.Errorf("cannot be read: %w", err)
	}
	return text, nil
}
