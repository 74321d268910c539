package counting_test

import (
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
