package watcher_test

import (
	"context"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/bakewatch/bakewatch/rules"
	"github.com/bakewatch/bakewatch/watcher"
)

// placed is a limit that can say where it is broken.
type placed struct{ limit }

func (placed) Instances(d rules.Deployment, span rules.Duration) []rules.Query {
	return []rules.Query{{Template: "instances " + span.String(), Values: d.Values()}}
}

func (placed) ReadInstances(got []rules.Result) (space rules.Space, err error) {
	if got[0].Err != nil {
		return space, got[0].Err
	}
	for _, s := range got[0].Samples {
		i := rules.Instance{Name: s.Labels["instance"], Bad: s.Value, Total: 1000}
		if s.Labels["side"] == "new" {
			space.New = append(space.New, i)
		} else {
			space.Rest = append(space.Rest, i)
		}
	}
	if len(space.New) > 3 {
		panic("so many")
	}
	return space, nil
}

// places answers where it is broken, besides what a world answers.
type places struct {
	*world
	mu     sync.Mutex
	asked  []string
	answer func(ctx context.Context, version string) rules.Result
}

func (p *places) Sample(ctx context.Context, at time.Time, queries []rules.Query) []rules.Result {
	if len(queries) == 1 && strings.HasPrefix(queries[0].Template, "instances") {
		p.mu.Lock()
		p.asked = append(p.asked, queries[0].Template)
		p.mu.Unlock()
		return []rules.Result{p.answer(ctx, queries[0].Values["version"])}
	}
	return p.world.Sample(ctx, at, queries)
}

// badIn answers with bad requests of so many in each instance.
func badIn(fresh, rest []float64) func(context.Context, string) rules.Result {
	return func(context.Context, string) (r rules.Result) {
		for side, counts := range map[string][]float64{"new": fresh, "old": rest} {
			for i, bad := range counts {
				r.Samples = append(r.Samples, rules.Sample{Labels: map[string]string{"side": side, "instance": side + string(rune('a'+i)) + ":80"}, Value: bad})
			}
		}
		return r
	}
}

func slow(ctx context.Context, _ string) rules.Result {
	<-ctx.Done()
	return rules.Result{Err: rules.Failed(rules.TimedOut, "slow")}
}

// ruling returns the last ruling or decision of the journal, and how long after the
// deployment it was made.
func (s *scene) ruling(version string) (power rules.Power, who rules.Attribution, after time.Duration) {
	s.journal.Lock()
	defer s.journal.Unlock()
	var opened time.Time
	for _, e := range s.journal.entries {
		if e.Lane != lane {
			continue
		}
		if e.Kind == watcher.Opened && e.Deployment.Version == version {
			opened = e.At
		}
		if e.Ruling != nil && !opened.IsZero() && after == 0 {
			power, who, after = e.Ruling.Power, e.Ruling.Attribution(), e.At.Sub(opened)
		}
	}
	return power, who, after
}

