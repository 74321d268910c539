package incidents

import (
	"io"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"
)

// petTable is what a metrics.csv says of the component that users see.
type petTable struct {
	file string
	rows []petRow
}

// petRow is one of its lines; NaN: not known.
type petRow struct {
	line         int
	at           time.Time
	requests     float64
	availability float64 // percent
	latency      percentiles
}

// petColumn is one column that is read: its metric and statistic, and where it goes.
type petColumn struct {
	metric, statistic string
	into              func(*petRow) *float64
}

var petColumns = []petColumn{
	{"requests", "Sum", func(r *petRow) *float64 { return &r.requests }},
	{"availability", "Average", func(r *petRow) *float64 { return &r.availability }},
	{"latency", "p50", func(r *petRow) *float64 { return &r.latency[0] }},
	{"latency", "p90", func(r *petRow) *float64 { return &r.latency[1] }},
	{"latency", "p95", func(r *petRow) *float64 { return &r.latency[2] }},
	{"latency", "p99", func(r *petRow) *float64 { return &r.latency[3] }},
}

// petHeaders is how many lines of header there are: component, metric, statistic, and
// the name of the index.
const petHeaders = 4

// readPetTable reads a metrics.csv.
func readPetTable(file string, from io.Reader) (petTable, error) {
	r := &report{file: file}
	reader := csvReader(from)
	var headers [petHeaders][]string
	for i := range headers {
		cells, err := reader.Read()
		if err != nil {
			return petTable{}, r.unreadable(err)
		}
		headers[i] = slices.Clone(cells)
	}
	at := r.petColumnsOf(headers)
	if len(r.found) > 0 {
		return petTable{}, r.problems()
	}
	table := petTable{file: file}
	err := r.lines(reader, func(line int, cells []string) {
		table.rows = append(table.rows, r.petRow(line, cells, at))
	})
	if err != nil {
		return petTable{}, err
	}
	if found := r.problems(); len(found) > 0 {
		return petTable{}, found
	}
	return table, nil
}

// petColumnsOf finds the columns that are read.
func (r *report) petColumnsOf(headers [petHeaders][]string) []int {
	at := make([]int, len(petColumns))
	for i, column := range petColumns {
		at[i] = -1
		for j := range headers[0] {
			if j < len(headers[1]) && j < len(headers[2]) && headers[0][j] == petSite && headers[1][j] == column.metric && headers[2][j] == column.statistic {
				at[i] = j
			}
		}
		if at[i] < 0 {
			r.add(1, "the three lines of the header are component, metric and statistic", "there is no column (%s, %s, %s)", petSite, column.metric, column.statistic)
		}
	}
	return at
}

// petRow reads one line.
func (r *report) petRow(line int, cells []string, at []int) petRow {
	row := petRow{line: line}
	var err error
	if row.at, err = ParseTime(strings.TrimSpace(cells[0])); err != nil {
		r.add(line, "it is Unix seconds", "time: %v", err)
	}
	for i, column := range petColumns {
		cell := ""
		if at[i] < len(cells) {
			cell = strings.TrimSpace(cells[at[i]])
		}
		value, err := strconv.ParseFloat(cell, 64)
		switch {
		case cell == "" || math.IsNaN(value):
			value = math.NaN()
		case err != nil || value < 0 || value > largest:
			r.add(line, "leave it empty where nothing is known", "%s %s: %q is no value", column.metric, column.statistic, cell)
		case column.metric == "availability" && value > 100:
			r.add(line, "it is a percentage", "availability %v", value)
		}
		*column.into(&row) = value
	}
	row.requests = math.Round(row.requests)
	return row
}
