package incidents

import (
	"encoding/csv"
	"errors"
	"io"
)

func csvReader(from io.Reader) *csv.Reader {
	reader := csv.NewReader(from)
	reader.FieldsPerRecord = -1 // whose length is wrong is told below, with what to do
	reader.TrimLeadingSpace = true
	reader.ReuseRecord = true
	return reader
}

// unreadable adds what makes the rest of the file unreadable to what was found.
func (r *report) unreadable(err error) error {
	if errors.Is(err, io.EOF) {
		r.add(0, headerHint, "the file is empty")
		return r.problems()
	}
	if wrong, ok := errors.AsType[*csv.ParseError](err); ok {
		r.add(wrong.Line, "a quoted value must be closed", "no CSV: %v", wrong.Err)
		return r.problems()
	}
	return err
}

// lineHint is said of lines with too few or too many values.
const lineHint = "every line has a value or nothing between its commas"

// lines calls do for every line below the header. What it gets is overwritten by the next.
func (r *report) lines(reader *csv.Reader, do func(line int, cells []string)) error {
	for {
		cells, err := reader.Read()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return r.unreadable(err)
		}
		line, _ := reader.FieldPos(0)
		do(line, cells)
	}
}
