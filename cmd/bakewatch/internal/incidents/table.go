package incidents

import (
	"cmp"
	"slices"
	"time"

	"github.com/bakewatch/bakewatch/watcher/replay"
)

// table collects the lines of one kind of bad events.
type table struct{ lines []counted }

// counted is one line.
type counted struct {
	line  int
	at    time.Time
	known bool // it is no gap
	replay.Counts
}

func (t *table) add(line int, at time.Time, counts replay.Counts, known bool) {
	if !known {
		counts = replay.Counts{}
	}
	t.lines = append(t.lines, counted{line, at, known, counts})
}

// series makes rows of the lines. A row lasts to the next line, unless that is missing:
// then as long as rows usually do.
func (t *table) series(r *report, name string) replay.Series {
	lines := t.sorted(r, name)
	step := usual(lines)
	if step == 0 {
		if len(r.found) == 0 {
			r.add(0, "two rows at least tell how long one lasts", "%d rows", len(lines))
		}
		return replay.Series{}
	}
	series := replay.Series{Step: step}
	for i, l := range lines {
		if !l.known {
			continue
		}
		to := l.at.Add(step)
		if i+1 < len(lines) && lines[i+1].at.Sub(l.at) < step+step/2 {
			to = lines[i+1].at
		}
		series.Rows = append(series.Rows, replay.Row{From: l.at, To: to, Counts: l.Counts})
	}
	return series
}

// sorted puts the lines in order. One that repeats another is left out; one that
// contradicts it is a problem.
func (t *table) sorted(r *report, name string) []counted {
	lines := slices.Clone(t.lines)
	slices.SortStableFunc(lines, func(a, b counted) int {
		return cmp.Or(a.at.Compare(b.at), cmp.Compare(a.line, b.line))
	})
	return slices.CompactFunc(lines, func(a, b counted) bool {
		if !a.at.Equal(b.at) {
			return false
		}
		if a.known != b.known || a.Counts != b.Counts {
			r.add(max(a.line, b.line), "keep one of them", "%s: line %d is of the same time and says something else", name, min(a.line, b.line))
		}
		return true
	})
}

// usual returns the median distance of the lines; 0: there are too few.
func usual(lines []counted) time.Duration {
	if len(lines) < 2 {
		return 0
	}
	distances := make([]time.Duration, 0, len(lines)-1)
	for i := 1; i < len(lines); i++ {
		distances = append(distances, lines[i].at.Sub(lines[i-1].at))
	}
	slices.Sort(distances)
	return distances[(len(distances)-1)/2]
}
