package compare_test

import (
	"encoding/json"
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/bakewatch/bakewatch/rules"
	"github.com/bakewatch/bakewatch/rules/compare"
	"github.com/bakewatch/bakewatch/rules/eprocess"
)

const bakeLooks = 120

func TestAVersionThatIsWorseThanBeforeAndBesideItIsBreached(t *testing.T) {
	s := newService(0.002, 300)
	answer, at := bake(begin(t, config(), deployment(), s), bakeLooks, func(int) []counts { return []counts{s.look(30), s.look(1)} })
	if at == 0 || at > 5 || answer.Ceiling != rules.Auto {
		t.Fatalf("after %d looks: %+v", at, answer)
	}
	for _, want := range []string{"errors ", " on 1 at the same time", " before", "evidence "} {
		if !strings.Contains(answer.Why, want) {
			t.Errorf("%q is not said: %s", want, answer.Why)
		}
	}
	if len(answer.Compared) != 2 || answer.Compared[0].With != rules.Previous || answer.Compared[1].With != rules.Before {
		t.Errorf("compared with %+v", answer.Compared)
	}
}

func TestAHealthyVersionIsNeverBreachedAndIsHealthyInTheEnd(t *testing.T) {
	s := newService(0.002, 300)
	answer, at := bake(begin(t, config(), deployment(), s), bakeLooks, func(int) []counts { return []counts{s.look(1), s.look(1)} })
	if at != 0 || answer.Verdict != rules.Healthy && answer.AtEnd != rules.Healthy {
		t.Errorf("after %d looks: %+v", at, answer)
	}
}

func TestWhatIsProvedWellSaysBelowWhichShare(t *testing.T) {
	s := newService(0.002, 300)
	e := begin(t, config(), deployment(), s)
	for k := range bakeLooks {
		answer, _ := bake(e, k+1, func(int) []counts { return []counts{s.look(1), s.look(1)} })
		said := strings.Contains(answer.Why, " before: proved to stay below 0.")
		if said != answer.Proved || strings.Contains(answer.Why, "evidence ") == answer.Proved {
			t.Fatalf("proved: %v: %s", answer.Proved, answer.Why)
		}
		if answer.Proved {
			return
		}
	}
	t.Error("a healthy version was never proved well")
}

func TestALimitSpeaksThoughTheControlSuffersAsWell(t *testing.T) {
	s := newService(0.002, 300)
	c := config()
	c.Limit = new(0.01)
	answer, _ := bake(begin(t, c, deployment(), s), bakeLooks, func(int) []counts { return []counts{s.look(30), s.look(30)} })
	if answer.Verdict != rules.Breached || !strings.Contains(answer.Why, "limit 1 %; only the limit counts: what it is compared with suffers as well; ") {
		t.Errorf("%+v", answer)
	}
}

func TestAnOutageOfAllVersionsIsSharedAndNoBreach(t *testing.T) {
	s := newService(0.002, 300)
	answer, at := bake(begin(t, config(), deployment(), s), bakeLooks, func(k int) []counts {
		times := 1.0
		if k > 30 {
			times = 40
		}
		return []counts{s.look(times), s.look(times)}
	})
	if at != 0 || !answer.Compared[0].Shares || !strings.Contains(answer.Why, "suffers as well") {
		t.Errorf("after %d looks: %+v", at, answer)
	}
}

func TestAControlWithoutDataIsSaidAndDoesNotCount(t *testing.T) {
	s := newService(0.002, 300)
	answer, at := bake(begin(t, config(), deployment(), s), bakeLooks, func(int) []counts { return []counts{s.look(30), none} })
	if at == 0 || answer.Compared[0].Missing == "" || !strings.Contains(answer.Why, "not compared with previous: no data") {
		t.Errorf("after %d looks: %+v", at, answer)
	}
	if answer.Ceiling != rules.Ask {
		t.Errorf("%d looks without a control may %s", at, answer.Ceiling)
	}
}

func TestAHistoryAloneCarriesARollbackAfterTwelveBadLooks(t *testing.T) {
	s := newService(0.002, 300)
	e := begin(t, config(), deployment(), s)
	answer, _ := bake(e, 1, func(int) []counts { return []counts{s.look(1), none} })
	for k := 1; k < 20; k++ {
		got := slices.Concat(s.look(30).results(), none.results())
		answer = e.See(live.Add(time.Duration(k+1)*interval), got)
	}
	if answer.Ceiling != rules.Auto {
		t.Errorf("%+v", answer)
	}
}

