package threshold_test

import (
	"math"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/bakewatch/bakewatch/rules"
	"github.com/bakewatch/bakewatch/rules/promql"
	"github.com/bakewatch/bakewatch/rules/quantity"
	"github.com/bakewatch/bakewatch/rules/threshold"
)

const interval = 15 * time.Second

var deployed = time.Unix(1_700_000_000, 0).UTC()

func at(look int) time.Time { return deployed.Add(time.Duration(look) * interval) }

// numbers makes the results of a look of these numbers, one for each query.
func numbers(values ...float64) []rules.Result {
	results := make([]rules.Result, len(values))
	for i, v := range values {
		results[i].Samples = []rules.Sample{{Value: v}}
	}
	return results
}

// config is a rule that reads two results, the bad and all events (or the value).
func config(measure threshold.Measure) threshold.Config {
	limit := 0.1
	return threshold.Config{
		Setting: rules.Setting{
			Spec:     rules.Spec{Name: "rule", Window: rules.Duration(time.Minute)},
			Interval: rules.Duration(interval),
		},
		Measure: measure, Limits: threshold.Limits{Max: &limit, Unit: quantity.Ratio},
		Subject: "errors", Of: "requests", MinTotal: 20,
		Ask: func(d rules.Deployment) []rules.Query {
			return []rules.Query{{Template: `bad{v="$version"}`, Values: d.Values()}, {Template: "all"}}
		},
		Read: func(got []rules.Result) (threshold.Look, error) {
			bad, ok, err := threshold.CountOf(got[0], "errors")
			if err == nil && !ok {
				err = rules.Failed(rules.Empty, "nothing there")
			}
			if err != nil {
				return threshold.Look{}, err
			}
			total, _, err := threshold.CountOf(got[1], "requests")
			return threshold.Look{Bad: bad, Total: total, Value: bad}, err
		},
	}
}

func begin(t *testing.T, c threshold.Config) rules.Evidence {
	t.Helper()
	rule, err := threshold.New(c)
	if err != nil {
		t.Fatal(err)
	}
	return rule.Begin(rules.Deployment{Version: "2", At: deployed})
}

// step is one look and what is to be answered.
type step struct {
	look int
	got  []rules.Result
	want rules.Verdict
	why  string
}

