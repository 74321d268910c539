package watcher_test

import (
	"context"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/bakewatch/bakewatch/rules"
	"github.com/bakewatch/bakewatch/watcher"
)

// scripted is a sampler whose answers depend on the instant that is asked about.
type scripted struct {
	*world
	answer func(at time.Time, q rules.Query) rules.Result
	ranges int // requests for more than one instant
}

func (s *scripted) Sample(_ context.Context, at time.Time, queries []rules.Query) []rules.Result {
	s.Lock()
	defer s.Unlock()
	out := make([]rules.Result, len(queries))
	for i, q := range queries {
		out[i] = s.answer(at, q)
	}
	return out
}

func (s *scripted) Range(ctx context.Context, from, to time.Time, step time.Duration, queries []rules.Query) [][]rules.Result {
	s.Lock()
	s.ranges++
	s.Unlock()
	out := make([][]rules.Result, len(queries))
	for at := from; !at.After(to); at = at.Add(step) {
		for i, r := range s.Sample(ctx, at, queries) {
			out[i] = append(out[i], r)
		}
	}
	return out
}

func value(v float64) rules.Result { return rules.Result{Samples: []rules.Sample{{Value: v}}} }

func stageScript(t *testing.T, p *rules.Plan, answer func(at time.Time, q rules.Query) rules.Result, play func(s *scene, sampler *scripted)) {
	t.Helper()
	w := &world{}
	sampler := &scripted{world: w, answer: answer}
	stageWith(t, &scene{world: w, plan: p, config: func(c *watcher.Config) { c.Sampler = sampler }}, func(s *scene) { play(s, sampler) })
}

func TestAWatchThatIsStillCatchingUpDoesNotPass(t *testing.T) {
	var bad time.Time // from when on 2.4.0 is bad
	stageScript(t, plan(), func(at time.Time, q rules.Query) rules.Result {
		if q.Values["version"] == "2.4.0" && !at.Before(bad) {
			return value(5)
		}
		return value(0)
	}, func(s *scene, sampler *scripted) {
		sampler.Lock()
		bad = time.Now().Add(1000 * time.Hour)
		sampler.Unlock()
		s.passed("2.3.9")
		mark := s.journal.kinds()
		s.deploy("2.4.0")
		s.owners[0].kill()
		<-s.owners[0].gone
		sampler.Lock()
		bad = time.Now().Add(5 * time.Hour) // more than one request can fetch
		sampler.Unlock()
		s.wait(6 * time.Hour)
		s.start("a2")
		s.wait(10 * time.Minute)
		if got := s.since(mark); !strings.HasSuffix(got, "decided intended done verified rolled-back") {
			t.Errorf("journal: %s", got)
		}
	})
}

// gaps is a rule that is healthy and counts the looks that it was not shown.
type gaps struct {
	last   *time.Time
	missed *int
}

func (gaps) Queries(d rules.Deployment) []rules.Query { return []rules.Query{{Values: d.Values()}} }
func (g gaps) Begin(rules.Deployment) rules.Evidence {
	*g.last = time.Time{}
	return g
}

func (g gaps) See(at time.Time, _ []rules.Result) rules.Answer {
	if !g.last.IsZero() && at.Sub(*g.last) != 15*time.Second {
		*g.missed++
	}
	*g.last = at
	return rules.Answer{Verdict: rules.Healthy, Ceiling: rules.Auto, Why: "seen"}
}

func TestOneInstantWithoutAnAnswerAmongManyIsAskedAgain(t *testing.T) {
	failed, rule := false, gaps{new(time.Time), new(int)}
	w := &world{}
	sampler := &scripted{world: w}
	sampler.answer = func(at time.Time, q rules.Query) rules.Result {
		if q.Values["version"] == "2.4.0" && !failed && at.Minute() == 40 && at.Second() > 30 {
			failed = true
			return rules.Result{Err: rules.Failed(rules.TimedOut, "too slow")}
		}
		return value(0)
	}
	stageWith(t, &scene{world: w, plan: plan(), config: func(c *watcher.Config) {
		c.Sampler, c.Build = sampler, func(rules.Plan) ([]rules.Rule, error) { return []rules.Rule{rule}, nil }
	}}, func(s *scene) {
		s.passed("2.3.9")
		mark := s.journal.kinds()
		s.deploy("2.4.0")
		s.owners[0].kill()
		<-s.owners[0].gone
		s.wait(25 * time.Minute)
		s.start("a2")
		s.wait(10 * time.Minute)
		if got := s.since(mark); got != "opened passed" || !failed || *rule.missed > 0 {
			t.Errorf("journal: %s, failed %v, %d looks were not shown", got, failed, *rule.missed)
		}
	})
}

