package compare_test

import (
	"encoding/json"
	"math"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/bakewatch/bakewatch/rules"
	"github.com/bakewatch/bakewatch/rules/compare"
	"github.com/bakewatch/bakewatch/rules/promql"
)

func TestWhatIsHeldBackIsNotHealthyInTheEnd(t *testing.T) {
	s := newService(0.002, 300)
	answer, at := bake(begin(t, config(), deployment(), s), bakeLooks, func(int) []counts { return []counts{s.look(40), s.look(40)} })
	if at != 0 || answer.Verdict != rules.Inconclusive || answer.AtEnd != rules.Inconclusive || !strings.Contains(answer.Why, "suffers as well") {
		t.Errorf("after %d looks: %+v", at, answer)
	}
}

func TestAControlThatCannotTellYetIsNotSaidToSuffer(t *testing.T) {
	s := newService(0.001, 300)
	e := begin(t, config(), deployment(), s)
	answer, at := bake(e, 12, func(int) []counts { return []counts{s.look(8), {0, 16}} })
	if at != 0 || !strings.Contains(answer.Why, "does not show yet that it is spared") || strings.Contains(answer.Why, "suffers") || answer.AtEnd != rules.Inconclusive {
		t.Errorf("after %d looks: %+v", at, answer)
	}
}

func TestAControlOfTooLittleTrafficIsNamed(t *testing.T) {
	s := newService(0.001, 800)
	answer, at := bake(begin(t, config(), deployment(), s), bakeLooks, func(int) []counts { return []counts{s.look(8), {0, 2}} })
	if at == 0 || !strings.Contains(answer.Why, "not compared with previous: too little traffic") {
		t.Errorf("after %d looks: %+v", at, answer)
	}
}

func TestAnIdleSlotIsSaidToHaveNoData(t *testing.T) {
	s := newService(0.002, 300)
	answer, at := bake(begin(t, config(), deployment(), s), bakeLooks, func(int) []counts { return []counts{s.look(50), {0, 0}} })
	if at == 0 || at > 5 || answer.Ceiling != rules.Ask || !strings.Contains(answer.Why, "not compared with previous: no data") {
		t.Errorf("after %d looks: %+v", at, answer)
	}
}

func TestWhatIsAlmostProvedIsNotHealthyInTheEnd(t *testing.T) {
	s := newService(0.002, 100)
	e := begin(t, config(), deployment(), s)
	for k := 0; ; k++ {
		answer := e.See(live.Add(time.Duration(k+1)*interval), slices.Concat(s.look(4).results(), none.results()))
		switch w := answer.Test.Wealth / rules.Threshold(0); {
		case k > 200 || w >= 1:
			t.Fatalf("no look finds it between: %+v", answer)
		case w < 0.11 || w > 0.9:
			continue
		}
		if answer.AtEnd != rules.Inconclusive || answer.Proved {
			t.Errorf("%+v", answer)
		}
		return
	}
}

func TestAShareAboveTheLimitIsNotHealthyInTheEnd(t *testing.T) {
	s := newService(0.01, 100)
	c := config()
	limit := 0.01
	c.Limit, c.Setting.CompareTo = &limit, []rules.Control{}
	bad := 0
	answer, at := bake(begin(t, c, deployment(), s), 60, func(k int) []counts {
		bad++
		return []counts{{bad: float64(1 + bad%10/9), total: 100}}
	})
	if at != 0 || answer.Verdict != rules.Inconclusive || answer.AtEnd != rules.Inconclusive || !strings.Contains(answer.Why, "above the limit in all, 1.1 %") {
		t.Errorf("after %d looks: %+v", at, answer)
	}
}

// Of a service with much traffic every look has some errors: three that are worse are
// weak evidence all the same.
func TestThreeBadLooksAmongManyUsualOnesAreWeakEvidence(t *testing.T) {
	s := newService(0.01, 3000)
	e := begin(t, config(), deployment(), s)
	answer, at := bake(e, bakeLooks, func(k int) []counts {
		if k < 30 {
			return []counts{{30, 3000}, none}
		}
		return []counts{{3000, 3000}, none}
	})
	if at == 0 || at > 38 || answer.Ceiling != rules.Ask {
		t.Errorf("after %d looks: %+v", at, answer)
	}
}

// A toggle's flag and cohort are not part of the service's history: last week cannot
// be asked for, and the rule is judged by the rest.
func TestAnArmThatCannotBeAskedForIsNamedAndDoesNotBlindTheRule(t *testing.T) {
	c := config()
	selector, err := promql.ParseSelector(`requests_total{cohort="$cohort"}`)
	if err != nil {
		t.Fatal(err)
	}
	scope, _ := promql.NewScope(rules.Select{})
	c.Scope, c.Selectors = scope, []*promql.Selector{selector}
	c.Ask = func(arm promql.Arm, step rules.Duration) []rules.Query {
		series := scope.Of(selector, arm)
		return scope.Queries("main", arm.Deployment, series.Count(step), series.Count(step))
	}
	c.Setting.CompareTo = []rules.Control{rules.Off, rules.LastWeek}
	d := deployment()
	d.Strategy, d.Flag, d.Cohort = rules.FeatureToggle, "new-cart", "on"
	rule, err := compare.New(c)
	if err != nil {
		t.Fatal(err)
	}
	for _, q := range rule.Queries(d) {
		if _, err := promql.Bind(q.Template, q.Values); err != nil {
			t.Errorf("asks what cannot be asked: %v", err)
		}
	}
	s := newService(0.002, 300)
	answer, at := bake(begin(t, c, d, s), bakeLooks, func(int) []counts { return []counts{s.look(50), s.look(1)} })
	if at == 0 || !strings.Contains(answer.Why, "not compared with last-week: ") {
		t.Errorf("after %d looks: %+v", at, answer)
	}
}