func TestVerdictsOfAShare(t *testing.T) {
	ok, bad, quiet := numbers(0, 100), numbers(50, 100), numbers(0, 0)
	nothing := []rules.Result{{}, {}}
	several := []rules.Result{{Samples: []rules.Sample{
		{Labels: map[string]string{"pod": "a", "job": "x"}}, {Labels: map[string]string{"pod": "b", "job": "x", "zone": "1"}},
	}}, {}}
	minute := rules.Duration(time.Minute)
	for name, test := range map[string]struct {
		change func(*threshold.Config)
		steps  []step
	}{
		"a limit is broken at once": {nil, []step{
			{1, ok, rules.Healthy, "errors 0 % (0 of 100) ≤ limit 10 %"},
			{2, bad, rules.Breached, "errors 25 % (50 of 200) > limit 10 %"},
		}},
		"a breach needs no full window": {nil, []step{{1, bad, rules.Breached, ""}}},
		"bad events leave the window": {nil, []step{
			{1, bad, rules.Breached, ""},
			{2, ok, rules.Breached, "50 of 200"},
			{3, ok, rules.Breached, "50 of 300"},
			{4, ok, rules.Breached, "50 of 400"},
			{5, ok, rules.Healthy, "(0 of 400)"},
		}},
		"the limit itself keeps the limit": {nil, []step{{1, numbers(10, 100), rules.Healthy, ""}}},
		"for must be broken so long": {func(c *threshold.Config) { c.Setting.For = rules.Duration(30 * time.Second) }, []step{
			{1, bad, rules.Inconclusive, "for 0s of 30s"},
			{2, bad, rules.Inconclusive, "for 15s of 30s"},
			{3, bad, rules.Breached, "errors 50 % (150 of 300) > limit 10 % for 30s"},
			{4, bad, rules.Breached, "for 45s"},
		}},
		"a healthy look in between starts for again": {
			func(c *threshold.Config) {
				c.Setting.For, c.Setting.Window = rules.Duration(30*time.Second), rules.Duration(interval)
			},
			[]step{
				{1, bad, rules.Inconclusive, ""},
				{2, bad, rules.Inconclusive, ""},
				{3, ok, rules.Healthy, ""},
				{4, bad, rules.Inconclusive, "for 0s of 30s"},
				{5, bad, rules.Inconclusive, ""},
				{6, bad, rules.Breached, ""},
			},
		},
		"missing data in between starts for again": {func(c *threshold.Config) { c.Setting.For = rules.Duration(30 * time.Second) }, []step{
			{1, bad, rules.Inconclusive, ""},
			{2, bad, rules.Inconclusive, ""},
			{3, nothing, rules.NoData, "nothing there"},
			{4, bad, rules.Inconclusive, "for 0s of 30s"},
		}},
		"a look that never came starts for again": {func(c *threshold.Config) { c.Setting.For = rules.Duration(30 * time.Second) }, []step{
			{1, bad, rules.Inconclusive, ""}, {2, bad, rules.Inconclusive, ""}, {4, bad, rules.Inconclusive, "for 0s of 30s"},
		}},
		"too few requests are low traffic": {nil, []step{
			{1, numbers(15, 15), rules.LowTraffic, "15 requests in 15s, fewer than min_requests 20"},
			{2, numbers(4, 4), rules.LowTraffic, "19 requests in 30s"},
			{3, numbers(1, 1), rules.Breached, "20 of 20"},
		}},
		"no requests are low traffic, whatever min_requests says": {func(c *threshold.Config) { c.MinTotal = 0 }, []step{
			{1, quiet, rules.LowTraffic, "0 requests in 15s, fewer than min_requests 1"},
		}},
		"looks before the deployment do not count": {nil, []step{
			{-1, bad, rules.Inconclusive, "before the deployment"}, {0, bad, rules.Inconclusive, "before the deployment"}, {1, ok, rules.Healthy, "0 of 100"},
		}},
		"looks of the warm-up do not count": {func(c *threshold.Config) { c.Setting.WarmUp = minute }, []step{
			{1, bad, rules.Inconclusive, "warming up: 15s of 1m"}, {3, bad, rules.Inconclusive, "warming up: 45s of 1m"}, {4, ok, rules.Healthy, "(0 of 100)"},
		}},
		"not a number is no data":                 {nil, []step{{1, numbers(math.NaN(), 100), rules.NoData, "NaN"}, {2, numbers(0, math.Inf(1)), rules.NoData, "+Inf"}}},
		"a negative count is no data":             {nil, []step{{1, numbers(-1, 100), rules.NoData, "negative"}}},
		"several series are blind, and say why":   {nil, []step{{1, several, rules.Blind, "errors: 2 series where one is meant; they differ in pod, zone"}}},
		"too few results are blind":               {nil, []step{{1, numbers(1), rules.Blind, "1 results for 2 queries"}}},
		"a result with an error is not empty":     {nil, []step{{1, []rules.Result{{}, {Err: rules.Failed(rules.TimedOut, "slow")}}, rules.Blind, "slow"}}},
		"an unbound placeholder is no data":       {nil, []step{{1, []rules.Result{{Err: rules.Failed(rules.Unbound, "no previous version")}, {}}, rules.NoData, "no previous version"}}},
		"a look that comes twice counts once":     {nil, []step{{1, ok, rules.Healthy, "0 of 100"}, {1, bad, rules.Healthy, "0 of 100"}, {0, bad, rules.Healthy, "0 of 100"}, {2, ok, rules.Healthy, "0 of 200"}}},
		"no data does not fill the window's hole": {nil, []step{{1, ok, rules.Healthy, ""}, {2, nothing, rules.NoData, ""}, {3, bad, rules.Breached, "50 of 200"}}},
	} {
		t.Run(name, func(t *testing.T) {
			c := config(threshold.Share)
			if test.change != nil {
				test.change(&c)
			}
			play(t, begin(t, c), test.steps)
		})
	}
}