func TestWhatPrometheusDoesNotHaveIsNotAskedAgain(t *testing.T) {
	stageScript(t, plan(), func(time.Time, rules.Query) rules.Result {
		return rules.Result{Err: rules.Failed(rules.Unbound, "no previous version")}
	}, func(s *scene, sampler *scripted) {
		s.deploy("2.4.0")
		s.wait(20 * time.Minute)
		if sampler.ranges > 0 {
			t.Errorf("asked for %d ranges of what is not there", sampler.ranges)
		}
		view, err := s.owners[0].Show(s.t.Context(), watcher.Ref{Name: "checkout"})
		if err != nil || view.Answers[0].Verdict != rules.NoData {
			t.Errorf("%+v, %v", view.Answers, err)
		}
	})
}

func TestAShadowRuleThatIsBlindKeepsNothingFromPassing(t *testing.T) {
	stageScript(t, plan(twoRules, func(p *rules.Plan) { p.Rules[1].Mode = rules.Shadow }), func(_ time.Time, q rules.Query) rules.Result {
		if q.Template == "latency" {
			return rules.Result{Err: rules.Failed(rules.BadQuery, "no such function")}
		}
		return value(0)
	}, func(s *scene, _ *scripted) {
		s.deploy("2.4.0")
		s.wait(31 * time.Minute)
		if got := s.journal.kinds(); got != "opened passed" {
			t.Errorf("journal: %s", got)
		}
	})
}

func TestARollbackIsVerifiedByFourLooksInARow(t *testing.T) {
	var back time.Time // when the target was made live
	stageScript(t, plan(), func(at time.Time, q rules.Query) rules.Result {
		switch since := at.Sub(back); {
		case q.Values["version"] == "2.4.0":
			return value(5)
		case back.IsZero() || since < 40*time.Second || since > time.Minute:
			return value(0)
		}
		return value(5) // one or two looks, between calm ones
	}, func(s *scene, sampler *scripted) {
		s.passed("2.3.9")
		s.deploy("2.4.0")
		s.wait(50 * time.Second)
		sampler.Lock()
		i := slices.IndexFunc(s.journal.entries, func(e watcher.Entry) bool { return e.Kind == watcher.Done })
		if i < 0 {
			t.Fatalf("not rolled back: %s", s.journal.kinds())
		}
		back = s.journal.entries[i].At
		sampler.Unlock()
		s.wait(10 * time.Minute)
		i = slices.IndexFunc(s.journal.entries, func(e watcher.Entry) bool { return e.Kind == watcher.Verified })
		if i < 0 || !s.journal.entries[i].OK {
			t.Fatalf("not verified: %s", s.journal.kinds())
		}
		if took := s.journal.entries[i].At.Sub(back); took < 2*time.Minute || took > 3*time.Minute {
			t.Errorf("verified after %s, want four looks after the last bad one", took)
		}
	})
}

// patient is a limit that bears looks that are left out: it begins to count anew.
type patient struct{ limit }

func (p patient) Begin(rules.Deployment) rules.Evidence {
	return &pauses{strikes: strikes{every: p.every}}
}

type pauses struct{ strikes }

func (p *pauses) See(at time.Time, got []rules.Result) rules.Answer {
	if at.Sub(p.last) > p.every {
		p.last, p.n = time.Time{}, 0
	}
	return p.strikes.See(at, got)
}

func TestInstantsThatNeverHaveAnAnswerDoNotHideWhatComesAfterThem(t *testing.T) {
	for _, reason := range []rules.Reason{rules.BadQuery, rules.TooLarge, rules.Partial, rules.WrongType, rules.Ambiguous} {
		t.Run(string(reason), func(t *testing.T) {
			var until time.Time // instants before it have no answer, ever
			w := &world{}
			sampler := &scripted{world: w, answer: func(at time.Time, q rules.Query) rules.Result {
				switch {
				case q.Values["version"] != "2.4.0":
					return value(0)
				case at.Before(until):
					return rules.Result{Err: rules.Failed(reason, "while pods change")}
				}
				return value(5)
			}}
			stageWith(t, &scene{world: w, plan: plan(), config: func(c *watcher.Config) {
				c.Sampler, c.Build = sampler, func(rules.Plan) ([]rules.Rule, error) {
					return []rules.Rule{patient{limit{"errors", 15 * time.Second}}}, nil
				}
			}}, func(s *scene) {
				s.passed("2.3.9")
				mark := s.journal.kinds()
				sampler.Lock()
				until = time.Now().Add(time.Minute)
				sampler.Unlock()
				s.deploy("2.4.0")
				s.wait(10 * time.Minute)
				if got := s.since(mark); got != rolledBack {
					t.Errorf("journal: %s", got)
				}
			})
		})
	}
}

// twoSpeeds answers queries of the rule "bad" with a failure at once, and holds the
// answer to a batch with others back for most of an interval.
type twoSpeeds struct {
	*world
	asked map[string]int
}

func (s *twoSpeeds) Sample(ctx context.Context, at time.Time, queries []rules.Query) []rules.Result {
	return single(s.Range(ctx, at, at, time.Second, queries))
}

