package eprocess

import (
	"fmt"
	"math"
	"testing"
)

// BenchmarkTrafficToSeeNoImprovement prints how many events a version and its control
// need in a bake of 120 looks for four of five versions that change nothing to be found.
func BenchmarkTrafficToSeeNoImprovement(b *testing.B) {
	for b.Loop() {
		fmt.Printf("\n%8s %6s %12s %12s\n", "share", "asked", "before", "beside 1:1")
		for _, share := range []float64{0.001, 0.01, 0.05, 0.3} {
			for _, times := range []float64{1.1, 1.5, 2} {
				a := aim{times: times, fewer: true}
				m := a.exactly(share)
				split := a.against(m, m)
				split.Nulls = nil
				before, beside := needed(a, a.against(m), share), needed(a, split, share)
				fmt.Printf("%7v%% %5vx %12.0f %12.0f\n", 100*share, times, before, beside)
			}
		}
	}
}

// needed bisects how many events of the version are needed.
func needed(a aim, s Setup, share float64) float64 {
	low, high := math.Log(1/share), math.Log(1e5/share)
	for range 9 {
		middle := (low + high) / 2
		if found(a, s, share, math.Exp(middle)) {
			high = middle
		} else {
			low = middle
		}
	}
	return math.Exp(high)
}

// found says whether four of five versions that change nothing are found in so many events.
func found(a aim, s Setup, share, events float64) bool {
	const runs = 100
	rate := events / float64(s.Looks) / 15
	missed := 0
	for seed := range uint64(runs) {
		if a.watch(seed, s, scene{rate: rate, share: share, cluster: 1}, share).at == 0 {
			if missed++; missed > runs/5 {
				return false
			}
		}
	}
	return true
}
