package compare_test

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/bakewatch/bakewatch/rules"
	"github.com/bakewatch/bakewatch/rules/compare"
	"github.com/bakewatch/bakewatch/rules/eprocess"
	"github.com/bakewatch/bakewatch/rules/promql"
	"github.com/bakewatch/bakewatch/rules/threshold"
)

// asked returns what the evidence wants of the past, one line a request, each answered
// with the same counts at every instant.
func asked(t *testing.T, c compare.Config, at time.Time, each counts) (lines []string) {
	t.Helper()
	rule, err := compare.New(c)
	if err != nil {
		t.Fatal(err)
	}
	d := deployment()
	d.At = at
	e := rule.Begin(d).(rules.Historical)
	for {
		want, more := e.Wants()
		if !more {
			return lines
		}
		lines = append(lines, fmt.Sprintf("%s to %s by %s", want.From.Sub(at), want.To.Sub(at), want.Step))
		results := make([][]rules.Result, len(want.Queries))
		for i, r := range each.results() {
			results[i] = slices.Repeat([]rules.Result{r}, want.Instants())
		}
		e.Learn(results, nil)
	}
}

func TestThePastIsADayOfLooksAWeekOfMinutesWhereThatIsLittleAndTheLastHalfHour(t *testing.T) {
	at := live.Add(9*time.Minute + 7*time.Second) // the long reads end at a full ten minutes, for all to share
	day, week, last := "-24h8m52s to -9m7s by 15s", "-168h8m7s to -24h9m7s by 1m0s", "-29m52s to -7s by 15s"
	fast := config()
	fast.Setting.Interval = rules.Duration(time.Second)
	for name, test := range map[string]struct {
		config compare.Config
		each   counts
		want   []string
	}{
		"few bad events":        {config(), counts{0, 10}, []string{day, week, last}},
		"400 of them a day":     {config(), counts{400.0001 / 5760, 10}, []string{day, last}},
		"not quite so many":     {config(), counts{399. / 5760, 10}, []string{day, week, last}},
		"many, seen for 96 min": {fast, counts{5, 10}, []string{"-1h45m6s to -9m7s by 1s", "-168h8m7s to -1h45m7s by 1m0s", "-29m59s to 0s by 1s"}},
	} {
		if got := asked(t, test.config, at, test.each); !slices.Equal(got, test.want) {
			t.Errorf("%s: asks for\n%s\nwant\n%s", name, strings.Join(got, "\n"), strings.Join(test.want, "\n"))
		}
	}
}

func TestTheMinutesUpToTheDeploymentAreOfTheHistory(t *testing.T) {
	s := newService(0.002, 300)
	d := deployment()
	d.At = live.Add(9 * time.Minute)
	s.past = func(at time.Time) counts {
		if at.After(live) {
			return counts{2, 300}
		}
		return counts{1, 300}
	}
	e := begin(t, config(), d, s)
	answer := e.See(d.At.Add(interval), slices.Concat(counts{1, 300}.results(), counts{1, 300}.results()))
	before := answer.Compared[1]
	if looks := before.Total / 300; looks != 5760 || before.Bad != looks+36 {
		t.Errorf("%v bad of %v: 36 looks since the last ten minutes had one more", before.Bad, before.Total)
	}
}

// marked is a rule that finds in the history what tells bad from good.
func marked() compare.Config {
	c := config()
	c.Mark.Ask = func(arm promql.Arm) []rules.Query {
		return []rules.Query{{Source: "main", Template: "quantile", Values: arm.Deployment.Values()}}
	}
	c.Mark.Name = func(mark float64) string { return fmt.Sprintf("requests slower than %v s", mark) }
	c.Read = func(got []rules.Result, mark float64) (threshold.Look, error) {
		look, err := read(got, mark)
		look.Bad *= mark // so that it shows
		return look, err
	}
	return c
}

