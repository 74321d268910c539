package compare_test

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/bakewatch/bakewatch/rules"
	"github.com/bakewatch/bakewatch/rules/compare"
	"github.com/bakewatch/bakewatch/rules/eprocess"
)

// fix is a rule of a version that is meant to halve the errors.
func fix() compare.Config {
	c := config()
	c.Setting.BetterBy = rules.Margin{Factor: 2}
	return c
}

// atEnd is the verdict if the bake were over.
func atEnd(a rules.Answer) rules.Verdict {
	if a.Verdict == rules.Inconclusive {
		return a.AtEnd
	}
	return a.Verdict
}

func TestAVersionMustBeAsMuchBetterAsIsAsked(t *testing.T) {
	for name, test := range map[string]struct {
		times float64 // as many errors as before
		rate  float64 // requests a look
		want  rules.Verdict
		why   string
	}{
		"unchanged":                  {1, 3000, rules.Breached, "; to be 2x better: not so in all, "},
		"worse":                      {5, 300, rules.Breached, "; to be 2x better: not so in all, "},
		"better, and not enough":     {0.55, 3000, rules.Inconclusive, "; to be 2x better: not so in all, "},
		"better, as much":            {0.4, 3000, rules.Healthy, "; to be 2x better; "},
		"much better":                {0.1, 3000, rules.Healthy, "; to be 2x better: proved"},
		"too little traffic to tell": {0.3, 3, rules.LowTraffic, "; to be 2x better: too few requests yet to tell"},
	} {
		t.Run(name, func(t *testing.T) {
			for other, arms := range map[string]func(s *service) []counts{
				" on 1 at the same time": func(s *service) []counts { return []counts{s.look(test.times), s.look(1)} },
				" before":                func(s *service) []counts { return []counts{s.look(test.times), none} },
			} {
				s := newService(0.01, test.rate)
				answer, _ := bake(begin(t, fix(), deployment(), s), bakeLooks, func(int) []counts { return arms(s) })
				if atEnd(answer) != test.want || answer.Proved != strings.HasSuffix(test.why, "proved") {
					t.Errorf("against what was%s: %v, at the end %v, proved %v: %s", other, answer.Verdict, answer.AtEnd, answer.Proved, answer.Why)
				}
				if !strings.Contains(answer.Why, test.why) || !strings.Contains(answer.Why, other) {
					t.Errorf("it says %s", answer.Why)
				}
			}
		})
	}
}

func TestWhatIsNotBetterMayDoAsMuchAsWhatIsWorse(t *testing.T) {
	s := newService(0.01, 3000)
	e := begin(t, fix(), deployment(), s)
	answer, at := bake(e, bakeLooks, func(int) []counts { return []counts{s.look(1), s.look(1)} })
	if at == 0 || answer.Ceiling != rules.Auto || answer.Attribution.Blame != "" {
		t.Errorf("%+v", answer)
	}
	if onset, known := e.(rules.Dated).Onset(); !known || onset.Sub(live) > 2*interval {
		t.Errorf("it began at %s, %v", onset, known)
	}
	answer, _ = bake(begin(t, fix(), deployment(), s), bakeLooks, func(int) []counts { return []counts{s.look(1), none} })
	if answer.Verdict != rules.Breached || answer.Ceiling != rules.Ask {
		t.Errorf("in a few looks, and without a control: %+v", answer)
	}
}

// Instances of the old version have as many errors, and that excuses nothing.
func TestWhereItIsNotBetterIsNotAsked(t *testing.T) {
	c := fix()
	c.Space = func(float64) rules.InstanceCounts {
		return rules.InstanceCounts{Ask: func(rules.Deployment, rules.Duration) []rules.Query { return []rules.Query{{Template: "x"}} }, Read: func([]rules.Result) (rules.Space, error) { return rules.Space{}, nil }}
	}
	for want := range 2 {
		if want == 1 {
			c.Setting.BetterBy = rules.Margin{}
		}
		e := begin(t, c, deployment(), newService(0.01, 300)).(rules.Spatial)
		if got := e.Instances(deployment(), rules.Duration(time.Minute)); len(got) != want {
			t.Errorf("asks %d queries, want %d", len(got), want)
		}
	}
}

