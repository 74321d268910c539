package eprocess

import (
	"math"
	"slices"
)

// run is how many minutes what comes again and again may take to come again: a container
// that crashes in a loop is started again after at most five.
const run = 5

// EstimateRate is Estimate for what seldom happens, but may then happen again and again,
// as crashes do, in totals that are a time. The last day tells too little of how it comes,
// so no counts of looks are needed: what comes one by one, as far as all the minutes tell,
// is judged look by look, what comes together within a minute by minutes, and what comes in
// runs by five minutes.
func EstimateRate(minutes []Counts, scale Scale) (m Model, ok bool) {
	row := scale.Row
	if row == 0 {
		row = 1
	}
	looks := scale.LooksPerMinute * row // in a row
	scale.Row = run * row
	return estimate(inRuns(minutes), scale, func(runs []Counts, kept []bool, p float64) int {
		return max(1, int(math.Round(looks*float64(rowsTogether(minutes, runs, kept, p)))))
	})
}

// inRuns adds up the rows of each run, as far as they are known.
func inRuns(rows []Counts) []Counts {
	runs := make([]Counts, 0, len(rows)/run+1)
	for part := range slices.Chunk(rows, run) {
		sum := Missing
		for _, c := range part {
			switch {
			case !c.Known():
			case sum.Known():
				sum = sum.plus(c)
			default:
				sum = c
			}
		}
		runs = append(runs, sum)
	}
	return runs
}

// rowsTogether returns how many rows belong together, as far as those tell whose runs are
// kept; 0: not even the looks of one do.
func rowsTogether(rows, runs []Counts, kept []bool, p float64) int {
	rows = rows[max(0, (len(rows)+run-1)/run-len(runs))*run:]
	known := make([]bool, len(rows))
	for i, c := range rows {
		known[i] = c.Known() && kept[i/run]
	}
	alone, perRow, perRun := spread{}, differences(rows, known, p), differences(runs, kept, p)
	switch {
	case alone.as(perRun):
		return 0
	case perRow.as(perRun):
		return 1
	}
	return run
}