func TestWhatTellsBadFromGoodIsAskedForFirst(t *testing.T) {
	sample := func(v float64) rules.Result { return rules.Result{Samples: []rules.Sample{{Value: v}}} }
	for name, test := range map[string]struct {
		answer [][]rules.Result
		why    string // empty: it is known
	}{
		"half a second": {[][]rules.Result{{sample(0.5)}}, ""},
		"nothing":       {[][]rules.Result{{{}}}, "no history"},
		"zero":          {[][]rules.Result{{sample(0)}}, "no history"},
		"no number":     {[][]rules.Result{{sample(math.NaN())}}, "no history"},
		"no answer":     {[][]rules.Result{{}}, "was not read"},
		"no query":      {nil, "was not read"},
		"an error":      {[][]rules.Result{{{Err: rules.Failed(rules.Partial, "a store is down")}}}, "a store is down"},
	} {
		t.Run(name, func(t *testing.T) {
			rule, err := compare.New(marked())
			if err != nil {
				t.Fatal(err)
			}
			d := deployment()
			d.At = live.Add(9 * time.Minute)
			e := rule.Begin(d).(rules.Historical)
			want, more := e.Wants()
			if !more || want.Instants() != 1 || !want.From.Equal(live) || want.Queries[0].Template != "quantile" {
				t.Fatalf("wants %+v, %v", want, more)
			}
			e.Learn(test.answer, nil)
			if _, more = e.Wants(); more != (test.why == "") {
				t.Fatalf("wants more: %v", more)
			}
			if test.why == "" {
				learned(t, e, newService(0.01, 300))
			}
			answer := e.See(d.At.Add(interval), slices.Concat(counts{4, 300}.results(), counts{4, 300}.results()))
			if test.why != "" {
				if answer.Verdict != rules.NoData || !strings.Contains(answer.Why, test.why) {
					t.Errorf("%+v", answer)
				}
				return
			}
			if answer.Bad != 2 || !strings.Contains(answer.Why, "requests slower than 0.5 s") {
				t.Errorf("%+v", answer)
			}
		})
	}
}

func TestWhyThereIsNoHistoryIsSaid(t *testing.T) {
	c := config()
	c.Read = func([]rules.Result, float64) (threshold.Look, error) {
		return threshold.Look{}, rules.Failed(rules.Partial, "a store is down")
	}
	rule, err := compare.New(c)
	if err != nil {
		t.Fatal(err)
	}
	answer, _ := bake(learned(t, rule.Begin(deployment()), newService(0.01, 300)), 1, func(int) []counts { return []counts{{1, 100}, {1, 100}} })
	if answer.Verdict != rules.Blind || answer.Why != "a store is down" {
		t.Errorf("%+v", answer)
	}
}

func TestAnAnswerCountsItsWindow(t *testing.T) {
	s := newService(0.01, 300)
	for looks, want := range map[int]struct {
		total  float64
		window time.Duration
	}{1: {300, interval}, 19: {19 * 300, 19 * interval}, 20: {6000, 5 * time.Minute}, 40: {6000, 5 * time.Minute}} {
		e := begin(t, config(), deployment(), s)
		answer, _ := bake(e, looks, func(int) []counts { return []counts{{3, 300}, {6, 600}} })
		if answer.Total != want.total || answer.Bad != want.total/100 || time.Duration(answer.Window) != want.window || *answer.Value != 0.01 {
			t.Errorf("after %d looks: %+v", looks, answer)
		}
		if beside := answer.Compared[0]; beside.Total != 2*want.total || beside.Level != 0.01 {
			t.Errorf("after %d looks beside it: %+v", looks, beside)
		}
	}
	c := config()
	c.Setting.Window = rules.Duration(time.Second) // shorter than a look
	if answer, _ := bake(begin(t, c, deployment(), s), 5, func(int) []counts { return []counts{{3, 300}, {6, 600}} }); answer.Total != 300 {
		t.Errorf("%+v", answer)
	}
}

func TestAHealthyVersionIsProvedSo(t *testing.T) {
	s := newService(0.002, 300)
	answer, at := bake(begin(t, config(), deployment(), s), 60, func(int) []counts { return []counts{s.look(1), s.look(1)} })
	if at != 0 || answer.Verdict != rules.Healthy || !answer.Proved || answer.Attribution.Blame != "" {
		t.Errorf("after %d looks: %+v", at, answer)
	}
}

func TestTheOnsetIsWhenItBecameWorse(t *testing.T) {
	s := newService(0.002, 300)
	e := begin(t, config(), deployment(), s).(rules.Dated)
	if at, known := e.Onset(); known {
		t.Errorf("before the first look it began at %s", at)
	}
	_, breached := bake(e, bakeLooks, func(k int) []counts {
		if k < 40 {
			return []counts{{1, 300}, {1, 300}}
		}
		return []counts{{90, 300}, {1, 300}}
	})
	if at, known := e.Onset(); breached == 0 || !known || !at.Equal(live.Add(40*interval)) {
		t.Errorf("breached after %d looks, it began %s after the deployment, %v", breached, at.Sub(live), known)
	}
}