func TestWithNothingToCompareWithARuleHasNoData(t *testing.T) {
	s := newService(0.002, 300)
	s.past = func(time.Time) counts { return none }
	d := deployment()
	d.Previous = ""
	answer, at := bake(begin(t, config(), d, s), 20, func(int) []counts { return []counts{s.look(100)} })
	if at != 0 || answer.Verdict != rules.NoData || answer.Test != nil ||
		!strings.Contains(answer.Why, "previous: no previous version is known; before: no history") {
		t.Errorf("after %d looks: %+v", at, answer)
	}
}

func TestWithoutAHistoryNobodySaysThatTheControlSuffers(t *testing.T) {
	const untold = "nobody knows whether what it is compared with suffers as well"
	for name, test := range map[string]struct {
		limit  *float64
		shares bool
	}{
		"since it may always have been so":     {nil, false},
		"but where it exceeds the limit":       {new(0.01), true},
		"nor where it keeps well to the limit": {new(0.2), false},
	} {
		t.Run(name, func(t *testing.T) {
			s := newService(0.05, 300)
			s.past = func(time.Time) counts { return none }
			c := config()
			c.Limit = test.limit
			answer, at := bake(begin(t, c, deployment(), s), bakeLooks, func(int) []counts { return []counts{s.look(10), s.look(1)} })
			if at == 0 || answer.Compared[0].Shares != test.shares || strings.Contains(answer.Why, untold) != (test.limit == nil) {
				t.Errorf("after %d looks: %+v", at, answer)
			}
		})
	}
}

func TestWithoutAHistoryTheControlAloneTells(t *testing.T) {
	s := newService(0.01, 300)
	s.past = func(time.Time) counts { return none }
	e := begin(t, config(), deployment(), s)
	if answer, at := bake(e, bakeLooks, func(int) []counts { return []counts{s.look(20), s.look(1)} }); at == 0 || at > 8 {
		t.Errorf("after %d looks: %+v", at, answer)
	}
	e = begin(t, config(), deployment(), s)
	if answer, at := bake(e, bakeLooks, func(int) []counts { return []counts{s.look(1), s.look(1)} }); at != 0 {
		t.Errorf("after %d looks: %+v", at, answer)
	}
}

func TestALimitIsProvedWhateverElseIsKnown(t *testing.T) {
	s := newService(0.002, 300)
	c := config()
	limit := 0.01
	c.Limit, c.Setting.CompareTo = &limit, []rules.Control{}
	answer, at := bake(begin(t, c, deployment(), s), bakeLooks, func(int) []counts { return []counts{s.look(30)} })
	if at == 0 || at > 8 || *answer.Limit != limit || !strings.Contains(answer.Why, "limit 1 %") || answer.Ceiling != rules.Auto {
		t.Errorf("after %d looks: %+v", at, answer)
	}
	answer, at = bake(begin(t, c, deployment(), s), bakeLooks, func(int) []counts { return []counts{s.look(3)} })
	if at != 0 || answer.AtEnd != rules.Healthy {
		t.Errorf("below the limit, after %d looks: %+v", at, answer)
	}
}

func TestALoadTestIsAControl(t *testing.T) {
	s := newService(0.002, 300)
	c := config()
	c.Setting.CompareTo = []rules.Control{rules.LoadTest}
	c.Setting.LoadTest = &rules.LoadTestSummary{Requests: 1e6, Errors: 2000}
	c.LoadTest = compare.Tested(eprocess.Counts{Total: 1e6, Bad: 2000})
	answer, at := bake(begin(t, c, deployment(), s), bakeLooks, func(int) []counts { return []counts{s.look(30)} })
	if at == 0 || !strings.Contains(answer.Why, "0.2 % in the load test") {
		t.Errorf("after %d looks: %+v", at, answer)
	}
	if _, at = bake(begin(t, c, deployment(), s), bakeLooks, func(int) []counts { return []counts{s.look(1)} }); at != 0 {
		t.Errorf("a healthy version is breached after %d looks", at)
	}
}

func TestLastWeekIsAskedAboutAsAControl(t *testing.T) {
	s := newService(0.002, 300)
	c := config()
	c.Setting.CompareTo = []rules.Control{rules.LastWeek}
	rule, err := compare.New(c)
	if err != nil {
		t.Fatal(err)
	}
	if queries := rule.Queries(deployment()); len(queries) != 4 || !strings.Contains(queries[2].Template, "offset 1w") || strings.Contains(queries[2].Template, "version") {
		t.Errorf("asks %v", queries)
	}
	answer, at := bake(begin(t, c, deployment(), s), bakeLooks, func(int) []counts { return []counts{s.look(30), s.look(1)} })
	if at == 0 || !strings.Contains(answer.Why, "a week ago") {
		t.Errorf("after %d looks: %+v", at, answer)
	}
}