func play(t *testing.T, evidence rules.Evidence, steps []step) {
	t.Helper()
	for i, s := range steps {
		answer := evidence.See(at(s.look), s.got)
		if answer.Verdict != s.want || !strings.Contains(answer.Why, s.why) {
			t.Errorf("step %d: %v, %q; want %v, %q", i, answer.Verdict, answer.Why, s.want, s.why)
		}
	}
}

// A deployment between two looks: the first look after it began before it.
func TestAPartialFirstLookCountsOnlyWhereVersionsAreToldApart(t *testing.T) {
	for name, test := range map[string]struct {
		apart bool
		want  rules.Verdict
	}{
		"told apart":     {true, rules.Breached},
		"not told apart": {false, rules.Inconclusive},
	} {
		t.Run(name, func(t *testing.T) {
			c := config(threshold.Share)
			c.Apart = test.apart
			rule, err := threshold.New(c)
			if err != nil {
				t.Fatal(err)
			}
			evidence := rule.Begin(rules.Deployment{At: deployed.Add(-interval / 2)})
			if got := evidence.See(at(0), numbers(50, 100)); got.Verdict != test.want {
				t.Errorf("first look: %v, %s", got.Verdict, got.Why)
			}
			if got := evidence.See(at(1), numbers(50, 100)); got.Verdict != rules.Breached {
				t.Errorf("second look: %v, %s", got.Verdict, got.Why)
			}
		})
	}
}

// The series of a version that ran here before do not begin with the deployment.
func TestAVersionThatIsDeployedAgainIsNotToldApartFromItself(t *testing.T) {
	for name, test := range map[string]struct {
		deployed rules.Deployment
		want     rules.Verdict
	}{
		"another version before": {rules.Deployment{Version: "2", Previous: "1"}, rules.Breached},
		"the same again":         {rules.Deployment{Version: "2", Previous: "2"}, rules.Inconclusive},
		"a retry":                {rules.Deployment{Version: "2", Previous: "1", Retry: true}, rules.Inconclusive},
	} {
		t.Run(name, func(t *testing.T) {
			c := config(threshold.Share)
			c.Apart = true
			rule, err := threshold.New(c)
			if err != nil {
				t.Fatal(err)
			}
			test.deployed.At = deployed.Add(-interval / 2)
			evidence := rule.Begin(test.deployed)
			if got := evidence.See(at(0), numbers(50, 100)); got.Verdict != test.want {
				t.Errorf("first look: %v, %s", got.Verdict, got.Why)
			}
			if got := evidence.See(at(1), numbers(50, 100)); got.Verdict != rules.Breached {
				t.Errorf("second look: %v, %s", got.Verdict, got.Why)
			}
		})
	}
}

// Beyond what a query remembers, series that came back look like newborn ones.
func TestTheFirstDataAfterALongGapIsNotCounted(t *testing.T) {
	long := int(promql.Remembered/interval) + 3
	ok, bad, nothing := numbers(0, 100), numbers(50, 100), []rules.Result{{}, {}}
	for name, test := range map[string]struct {
		apart bool
		steps []step
	}{
		"a gap that queries remember counts": {true, []step{{1, ok, rules.Healthy, ""}, {long - 10, nothing, rules.NoData, ""}, {long - 2, bad, rules.Breached, "50 of 100"}}},
		"a longer one does not": {true, []step{
			{1, ok, rules.Healthy, ""},
			{long, nothing, rules.NoData, ""},
			{long + 1, bad, rules.Inconclusive, "the first data after a gap"},
			{long + 2, ok, rules.Healthy, "0 of 100"},
		}},
		"a version's own first series count whenever they come": {true, []step{{1, nothing, rules.NoData, ""}, {9, bad, rules.Breached, "50 of 100"}}},
		"the first series of everybody do not":                  {false, []step{{1, nothing, rules.NoData, ""}, {9, bad, rules.Inconclusive, "after a gap"}, {10, ok, rules.Healthy, "0 of 100"}}},
	} {
		t.Run(name, func(t *testing.T) {
			c := config(threshold.Share)
			c.Apart = test.apart
			play(t, begin(t, c), test.steps)
		})
	}
}