func TestAnImprovementThatThePastCannotTellIsSaid(t *testing.T) {
	for name, test := range map[string]struct {
		past   func(s *service) func(time.Time) counts
		better rules.Margin
		why    string
	}{
		"no history":        {func(*service) func(time.Time) counts { return func(time.Time) counts { return none } }, rules.Margin{Factor: 2}, "before: no history"},
		"hardly any errors": {func(*service) func(time.Time) counts { return func(time.Time) counts { return counts{0, 1} } }, rules.Margin{Factor: 2}, "before: too little is known of it, or it varies too much, to tell 2x better"},
		"a rate that swings": {func(s *service) func(time.Time) counts {
			return func(at time.Time) counts { return s.look(1 + 4*float64(at.Hour()%2)) }
		}, rules.Margin{Factor: 1.5}, "before: too little is known of it, or it varies too much, to tell 1.5x better"},
		"more than there is to gain": {func(s *service) func(time.Time) counts { return s.past }, rules.Margin{Points: 0.05}, "before: nothing can be +5pp better than 1."},
	} {
		t.Run(name, func(t *testing.T) {
			s := newService(0.01, 300)
			s.past = test.past(s)
			c := fix()
			c.Setting.BetterBy, c.Setting.CompareTo = test.better, []rules.Control{rules.Before}
			answer, at := bake(begin(t, c, deployment(), s), bakeLooks, func(int) []counts { return []counts{s.look(1)} })
			if at != 0 || answer.Verdict != rules.NoData || !strings.Contains(answer.Why, "nothing to compare with: "+test.why) {
				t.Errorf("after %d looks: %v: %s", at, answer.Verdict, answer.Why)
			}
		})
	}
}

func TestAControlThatNothingCouldBeBetterThanIsSaid(t *testing.T) {
	c := fix()
	c.Setting.BetterBy, c.Setting.CompareTo = rules.Margin{Points: 0.05}, []rules.Control{rules.Previous}
	s := newService(0.01, 300)
	answer, at := bake(begin(t, c, deployment(), s), bakeLooks, func(int) []counts { return []counts{s.look(1), s.look(1)} })
	if at != 0 || answer.Verdict != rules.NoData || !strings.Contains(answer.Why, "previous: nothing can be +5pp better than ") {
		t.Errorf("after %d looks: %v: %s", at, answer.Verdict, answer.Why)
	}
}

func TestALimitAloneDoesNotTellThatAVersionIsBetter(t *testing.T) {
	c := fix()
	limit := 0.02
	c.Limit = &limit
	s := newService(0.01, 300)
	s.past = func(time.Time) counts { return none }
	for times, want := range map[float64]rules.Verdict{0.1: rules.Inconclusive, 5: rules.Breached} {
		answer, _ := bake(begin(t, c, deployment(), s), bakeLooks, func(int) []counts { return []counts{s.look(times), none} })
		if answer.Verdict != want || answer.AtEnd != rules.Inconclusive || answer.Proved {
			t.Errorf("%v times the errors: %v, at the end %v, proved %v: %s", times, answer.Verdict, answer.AtEnd, answer.Proved, answer.Why)
		}
	}
}

func TestTroubleOfAllSaysNothingOfAnImprovement(t *testing.T) {
	s := newService(0.01, 600)
	answer, at := bake(begin(t, fix(), deployment(), s), bakeLooks, func(int) []counts { return []counts{s.look(20), s.look(20.5)} })
	if at != 0 || answer.AtEnd != rules.Inconclusive || !strings.Contains(answer.Why, "held back: what it is compared with suffers as well") {
		t.Errorf("after %d looks: %v at the end, %s", at, answer.AtEnd, answer.Why)
	}
}