func TestArmsOfVeryUnequalSizeAreCompared(t *testing.T) {
	small, large := newService(0.01, 10), newService(0.01, 3000)
	e := begin(t, config(), deployment(), large)
	if answer, at := bake(e, bakeLooks, func(int) []counts { return []counts{small.look(40), large.look(1)} }); at == 0 {
		t.Errorf("never found: %+v", answer)
	}
	e = begin(t, config(), deployment(), large)
	if answer, at := bake(e, bakeLooks, func(int) []counts { return []counts{small.look(1), large.look(1)} }); at != 0 {
		t.Errorf("after %d looks: %+v", at, answer)
	}
}

func TestMissingAndBrokenCountsNeverBreachNorPass(t *testing.T) {
	s := newService(0.002, 300)
	for name, c := range map[string]counts{
		"no series": none, "a negative count": {-5, 100}, "no number": {math.NaN(), 100}, "infinitely many": {1, math.Inf(1)},
	} {
		e := begin(t, config(), deployment(), s)
		answer, at := bake(e, bakeLooks, func(int) []counts { return []counts{c, s.look(1)} })
		if at != 0 || answer.Verdict != rules.NoData || answer.AtEnd != rules.Inconclusive || answer.Proved {
			t.Errorf("%s: after %d looks: %+v", name, at, answer)
		}
	}
}

func TestMoreBadEventsThanEventsAreAllOfThem(t *testing.T) {
	s := newService(0.002, 300)
	answer, _ := bake(begin(t, config(), deployment(), s), 1, func(int) []counts { return []counts{{bad: 120, total: 100}, s.look(1)} })
	if answer.Bad != 100 || answer.Total != 100 {
		t.Errorf("%+v", answer)
	}
}

func TestAGapOfAnHourIsNotTakenForAPast(t *testing.T) {
	s := newService(0.002, 300)
	e := begin(t, config(), deployment(), s)
	bake(e, 4, func(int) []counts { return []counts{s.look(1), s.look(1)} })
	after := live.Add(90 * time.Minute)
	answer := e.See(after, slices.Concat(counts{bad: 1e6, total: 1e7}.results(), s.look(1).results()))
	if answer.Verdict != rules.Inconclusive || !strings.Contains(answer.Why, "after a gap") {
		t.Errorf("%+v", answer)
	}
}

func TestALookThatIsNotLaterChangesNothing(t *testing.T) {
	s := newService(0.002, 300)
	e := begin(t, config(), deployment(), s)
	before, _ := bake(e, 10, func(int) []counts { return []counts{s.look(1), s.look(1)} })
	for range 50 { // the clock has stepped back
		after := e.See(live.Add(5*interval), slices.Concat(s.look(100).results(), s.look(1).results()))
		if !strings.HasPrefix(before.Why, after.Why+"; evidence ") || after.Verdict != before.Verdict {
			t.Fatalf("%+v", after)
		}
	}
}

func TestStretchesOfBadVersionsAreLeftOutOfTheHistory(t *testing.T) {
	s := newService(0.002, 300)
	from := live.Add(-6 * time.Hour)
	bad := rules.Span{From: from, To: from.Add(5 * time.Hour)}
	s.past = func(at time.Time) counts {
		if bad.Contains(at) {
			return s.look(50)
		}
		return s.look(1)
	}
	level := func(spans ...rules.Span) float64 {
		answer, _ := bake(begin(t, config(), deployment(), s, spans...), 1, func(int) []counts { return []counts{s.look(1), s.look(1)} })
		return answer.Compared[1].Level
	}
	if with, without := level(), level(bad); without > 0.004 || with < 2*without {
		t.Errorf("the level is %v, without the bad version %v", with, without)
	}
}

func TestWhatBeganBeforeTheDeploymentIsNotTheDeployments(t *testing.T) {
	s := newService(0.002, 300)
	s.past = func(at time.Time) counts {
		if at.After(live.Add(-8 * time.Minute)) {
			return s.look(40)
		}
		return s.look(1)
	}
	answer, _ := bake(begin(t, config(), deployment(), s), 10, func(int) []counts { return []counts{s.look(40), s.look(40)} })
	if answer.Attribution.Blame != rules.Ambient || !strings.Contains(answer.Why, "it began before the deployment") {
		t.Errorf("%+v", answer)
	}
}