func TestACountIsJudgedOverTheWindow(t *testing.T) {
	c := config(threshold.Count)
	two := 2.0
	c.Limits = threshold.Limits{Max: &two}
	c.Subject = "restarts"
	play(t, begin(t, c), []step{
		{1, numbers(2, 0), rules.Healthy, "restarts 2 in 15s ≤ limit 2"},
		{2, numbers(1, 0), rules.Breached, "restarts 3 in 30s > limit 2"},
		{5, numbers(0, 0), rules.Healthy, "restarts 1 in 30s ≤ limit 2"},
	})
}

func TestAValueIsJudgedAsItIsNow(t *testing.T) {
	c := config(threshold.Level)
	least, most := 1.0, 3.0
	c.Limits = threshold.Limits{Min: &least, Max: &most}
	c.Subject = "value"
	play(t, begin(t, c), []step{
		{-1, numbers(9, 0), rules.Inconclusive, "before the deployment"},
		{0, numbers(2, 0), rules.Healthy, "value 2 ≤ limit 3"},
		{1, numbers(4, 0), rules.Breached, "value 4 > limit 3"},
		{2, numbers(0, 0), rules.Breached, "value 0 < limit 1"},
		{3, numbers(1, 0), rules.Healthy, ""},
	})
}

// per is a rule over events of which none is bad, with a goal.
func per() threshold.Config {
	c := config(threshold.Per)
	least := 0.5
	c.Limits, c.Subject, c.Of, c.MinKey = threshold.Limits{Min: &least}, "uses per session", "sessions", "min_sessions"
	c.Read = func(got []rules.Result) (threshold.Look, error) {
		uses, ok, err := threshold.CountOf(got[0], "uses")
		sessions, _, _ := threshold.CountOf(got[1], "sessions")
		return threshold.Look{Part: uses, Total: sessions, Missing: !ok}, err
	}
	return c
}

func TestEventsAreCountedForEachOfOthers(t *testing.T) {
	play(t, begin(t, per()), []step{
		{1, numbers(60, 100), rules.Healthy, "uses per session 0.6 (60 in 100 sessions) ≥ limit 0.5"},
		{2, numbers(20, 100), rules.Breached, "uses per session 0.4 (80 in 200 sessions) < limit 0.5"},
		{3, numbers(320, 100), rules.Healthy, "1.33 (400 in 300 sessions)"},
	})
	got := begin(t, per()).See(at(1), numbers(5, 19))
	if got.Verdict != rules.LowTraffic || got.Bad != 0 || got.Total != 19 || !strings.Contains(got.Why, "19 sessions in 15s, fewer than min_sessions 20") {
		t.Errorf("%+v", got)
	}
}

func TestALimitThatIsNotDueMayBeBroken(t *testing.T) {
	c := per()
	c.Within, c.Setting.Window = rules.Duration(3*interval), rules.Duration(interval)
	c.Setting.For = rules.Duration(interval)
	const notDue = "; it may be until 45s after the deployment"
	play(t, begin(t, c), []step{
		{1, numbers(60, 100), rules.Healthy, "≥ limit 0.5"},
		{2, numbers(10, 100), rules.Inconclusive, "for 0s of 15s" + notDue},
		{3, numbers(10, 100), rules.Breached, "< limit 0.5 for 15s"},
		{4, numbers(60, 100), rules.Healthy, ""},
	})
	play(t, begin(t, c), []step{
		{1, numbers(10, 100), rules.Inconclusive, notDue},
		{2, numbers(10, 100), rules.Inconclusive, "< limit 0.5 for 15s" + notDue},
	})
}