func TestALoadTestIsToBeImprovedOn(t *testing.T) {
	c := fix()
	c.Setting.CompareTo = []rules.Control{rules.LoadTest}
	c.Setting.LoadTest = &rules.LoadTestSummary{Requests: 1e6, Errors: 1e4}
	c.LoadTest = compare.Tested(eprocess.Counts{Total: 1e6, Bad: 1e4})
	s := newService(0.01, 1000)
	for times, want := range map[float64]rules.Verdict{1: rules.Breached, 0.2: rules.Healthy} {
		answer, _ := bake(begin(t, c, deployment(), s), bakeLooks, func(int) []counts { return []counts{s.look(times)} })
		if atEnd(answer) != want || !strings.Contains(answer.Why, "against 1 % in the load test; to be 2x better") {
			t.Errorf("%v times the errors: %v, %s", times, answer.Verdict, answer.Why)
		}
	}
	c.LoadTest = compare.Tested(eprocess.Counts{Total: 1000})
	answer, _ := bake(begin(t, c, deployment(), s), bakeLooks, func(int) []counts { return []counts{s.look(1)} })
	if answer.Verdict != rules.NoData || !strings.Contains(answer.Why, "load-test: too little is known of it") {
		t.Errorf("without an error: %v, %s", answer.Verdict, answer.Why)
	}
}

func TestACurveIsHeldAgainstTheImprovement(t *testing.T) {
	s := newService(0.01, 3000)
	e := begin(t, fix(), deployment(), s)
	bake(e, 3, func(int) []counts { return []counts{s.look(1), s.look(1)} })
	if got := e.(rules.Plotter).Curve().Limit; got < 0.005 || got > 0.006 {
		t.Errorf("held against %v", got)
	}
}

func TestTheTargetOfARollbackNeedNotBeBetter(t *testing.T) {
	s := newService(0.01, 300)
	rule, err := compare.New(fix())
	if err != nil {
		t.Fatal(err)
	}
	e := learned(t, rule.Verify(deployment()), s)
	answer, _ := bake(e, 10, func(int) []counts { return []counts{s.look(1), s.look(1)} })
	if answer.Verdict != rules.Healthy {
		t.Errorf("%+v", answer)
	}
}

func TestAnImprovementThatIsNoneIsRefused(t *testing.T) {
	for name, change := range map[string]func(*rules.Setting){
		"once as good":            func(s *rules.Setting) { s.BetterBy.Factor = 1 },
		"and no worse":            func(s *rules.Setting) { s.WorseBy = rules.Margin{Factor: 2} },
		"than nothing":            func(s *rules.Setting) { s.CompareTo = []rules.Control{} },
		"than nothing, but limit": func(s *rules.Setting) { s.CompareTo = []rules.Control{} },
	} {
		c := fix()
		change(&c.Setting)
		if strings.HasSuffix(name, "limit") {
			c.Limit = new(0.01)
		}
		_, err := compare.New(c)
		if blamed, ok := errors.AsType[*rules.FieldError](err); !ok || blamed.Key != "better_by" || blamed.Hint == "" {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// A rule that asks for an improvement shares the plan's false alarms as any other.
func TestAnImprovementSharesTheFalseAlarms(t *testing.T) {
	s := newService(0.01, 3000)
	one, other := begin(t, fix(), deployment(), s), begin(t, config(), deployment(), s)
	breached := [2]int{}
	for k := range bakeLooks {
		results := slices.Concat(s.look(1).results(), s.look(1).results())
		at := live.Add(time.Duration(k+1) * interval)
		alone := []rules.Answer{one.See(at, results)}
		both := []rules.Answer{alone[0], other.See(at, results)}
		for i, answers := range [][]rules.Answer{alone, both} {
			if rules.Combine(answers, 0); answers[0].Verdict == rules.Breached && breached[i] == 0 {
				breached[i] = k + 1
			}
		}
	}
	if breached[0] == 0 || breached[1] < breached[0] {
		t.Errorf("alone at look %d, beside another test at %d", breached[0], breached[1])
	}
}
