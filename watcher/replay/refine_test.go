package replay_test

import (
	"math/rand/v2"
	"reflect"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/bakewatch/bakewatch/watcher/replay"
)

func TestDividedRowsAddUpAndNoneHasMoreBadThanAll(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var all []*replay.Counts
		for range rapid.IntRange(1, 40).Draw(t, "rows") {
			if rapid.IntRange(0, 9).Draw(t, "gap") == 0 {
				all = append(all, nil)
				continue
			}
			total := rapid.IntRange(0, 30).Draw(t, "total")
			all = append(all, counts(float64(total), float64(rapid.IntRange(0, total).Draw(t, "bad"))))
		}
		whole := series(all...)
		fine := whole.Refine(time.Duration(rapid.IntRange(1, 299).Draw(t, "seconds"))*time.Second, nil)
		for _, row := range fine.Rows {
			if row.Bad < 0 || row.Bad > row.Total {
				t.Fatalf("%+v", row)
			}
		}
		for i, row := range whole.Rows {
			if got, ok := fine.Count(row.From, row.To); !ok || got != row.Counts {
				t.Fatalf("row %d: %+v, %v, want %+v", i, got, ok, row.Counts)
			}
		}
		if _, ok := fine.Count(begin, begin.Add(5*time.Minute)); ok != (all[0] != nil) {
			t.Fatal("dividing filled a gap")
		}
	})
}

func TestRowsThatAreShortEnoughStayAsTheyAre(t *testing.T) {
	s := series(counts(10, 1), counts(10, 2))
	for _, step := range []time.Duration{0, 5 * time.Minute, time.Hour} {
		if got := s.Refine(step, nil); !reflect.DeepEqual(got, s) {
			t.Errorf("%s: %+v", step, got)
		}
	}
}

// A service whose errors come in clumps must not look calmer once its rows are divided:
// nothing would be left of what makes a judge careful.
func TestDividedRowsDisperseAsMuchAsWholeOnes(t *testing.T) {
	random := rand.New(rand.NewPCG(3, 4)) //nolint:gosec // repeatable
	for name, test := range map[string]struct {
		clump     int
		low, high float64 // of the dispersion of minutes
	}{
		"no clumps":    {1, 0.9, 1.5},
		"clumps of 10": {10, 6, 16},
	} {
		t.Run(name, func(t *testing.T) {
			var all []*replay.Counts
			for range 2000 {
				bad := 0.0
				for range 1000 {
					if random.Float64() < 0.01/float64(test.clump) {
						bad += float64(test.clump)
					}
				}
				all = append(all, counts(1000, min(bad, 1000)))
			}
			if got := dispersion(series(all...).Refine(time.Minute, nil)); got < test.low || got > test.high {
				t.Errorf("the minutes' variance is %.2f times a binomial one, want %v to %v", got, test.low, test.high)
			}
		})
	}
}

// dispersion is the variance of the bad events of rows over a Poisson one.
func dispersion(s replay.Series) float64 {
	var sum, squares float64
	for _, row := range s.Rows {
		sum += row.Bad
		squares += row.Bad * row.Bad
	}
	n := float64(len(s.Rows))
	mean := sum / n
	return (squares/n - mean*mean) / mean
}

func TestASeriesIsAlwaysDividedTheSame(t *testing.T) {
	s := series(counts(100, 30), counts(90, 7))
	if one, two := s.Refine(time.Minute, nil), s.Refine(time.Minute, nil); !reflect.DeepEqual(one, two) {
		t.Errorf("%+v\n%+v", one, two)
	}
}
