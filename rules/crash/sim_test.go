package crash_test

import (
	"math/rand/v2"
	"testing"
	"time"

	"github.com/bakewatch/bakewatch/rules"
	"github.com/bakewatch/bakewatch/rules/internal/promtest"
)

// fleet is a service whose healthy pods crash now and then.
type fleet struct {
	pods  int
	week  float64 // crashes of the whole fleet in a week
	again float64 // the chance that a crash is followed by another, after Kubernetes' pause
	nodes float64 // machines that fail in a week, each with a third of the pods
}

const (
	week = 7 * 24 * time.Hour
	look = promtest.Interval
)

// crashes returns the restarts of so long a time, by looks.
func (f fleet) crashes(random *rand.Rand, span time.Duration) map[int]float64 {
	restarts := map[int]float64{}
	for _, at := range moments(random, f.week, span) {
		for pause := 10 * time.Second; ; pause = min(5*time.Minute, 2*pause) {
			restarts[int(at/look)]++
			if random.Float64() >= f.again {
				break
			}
			at += pause + 3*time.Second
		}
	}
	for _, at := range moments(random, f.nodes, span) {
		for range max(1, f.pods/3) {
			restarts[int((at+time.Duration(20*random.Float64()*float64(time.Second)))/look)]++
		}
	}
	return restarts
}

// moments are when things happen of which so many do in a week.
func moments(random *rand.Rand, often float64, span time.Duration) (at []time.Duration) {
	if often == 0 {
		return nil
	}
	for t := 0.0; ; {
		t += random.ExpFloat64() / often * float64(week)
		if t >= float64(span) {
			return at
		}
		at = append(at, time.Duration(t))
	}
}

// results are those of the two queries about an arm.
func results(restarts float64, pods int, step time.Duration) []rules.Result {
	return []rules.Result{
		{Samples: []rules.Sample{{Value: restarts}}},
		{Samples: []rules.Sample{{Value: float64(pods) * step.Seconds()}}},
	}
}

// history is what the rule reads of a week in which this fleet was healthy.
type history struct{ minutes, looks [][]rules.Result }

func (f fleet) history(random *rand.Rand) (h history) {
	crashed := f.crashes(random, week)
	h.minutes, h.looks = make([][]rules.Result, 2), make([][]rules.Result, 2)
	add := func(to [][]rules.Result, restarts float64, step time.Duration) {
		for i, r := range results(restarts, f.pods, step) {
			to[i] = append(to[i], r)
		}
	}
	all := int(week / look)
	for k := 0; k < all; k += 4 {
		add(h.minutes, crashed[k]+crashed[k+1]+crashed[k+2]+crashed[k+3], time.Minute)
	}
	for k := all - 120; k < all; k++ {
		add(h.looks, crashed[k], look)
	}
	return h
}

// learned begins the evidence about a deployment after such a week.
func (h history) learned(t *testing.T, rule rules.Rule) rules.Evidence {
	t.Helper()
	evidence := rule.Begin(deployment()).(rules.Historical)
	for range 3 {
		want, more := evidence.Wants()
		if !more {
			return evidence
		}
		past := h.minutes
		if want.Step == look {
			past = h.looks
		}
		if want.Instants() > len(past[0]) {
			t.Fatalf("wants %d instants by %s", want.Instants(), want.Step)
		}
		evidence.Learn([][]rules.Result{past[0][:want.Instants()], past[1][:want.Instants()]}, nil)
	}
	t.Fatal("it never knows enough")
	return nil
}

// bake watches a deployment whose pods crash like this, beside others or alone, and returns
// the look of a breach, or 0.
func bake(evidence rules.Evidence, fresh fleet, crashed map[int]float64, beside int, others map[int]float64) int {
	for k := range 120 {
		got := results(crashed[k], fresh.pods, look)
		if beside > 0 {
			got = append(got, results(others[k], beside, look)...)
		}
		answers := []rules.Answer{evidence.See(promtest.Start.Add(time.Duration(k+1)*look), got)}
		rules.Combine(answers, 0)
		if answers[0].Verdict == rules.Breached {
			return k + 1
		}
	}
	return 0
}

// Where nothing crashes nothing is blamed, so that only the other bakes take time.
func TestAHealthyServiceThatCrashesNowAndThenIsNotBlamed(t *testing.T) {
	const weeks, most = 20, 100 // bakes after each
	for name, test := range map[string]struct {
		fleet  fleet
		beside int     // pods of the previous version, as healthy
		most   float64 // in 1000 deployments
	}{
		"once a week":                     {fleet{pods: 10, week: 1}, 0, 1},
		"once a day":                      {fleet{pods: 10, week: 7}, 0, 1},
		"seven times a day":               {fleet{pods: 10, week: 50}, 0, 1},
		"40 times a day, one pod":         {fleet{pods: 1, week: 300}, 0, 1},
		"and a fifth crashes again":       {fleet{pods: 3, week: 50, again: 0.2}, 0, 1},
		"machines fail":                   {fleet{pods: 10, week: 7, nodes: 7}, 0, 1},
		"beside as many":                  {fleet{pods: 3, week: 50, again: 0.2}, 3, 1},
		"a canary":                        {fleet{pods: 1, week: 7, again: 0.2}, 9, 1},
		"in runs of two, on average":      {fleet{pods: 10, week: 50, again: 0.5}, 0, 3},
		"in runs of two, beside as many":  {fleet{pods: 10, week: 50, again: 0.5}, 10, 1},
		"in runs of two, and often":       {fleet{pods: 10, week: 300, again: 0.5}, 0, 3},
		"in runs of two, of a canary":     {fleet{pods: 1, week: 50, again: 0.5}, 9, 3},
		"in runs of two, but once a week": {fleet{pods: 10, week: 1, again: 0.5}, 0, 1},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			setting := compared(rules.Before)
			if test.beside > 0 {
				setting = compared()
			}
			rule := promtest.Build(t, options(), setting)
			each := most
			if test.fleet.week > 100 { // nearly all of them take time
				each = most / 4
			}
			blamed, crashing := 0, 0
			for seed := range uint64(weeks) {
				random := rand.New(rand.NewPCG(seed, uint64(test.fleet.week)))
				before := test.fleet.history(random)
				others := test.fleet
				others.week *= float64(test.beside) / float64(test.fleet.pods)
				for range each {
					crashed := test.fleet.crashes(random, 30*time.Minute)
					if len(crashed) == 0 {
						continue
					}
					crashing++
					if bake(before.learned(t, rule), test.fleet, crashed, test.beside, others.crashes(random, 30*time.Minute)) > 0 {
						blamed++
					}
				}
			}
			rate := 1000 * float64(blamed) / float64(weeks*each)
			if rate > test.most {
				t.Errorf("%d of %d deployments are blamed, %d of which crashed: %.1f in 1000", blamed, weeks*each, crashing, rate)
			}
		})
	}
}
