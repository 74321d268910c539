package incidents

import (
	"io"
	"math"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/bakewatch/bakewatch/watcher/replay"
)

// The columns that every file of counts begins with.
const (
	columnTime  = "time"
	columnTotal = "total"
)

const headerHint = `begin the file with "time,total,bad"`

// ReadCounts reads a recording from CSV: a header `time,total,NAME…`, then one row for
// each stretch of time with when it began, all events, and for each NAME how many of
// them were bad. An empty value or NaN is a gap. Rows may stand in any order.
//
// File is what errors call it. They are Problems, or the reader's own.
func ReadCounts(file string, from io.Reader) ([]replay.Measure, error) {
	r := &report{file: file}
	reader := csvReader(from)
	header, err := reader.Read()
	if err != nil {
		return nil, r.unreadable(err)
	}
	names := r.header(header)
	if len(r.found) > 0 {
		return nil, r.problems()
	}
	tables := make([]table, len(names))
	err = r.lines(reader, func(line int, cells []string) {
		r.row(line, cells, names, tables)
	})
	if err != nil {
		return nil, err
	}
	var measures []replay.Measure
	for i, name := range names {
		measures = append(measures, replay.Measure{Name: name, Subject: name, Series: tables[i].series(r, name)})
	}
	if found := r.problems(); len(found) > 0 {
		return nil, found
	}
	return measures, nil
}

// name is what a rule may be called.
var name = regexp.MustCompile(`^[a-z][a-z0-9_-]{0,62}$`)

// header returns the names of the columns of bad events.
func (r *report) header(cells []string) []string {
	cells = trimmed(cells)
	cells[0] = strings.TrimPrefix(cells[0], "\ufeff")
	if len(cells) < 3 || cells[0] != columnTime || cells[1] != columnTotal {
		r.add(1, headerHint, "the header is %q", strings.Join(cells, ","))
		return nil
	}
	names := cells[2:]
	for i, n := range names {
		switch {
		case !name.MatchString(n):
			r.add(1, "use small letters, digits, - and _", "%q is no name of a column", n)
		case n == columnTime, n == columnTotal, slices.Contains(names[:i], n):
			r.add(1, "name every column once", "there are two columns %q", n)
		}
	}
	return names
}

func trimmed(cells []string) []string {
	clean := make([]string, len(cells))
	for i, cell := range cells {
		clean[i] = strings.TrimSpace(cell)
	}
	return clean
}

// row takes one line into the tables, one for each column of bad events.
func (r *report) row(line int, cells []string, names []string, tables []table) {
	if len(cells) != 2+len(names) {
		r.add(line, lineHint, "%d values, %d columns", len(cells), 2+len(names))
		return
	}
	at, err := ParseTime(strings.TrimSpace(cells[0]))
	if err != nil {
		r.add(line, "write Unix seconds or 2026-01-02T15:04:05Z", "time: %v", err)
		return
	}
	total, known, ok := r.count(line, columnTotal, cells[1])
	for i, name := range names {
		bad, counted, good := r.count(line, name, cells[2+i])
		switch {
		case !ok || !good:
		case counted && known && bad > total:
			r.add(line, "the bad ones are among all of them", "%s %v of %v in all", name, bad, total)
		default:
			tables[i].add(line, at, replay.Counts{Total: total, Bad: bad}, known && counted)
		}
	}
}

// largest is the most that one row may count; beyond it a number is no exact count any more.
const largest = 1e15

// count reads one count; known is false for a gap, ok for what is no count. Fractions,
// which Prometheus' increase() gives, are rounded.
func (r *report) count(line int, column, cell string) (value float64, known, ok bool) {
	cell = strings.TrimSpace(cell)
	if cell == "" {
		return 0, false, true
	}
	value, err := strconv.ParseFloat(cell, 64)
	switch {
	case math.IsNaN(value) && err == nil:
		return 0, false, true
	case err != nil:
		r.add(line, "leave it empty where nothing is known", "%s: %q is no number", column, cell)
	case value < 0:
		r.add(line, "counts of a row, not a counter's or a difference's value", "%s: %v is negative", column, value)
	case value > largest:
		r.add(line, "leave it empty where nothing is known", "%s: %v is no count", column, value)
	default:
		return math.Round(value), true, true
	}
	return 0, false, false
}
