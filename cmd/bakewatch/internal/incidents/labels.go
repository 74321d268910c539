package incidents

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/bakewatch/bakewatch/rules"
	"github.com/bakewatch/bakewatch/watcher/replay"
)

// labelFile is the file of a folder that names deployments.
const labelFile = "incidents.csv"

// The columns of that file; recording, until and name may be left out.
const (
	columnBad       = "bad"
	columnUntil     = "until"
	columnRecording = "recording"
	columnName      = "name"
)

const labelHint = `begin the file with "time,bad"; recording, until and name may follow`

// label is one deployment that a file names.
type label struct {
	recording string // empty: the only one
	line      int
	until     time.Time // when all was well again; zero: not known
	replay.Deployment
}

// readLabels reads the deployments of a folder: when they were, and whether they were bad.
func readLabels(file string, from io.Reader) ([]label, error) {
	r := &report{file: file}
	reader := csvReader(from)
	header, err := reader.Read()
	if err != nil {
		return nil, r.unreadable(err)
	}
	columns := r.columns(header)
	if len(r.found) > 0 {
		return nil, r.problems()
	}
	var labels []label
	err = r.lines(reader, func(line int, cells []string) {
		if len(cells) != len(columns) {
			r.add(line, lineHint, "%d values, %d columns", len(cells), len(columns))
			return
		}
		labels = append(labels, r.label(line, columns, trimmed(cells)))
	})
	if err != nil {
		return nil, err
	}
	if found := r.problems(); len(found) > 0 {
		return nil, found
	}
	return labels, nil
}

// columns checks the header of a file of deployments.
func (r *report) columns(cells []string) []string {
	columns := trimmed(cells)
	columns[0] = strings.TrimPrefix(columns[0], "\ufeff")
	known := []string{columnTime, columnBad, columnUntil, columnRecording, columnName}
	for i, column := range columns {
		if !slices.Contains(known, column) || slices.Contains(columns[:i], column) {
			r.add(1, labelHint, "column %q", column)
		}
	}
	if !slices.Contains(columns, columnTime) || !slices.Contains(columns, columnBad) {
		r.add(1, labelHint, "the header is %q", strings.Join(columns, ","))
	}
	return columns
}

// label reads one line.
func (r *report) label(line int, columns, cells []string) label {
	l := label{line: line}
	for i, column := range columns {
		var err error
		switch cell := cells[i]; column {
		case columnTime:
			l.At, err = ParseTime(cell)
		case columnUntil:
			if cell != "" {
				l.until, err = ParseTime(cell)
			}
		case columnBad:
			l.Bad, err = yesOrNo(cell)
		case columnRecording:
			l.recording = cell
		case columnName:
			l.Name = cell
		}
		if err != nil {
			r.add(line, "", "%s: %v", column, err)
		}
	}
	if !l.until.IsZero() && !l.until.After(l.At) {
		r.add(line, "until is when all was well again", "until %s is not after the deployment", l.until.Format(time.RFC3339))
	}
	if l.Name == "" {
		l.Name = l.At.Format(time.RFC3339)
	}
	return l
}

func yesOrNo(s string) (bool, error) {
	switch strings.ToLower(s) {
	case "true", "yes", "1":
		return true, nil
	case "false", "no", "0":
		return false, nil
	}
	return false, fmt.Errorf("%q is neither true nor false", s)
}

// attach gives the deployments to their recordings.
func attach(file string, labels []label, recordings []replay.Recording) error {
	r := &report{file: file}
	for _, l := range labels {
		i := slices.IndexFunc(recordings, func(rec replay.Recording) bool { return rec.Name == l.recording })
		if l.recording == "" && len(recordings) == 1 {
			i = 0
		}
		if i < 0 {
			r.add(l.line, "name a file of this folder, without .csv, in the column recording", "there is no recording %q", l.recording)
			continue
		}
		rec := &recordings[i]
		from, to := rec.Span()
		if l.At.Before(from) || !l.At.Before(to) {
			r.add(l.line, fmt.Sprintf("%s was recorded from %s to %s", rec.Name, from.Format(time.RFC3339), to.Format(time.RFC3339)),
				"nothing was recorded at %s", l.At.Format(time.RFC3339))
			continue
		}
		rec.Deployments = append(rec.Deployments, l.Deployment)
		if l.Bad {
			if l.until.IsZero() {
				l.until = to
			}
			rec.Wrong = append(rec.Wrong, rules.Span{From: l.At, To: l.until})
		}
	}
	if found := r.problems(); len(found) > 0 {
		return found
	}
	return nil
}
