package incidents

import (
	"encoding/json"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/bakewatch/bakewatch/rules"
	"github.com/bakewatch/bakewatch/watcher/replay"
)

// The layout of the PetShop data set (amazon-science/petshop-root-cause-analysis).
const (
	petHealthy = "noissue"
	petIssues  = "train"
	petMetrics = "metrics.csv"
	petTarget  = "target.json"
	petSite    = "PetSite" // the component that users see
)

func isPetShop(folder string) bool {
	info, err := os.Stat(filepath.Join(folder, petHealthy, petMetrics))
	return err == nil && info.Mode().IsRegular()
}

// readPetShop reads the healthy operation and every issue. Issues last minutes and bring
// no past of their own, so the healthy operation is put before each, moved in time.
func readPetShop(folder string) ([]replay.Recording, error) {
	table, err := reading(filepath.Join(folder, petHealthy, petMetrics), readPetTable)
	if err != nil {
		return nil, err
	}
	slow := table.usualP99()
	healthy, err := table.recording(petHealthy, slow)
	if err != nil {
		return nil, err
	}
	recordings := []replay.Recording{healthy}
	issues, err := folders(filepath.Join(folder, petIssues))
	if os.IsNotExist(err) {
		return recordings, nil
	}
	if err != nil {
		return nil, err
	}
	var problems Problems
	for _, issue := range issues {
		r, err := readIssue(issue, healthy, slow)
		if wrong, ok := asProblems(err); ok {
			problems = append(problems, wrong...)
			continue
		}
		if err != nil {
			return nil, err
		}
		recordings = append(recordings, r)
	}
	if len(problems) > 0 {
		return nil, problems
	}
	return recordings, nil
}

// readIssue reads one incident: a bad deployment at the moment the fault showed.
func readIssue(folder string, healthy replay.Recording, slow float64) (replay.Recording, error) {
	table, err := reading(filepath.Join(folder, petMetrics), readPetTable)
	if err != nil {
		return replay.Recording{}, err
	}
	at, err := reading(filepath.Join(folder, petTarget), readPetTarget)
	if err != nil {
		return replay.Recording{}, err
	}
	r, err := table.recording(filepath.Base(folder), slow)
	if err != nil {
		return replay.Recording{}, err
	}
	from, to := r.Span()
	if at.Before(from) || !at.Before(to) {
		return replay.Recording{}, Problems{{
			File: filepath.Join(folder, petTarget), What: fmt.Sprintf("the timestamp %d is not within the rows of %s", at.Unix(), petMetrics),
		}}
	}
	for i := range r.Measures {
		r.Measures[i].Series.Rows = append(movedBefore(healthy.Measures[i].Series.Rows, from), r.Measures[i].Series.Rows...)
	}
	r.Borrowed = from
	r.Deployments = []replay.Deployment{{Name: r.Name, At: at, Bad: true}}
	r.Wrong = []rules.Span{{From: at, To: to}}
	return r, nil
}

// movedBefore moves rows in time so that they end at the given instant.
func movedBefore(rows []replay.Row, end time.Time) []replay.Row {
	if len(rows) == 0 {
		return nil
	}
	by := end.Sub(rows[len(rows)-1].To)
	moved := slices.Clone(rows)
	for i := range moved {
		moved[i].From, moved[i].To = moved[i].From.Add(by), moved[i].To.Add(by)
	}
	return moved
}

// readPetTarget reads when the fault showed.
func readPetTarget(file string, from io.Reader) (time.Time, error) {
	var target struct {
		Target struct {
			Timestamp float64 `json:"timestamp"`
		} `json:"target"`
	}
	if err := json.NewDecoder(from).Decode(&target); err != nil {
		return time.Time{}, Problems{{File: file, What: fmt.Sprintf("no JSON: %v", err)}}
	}
	seconds := target.Target.Timestamp
	if !(seconds > earliest && seconds < latest) {
		return time.Time{}, Problems{{File: file, What: "target.timestamp is missing, or no time", Hint: "it is Unix seconds"}}
	}
	return time.Unix(int64(seconds), 0).UTC(), nil
}

// recording makes a recording of the component that users see: its errors, and its
// requests that were slower than usual.
func (t petTable) recording(name string, slow float64) (replay.Recording, error) {
	r := &report{file: t.file}
	var errors, slower table
	for _, row := range t.rows {
		known := !math.IsNaN(row.requests)
		failed := math.Round(row.requests * (1 - row.availability/100))
		errors.add(row.line, row.at, replay.Counts{Total: row.requests, Bad: failed}, known && !math.IsNaN(failed))
		late := math.Round(row.requests * slowerThan(slow, row.latency))
		slower.add(row.line, row.at, replay.Counts{Total: row.requests, Bad: late}, known && !math.IsNaN(late))
	}
	limit := time.Duration(slow * float64(time.Second)).Round(time.Millisecond)
	recording := replay.Recording{Name: name, Measures: []replay.Measure{
		{Name: "errors", Subject: "errors", Series: errors.series(r, "errors")},
		{Name: "latency", Subject: fmt.Sprintf("requests slower than %s", limit), Series: slower.series(r, "latency")},
	}}
	if found := r.problems(); len(found) > 0 {
		return replay.Recording{}, found
	}
	return recording, nil
}
