package watcher_test

import (
	"math"
	"slices"
	"testing"
	"time"

	"github.com/bakewatch/bakewatch/rules"
	"github.com/bakewatch/bakewatch/watcher"
)

// nothing is an answer to a look that found nothing.
func nothing(verdict rules.Verdict, wealth float64) rules.Answer {
	a := won(wealth)
	a.Verdict = verdict
	return a
}

func TestTheTestsOfAPlanAreTakenTogether(t *testing.T) {
	inShadow := mode("latency", rules.Shadow)
	for name, test := range map[string]struct {
		change            func(*rules.Plan)
		errors, latency   rules.Answer
		breached, breachd bool // errors, latency
	}{
		"one alone that would do if it were the only one":   {nil, won(1.7), won(0), false, false},
		"one alone that does for two":                       {nil, won(2), won(0), true, false},
		"two that are too weak alone":                       {nil, won(1.1), won(1.1), true, true},
		"two of which one is blamed":                        {nil, won(1.7), won(0.4), true, false},
		"a shadow rule takes nothing from the others":       {inShadow, won(1.1), won(0), true, false},
		"and gives them nothing":                            {inShadow, won(0.1), won(1e9), false, true},
		"fewer false alarms":                                {func(p *rules.Plan) { p.FalseAlarms = 1. / 10000 }, won(3.3), won(3.3), false, false},
		"more false alarms":                                 {func(p *rules.Plan) { p.FalseAlarms = 1. / 100 }, won(0.12), won(0.12), true, true},
		"one that has no data proves nothing":               {nil, nothing(rules.NoData, 1e9), won(1.1), false, false},
		"one that is blind proves nothing":                  {nil, nothing(rules.Blind, 1e9), won(1.1), false, false},
		"one that is held proves nothing":                   {nil, rules.Answer{Test: &rules.Test{Wealth: 1e9, Held: "a blip"}}, won(1.1), false, false},
		"a plain limit takes nothing from the false alarms": {nil, won(1.1), rules.Answer{Verdict: rules.Healthy}, true, false},
		"wealth beyond all numbers":                         {nil, won(math.Inf(1)), won(0), true, false},
		"wealth that is no number":                          {nil, won(math.NaN()), won(1e9), false, true},
	} {
		t.Run(name, func(t *testing.T) {
			p := plan(named("errors", "latency"), func(p *rules.Plan) { p.Authorities = nil })
			if test.change != nil {
				test.change(p)
			}
			s := &scene{world: &world{}, plan: p, config: builds(
				bettor{name: "errors", says: always(test.errors), book: &book{}},
				bettor{name: "latency", says: always(test.latency), book: &book{}},
			)}
			stageWith(t, s, func(s *scene) {
				s.deploy("2.4.0")
				s.wait(time.Minute)
				view, err := s.owners[0].Show(s.t.Context(), watcher.Ref{Name: "checkout"})
				if err != nil {
					t.Fatal(err)
				}
				errs, latency := view.Answers[0].Verdict == rules.Breached, view.Answers[1].Verdict == rules.Breached
				if errs != test.breached || latency != test.breachd {
					t.Errorf("errors %s, latency %s", view.Answers[0].Verdict, view.Answers[1].Verdict)
				}
				if ruled := view.Ruling.Rule != ""; ruled != (test.breached || test.breachd) {
					t.Errorf("the ruling blames %q", view.Ruling.Blamed)
				}
			})
		})
	}
}

func TestARuleThatGoesBlindKeepsItsShareOfTheFalseAlarms(t *testing.T) {
	var blindFrom time.Time
	w := &world{}
	sampler := &scripted{world: w, answer: func(at time.Time, q rules.Query) rules.Result {
		if q.Template == "latency" && !at.Before(blindFrom) {
			return rules.Result{Err: rules.Failed(rules.ServerError, "503")}
		}
		return value(0)
	}}
	s := &scene{world: w, plan: plan(named("errors", "latency")), config: func(c *watcher.Config) {
		c.Sampler = sampler
		builds(
			bettor{name: "errors", says: always(won(1.1)), book: &book{}},
			bettor{name: "latency", says: func(time.Time, float64) rules.Answer { return won(0.8) }, book: &book{}},
		)(c)
	}}
	stageWith(t, s, func(s *scene) {
		blindFrom = time.Now().Add(2 * time.Minute)
		s.deploy("2.4.0")
		s.wait(10 * time.Minute)
		if got := s.journal.kinds(); got != "opened blind" {
			t.Errorf("journal: %s", got)
		}
		view, err := s.owners[0].Show(s.t.Context(), watcher.Ref{Name: "checkout"})
		if err != nil || view.Answers[1].Verdict != rules.Blind || view.Answers[1].Test == nil || view.Answers[1].Test.Wealth != 0.8*rules.Threshold(0) || view.Answers[1].Test.Held == "" {
			t.Errorf("%+v, %v", view.Answers[1], err)
		}
	})
}

func TestATestThatIsStillCatchingUpBreaksNothing(t *testing.T) {
	l := newLibrary()
	rule := bettor{name: "errors", says: always(won(1e9)), book: &book{}}
	shelf(t, plan(), l, []rules.Rule{rule}, func(s *scene) {
		l.set(true)
		s.deploy("2.3.9")
		s.wait(20 * time.Minute)
		if got := s.journal.kinds(); got != "opened blind" {
			t.Errorf("journal: %s", got)
		}
	})
}

func TestARollbackIsVerifiedByLimitsAlone(t *testing.T) {
	b := &book{}
	says := func(_ time.Time, value float64) rules.Answer {
		if value > 1 {
			return rules.Answer{Verdict: rules.Breached, Ceiling: rules.Auto, Why: "worse than before"}
		}
		return rules.Answer{Verdict: rules.Healthy, Ceiling: rules.Auto}
	}
	rule := verifying{bettor{name: "errors", says: says, verifies: always(rules.Answer{Verdict: rules.LowTraffic, Why: "below the limit"}), book: b}}
	s := &scene{world: &world{bad: []string{"2.4.0"}, tells: true}, plan: plan(), config: builds(rule)}
	stageWith(t, s, func(s *scene) {
		s.passed("2.3.9")
		s.deploy("2.4.0")
		s.wait(20 * time.Minute)
		if !slices.Equal(b.state().begun, []string{"2.3.9", "2.4.0"}) || !slices.Equal(b.state().checked, []string{"2.3.9"}) {
			t.Errorf("begun for %q, verified for %q", b.state().begun, b.state().checked)
		}
		i := slices.IndexFunc(s.journal.entries, func(e watcher.Entry) bool { return e.Kind == watcher.Verified })
		if i < 0 || !s.journal.entries[i].OK || s.journal.entries[i].Answers[0].Why != "below the limit" {
			t.Errorf("journal: %s", s.journal.kinds())
		}
	})
}
