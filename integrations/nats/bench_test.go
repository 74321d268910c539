package nats_test

import (
	"fmt"
	"sync/atomic"
	"testing"

	"github.com/bakewatch/bakewatch/rules"
	"github.com/bakewatch/bakewatch/watcher"
)

// BenchmarkAppend shows what an append costs beside a bare publish of the same
// size to the same synced store: one round trip and one fsync each.
func BenchmarkAppend(b *testing.B) {
	body := make([]byte, 400)
	b.Run("raw synced publishes", func(b *testing.B) {
		conn := connect(b, b.TempDir())
		b.SetParallelism(16)
		b.RunParallel(func(pb *testing.PB) {
			for pb.Next() {
				publish(b, conn, "deployments.bench", body, nil)
			}
		})
		b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "publishes/s")
	})
	b.Run("appends, a lane each", func(b *testing.B) {
		j := journal(b, connect(b, b.TempDir()))
		var lanes atomic.Uint64
		b.SetParallelism(16)
		b.RunParallel(func(pb *testing.PB) {
			lane := rules.LaneID{Environment: "bench", Service: fmt.Sprint(lanes.Add(1))}
			after := uint64(0)
			for pb.Next() {
				after = write(b, j, lane, after, watcher.Ruled)[0].Seq
			}
		})
		b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "appends/s")
	})
}

// BenchmarkLoad shows what a start costs with many lanes and a long history.
func BenchmarkLoad(b *testing.B) {
	const lanes, history = 1000, 3
	j := journal(b, connect(b, b.TempDir()))
	after := make([]uint64, lanes)
	for range history {
		for i := range lanes {
			lane := rules.LaneID{Environment: "bench", Service: fmt.Sprint(i)}
			for _, e := range write(b, j, lane, after[i], watcher.Opened, watcher.Closed) {
				after[i] = e.Seq
			}
		}
	}
	b.ResetTimer()
	for range b.N {
		loaded := 0
		if err := j.Load(b.Context(), func(rules.LaneID, []watcher.Entry) error { loaded++; return nil }); err != nil || loaded != lanes {
			b.Fatalf("loaded %d lanes: %v", loaded, err)
		}
	}
	b.ReportMetric(b.Elapsed().Seconds()/float64(b.N)*1e9/lanes, "ns/lane")
}
