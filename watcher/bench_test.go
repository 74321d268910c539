package watcher_test

import (
	"context"
	"fmt"
	"runtime"
	"testing"
	"time"

	"github.com/bakewatch/bakewatch/actions"
	"github.com/bakewatch/bakewatch/rules"
	"github.com/bakewatch/bakewatch/watcher"
)

// instant is a sampler that costs nothing: everything is healthy, at once.
type instant struct{ sample []rules.Sample }

func (s instant) Sample(_ context.Context, _ time.Time, queries []rules.Query) []rules.Result {
	out := make([]rules.Result, len(queries))
	for i := range out {
		out[i].Samples = s.sample
	}
	return out
}

func (s instant) Range(ctx context.Context, from, to time.Time, step time.Duration, queries []rules.Query) [][]rules.Result {
	out := make([][]rules.Result, len(queries))
	for at := from; !at.After(to); at = at.Add(step) {
		for i, r := range s.Sample(ctx, at, queries) {
			out[i] = append(out[i], r)
		}
	}
	return out
}

// calm is a rule that is always healthy and costs nothing.
type calm struct{ name string }

func (c calm) Queries(rules.Deployment) []rules.Query {
	return []rules.Query{{Template: c.name}}
}
func (c calm) Begin(rules.Deployment) rules.Evidence { return c }
func (calm) See(time.Time, []rules.Result) rules.Answer {
	return rules.Answer{Verdict: rules.Healthy, Ceiling: rules.Auto, Why: "errors 0 %"}
}

// forgetful is a journal that acknowledges and keeps nothing.
type forgetful struct {
	memory
	last uint64
}

func (f *forgetful) Append(_ context.Context, e watcher.Entry) (watcher.Entry, error) {
	f.last++
	e.Seq = f.last
	return e, nil
}

// loaded returns an owner with open watches of five rules each.
func loaded(b *testing.B, watches int, interval time.Duration) *watcher.Owner {
	b.Helper()
	p := plan(func(p *rules.Plan) {
		p.Interval, p.Bake, p.Settle = rules.Duration(interval), minutes(1000), 0
		for _, name := range []string{"latency", "crash", "up", "scan"} {
			p.Rules = append(p.Rules, rules.Spec{Name: name, Mode: rules.Enforce})
		}
	})
	owner, err := watcher.NewOwner(watcher.Config{
		Name: "a", Journal: &forgetful{}, Sampler: instant{[]rules.Sample{{Value: 0}}}, Actor: actions.Runner{},
		Build: func(p rules.Plan) (built []rules.Rule, err error) {
			for _, spec := range p.Rules {
				built = append(built, calm{spec.Name})
			}
			return built, nil
		},
		PlanFor: func(rules.Deployment) *rules.Plan { return p },
	})
	if err != nil {
		b.Fatal(err)
	}
	ctx, stop := context.WithCancel(b.Context())
	gone := make(chan struct{})
	go func() { _ = owner.Run(ctx, 0); close(gone) }()
	b.Cleanup(func() { stop(); <-gone })
	for i := range watches {
		d := rules.Deployment{
			ID: fmt.Sprint(i), Service: fmt.Sprint("service", i), Environment: "production", Version: "1",
			Step: rules.Finished, Strategy: rules.Rolling, At: time.Now(),
		}
		if err := owner.Announce(ctx, d); err != nil {
			b.Fatal(err)
		}
	}
	if err := owner.Do(ctx, func(ctx context.Context) error { owner.Tick(ctx, time.Now()); return nil }); err != nil {
		b.Fatal(err)
	}
	owner.Looked(ctx)
	runtime.GC()
	return owner
}

// BenchmarkPulse measures a look at the clock at which no watch owes anything.
func BenchmarkPulse(b *testing.B) {
	for _, watches := range []int{1000, 10000} {
		b.Run(fmt.Sprint(watches, " watches"), func(b *testing.B) {
			owner := loaded(b, watches, time.Hour)
			b.ReportAllocs()
			for b.Loop() {
				if err := owner.Do(b.Context(), func(ctx context.Context) error { owner.Tick(ctx, time.Now()); return nil }); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(watches), "ns/watch")
		})
	}
}

// BenchmarkTick measures a tick at which every rule of every watch is looked at, from
// the clock to the last lane that was driven.
func BenchmarkTick(b *testing.B) {
	for _, watches := range []int{1000, 10000} {
		b.Run(fmt.Sprint(watches, " watches of 5 rules"), func(b *testing.B) {
			owner := loaded(b, watches, time.Hour)
			ctx, now := b.Context(), time.Now()
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			b.ReportAllocs()
			for b.Loop() {
				now = now.Add(time.Hour)
				if err := owner.Do(ctx, func(ctx context.Context) error { owner.Tick(ctx, now); return nil }); err != nil {
					b.Fatal(err)
				}
				owner.Looked(ctx)
			}
			runtime.ReadMemStats(&after)
			verdicts := float64(b.N) * float64(watches) * 5
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/verdicts, "ns/verdict")
			b.ReportMetric(float64(after.TotalAlloc-before.TotalAlloc)/verdicts, "B/verdict")
			b.ReportMetric(float64(after.HeapAlloc)/float64(watches), "heap-B/watch")
		})
	}
}
