package adoption_test

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/bakewatch/bakewatch/rules"
	"github.com/bakewatch/bakewatch/rules/adoption"
	"github.com/bakewatch/bakewatch/rules/internal/promtest"
	"github.com/bakewatch/bakewatch/rules/quantity"
)

// compared is the setting of a rule that compares with these.
func compared(controls ...rules.Control) rules.Setting {
	setting := promtest.Setting("one click")
	setting.Select.Version, setting.Bake = "v", rules.Duration(30*time.Minute)
	setting.CompareTo = controls
	return setting
}

// day stores a day of version 1 up to the deployment, a sample a minute, and then so
// many looks: so many uses in 100 sessions of 15 s.
func day(t *testing.T, server *promtest.Server, uses float64, looks int) {
	t.Helper()
	const minutes = 24 * 60
	quarters := 0.0
	add := func(second float64) { // in the order of time, as a server takes it
		server.Add(t, `used_total{v="1",feature="one_click"}`, promtest.Sample{Second: second, Value: uses * quarters})
		server.Add(t, `sessions_total{v="1"}`, promtest.Sample{Second: second, Value: 100 * quarters})
	}
	for i := -minutes; i <= 0; i++ {
		quarters += 4
		add(60*float64(i) - 4)
	}
	for i := 1; i <= looks; i++ {
		quarters++
		add(15*float64(i) - 4)
	}
}

// judged watches version 2 after 1 and returns the last answer, and the look of a breach.
func judged(t *testing.T, server *promtest.Server, rule rules.Rule, looks int) (answer rules.Answer, breached int) {
	t.Helper()
	d := rules.Deployment{Service: "checkout", Environment: "production", Version: "2", Previous: "1", Strategy: rules.Canary, At: promtest.Start}
	evidence := rule.Begin(d)
	if past, is := evidence.(rules.Historical); is {
		learn(t, server, past)
	}
	for i := range looks {
		at := promtest.Start.Add(time.Duration(i+1) * promtest.Interval)
		answers := []rules.Answer{evidence.See(at, server.Ask(t, at, rule.Queries(d)))}
		rules.Combine(answers, 0)
		if answer = answers[0]; answer.Verdict == rules.Breached && breached == 0 {
			breached = i + 1
		}
	}
	return answer, breached
}

// learn answers what the evidence wants to know; of a week, which the server does not
// hold, only that there is nothing.
func learn(t *testing.T, server *promtest.Server, past rules.Historical) {
	t.Helper()
	for range 10 {
		want, more := past.Wants()
		if !more {
			return
		}
		results := make([][]rules.Result, len(want.Queries))
		held := want.To.After(promtest.Start.Add(-24 * time.Hour))
		for at := want.From; !at.After(want.To); at = at.Add(want.Step) {
			got := make([]rules.Result, len(want.Queries))
			if held && at.Unix()%300 == 30 { // some looks that a sample falls into
				got = server.Ask(t, at, want.Queries)
			}
			for i := range results {
				results[i] = append(results[i], got[i])
			}
		}
		past.Learn(results, nil)
	}
	t.Fatal("it never knows enough")
}

func goalless() *adoption.Options {
	o := options("5%")
	o.Min = quantity.Quantity{}
	return o
}

