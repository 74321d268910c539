package counting_test

import (
	"math"
	"testing"

	"github.com/bakewatch/bakewatch/rules/counting"
	"github.com/bakewatch/bakewatch/rules/quantity"
)

func TestWhatSomethingWasCountedAmongIsWrittenForPeople(t *testing.T) {
	for want, got := range map[string]string{
		"of 1000":             counting.Among(1000, quantity.Ratio),
		"of 12.35":            counting.Among(12.3456, quantity.Ratio),
		"in 0.75 pod-minutes": counting.Among(45, quantity.PerPodSecond),
		"in 2.5 pod-hours":    counting.Among(9000, quantity.PerPodSecond),
	} {
		if got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}

func TestWilsonsIntervalIsTheTextbooks(t *testing.T) {
	for _, c := range []struct {
		hits, n   int
		low, high float64
	}{{0, 10, 0, 0.2775}, {10, 10, 0.7225, 1}, {5, 10, 0.2366, 0.7634}, {1, 10_000, 0.0000177, 0.000566}, {0, 0, 0, 1}} {
		low, high := counting.Wilson(c.hits, c.n)
		if math.Abs(low-c.low) > 0.001*c.high || math.Abs(high-c.high) > 0.001*c.high {
			t.Errorf("%d of %d: %.6f–%.6f, want %.6f–%.6f", c.hits, c.n, low, high, c.low, c.high)
		}
	}
}