func TestACountThatIsMissingIsAskedAboutAtMost(t *testing.T) {
	evidence := begin(t, per())
	missing := []rules.Result{{}, numbers(100)[0]}
	if got := evidence.See(at(1), missing); got.Verdict != rules.Breached || got.Ceiling != rules.Ask {
		t.Errorf("%v, at most %v", got.Verdict, got.Ceiling)
	}
	if got := evidence.See(at(2), numbers(0, 100)); got.Verdict != rules.Breached || got.Ceiling != rules.Auto {
		t.Errorf("%v, at most %v", got.Verdict, got.Ceiling)
	}
}

func TestTheTargetOfARollbackIsJudgedUnlessTheLimitIsOnlyTheNewVersions(t *testing.T) {
	for why, want := range map[string]rules.Verdict{"": rules.Breached, "only the new one's": rules.LowTraffic} {
		c := per()
		c.OnlyNew = why
		rule, err := threshold.New(c)
		if err != nil {
			t.Fatal(err)
		}
		got := rule.Verify(rules.Deployment{Version: "1", At: deployed}).See(at(1), numbers(0, 100))
		if got.Verdict != want || got.Rule != "rule" || !got.At.Equal(at(1)) || !strings.Contains(got.Why, why) {
			t.Errorf("%q: %+v", why, got)
		}
	}
}

func TestAnAnswerCarriesItsArithmetic(t *testing.T) {
	got := begin(t, config(threshold.Share)).See(at(1), numbers(41, 100))
	if got.Rule != "rule" || got.Ceiling != rules.Auto || !got.At.Equal(at(1)) || got.Unit != "ratio" ||
		got.Bad != 41 || got.Total != 100 || time.Duration(got.Window) != interval || got.Query != `bad{v="2"}` {
		t.Errorf("got %+v", got)
	}
	if got.Value == nil || *got.Value != 0.41 || got.Limit == nil || *got.Limit != 0.1 {
		t.Errorf("value %v, limit %v", got.Value, got.Limit)
	}
	none := begin(t, config(threshold.Share)).See(at(1), []rules.Result{{}, {}})
	if none.Value != nil || none.Limit == nil || none.Query == "" || none.Ceiling != rules.Auto {
		t.Errorf("no data: %+v", none)
	}
}

func TestAnotherJudgeIsNotYetSupported(t *testing.T) {
	c := config(threshold.Share)
	c.Setting.Judge = "test"
	if _, err := threshold.New(c); err == nil || !strings.Contains(err.Error(), "not yet supported") {
		t.Errorf("got %v", err)
	}
}