func TestWatchesOfOneServiceAskTheSamePast(t *testing.T) {
	rule, err := compare.New(config())
	if err != nil {
		t.Fatal(err)
	}
	one, other := deployment(), deployment()
	other.Version, other.Previous, other.At, other.Cohort = "3", "2", one.At.Add(time.Minute), "on"
	want, _ := rule.Begin(one).(rules.Historical).Wants()
	same, _ := rule.Begin(other).(rules.Historical).Wants()
	a, _ := json.Marshal(want)
	b, _ := json.Marshal(same)
	if string(a) != string(b) {
		t.Errorf("%s\n%s", a, b)
	}
	if want.Instants() > 11_000 {
		t.Errorf("asks for %d instants at once", want.Instants())
	}
}

func TestTheTargetOfARollbackIsHeldAgainstWhatIsNormal(t *testing.T) {
	s := newService(0.002, 300)
	rule, err := compare.New(config())
	if err != nil {
		t.Fatal(err)
	}
	look := func(times float64) rules.Answer {
		e := learned(t, rule.Verify(deployment()), s)
		answer, _ := bake(e, 10, func(int) []counts { return []counts{s.look(times), s.look(1)} })
		return answer
	}
	if answer := look(1); answer.Verdict != rules.Healthy || answer.Test != nil {
		t.Errorf("recovered: %+v", answer)
	}
	if answer := look(30); answer.Verdict != rules.Breached {
		t.Errorf("not recovered: %+v", answer)
	}
}

func TestACurveIsSmallAndWhole(t *testing.T) {
	s := newService(0.002, 300)
	e := begin(t, config(), deployment(), s)
	bake(e, 1000, func(int) []counts { return []counts{s.look(1), s.look(1)} })
	curve := e.(rules.Plotter).Curve()
	text, err := json.Marshal(curve)
	if err != nil || len(text) > 4096 || len(curve.New) < 60 || len(curve.New) != len(curve.Wealth) || len(curve.New) != len(curve.Control) {
		t.Errorf("%v, %d bytes, %d points: %s", err, len(text), len(curve.New), text)
	}
	if covered := time.Duration(curve.Step) * time.Duration(len(curve.New)); covered < 1000*interval || curve.Limit <= 0 {
		t.Errorf("covers %s, limit %v", covered, curve.Limit)
	}
}

func TestWhatDoesNotFitATestIsRefused(t *testing.T) {
	for key, change := range map[string]func(*compare.Config){
		"for":        func(c *compare.Config) { c.Setting.For = rules.Duration(time.Minute) },
		"judge":      func(c *compare.Config) { c.Setting.Judge = "mann-whitney" },
		"compare_to": func(c *compare.Config) { c.Setting.CompareTo = []rules.Control{} },
	} {
		c := config()
		change(&c)
		_, err := compare.New(c)
		if err == nil || !strings.HasPrefix(err.Error(), key+":") {
			t.Errorf("%s: %v", key, err)
		}
	}
}

// BenchmarkOneLook is what one look at one rule costs the judge: a version, a control
// beside it, a history and a limit.
func BenchmarkOneLook(b *testing.B) {
	s := newService(0.002, 300)
	c := config()
	limit := 0.01
	c.Limit = &limit
	rule, err := compare.New(c)
	if err != nil {
		b.Fatal(err)
	}
	var looks [][]rules.Result
	for range bakeLooks {
		looks = append(looks, slices.Concat(s.look(1).results(), s.look(1).results()))
	}
	var e rules.Evidence
	b.ReportAllocs()
	i := 0
	for b.Loop() {
		if i%bakeLooks == 0 {
			b.StopTimer()
			e = learned(b, rule.Begin(deployment()), s)
			e.See(live.Add(interval/2), looks[0]) // makes the model
			b.StartTimer()
		}
		e.See(live.Add(time.Duration(i%bakeLooks+1)*interval), looks[i%bakeLooks])
		i++
	}
}

func TestALoadTestThatDoesNotTellIsSaidAndDoesNotCount(t *testing.T) {
	s := newService(0.002, 300)
	c := config()
	c.Setting.CompareTo = []rules.Control{rules.Before, rules.LoadTest}
	c.Setting.LoadTest = &rules.LoadTestSummary{Requests: 1e6}
	c.LoadTest = func(float64) (eprocess.Counts, bool) { return eprocess.Counts{}, false }
	answer, at := bake(begin(t, c, deployment(), s), bakeLooks, func(int) []counts { return []counts{s.look(30)} })
	if at == 0 || !strings.Contains(answer.Why, "not compared with load-test: its summary does not tell of errors") {
		t.Errorf("after %d looks: %+v", at, answer)
	}
	c.Setting.CompareTo = []rules.Control{rules.LoadTest}
	answer, at = bake(begin(t, c, deployment(), s), bakeLooks, func(int) []counts { return []counts{s.look(30)} })
	if at != 0 || answer.Verdict != rules.NoData {
		t.Errorf("with nothing else, after %d looks: %+v", at, answer)
	}
}