func (s *twoSpeeds) Range(_ context.Context, from, to time.Time, step time.Duration, queries []rules.Query) [][]rules.Result {
	results, slow := make([][]rules.Result, len(queries)), false
	for i, q := range queries {
		s.Lock()
		s.asked[q.Template]++
		s.Unlock()
		result := value(0)
		if q.Template == "bad" {
			result = rules.Result{Err: rules.Failed(rules.ServerError, "503")}
		}
		slow = slow || q.Template != "bad"
		for at := from; !at.After(to); at = at.Add(step) {
			results[i] = append(results[i], result)
		}
	}
	if slow {
		<-time.After(13 * time.Second)
	}
	return results
}

// single returns the only instant of each.
func single(rows [][]rules.Result) (results []rules.Result) {
	for _, row := range rows {
		results = append(results, row[0])
	}
	return results
}

func TestARuleThatFailsIsAskedOnceAnIntervalThoughAnotherIsSlow(t *testing.T) {
	w := &world{}
	sampler := &twoSpeeds{world: w, asked: map[string]int{}}
	p := plan(func(p *rules.Plan) {
		p.Rules = []rules.Spec{{Name: "bad", Mode: rules.Enforce}, {Name: "good", Mode: rules.Enforce}}
	})
	stageWith(t, &scene{world: w, plan: p, config: func(c *watcher.Config) { c.Sampler = sampler }}, func(s *scene) {
		s.deploy("2.4.0")
		s.wait(10 * time.Minute)
		sampler.Lock()
		defer sampler.Unlock()
		if sampler.asked["bad"] > 41 || sampler.asked["good"] < 39 {
			t.Errorf("asked in 40 intervals: %v", sampler.asked)
		}
	})
}

func TestTheSlotThatALaterStepNamesIsAskedAbout(t *testing.T) {
	slots := map[string]int{}
	w := &world{}
	sampler := &scripted{world: w, answer: func(_ time.Time, q rules.Query) rules.Result {
		slots[q.Values["slot"]]++
		return value(0)
	}}
	stageWith(t, &scene{world: w, plan: plan(), config: func(c *watcher.Config) { c.Sampler = sampler }}, func(s *scene) {
		s.deploy("2.4.0", func(d *rules.Deployment) { d.Step = rules.Started })
		s.wait(time.Minute)
		s.deploy("2.4.0", func(d *rules.Deployment) { d.Slot = "green" })
		sampler.Lock()
		before := slots[""]
		sampler.Unlock()
		s.wait(5 * time.Minute)
		sampler.Lock()
		defer sampler.Unlock()
		if slots["green"] < 20 || slots[""] > before {
			t.Errorf("asked about the slots %v", slots)
		}
	})
}

// hung never answers what one source is asked.
type hung struct{ *world }

func (h hung) Sample(ctx context.Context, at time.Time, queries []rules.Query) []rules.Result {
	if queries[0].Source == "hung" {
		<-ctx.Done()
		return nil
	}
	return h.world.Sample(ctx, at, queries)
}

func TestAServerThatDoesNotAnswerHoldsUpNobodyElsesWatch(t *testing.T) {
	w := &world{bad: []string{"2.4.0"}}
	s := &scene{world: w, plan: plan()}
	s.config = func(c *watcher.Config) {
		c.Sampler = hung{w}
		c.PlanFor = func(d rules.Deployment) *rules.Plan {
			if d.Service == "checkout" {
				return s.plan
			}
			return plan(func(p *rules.Plan) { p.Service, p.Source = d.Service, "hung" })
		}
		c.Build = func(p rules.Plan) ([]rules.Rule, error) { return []rules.Rule{of(p.Source)}, nil }
	}
	stageWith(t, s, func(s *scene) {
		s.passed("2.3.9")
		s.deploy("1", func(d *rules.Deployment) { d.Service = "search" })
		s.deploy("2.4.0")
		s.wait(time.Minute) // three looks, and a little
		if len(s.calls) != 1 {
			t.Errorf("%d rollbacks within a minute", len(s.calls))
		}
	})
}

// of is a limit that asks one source.
type of string

func (o of) Queries(d rules.Deployment) []rules.Query {
	return []rules.Query{{Source: string(o), Values: d.Values()}}
}
func (of) Begin(rules.Deployment) rules.Evidence { return &strikes{every: 15 * time.Second} }

func TestADaemonThatStartsAfterTheEndOfALongBakeCatchesUpBeforeItEndsIt(t *testing.T) {
	long := plan(func(p *rules.Plan) { p.Bake = minutes(6 * 60) })
	stage(t, &world{}, long, func(s *scene) {
		s.deploy("1.0.0")
		s.wait(6*time.Hour - time.Minute)
		s.owners[0].kill()
		<-s.owners[0].gone
		s.wait(2 * time.Minute)
		s.start("b")
		s.wait(5 * time.Minute)
		if got := s.outcome(); got != watcher.Passed || strings.Contains(s.journal.kinds(), string(watcher.Extended)) {
			t.Errorf("%q: %s", got, s.journal.kinds())
		}
	})
}
