package replay_test

import (
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/bakewatch/bakewatch/watcher/replay"
)

var begin = time.Date(2026, 1, 2, 3, 0, 0, 0, time.UTC)

// series makes rows of five minutes, one for each of the counts; nil is a gap.
func series(counts ...*replay.Counts) replay.Series {
	s := replay.Series{Step: 5 * time.Minute}
	for i, c := range counts {
		if c == nil {
			continue
		}
		from := begin.Add(time.Duration(i) * s.Step)
		s.Rows = append(s.Rows, replay.Row{From: from, To: from.Add(s.Step), Counts: *c})
	}
	return s
}

func counts(total, bad float64) *replay.Counts { return &replay.Counts{Total: total, Bad: bad} }

func TestWhatWasCountedInAStretchOfTime(t *testing.T) {
	s := series(counts(100, 10), counts(200, 0), nil, counts(50, 50))
	for name, test := range map[string]struct {
		from, to int // minutes
		want     replay.Counts
		ok       bool
	}{
		"a row":                           {0, 5, replay.Counts{Total: 100, Bad: 10}, true},
		"two rows":                        {0, 10, replay.Counts{Total: 300, Bad: 10}, true},
		"part of a row":                   {1, 2, replay.Counts{Total: 20, Bad: 2}, true},
		"the end of one and of the next":  {4, 6, replay.Counts{Total: 60, Bad: 2}, true},
		"a gap is no zero":                {10, 15, replay.Counts{}, false},
		"partly a gap":                    {9, 11, replay.Counts{}, false},
		"over a gap":                      {5, 20, replay.Counts{}, false},
		"after a gap":                     {15, 20, replay.Counts{Total: 50, Bad: 50}, true},
		"before anything was recorded":    {-5, 0, replay.Counts{}, false},
		"beginning before that":           {-1, 5, replay.Counts{}, false},
		"after everything":                {20, 25, replay.Counts{}, false},
		"beyond the end":                  {19, 21, replay.Counts{}, false},
		"no time at all is nothing known": {5, 5, replay.Counts{}, false},
	} {
		t.Run(name, func(t *testing.T) {
			at := func(minutes int) time.Time { return begin.Add(time.Duration(minutes) * time.Minute) }
			got, ok := s.Count(at(test.from), at(test.to))
			if ok != test.ok || ok && got != test.want {
				t.Errorf("%+v, %v; want %+v, %v", got, ok, test.want, test.ok)
			}
		})
	}
}

func TestPartsOfRowsAddUpAndNoneHasMoreBadThanAll(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var all []*replay.Counts
		var sum replay.Counts
		for range rapid.IntRange(1, 4).Draw(t, "rows") {
			total := rapid.IntRange(0, 30).Draw(t, "total")
			c := counts(float64(total), float64(rapid.IntRange(0, total).Draw(t, "bad")))
			all = append(all, c)
			sum.Total, sum.Bad = sum.Total+c.Total, sum.Bad+c.Bad
		}
		s := series(all...)
		_, to := s.Span()
		step := time.Duration(rapid.IntRange(1, 400).Draw(t, "seconds")) * time.Second
		var parts replay.Counts
		for from := begin; from.Before(to); from = from.Add(step) {
			end := from.Add(step)
			if end.After(to) {
				end = to
			}
			part, ok := s.Count(from, end)
			if !ok || part.Bad > part.Total || part.Bad < 0 {
				t.Fatalf("%s: %+v, %v", from.Sub(begin), part, ok)
			}
			parts.Total, parts.Bad = parts.Total+part.Total, parts.Bad+part.Bad
		}
		if parts != sum {
			t.Fatalf("parts: %+v, whole: %+v", parts, sum)
		}
	})
}
