package replay

import (
	"math"
	"math/rand/v2"
	"time"

	"github.com/bakewatch/bakewatch/rules"
	"github.com/bakewatch/bakewatch/rules/eprocess"
)

// Refine divides the rows of a series into shorter ones, so that rules can look within
// a row; wrong are stretches in which something was known to be wrong.
//
// When within its row an event came was not recorded. All events are taken to have come
// evenly, and bad ones in clumps as large as the rows outside of wrong say: so the
// shorter rows disperse as much as the rows do, which is the careful assumption. Evenly
// divided bad events would make a service look calmer than it is, to its history, and
// every clump like something that lasts. The same series is always divided the same.
func (s Series) Refine(step time.Duration, wrong []rules.Span) Series {
	if step <= 0 || step >= s.Step {
		return s
	}
	clump := (s.dispersion(wrong) + 1) / 2
	fine := Series{Step: step, Rows: make([]Row, 0, len(s.Rows)*int(s.Step/step))}
	for _, row := range s.Rows {
		fine.Rows = append(fine.Rows, row.divide(step, clump)...)
	}
	return fine
}

// dispersion returns how much larger than binomial the variance of the bad events of
// rows is; at least 1.
func (s Series) dispersion(wrong []rules.Span) float64 {
	counts := make([]eprocess.Counts, 0, len(s.Rows))
	for _, row := range s.Rows {
		c := eprocess.Counts(row.Counts)
		for _, span := range wrong {
			if span.From.Before(row.To) && span.To.After(row.From) {
				c = eprocess.Missing
			}
		}
		counts = append(counts, c)
	}
	scale := eprocess.Scale{LooksPerMinute: float64(time.Minute) / float64(s.Step), Row: s.Step.Minutes(), Worse: func(p float64) float64 { return p }}
	model, ok := eprocess.Estimate(counts, nil, scale)
	if !ok {
		return 1
	}
	return max(1, model.Dispersion)
}

// divide divides one row. The sizes of clumps are geometric with the given mean: then
// the counts of parts disperse by 2·clump − 1 (a compound Poisson process).
func (r Row) divide(step time.Duration, clump float64) []Row {
	var parts []Row
	for from := r.From; from.Before(r.To); from = from.Add(step) {
		to := from.Add(step)
		if to.After(r.To) {
			to = r.To
		}
		until, since := r.until(to), r.until(from)
		parts = append(parts, Row{From: from, To: to, Counts: Counts{Total: until.Total - since.Total}})
	}
	random := rand.New(rand.NewPCG(uint64(r.From.UnixNano()), uint64(r.Bad))) //nolint:gosec // repeatable, no secret
	for left := r.Bad; left > 0; {
		size := min(left, geometric(random, clump))
		left -= size
		fill(parts, random.IntN(len(parts)), size)
	}
	return parts
}

// geometric draws a size of at least 1 with the given mean.
func geometric(random *rand.Rand, mean float64) float64 {
	if mean <= 1 {
		return 1
	}
	return 1 + math.Floor(math.Log(1-random.Float64())/math.Log(1-1/mean))
}

// fill puts bad events into a part, and what has no room there into the next ones.
func fill(parts []Row, at int, bad float64) {
	for range parts {
		part := &parts[at%len(parts)]
		room := min(bad, part.Total-part.Bad)
		part.Bad += room
		bad -= room
		at++
	}
}