// verify begins the evidence about the target of a rollback of a service without a past.
func verify(t *testing.T, c compare.Config) rules.Evidence {
	t.Helper()
	s := newService(0.002, 300)
	s.past = func(time.Time) counts { return none }
	rule, err := compare.New(c)
	if err != nil {
		t.Fatal(err)
	}
	return learned(t, rule.Verify(deployment()), s)
}

func TestATargetThatNobodySawIsNotVerified(t *testing.T) {
	for name, c := range map[string]struct {
		counts
		want rules.Verdict
	}{
		"no series": {none, rules.NoData}, "no requests": {counts{0, 0}, rules.LowTraffic}, "requests": {counts{1, 100}, rules.Healthy},
		"a negative count": {counts{-1, 100}, rules.NoData},
	} {
		if answer, _ := bake(verify(t, config()), 1, func(int) []counts { return []counts{c.counts, none} }); answer.Verdict != c.want || answer.Why == "" {
			t.Errorf("%s: %+v", name, answer)
		}
	}
	marked := config()
	marked.Mark.Ask = func(arm promql.Arm) []rules.Query { return marked.Ask(arm, rules.Duration(interval)) }
	if answer, _ := bake(verify(t, marked), 1, func(int) []counts { return []counts{{1, 100}, none} }); answer.Verdict != rules.LowTraffic {
		t.Errorf("nothing tells bad from good: %+v", answer)
	}
}

func TestTheCountsOfThePastAreLetGo(t *testing.T) {
	s := newService(0.002, 30)
	past := slices.Repeat([]counts{s.look(1), s.look(1), s.look(1)}, 1)
	s.past = func(at time.Time) counts { return past[at.Unix()/15%3] }
	const watches = 20
	kept := make([]rules.Historical, watches)
	for i := range kept {
		kept[i] = begin(t, config(), deployment(), s)
		bake(kept[i], 1000, func(int) []counts { return []counts{{1, 400}, {1, 400}} })
	}
	heap := func() uint64 {
		runtime.GC()
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		return m.HeapAlloc
	}
	with := heap()
	runtime.KeepAlive(kept)
	if each := (int64(with) - int64(heap())) / watches; each > 60_000 || each < 10_000 {
		t.Errorf("a rule keeps %d bytes", each)
	}
}

// A count is of the time before its instant: the first after a bad version is in part its own.
func TestACountThatIsPartlyOfABadVersionIsLeftOut(t *testing.T) {
	s := newService(0.002, 300)
	bad := rules.Span{From: live.Add(-2 * time.Hour), To: live.Add(-20 * time.Minute)}
	s.past = func(at time.Time) counts {
		switch {
		case at.Equal(bad.From):
			return counts{5, 300} // of right before
		case at.After(bad.From) && at.Add(-interval).Before(bad.To):
			return counts{3, 300}
		}
		return counts{1, 300}
	}
	answer, _ := bake(begin(t, config(), deployment(), s, bad), 1, func(int) []counts { return []counts{s.look(1), s.look(1)} })
	if got := answer.Compared[1]; got.Bad != got.Total/300+4 {
		t.Errorf("%v of %v were bad before", got.Bad, got.Total)
	}
}

// Whatever is counted, an answer and its curve fit into the journal.
func TestAnAnswerIsAlwaysJSON(t *testing.T) {
	s := newService(0.002, 30)
	limit := 0.01
	c := config()
	c.Limit = &limit
	rapid.Check(t, func(rt *rapid.T) {
		e := begin(t, c, deployment(), s)
		number := rapid.OneOf(rapid.Just(0.0), rapid.Float64Range(0, 1e9), rapid.Float64(), rapid.SampledFrom([]float64{math.Inf(1), math.NaN(), math.MaxFloat64, 5e-324}))
		arm := rapid.Custom(func(t *rapid.T) counts { return counts{number.Draw(t, "bad"), number.Draw(t, "total")} })
		answer, _ := bake(e, rapid.IntRange(1, 300).Draw(rt, "looks"), func(int) []counts { return []counts{arm.Draw(rt, "version"), arm.Draw(rt, "control")} })
		curve := e.(rules.Plotter).Curve()
		answer.Curve = &curve
		if _, err := json.Marshal(answer); err != nil {
			rt.Fatalf("%v: %+v", err, answer)
		}
		if answer.Verdict == rules.Healthy && answer.Total == 0 {
			rt.Fatalf("healthy without anything: %+v", answer)
		}
	})
}