func TestABreachSaysWhoIsToBlame(t *testing.T) {
	service := func(name string, ago time.Duration) func(*rules.Deployment) {
		return func(d *rules.Deployment) { d.Service, d.At = name, time.Now().Add(-ago) }
	}
	for name, c := range map[string]struct {
		plan    func(*rules.Plan)
		where   func(context.Context, string) rules.Result
		before  func(s *scene) // before 2.4.0 is deployed
		after   func(s *scene) // while it bakes
		journal string         // of the lane, from 2.4.0 on
		who     string
	}{
		"this deployment, where only its instances are affected": {
			where: badIn([]float64{30, 40}, []float64{0, 0}), journal: "opened decided intended done verified rolled-back",
			who: "this deployment: only 2.4.0's instances; it began with the deployment; nothing else was deployed",
		},
		"nothing that could be helped by a rollback, where all are": {
			where: badIn([]float64{30, 40}, []float64{35, 33}), journal: "opened ruled left",
			who: "ambient: 2.3.9's instances fail as well",
		},
		"a single instance is asked about": {
			where: badIn([]float64{0, 60, 0}, []float64{0}), plan: asks(rules.SilenceRollsBack), journal: "opened ruled unheard undecided",
			who: "cannot tell: of 3 instances of 2.4.0 only newb:80 is affected; nothing else was deployed",
		},
		"a plain limit still acts where nobody can say where it is": {
			where: func(context.Context, string) rules.Result {
				return rules.Result{Err: rules.Failed(rules.ServerError, "503")}
			},
			journal: "opened decided intended done verified rolled-back",
			who:     "this deployment: it began with the deployment; nothing else was deployed",
		},
		"or where the answer causes a panic": {
			where: badIn([]float64{1, 1, 1, 1}, nil), journal: "opened decided intended done verified rolled-back",
			who: "this deployment: it began with the deployment; nothing else was deployed",
		},
		"an unrelated deployment changes nothing": {
			where: badIn(nil, nil), before: func(s *scene) { s.deploy("7", service("ads", time.Minute)) },
			journal: "opened decided intended done verified rolled-back",
			who:     "this deployment: it began with the deployment; nothing that it depends on was deployed",
		},
		"a dependency that was deployed at the same time is asked about": {
			where: badIn(nil, nil), plan: func(p *rules.Plan) { p.DependsOn = []string{"payments"} },
			before:  func(s *scene) { s.deploy("3.1.0", service("payments", time.Minute)) },
			journal: "opened ruled left",
			who:     "cannot tell: payments 3.1.0 went live 1m before it began; it began with the deployment",
		},
		"a dependency without a plan of its own is a suspect as well": {
			where: badIn(nil, nil), plan: func(p *rules.Plan) { p.DependsOn = []string{"payments"} },
			before: func(s *scene) {
				p := s.plan
				s.plan = nil
				s.deploy("3.1.0", service("payments", time.Minute))
				s.plan = p
			},
			journal: "opened ruled left",
			who:     "cannot tell: payments 3.1.0 went live 1m before it began; it began with the deployment",
		},
		"a dependency in another environment is none": {
			where: badIn(nil, nil), plan: func(p *rules.Plan) { p.DependsOn = []string{"payments"} },
			before: func(s *scene) {
				s.deploy("3.1.0", service("payments", time.Minute), func(d *rules.Deployment) { d.Environment = "staging" })
			},
			journal: "opened decided intended done verified rolled-back",
			who:     "this deployment: it began with the deployment; nothing else was deployed",
		},
		"a dependency that is in trouble since, and was deployed long ago": {
			where: badIn(nil, nil), plan: func(p *rules.Plan) { p.DependsOn = []string{"payments"} },
			before: func(s *scene) {
				long := *s.plan
				long.Bake = minutes(240)
				s.plan = &long
				s.deploy("3.1.0", service("payments", 0))
				s.wait(2 * time.Hour)
			},
			after: func(s *scene) {
				s.Lock()
				s.bad = nil
				s.Unlock()
				s.wait(20 * time.Minute)
				s.Lock()
				s.bad = []string{"3.1.0"}
				s.Unlock()
				s.wait(2 * time.Minute)
				s.Lock()
				s.bad = append(s.bad, "2.4.0")
				s.Unlock()
			},
			journal: "opened ruled",
			who:     "a dependency (payments): payments is in trouble itself",
		},
	} {
		t.Run(name, func(t *testing.T) {
			p := plan(func(p *rules.Plan) { p.Rules[0].Mode = rules.Enforce })
			if c.plan != nil {
				c.plan(p)
			}
			s := &scene{world: &world{bad: []string{"2.4.0"}}, plan: p}
			s.config = func(config *watcher.Config) {
				config.Sampler = &places{world: s.world, answer: c.where}
				config.Build = func(p rules.Plan) ([]rules.Rule, error) {
					return []rules.Rule{placed{limit{"errors", time.Duration(p.Interval)}}}, nil
				}
			}
			stageWith(t, s, func(s *scene) {
				s.passed("2.3.9")
				if c.before != nil {
					c.before(s)
				}
				s.deploy("2.4.0", func(d *rules.Deployment) { d.Previous = "2.3.9" })
				s.wait(time.Second)
				if c.after != nil {
					c.after(s)
				}
				s.wait(40 * time.Minute)
				if _, who, _ := s.ruling("2.4.0"); who.String() != c.who {
					t.Errorf("to blame is %s\nwant        %s", who, c.who)
				}
				if got := strings.TrimPrefix(s.laneKinds(), "opened passed "); got != c.journal {
					t.Errorf("journal: %s, want %s", got, c.journal)
				}
			})
		})
	}
}

