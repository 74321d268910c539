package replay

import (
	"math"
	"slices"
	"time"
)

// Row is what was counted from From until before To. Both counts are whole numbers.
type Row struct {
	From, To time.Time
	Counts
}

// Series is what was counted of one kind of events, over time. Its rows are in order
// and do not overlap; where none is, nothing is known: a gap is never a zero.
type Series struct {
	// Step is how long one row usually counts.
	Step time.Duration
	Rows []Row
}

// Count returns what was counted from one instant until before another; ok is false if
// that is not known for all of the time. Of a row that is only partly meant, the share
// of the time is taken, as if its events had come evenly; parts of one row always add
// up to it.
func (s Series) Count(from, to time.Time) (sum Counts, ok bool) {
	known := from
	for _, row := range s.Rows[s.first(from):] {
		if !row.From.Before(to) {
			break
		}
		if row.From.After(known) {
			return Counts{}, false
		}
		known = row.To
		sum = sum.Plus(row.until(to)).Minus(row.until(from))
	}
	return sum, !known.Before(to) && from.Before(to)
}

// first returns the index of the first row that ends after the instant.
func (s Series) first(after time.Time) int {
	i, _ := slices.BinarySearchFunc(s.Rows, after, func(row Row, t time.Time) int {
		if row.To.After(t) {
			return 1
		}
		return -1
	})
	return i
}

// until returns what of the row was counted before the instant, in whole numbers. The
// bad events follow all of them, so that no part of the row has more bad than all.
func (r Row) until(t time.Time) Counts {
	switch {
	case !t.After(r.From):
		return Counts{}
	case !t.Before(r.To):
		return r.Counts
	}
	share := float64(t.Sub(r.From)) / float64(r.To.Sub(r.From))
	total := math.Floor(r.Total * share)
	if total == 0 {
		return Counts{}
	}
	return Counts{Total: total, Bad: math.Floor(r.Bad * total / r.Total)}
}

// Span returns from when until when there are rows; both are zero where there are none.
func (s Series) Span() (from, to time.Time) {
	if len(s.Rows) == 0 {
		return from, to
	}
	return s.Rows[0].From, s.Rows[len(s.Rows)-1].To
}
