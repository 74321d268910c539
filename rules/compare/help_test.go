package compare_test

import (
	"errors"
	"math"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/bakewatch/bakewatch/rules"
	"github.com/bakewatch/bakewatch/rules/compare"
	"github.com/bakewatch/bakewatch/rules/promql"
	"github.com/bakewatch/bakewatch/rules/threshold"
)

const interval = 15 * time.Second

var live = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// counts are the events of one arm at one look; nil results where nil.
type counts struct{ bad, total float64 }

var none = counts{math.NaN(), math.NaN()}

// service answers what the rule asks, in the order in which it asks.
type service struct {
	random *rand.Rand
	share  float64 // of bad requests, usually
	rate   float64 // requests a look
	past   func(at time.Time) counts
}

func newService(share, rate float64) *service {
	s := &service{random: rand.New(rand.NewPCG(1, 2)), share: share, rate: rate}
	s.past = func(time.Time) counts { return s.look(1) }
	return s
}

// look returns the counts of one look in which so many times the usual are bad.
func (s *service) look(times float64) counts {
	c := counts{total: s.rate}
	for range int(s.rate) {
		if s.random.Float64() < s.share*times {
			c.bad++
		}
	}
	return c
}

func (c counts) results() []rules.Result {
	if math.IsNaN(c.total) {
		return make([]rules.Result, 2)
	}
	return []rules.Result{{Samples: []rules.Sample{{Value: c.bad}}}, {Samples: []rules.Sample{{Value: c.total}}}}
}

func read(got []rules.Result, _ float64) (threshold.Look, error) {
	bad, _, errBad := threshold.CountOf(got[0], "errors")
	total, present, errTotal := threshold.CountOf(got[1], "requests")
	if err := errors.Join(errBad, errTotal); err != nil {
		return threshold.Look{}, err
	}
	if !present {
		return threshold.Look{}, rules.Failed(rules.Empty, "no series of requests")
	}
	return threshold.Look{Bad: bad, Total: total}, nil
}

func config() compare.Config {
	requests, err := promql.ParseSelector("requests_total")
	if err != nil {
		panic(err)
	}
	scope, err := promql.NewScope(rules.Select{Version: "version"})
	if err != nil {
		panic(err)
	}
	return compare.Config{
		Setting: rules.Setting{
			Spec:     rules.Spec{Name: "errors", Window: rules.Duration(5 * time.Minute)},
			Interval: rules.Duration(interval), Bake: rules.Duration(30 * time.Minute), Source: "main",
		},
		Subject: "errors", Of: "requests", Scope: scope, Selectors: []*promql.Selector{requests},
		Ask: func(arm promql.Arm, step rules.Duration) []rules.Query {
			series := scope.Of(requests, arm)
			return scope.Queries("main", arm.Deployment, series.Count(step), series.Count(step))
		},
		Read: read,
	}
}

func deployment() rules.Deployment {
	return rules.Deployment{Service: "checkout", Environment: "production", Version: "2", Previous: "1", Strategy: rules.Canary, At: live}
}

// begin begins the evidence and answers all that it wants to know of the past.
func begin(t *testing.T, c compare.Config, d rules.Deployment, s *service, bad ...rules.Span) rules.Historical {
	t.Helper()
	rule, err := compare.New(c)
	if err != nil {
		t.Fatal(err)
	}
	return learned(t, rule.Begin(d), s, bad...)
}

func learned(t testing.TB, e rules.Evidence, s *service, bad ...rules.Span) rules.Historical {
	t.Helper()
	evidence, ok := e.(rules.Historical)
	if !ok {
		t.Fatal("the evidence wants no history")
	}
	for range 10 {
		want, more := evidence.Wants()
		if !more {
			return evidence
		}
		results := make([][]rules.Result, len(want.Queries))
		at := want.From
		for range want.Instants() {
			c := s.past(at)
			if want.Step > interval && !math.IsNaN(c.total) { // a row of several looks
				for range int(want.Step/interval) - 1 {
					more := s.past(at)
					c.bad, c.total = c.bad+more.bad, c.total+more.total
				}
			}
			for i, r := range c.results() {
				results[i] = append(results[i], r)
			}
			at = at.Add(want.Step)
		}
		evidence.Learn(results, bad)
	}
	t.Fatal("it never knows enough")
	return nil
}

// bake folds looks until one is a breach, or so many; it returns the last answer and
// after how many looks the breach was.
func bake(e rules.Evidence, looks int, arms func(look int) []counts) (answer rules.Answer, breached int) {
	for k := range looks {
		var results []rules.Result
		for _, c := range arms(k) {
			results = append(results, c.results()...)
		}
		answers := []rules.Answer{e.See(live.Add(time.Duration(k+1)*interval), results)}
		rules.Combine(answers, 0)
		if answer = answers[0]; answer.Verdict == rules.Breached {
			return answer, k + 1
		}
	}
	return answer, 0
}
