package authority

import (
	"slices"
	"testing"

	"pgregory.net/rapid"
)

func TestBoxesHoldEachPointOnceAndNoOther(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		sizes := rapid.SliceOfN(rapid.IntRange(1, 4), 1, 4).Draw(r, "sizes")
		e := explanation{}
		for _, size := range sizes {
			e.axes = append(e.axes, axis{values: make([]string, size)})
		}
		var all, points [][]int
		e.points(func(point []int) {
			all = append(all, point)
			if rapid.Bool().Draw(r, "in") {
				points = append(points, point)
			}
		})
		if len(points) == 0 {
			points = all
		}
		found := boxes(points)
		for _, point := range all {
			held := 0
			for _, b := range found {
				if holds(b, point) {
					held++
				}
			}
			want := slices.ContainsFunc(points, func(p []int) bool { return slices.Equal(p, point) })
			if held > 1 || (held == 1) != want {
				r.Fatalf("%v is in %d boxes of %v, and among the points: %t", point, held, found, want)
			}
		}
	})
}

func holds(b box, point []int) bool {
	for i, value := range point {
		if b[i]>>value&1 == 0 {
			return false
		}
	}
	return true
}