// laneKinds returns what happened in the lane of checkout.
func (s *scene) laneKinds() string {
	m := &memory{}
	for _, e := range s.journal.entries {
		if e.Lane == lane {
			m.entries = append(m.entries, e)
		}
	}
	return m.kinds()
}

func placedBuild(p rules.Plan) (built []rules.Rule, _ error) {
	for _, spec := range p.Rules {
		built = append(built, placed{limit{spec.Name, time.Duration(p.Interval)}})
	}
	return built, nil
}

// decidedAfter plays a bad deployment whose instances are told so, and returns when it was decided.
func decidedAfter(t *testing.T, answer func(context.Context, string) rules.Result, changes ...func(*rules.Plan)) (after time.Duration, asked []string) {
	s := &scene{world: &world{bad: []string{"2.4.0"}}, plan: plan(changes...)}
	p := &places{world: s.world, answer: answer}
	s.config = func(c *watcher.Config) { c.Sampler, c.Build = p, placedBuild }
	stageWith(t, s, func(s *scene) {
		s.passed("2.3.9")
		s.deploy("2.4.0", func(d *rules.Deployment) { d.Previous = "2.3.9" })
		s.wait(31 * time.Minute)
		_, _, after = s.ruling("2.4.0")
	})
	return after, p.asked
}

func TestWhereItIsNeverDelaysADecisionByMoreThanALook(t *testing.T) {
	known, _ := decidedAfter(t, badIn([]float64{9}, []float64{0}))
	unknown, _ := decidedAfter(t, slow)
	if known == 0 || unknown < known || unknown > known+15*time.Second {
		t.Errorf("decided after %s where it is known, after %s where the answer never comes", known, unknown)
	}
}

func TestADecisionWaitsForAnAnswerThatIsUnderWay(t *testing.T) {
	answer := func(ctx context.Context, version string) rules.Result {
		<-time.After(2 * time.Second)
		return badIn([]float64{30, 40}, []float64{35, 33})(ctx, version)
	}
	s := &scene{world: &world{bad: []string{"2.4.0"}}, plan: plan()}
	s.config = func(c *watcher.Config) { c.Sampler, c.Build = &places{world: s.world, answer: answer}, placedBuild }
	stageWith(t, s, func(s *scene) {
		s.passed("2.3.9")
		s.deploy("2.4.0", func(d *rules.Deployment) { d.Previous = "2.3.9" })
		s.wait(31 * time.Minute)
		if power, who, _ := s.ruling("2.4.0"); power != rules.Notify || who.Blame != rules.Ambient {
			t.Errorf("%s, %s: decided before it was known where it is", power, who)
		}
	})
}

func TestWhereItIsIsAskedOnlyOfABreachAndOnceAMinute(t *testing.T) {
	if _, asked := decidedAfter(t, badIn(nil, nil), func(p *rules.Plan) { p.Rules[0].Mode = rules.Shadow }); len(asked) > 0 {
		t.Errorf("a shadow rule asked %q", asked)
	}
	_, asked := decidedAfter(t, badIn([]float64{30}, []float64{30}), func(p *rules.Plan) { p.Rules[0].Mode = rules.ModeNotify })
	if len(asked) < 25 || len(asked) > 31 {
		t.Errorf("asked %d times in half an hour", len(asked))
	}
	if !slices.Contains(asked, "instances 15s") || !slices.Contains(asked, "instances 29m15s") {
		t.Errorf("counted over %q", asked)
	}
	s := &scene{world: &world{}, plan: plan()}
	p := &places{world: s.world, answer: slow}
	s.config = func(c *watcher.Config) { c.Sampler, c.Build = p, placedBuild }
	stageWith(t, s, func(s *scene) { s.passed("2.4.0") })
	if len(p.asked) > 0 {
		t.Errorf("a healthy deployment asked %q", p.asked)
	}
}

// wager is a test whose wealth grows fivefold with every bad look, and is halved by every good one.
type wager struct {
	placed
	began func() (time.Time, bool)
	early bool
}

func (w wager) Begin(rules.Deployment) rules.Evidence { return &winning{w, 1} }