func TestACurveIsHeldAgainstWhatTheRuleIs(t *testing.T) {
	s := newService(0.01, 300)
	limit := 0.05
	for name, test := range map[string]struct {
		limit *float64
		to    []rules.Control
		want  func(float64) bool
	}{
		"history":           {nil, []rules.Control{rules.Before}, func(l float64) bool { return l > 0.01 && l < 0.02 }},
		"history and limit": {&limit, []rules.Control{rules.Before}, func(l float64) bool { return l > 0.01 && l < 0.02 }},
		"limit":             {&limit, []rules.Control{}, func(l float64) bool { return l == limit }},
	} {
		c := config()
		c.Limit, c.Setting.CompareTo = test.limit, test.to
		e := begin(t, c, deployment(), s)
		bake(e, 3, func(int) []counts { return []counts{s.look(1)} })
		if got := e.(rules.Plotter).Curve().Limit; !test.want(got) {
			t.Errorf("%s: %v", name, got)
		}
	}
}

// With compare_to = ["previous"] the history tells what noise is normal, and nothing else.
func TestAHistoryThatIsNotToBeComparedWithExcusesNothing(t *testing.T) {
	s := newService(0.1, 300)
	c := config()
	c.Setting.CompareTo = []rules.Control{rules.Previous}
	c.LoadTest = compare.Tested(eprocess.Counts{Total: 1000, Bad: 500}) // nor one that the plan does not name
	answer, at := bake(begin(t, c, deployment(), s), bakeLooks, func(int) []counts { return []counts{{24, 300}, {1, 300}} })
	if at == 0 || len(answer.Compared) != 1 {
		t.Errorf("a version 24 times as bad as the one before, and better than ever, after %d looks: %+v", at, answer)
	}
}

func TestALoadTestWithoutABadEventLeavesRoomForAFew(t *testing.T) {
	s := newService(0.002, 300)
	c := config()
	c.Setting.CompareTo = []rules.Control{rules.LoadTest}
	c.Setting.LoadTest = &rules.LoadTestSummary{Requests: 1000}
	c.LoadTest = compare.Tested(eprocess.Counts{Total: 1000})
	e := begin(t, c, deployment(), s)
	if answer, at := bake(e, bakeLooks, func(k int) []counts { return []counts{{float64(k % 8 / 7), 300}} }); at != 0 {
		t.Errorf("one of 2400 is a breach after %d looks: %+v", at, answer)
	}
	if answer, at := bake(begin(t, c, deployment(), s), bakeLooks, func(int) []counts { return []counts{{60, 300}} }); at == 0 {
		t.Errorf("one of five is none: %+v", answer)
	}
}

func TestResultsThatAreMissingAreNotUnderstood(t *testing.T) {
	e := begin(t, config(), deployment(), newService(0.002, 300))
	answer := e.See(live.Add(interval), counts{1, 100}.results())
	if answer.Verdict != rules.Blind || answer.Why != "2 results for 4 queries" {
		t.Errorf("%+v", answer)
	}
}

func TestEachControlIsReadFromItsOwnResults(t *testing.T) {
	s := newService(0.002, 300)
	c := config()
	c.Setting.CompareTo = []rules.Control{rules.LastWeek, rules.Previous}
	answer, _ := bake(begin(t, c, deployment(), s), 1, func(int) []counts { return []counts{{1, 100}, {2, 200}, {3, 300}} })
	if a, b := answer.Compared[0], answer.Compared[1]; a.With != rules.LastWeek || a.Bad != 2 || b.With != rules.Previous || b.Total != 300 {
		t.Errorf("%+v", answer.Compared)
	}
	if !strings.Contains(answer.Why, "1 % (2 of 200) a week ago, 1 % (3 of 300) on 1 at the same time") {
		t.Errorf("says %s", answer.Why)
	}
}

// The version's own series begin with it, unless it ran here before.
func TestALookThatBeganBeforeTheDeploymentCountsWhereTheVersionIsNew(t *testing.T) {
	s := newService(0.01, 300)
	for name, test := range map[string]struct {
		change func(*rules.Deployment)
		counts bool
	}{
		"new":   {func(*rules.Deployment) {}, true},
		"again": {func(d *rules.Deployment) { d.Retry = true }, false},
		"same":  {func(d *rules.Deployment) { d.Previous = d.Version }, false},
	} {
		d := deployment()
		d.At = live.Add(7 * time.Second)
		test.change(&d)
		rule, err := compare.New(config())
		if err != nil {
			t.Fatal(err)
		}
		e := learned(t, rule.Begin(d), s)
		looked := e.See(live.Add(interval), slices.Repeat(counts{1, 100}.results(), len(rule.Queries(d))/2))
		if (looked.Total == 100) != test.counts || (looked.Why == "before the deployment") == test.counts {
			t.Errorf("%s: %+v", name, looked)
		}
	}
}