func TestUseIsComparedWithTheVersionBeside(t *testing.T) {
	for name, test := range map[string]struct {
		uses, beside float64 // of 100 sessions a look
		want         bool
		why          string
	}{
		"less than beside":    {3, 30, true, "uses 3 % (60 of 2000) against 30 % (600 of 2000) on 1 at the same time"},
		"as much as beside":   {30, 30, false, "uses 30 % (600 of 2000) against 30 % (600 of 2000)"},
		"more than beside":    {90, 30, false, ""},
		"less, and so beside": {3, 3, false, ""},
		"new: none beside":    {10, 0, false, "uses 10 % (200 of 2000) against 0 % (0 of 2000)"},
	} {
		t.Run(name, func(t *testing.T) {
			server := promtest.New(t)
			grow(t, server, `used_total{v="2",feature="one_click"}`, 40, test.uses)
			grow(t, server, `sessions_total{v="2"}`, 40, 100)
			grow(t, server, `used_total{v="1",feature="one_click"}`, 40, test.beside)
			grow(t, server, `sessions_total{v="1"}`, 40, 100)
			got, at := judged(t, server, promtest.Build(t, goalless(), compared(rules.Previous)), 40)
			if (at > 0) != test.want || !strings.Contains(got.Why, test.why) || got.Bad != 0 || got.Part != 20*test.uses {
				t.Errorf("breached at look %d: %v, %v used it, %s", at, got.Verdict, got.Part, got.Why)
			}
		})
	}
}

func TestUseIsComparedWithItsHistory(t *testing.T) {
	for name, test := range map[string]struct {
		before, uses float64
		want         rules.Verdict
		why          string
	}{
		"less than before":      {30, 3, rules.Breached, "uses 3 % (60 of 2000) against 30 % before"},
		"as much as before":     {30, 30, rules.Healthy, "uses 30 % (600 of 2000) against 30 % before: proved to stay above "},
		"nobody used it before": {0, 3, rules.NoData, "nothing to compare with: before: hardly any uses before"},
	} {
		t.Run(name, func(t *testing.T) {
			server := promtest.New(t)
			day(t, server, test.before, 0)
			grow(t, server, `used_total{v="2",feature="one_click"}`, 40, test.uses)
			grow(t, server, `sessions_total{v="2"}`, 40, 100)
			got, _ := judged(t, server, promtest.Build(t, goalless(), compared(rules.Before)), 40)
			if got.Verdict != test.want || !strings.Contains(got.Why, test.why) {
				t.Errorf("%v, %s", got.Verdict, got.Why)
			}
		})
	}
}

// A new feature has nothing to be compared with but its goal.
func TestAGoalIsProvedToBeMissed(t *testing.T) {
	for uses, want := range map[float64]rules.Verdict{0: rules.Breached, 4: rules.Breached, 14: rules.Inconclusive, 20: rules.Healthy} {
		server := promtest.New(t)
		day(t, server, 0, 40)
		grow(t, server, `used_total{v="2",feature="one_click"}`, 40, uses)
		grow(t, server, `sessions_total{v="2"}`, 40, 100)
		got, _ := judged(t, server, promtest.Build(t, options("15%"), compared()), 40)
		beside := promtest.Build(t, options("15%"), compared(rules.Before))
		again, _ := judged(t, server, beside, 40)
		for _, answer := range []rules.Answer{got, again} {
			verdict := answer.Verdict
			if verdict == rules.Inconclusive {
				verdict = answer.AtEnd // as if the bake were over
			}
			if below := strings.Contains(answer.Why, "below the goal in all"); below != (uses < 15) {
				t.Errorf("%v uses: %s", uses, answer.Why)
			}
			if verdict != want || !strings.Contains(answer.Why, "goal 15 %") {
				t.Errorf("%v uses: %v, %s", uses, verdict, answer.Why)
			}
		}
	}
}

func TestUsesThatAreNoShareOfSessionsAreNotJudgedByATest(t *testing.T) {
	server := promtest.New(t)
	grow(t, server, `used_total{v="2",feature="one_click"}`, 10, 150)
	grow(t, server, `sessions_total{v="2"}`, 10, 100)
	got, _ := judged(t, server, promtest.Build(t, options("50%"), compared()), 10)
	if got.Verdict != rules.NoData || !strings.Contains(got.Why, "more uses than sessions") {
		t.Errorf("%v, %s", got.Verdict, got.Why)
	}
}