type winning struct {
	wager
	wealth float64
}

func (w *winning) See(_ time.Time, got []rules.Result) rules.Answer {
	if w.wealth /= 2; got[0].Samples[0].Value > 1 {
		w.wealth *= 10
	}
	answer := rules.Answer{Ceiling: rules.Auto, Why: "errors 5 %", Test: &rules.Test{Wealth: w.wealth}}
	if w.early {
		answer.Attribution = rules.Attribution{Blame: rules.Ambient, Why: []string{"it began before the deployment"}}
	}
	if w.wealth >= rules.Threshold(0) {
		answer.Verdict = rules.Breached
	}
	return answer
}

func (w *winning) Onset() (time.Time, bool) { return w.began() }

func noGuess() (time.Time, bool) { return time.Time{}, false }

func TestATestIsAskedWhereItIsBeforeItIsBreached(t *testing.T) {
	for name, c := range map[string]struct {
		where func(context.Context, string) rules.Result
		began func() (time.Time, bool)
		early bool
		who   string
	}{
		"an answer that never comes costs nothing": {slow, noGuess, false, "this deployment: it began with the deployment; nothing else was deployed"},
		"it is there in time":                      {badIn([]float64{30}, []float64{31}), noGuess, false, "ambient: 2.3.9's instances fail as well"},
		"its own word about the onset counts": {
			badIn(nil, nil),
			func() (time.Time, bool) { return time.Now().Add(-15 * time.Second), true }, false, "this deployment: it began 1m after the deployment; nothing else was deployed",
		},
		"so does its word that it was so before": {badIn(nil, nil), noGuess, true, "ambient: it began before the deployment"},
	} {
		t.Run(name, func(t *testing.T) {
			s := &scene{world: &world{}, plan: plan()}
			p := &places{world: s.world, answer: c.where}
			s.config = func(config *watcher.Config) {
				config.Sampler = p
				config.Build = func(p rules.Plan) ([]rules.Rule, error) {
					return []rules.Rule{wager{placed{limit{"errors", time.Duration(p.Interval)}}, c.began, c.early}}, nil
				}
			}
			stageWith(t, s, func(s *scene) {
				s.deploy("2.4.0", func(d *rules.Deployment) { d.Previous = "2.3.9" })
				s.Lock()
				s.bad = []string{"2.4.0"}
				s.Unlock()
				s.wait(5 * time.Minute)
				_, who, after := s.ruling("2.4.0")
				if who.String() != c.who {
					t.Errorf("to blame is %s\nwant        %s", who, c.who)
				}
				// The third look finds wealth 125, the fifth 3125.
				if after > 5*15*time.Second+6*time.Second || after < 4*15*time.Second {
					t.Errorf("ruled after %s", after)
				}
				if len(p.asked) == 0 || !slices.Contains([]string{"instances 45s", "instances 40s", "instances 15s"}, p.asked[0]) {
					t.Errorf("asked %q", p.asked)
				}
			})
		})
	}
}

// gated is a test that wins nothing, with a limit besides.
type gated struct{ limit }

func (g gated) Begin(rules.Deployment) rules.Evidence { return g }

func (gated) See(_ time.Time, got []rules.Result) rules.Answer {
	answer := rules.Answer{Ceiling: rules.Auto, Why: "restarts", Test: &rules.Test{Wealth: 0.5}}
	if got[0].Samples[0].Value > 1 {
		answer.Verdict = rules.Breached
	}
	return answer
}

func TestALimitBesidesATestTellsWhenItBeganToBeBroken(t *testing.T) {
	s := &scene{world: &world{bad: []string{"2.4.0"}}, plan: plan()}
	s.config = func(c *watcher.Config) {
		c.Build = func(p rules.Plan) ([]rules.Rule, error) {
			return []rules.Rule{gated{limit{"errors", time.Duration(p.Interval)}}}, nil
		}
	}
	stageWith(t, s, func(s *scene) {
		s.deploy("2.4.0", func(d *rules.Deployment) { d.Previous = "2.3.9" })
		s.wait(5 * time.Minute)
		if power, who, _ := s.ruling("2.4.0"); who.Blame != rules.ThisDeployment {
			t.Errorf("%s, %s", power, who)
		}
	})
}