// Whatever comes, evidence that was rebuilt from the same looks says the same, and
// nothing but a broken limit with enough traffic is a breach.
func TestEvidenceIsAFoldOfItsLooks(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		c := config(threshold.Share)
		c.Setting.For = rules.Duration(time.Duration(rapid.IntRange(0, 3).Draw(t, "for")) * interval)
		c.Setting.WarmUp = rules.Duration(time.Duration(rapid.IntRange(0, 3).Draw(t, "warm up")) * interval)
		rule, err := threshold.New(c)
		if err != nil {
			t.Fatal(err)
		}
		d := rules.Deployment{At: deployed}
		live, rebuilt := rule.Begin(d), rule.Begin(d)
		window := int(time.Duration(c.Setting.Window) / interval)
		var bad, total []float64
		first := max(1, int(time.Duration(c.Setting.WarmUp)/interval))
		for look := 1; look <= 30; look++ {
			b, n := float64(rapid.IntRange(0, 5).Draw(t, "bad")), float64(rapid.IntRange(0, 30).Draw(t, "good"))
			got := numbers(b, b+n)
			a, again := live.See(at(look), got), rebuilt.See(at(look), got)
			if a.Verdict != again.Verdict || a.Why != again.Why {
				t.Fatalf("look %d: %v and %v", look, a, again)
			}
			if look < first {
				if a.Verdict != rules.Inconclusive {
					t.Fatalf("look %d: %v while warming up", look, a.Verdict)
				}
				continue
			}
			bad, total = append(bad, b), append(total, b+n)
			wantBad, wantTotal := sum(bad, window), sum(total, window)
			if a.Bad != wantBad || a.Total != wantTotal {
				t.Fatalf("look %d: %v of %v, want %v of %v", look, a.Bad, a.Total, wantBad, wantTotal)
			}
			if broken := wantTotal >= 20 && wantBad > 0.1*wantTotal; a.Verdict == rules.Breached && !broken {
				t.Fatalf("look %d breached: %s", look, a.Why)
			}
			if low := wantTotal < 20; low != (a.Verdict == rules.LowTraffic) {
				t.Fatalf("look %d: %v with %v requests", look, a.Verdict, wantTotal)
			}
		}
	})
}

func sum(values []float64, last int) (total float64) {
	for _, v := range values[max(0, len(values)-last):] {
		total += v
	}
	return total
}

func TestMinRequestsIsSoManyThatOneBadRequestKeepsTheLimit(t *testing.T) {
	for limit, want := range map[float64]float64{0.01: 100, 0.001: 1000, 0.2: 20, 0: 20, 0.03: 34} {
		if got := threshold.MinRequests(0, limit); got != want || (limit > 0 && 1/got > limit) {
			t.Errorf("limit %v: %v, want %v", limit, got, want)
		}
	}
	if got := threshold.MinRequests(7, 0.01); got != 7 {
		t.Errorf("said 7: %v", got)
	}
}

func TestAPlannedShareNeedsSoManyThatChanceKeepsIt(t *testing.T) {
	for _, test := range []struct {
		planned, least, want float64
	}{{1, 0.9, 20}, {0.05, 0.9, 30400}, {0.05, 0.5, 1216}, {0.99, 0.01, 20}} {
		got := threshold.MinOfShare(0, test.planned, test.least)
		if got != test.want {
			t.Errorf("%v of %v: %v, want %v", test.least, test.planned, got, test.want)
		}
		deviation := math.Sqrt(test.planned * (1 - test.planned) / got)
		if test.planned < 1 && test.planned-4*deviation < test.planned*test.least-1e-9 {
			t.Errorf("%v of %v: four deviations of %v reach below it", test.least, test.planned, deviation)
		}
	}
	if got := threshold.MinOfShare(7, 0.05, 0.9); got != 7 {
		t.Errorf("said 7: %v", got)
	}
}

func TestAGoalNeedsSoManyThatItMeansSomeUses(t *testing.T) {
	for goal, want := range map[float64]float64{0.05: 400, 1.2: 20, 1: 20, 0.03: 667} {
		if got := threshold.MinForGoal(0, goal); got != want || got*goal < 20-1e-9 {
			t.Errorf("goal %v: %v, want %v", goal, got, want)
		}
	}
	if got := threshold.MinForGoal(7, 0.05); got != 7 {
		t.Errorf("said 7: %v", got)
	}
}

func TestASharesLimitIsChecked(t *testing.T) {
	for text, want := range map[string]string{
		"1%": "", "0.01": "", "0": "", "": "",
		"1": "everything", "100%": "everything", "-1%": "negative", "500ms": "no share",
	} {
		t.Run(text, func(t *testing.T) {
			var q quantity.Quantity
			if text != "" {
				q = quantity.Must(text)
			}
			err := threshold.CheckShare("max", q)
			if want == "" && err != nil || want != "" && (err == nil || !strings.Contains(err.Error(), want)) {
				t.Errorf("got %v, want %q", err, want)
			}
		})
	}
}