func TestACounterOfUsesThatIsMissingIsAtMostAskedAboutByATest(t *testing.T) {
	server := promtest.New(t)
	grow(t, server, `sessions_total{v="2"}`, 40, 100)
	got, at := judged(t, server, promtest.Build(t, options("50%"), compared()), 40)
	if at == 0 || got.Ceiling != rules.Ask || !strings.Contains(got.Why, "no series of uses") {
		t.Errorf("breached at look %d, at most %v, %s", at, got.Ceiling, got.Why)
	}
}

func TestTheTargetOfARollbackIsNotAskedForItsUse(t *testing.T) {
	verifier, is := promtest.Build(t, goalless(), compared(rules.Previous)).(rules.Verifier)
	if !is {
		t.Fatal("verifies as it judges")
	}
	if got := verifier.Verify(rules.Deployment{Version: "1", At: promtest.Start}).See(promtest.At(15), nil); got.Verdict != rules.LowTraffic {
		t.Errorf("%v, %s", got.Verdict, got.Why)
	}
}

func TestWhatDoesNotFitATestIsRefused(t *testing.T) {
	for name, test := range map[string]struct {
		options adoption.Options
		setting rules.Setting
		key     string
	}{
		"a goal above everything":    {*options("1.2"), compared(), "min"},
		"a fewest of sessions":       {adoption.Options{Uses: "u", Per: "s", MinSessions: 3}, compared(rules.Before), "min_sessions"},
		"nothing to judge by":        {*goalless(), compared([]rules.Control{}...), "compare_to"},
		"a plain goal without a min": {*goalless(), byVersion(), "min"},
	} {
		t.Run(name, func(t *testing.T) {
			if test.key == "compare_to" {
				test.setting.CompareTo = slices.Clone([]rules.Control{})
			}
			_, err := test.options.Rule(test.setting)
			if blamed, ok := errors.AsType[*rules.FieldError](err); !ok || blamed.Key != test.key {
				t.Errorf("got %v", err)
			}
		})
	}
}

// better is the setting of a rule whose version must be used one and a half times as much.
func better(controls ...rules.Control) rules.Setting {
	setting := compared(controls...)
	setting.BetterBy = rules.Margin{Factor: 1.5}
	return setting
}

func TestUseMustGrowByAsMuchAsIsAsked(t *testing.T) {
	for name, test := range map[string]struct {
		uses, before float64 // of 100 sessions a look
		want         rules.Verdict
		why          string
	}{
		"unchanged":         {30, 30, rules.Breached, "; to be 1.5x better: not so in all, 30 %"},
		"less":              {3, 30, rules.Breached, "; to be 1.5x better: not so in all, 3 %"},
		"more, not enough":  {43, 30, rules.Inconclusive, "; to be 1.5x better: not so in all, 43 %"},
		"as much":           {46, 30, rules.Healthy, "; to be 1.5x better; "},
		"twice as much":     {60, 30, rules.Healthy, "; to be 1.5x better: proved"},
		"nearly all before": {90, 80, rules.NoData, "nothing can be 1.5x better than 80 %"},
	} {
		for control, says := range map[rules.Control]string{rules.Previous: " on 1 at the same time", rules.Before: " before"} {
			t.Run(name+", "+string(control), func(t *testing.T) {
				server := promtest.New(t)
				looks := 80
				if control == rules.Before {
					day(t, server, test.before, 0)
				} else {
					grow(t, server, `used_total{v="1",feature="one_click"}`, looks, test.before)
					grow(t, server, `sessions_total{v="1"}`, looks, 100)
				}
				grow(t, server, `used_total{v="2",feature="one_click"}`, looks, test.uses)
				grow(t, server, `sessions_total{v="2"}`, looks, 100)
				got, _ := judged(t, server, promtest.Build(t, goalless(), better(control)), looks)
				verdict := got.Verdict
				if verdict == rules.Inconclusive {
					verdict = got.AtEnd // as if the bake were over
				}
				if verdict != test.want || test.want != rules.NoData && !strings.Contains(got.Why, says) || !strings.Contains(got.Why, test.why) {
					t.Errorf("%v, %s", verdict, got.Why)
				}
			})
		}
	}
}
