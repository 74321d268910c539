package replay_test

import (
	"slices"
	"testing"
	"time"

	"github.com/bakewatch/bakewatch/rules"
	"github.com/bakewatch/bakewatch/watcher/replay"
)

func minute(m int) time.Time { return begin.Add(time.Duration(m) * time.Minute) }

func TestGoodDeploymentsAreTakenWhereNothingIsKnownToBeWrong(t *testing.T) {
	hour := make([]*replay.Counts, 12)
	for i := range hour {
		hour[i] = counts(100, 0)
	}
	holes := slices.Clone(hour)
	for i := 4; i < 8; i++ {
		holes[i] = nil
	}
	for name, test := range map[string]struct {
		rows   []*replay.Counts
		change func(*replay.Recording)
		want   []int // minutes
	}{
		"after enough history, the whole bake recorded": {rows: hour, want: []int{20, 30, 40, 50}},
		"not near what was wrong": {rows: hour, want: []int{20, 50}, change: func(r *replay.Recording) {
			r.Wrong = []rules.Span{{From: minute(35), To: minute(45)}}
		}},
		"not where nothing was recorded": {rows: holes, want: []int{40, 50}},
		"not in a borrowed past": {rows: hour, want: []int{45}, change: func(r *replay.Recording) {
			r.Borrowed = minute(25)
		}},
		"those that are named, and no others": {rows: hour, want: []int{7}, change: func(r *replay.Recording) {
			r.Deployments = []replay.Deployment{{At: minute(7)}, {At: minute(9), Bad: true}}
		}},
	} {
		t.Run(name, func(t *testing.T) {
			r := replay.Recording{Measures: []replay.Measure{{Name: "errors", Series: series(test.rows...)}}}
			if test.change != nil {
				test.change(&r)
			}
			var got []int
			for _, d := range r.Good(10*time.Minute, 20*time.Minute, 10*time.Minute) {
				got = append(got, int(d.At.Sub(begin).Minutes()))
			}
			if !slices.Equal(got, test.want) {
				t.Errorf("%v, want %v", got, test.want)
			}
		})
	}
}