func TestTheStakesAreSpreadOverTheBake(t *testing.T) {
	s := newService(0.002, 300)
	e := begin(t, config(), deployment(), s)
	bake(e, 60, func(int) []counts { return []counts{{0.6, 300}, none} })
	calm := e.See(live.Add(61*interval), slices.Concat(counts{0.6, 300}.results(), none.results())).Test.Wealth
	if calm < 0.09 || calm > 0.12 {
		t.Errorf("half of the last fifth is not staked yet, and the wealth is %v", calm)
	}
	looks := 0
	for wealth := calm; wealth < rules.Threshold(0) && looks < 20; looks++ {
		wealth = e.See(live.Add(time.Duration(62+looks)*interval), slices.Concat(counts{60, 300}.results(), none.results())).Test.Wealth
	}
	if looks > 5 {
		t.Errorf("what sets in within the bake is found after %d looks", looks)
	}
}

func TestATargetIsHeldAgainstThePlansOwnLimitWithoutAHistory(t *testing.T) {
	c := config()
	limit := 0.05
	c.Limit = &limit
	rule, err := compare.New(c)
	if err != nil {
		t.Fatal(err)
	}
	e := rule.Verify(deployment())
	if _, wants := e.(rules.Historical).Wants(); wants {
		t.Error("it wants a history")
	}
	for times, want := range map[float64]rules.Verdict{0: rules.Healthy, 4: rules.Breached} { // of 80 requests in 20 looks
		answer, _ := bake(rule.Verify(deployment()), 20, func(int) []counts { return []counts{{times, 4}, none} })
		if answer.Verdict != want || times == 0 && answer.Total != 80 {
			t.Errorf("%v of 4: %+v", times, answer)
		}
	}
}

func TestACurveHoldsWhatWasCounted(t *testing.T) {
	s := newService(0.002, 300)
	e := begin(t, config(), deployment(), s)
	looks := []counts{{3, 300}, {0, 0}, none, {1, 3}}
	bake(e, len(looks), func(k int) []counts { return []counts{looks[k], none} })
	curve := e.(rules.Plotter).Curve()
	if !slices.Equal(curve.New, []float64{0.01, -1, -1, 0.333}) || curve.Control != nil || !curve.From.Equal(live.Add(interval)) {
		t.Errorf("%+v", curve)
	}
	e = begin(t, config(), deployment(), s)
	bake(e, 122, func(k int) []counts { return []counts{{float64(k % 2), 1}, {1, 4}} })
	curve = e.(rules.Plotter).Curve()
	if len(curve.New) != 61 || curve.New[0] != 0.5 || curve.New[60] != 0.5 || curve.Control[60] != 0.25 || time.Duration(curve.Step) != 2*interval {
		t.Errorf("%d points: %+v", len(curve.New), curve)
	}
}

func TestTheArithmeticIsSaidInOneSentence(t *testing.T) {
	s := newService(0.002, 300)
	s.past = func(time.Time) counts { return counts{1, 100} }
	c := config()
	c.Read = func(got []rules.Result, mark float64) (threshold.Look, error) {
		look, err := read(got, mark)
		look.Note = "judged at the next edge"
		return look, err
	}
	answer, _ := bake(begin(t, c, deployment(), s), 1, func(int) []counts { return []counts{{1, 100}, none} })
	if want := "errors 1 % (1 of 100) against 1 % before; judged at the next edge; not compared with previous: no data; evidence 0.3, 700 is enough"; answer.Why != want {
		t.Errorf("says  %s\nwant  %s", answer.Why, want)
	}
	c = config()
	c.Setting.CompareTo = []rules.Control{rules.Previous}
	answer, _ = bake(begin(t, c, deployment(), s), 1, func(int) []counts { return []counts{{0, 0}, {1, 100}} })
	if want := "no requests against 1 % (1 of 100) on 1 at the same time; evidence 1, 700 is enough"; answer.Why != want {
		t.Errorf("says  %s\nwant  %s", answer.Why, want)
	}
	s = newService(0.002, 300)
	answer, _ = bake(begin(t, config(), deployment(), s), 40, func(k int) []counts { return []counts{{250, 300}, none} })
	if !strings.Contains(answer.Why, "evidence ") || answer.Verdict != rules.Breached {
		t.Errorf("says %s", answer.Why)
	}
}
