package watcher_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/bakewatch/bakewatch/rules"
	"github.com/bakewatch/bakewatch/watcher"
)

// library is a sampler that knows the past, and how often it was asked what.
type library struct {
	scripted
	asked map[string]int // instants, by template
}

func newLibrary() *library {
	l := &library{asked: map[string]int{}}
	l.world = &world{}
	l.answer = func(_ time.Time, q rules.Query) rules.Result {
		l.asked[q.Template]++
		switch {
		case l.down:
			return rules.Result{Err: rules.Failed(rules.Unreachable, "connection refused")}
		case q.Values["version"] == "2.4.0" && q.Template == "errors":
			return value(5)
		}
		return value(0)
	}
	return l
}

func (l *library) set(down bool) {
	l.Lock()
	defer l.Unlock()
	l.down = down
}

// instants returns about how many instants of the template it was asked.
func (l *library) instants(template string) int {
	l.Lock()
	defer l.Unlock()
	return l.asked[template]
}

// shelf stages a scene with a library and rules.
func shelf(t *testing.T, p *rules.Plan, l *library, built []rules.Rule, play func(s *scene)) {
	t.Helper()
	stageWith(t, &scene{world: l.world, plan: p, config: func(c *watcher.Config) {
		c.Sampler = l
		builds(built...)(c)
	}}, play)
}

// strict is breached by every bad look.
func strict(_ time.Time, value float64) rules.Answer {
	if value > 1 {
		return rules.Answer{Verdict: rules.Breached, Ceiling: rules.Auto, Why: "errors 5 % > normal"}
	}
	return rules.Answer{Verdict: rules.Healthy, Ceiling: rules.Auto, Why: "errors 0 %"}
}

const weekOfMinutes = 7*24*60 + 1

func TestThePastIsAskedForOnceForAllRulesAndWatchesOfAService(t *testing.T) {
	l := newLibrary()
	errs, latency := &book{}, &book{}
	built := []rules.Rule{
		bettor{name: "errors", wants: week("requests"), says: strict, book: errs},
		bettor{name: "latency", wants: week("requests"), says: strict, book: latency},
	}
	shelf(t, plan(named("errors", "latency")), l, built, func(s *scene) {
		s.wait(time.Until(time.Now().Truncate(time.Hour).Add(time.Hour))) // so that both deployments are of one hour
		s.deploy("2.3.9")
		s.wait(10 * time.Minute)
		s.deploy("2.3.10")
		s.wait(10 * time.Minute)
		l.Lock()
		defer l.Unlock()
		if l.asked["requests"] != weekOfMinutes {
			t.Errorf("asked about %d instants, want each of %d once", l.asked["requests"], weekOfMinutes)
		}
		for name, b := range map[string]*book{"errors": errs, "latency": latency} {
			if len(b.state().learned) != 2 || len(b.state().learned[1]) != 1 || len(b.state().learned[1][0]) != weekOfMinutes {
				t.Errorf("%s learned %d times", name, len(b.state().learned))
			}
		}
	})
}

func TestWhatDependsOnTheVersionIsAskedForEachVersion(t *testing.T) {
	l := newLibrary()
	shelf(t, plan(), l, []rules.Rule{bettor{name: "errors", wants: week(`x{v="$version"}`), says: strict, book: &book{}}}, func(s *scene) {
		s.deploy("2.3.9")
		s.wait(time.Minute)
		s.deploy("2.3.10")
		s.wait(time.Minute)
		if got := l.instants(`x{v="$version"}`); got != 2*weekOfMinutes {
			t.Errorf("asked about %d instants, want %d", got, 2*weekOfMinutes)
		}
	})
}

func TestThePastIsForgottenAfterAnHour(t *testing.T) {
	l := newLibrary()
	b := bettor{name: "errors", says: strict, book: &book{}, wants: func(d rules.Deployment) []rules.Past {
		past := week("requests")(d)
		past[0].To = time.Unix(1_000_000_000, 0) // the same for all deployments
		past[0].From = past[0].To.Add(-time.Hour)
		return past
	}}
	shelf(t, plan(), l, []rules.Rule{b}, func(s *scene) {
		s.deploy("2.3.9")
		s.wait(59 * time.Minute)
		s.deploy("2.3.10")
		s.wait(time.Minute)
		if got := l.instants("requests"); got != 61 {
			t.Errorf("asked about %d instants within an hour, want 61", got)
		}
		s.wait(61 * time.Minute)
		s.deploy("2.3.11")
		s.wait(time.Minute)
		if got := l.instants("requests"); got != 122 {
			t.Errorf("asked about %d instants, want them asked again after an hour", got)
		}
	})
}

func TestWhileThePastCannotBeReadNothingBreachesOrPasses(t *testing.T) {
	l, b := newLibrary(), &book{}
	rule := bettor{name: "errors", wants: week("requests"), says: strict, book: b}
	shelf(t, plan(), l, []rules.Rule{rule}, func(s *scene) {
		s.passed("2.3.9")
		s.wait(time.Hour) // so that another past is meant
		mark, learned := s.journal.kinds(), len(b.state().learned)
		l.set(true)
		s.deploy("2.4.0")
		s.wait(50 * time.Minute)
		if got := s.since(mark); got != "opened blind extended" || len(b.state().learned) > learned {
			t.Fatalf("journal: %s, learned %d times", got, len(b.state().learned)-learned)
		}
		view, err := s.owners[0].Show(s.t.Context(), watcher.Ref{Name: "checkout"})
		if err != nil || view.Answers[0].Verdict != rules.Blind || !strings.HasPrefix(view.Answers[0].Why, "reading history: ") {
			t.Errorf("%+v, %v", view.Answers, err)
		}
		if got := l.instants("requests"); got > weekOfMinutes+201*2000 {
			t.Errorf("asked about %d instants: a server in trouble is hammered", got)
		}
		l.set(false)
		s.wait(5 * time.Minute)
		if got := s.since(mark); !strings.HasSuffix(got, "decided intended done verified rolled-back") {
			t.Errorf("journal once it answers: %s", got)
		}
	})
}

func TestADeadServerLeavesAWatchUndecided(t *testing.T) {
	l := newLibrary()
	l.down = true
	shelf(t, plan(), l, []rules.Rule{bettor{name: "errors", wants: week("requests"), says: strict, book: &book{}}}, func(s *scene) {
		s.deploy("2.4.0")
		s.wait(24 * time.Hour)
		if got := s.journal.kinds(); got != "opened blind extended extended undecided" {
			t.Errorf("journal: %s", got)
		}
	})
}

func TestLooksWaitForThePastAndAreCaughtUpInOrder(t *testing.T) {
	l, b := newLibrary(), &book{}
	var ready time.Time // from when on bytes are answered
	rule := bettor{name: "errors", says: strict, book: b, wants: func(d rules.Deployment) []rules.Past {
		return append(week("requests")(d), week("bytes")(d)...)
	}}
	answer := l.answer
	l.answer = func(at time.Time, q rules.Query) rules.Result {
		if q.Template == "bytes" && time.Now().Before(ready) {
			return rules.Result{Err: rules.Failed(rules.TimedOut, "too slow")}
		}
		return answer(at, q)
	}
	shelf(t, plan(), l, []rules.Rule{rule}, func(s *scene) {
		l.Lock()
		ready = time.Now().Add(7 * time.Minute)
		l.Unlock()
		s.deploy("2.3.9")
		s.wait(5 * time.Minute)
		if len(b.state().seen) > 0 || len(b.state().learned) != 1 {
			t.Fatalf("%d looks were seen, %d times learned", len(b.state().seen), len(b.state().learned))
		}
		s.wait(5 * time.Minute)
		if len(b.state().learned) != 2 || len(b.state().seen) < 39 {
			t.Fatalf("learned %d times, %d looks in ten minutes", len(b.state().learned), len(b.state().seen))
		}
		if first := b.state().seen[0].Sub(s.moved); first > 15*time.Second {
			t.Errorf("the first look is %s after the deployment", first)
		}
		for i := range b.state().seen[1:] {
			if b.state().seen[i+1].Sub(b.state().seen[i]) != 15*time.Second {
				t.Fatalf("%s after %s", b.state().seen[i+1], b.state().seen[i])
			}
		}
		s.wait(21 * time.Minute)
		if got := s.journal.kinds(); !strings.HasSuffix(got, "passed") {
			t.Errorf("journal: %s", got)
		}
	})
}

func TestAServerThatIsTooSlowIsAskedForLessAndNothingTwice(t *testing.T) {
	for _, reason := range []rules.Reason{rules.TimedOut, rules.TooLarge} {
		t.Run(string(reason), func(t *testing.T) {
			l, b := newLibrary(), &book{}
			sampler := &narrow{library: l, most: 300, reason: reason}
			stageWith(t, &scene{world: l.world, plan: plan(), config: func(c *watcher.Config) {
				c.Sampler = sampler
				builds(bettor{name: "errors", wants: week("requests"), says: strict, book: b})(c)
			}}, func(s *scene) {
				s.deploy("2.3.9")
				s.wait(20 * time.Minute)
				if len(b.state().learned) != 1 || l.instants("requests") != weekOfMinutes {
					t.Errorf("learned %d times; %d instants were answered, want %d", len(b.state().learned), l.instants("requests"), weekOfMinutes)
				}
			})
		})
	}
}

func TestWhatWasAnsweredBeforeAFailureIsNotAskedAgain(t *testing.T) {
	l, b := newLibrary(), &book{}
	answer, failed := l.answer, false
	l.answer = func(at time.Time, q rules.Query) rules.Result {
		if q.Template == "requests" && l.asked["requests"] >= 3500 && !failed {
			failed = true
			return rules.Result{Err: rules.Failed(rules.ServerError, "503")}
		}
		return answer(at, q)
	}
	shelf(t, plan(), l, []rules.Rule{bettor{name: "errors", wants: week("requests"), says: strict, book: b}}, func(s *scene) {
		s.deploy("2.3.9")
		s.wait(time.Minute)
		if got := l.instants("requests"); len(b.state().learned) != 1 || got > weekOfMinutes+500 {
			t.Errorf("learned %d times; asked about %d instants, want %d and at most 500 of one request again", len(b.state().learned), got, weekOfMinutes)
		}
	})
}

func TestThePastThatCannotBeReadIsAskedForOnceAnIntervalThoughAnotherRuleIsSlow(t *testing.T) {
	w, requests := &world{}, 0
	sampler := &half{world: w, past: func() { requests++ }}
	s := &scene{world: w, plan: plan(named("errors", "latency")), config: func(c *watcher.Config) {
		c.Sampler = sampler
		builds(
			bettor{name: "errors", wants: week("requests"), says: strict, book: &book{}},
			bettor{name: "latency", says: strict, book: &book{}},
		)(c)
	}}
	stageWith(t, s, func(s *scene) {
		s.deploy("2.3.9")
		s.wait(10 * time.Minute)
		if requests > 41 || requests < 39 {
			t.Errorf("asked %d times in 40 intervals", requests)
		}
	})
}

// half is a sampler that answers looks, after a while, and nothing about the past.
type half struct {
	*world
	past func()
}

func (h *half) Sample(ctx context.Context, at time.Time, queries []rules.Query) []rules.Result {
	<-time.After(13 * time.Second)
	return h.world.Sample(ctx, at, queries)
}

func (h *half) Range(_ context.Context, from, to time.Time, step time.Duration, queries []rules.Query) [][]rules.Result {
	h.past()
	failed := slices.Repeat([]rules.Result{{Err: rules.Failed(rules.ServerError, "503")}}, int(to.Sub(from)/step)+1)
	return slices.Repeat([][]rules.Result{failed}, len(queries))
}

func TestAWatchThatReadsItsPastIsNotDrivenAtEveryPulse(t *testing.T) {
	w, driven := &world{}, 0
	s := &scene{world: w, plan: plan(), config: func(c *watcher.Config) {
		c.Sampler, c.Guards = stuck{w}, func(string) watcher.Guards { driven++; return watcher.Guards{} }
		builds(bettor{name: "errors", wants: week("requests"), says: strict, book: &book{}})(c)
	}}
	stageWith(t, s, func(s *scene) {
		s.deploy("2.3.9")
		s.wait(10 * time.Minute)
		if driven > 100 {
			t.Errorf("driven %d times in 40 intervals", driven)
		}
	})
}

// stuck is a sampler that answers nothing about the past before its time is over.
type stuck struct{ *world }

func (stuck) Range(ctx context.Context, _, _ time.Time, _ time.Duration, _ []rules.Query) [][]rules.Result {
	<-ctx.Done()
	return nil
}

func TestInstantsThatNeverHaveAnAnswerAreLearnedAsTheyAre(t *testing.T) {
	l, b := newLibrary(), &book{}
	answer := l.answer
	l.answer = func(at time.Time, q rules.Query) rules.Result {
		if q.Template == "requests" && at.Minute() == 7 {
			return rules.Result{Err: rules.Failed(rules.Ambiguous, "two series")}
		}
		return answer(at, q)
	}
	shelf(t, plan(), l, []rules.Rule{bettor{name: "errors", wants: week("requests"), says: strict, book: b}}, func(s *scene) {
		s.deploy("2.3.9")
		s.wait(time.Minute)
		if len(b.state().learned) != 1 {
			t.Fatalf("learned %d times", len(b.state().learned))
		}
		failed := 0
		for _, r := range b.state().learned[0][0] {
			if r.Err != nil {
				failed++
			}
		}
		if failed != 7*24 || len(b.state().learned[0][0]) != weekOfMinutes {
			t.Errorf("%d of %d instants carry an error", failed, len(b.state().learned[0][0]))
		}
	})
}

// narrow is a sampler that fails where it is asked for too many instants at once.
type narrow struct {
	*library
	most   int
	reason rules.Reason
}

func (n *narrow) Range(ctx context.Context, from, to time.Time, step time.Duration, queries []rules.Query) [][]rules.Result {
	instants := int(to.Sub(from)/step) + 1
	if instants <= n.most {
		return n.library.Range(ctx, from, to, step, queries)
	}
	failed := slices.Repeat([]rules.Result{{Err: rules.Failed(n.reason, "too much")}}, instants)
	return slices.Repeat([][]rules.Result{failed}, len(queries))
}

func TestVersionsThatEndedBadlyAreNoneOfWhatIsNormal(t *testing.T) {
	l, b := newLibrary(), &book{}
	shelf(t, plan(), l, []rules.Rule{bettor{name: "errors", wants: week("requests"), says: strict, book: b}}, func(s *scene) {
		s.passed("2.3.9")
		s.wait(time.Hour)
		begun := time.Now()
		s.deploy("2.4.0")
		s.wait(time.Hour)
		if s.outcome() != watcher.RolledBack {
			t.Fatalf("journal: %s", s.journal.kinds())
		}
		s.deploy("2.5.0")
		s.wait(time.Minute)
		if len(b.state().bad) != 1 || b.state().bad[0].From.Sub(begun).Abs() > time.Second || b.state().bad[0].To.Sub(begun) < time.Minute || b.state().bad[0].To.Sub(begun) > 10*time.Minute {
			t.Errorf("bad: %+v; 2.4.0 was deployed at %s", b.state().bad, begun)
		}
	})
}

// A target is held against what is normal, and not against what it is to end.
func TestWhatIsRolledBackIsNoneOfWhatIsNormalForItsTarget(t *testing.T) {
	l, b := newLibrary(), &book{}
	rule := verifying{bettor{name: "errors", wants: week("requests"), says: strict, verifies: strict, book: b}}
	shelf(t, plan(), l, []rules.Rule{rule}, func(s *scene) {
		s.passed("2.3.9")
		s.wait(time.Hour)
		begun := time.Now()
		s.deploy("2.4.0")
		s.wait(time.Hour)
		if s.outcome() != watcher.RolledBack || len(b.checked) != 1 {
			t.Fatalf("journal: %s", s.journal.kinds())
		}
		if len(b.bad) != 1 || b.bad[0].From.Sub(begun).Abs() > time.Second || !b.bad[0].To.After(begun) || b.bad[0].To.Sub(begun) > 10*time.Minute {
			t.Errorf("bad: %+v; 2.4.0 was deployed at %s", b.bad, begun)
		}
	})
}

func TestWhatIsTooLargeHoweverLittleIsAskedForIsLearnedAsItIs(t *testing.T) {
	l, b := newLibrary(), &book{}
	sampler := &narrow{library: l, most: 10, reason: rules.TooLarge}
	stageWith(t, &scene{world: l.world, plan: plan(), config: func(c *watcher.Config) {
		c.Sampler = sampler
		builds(bettor{name: "errors", wants: week("requests"), says: strict, book: b})(c)
	}}, func(s *scene) {
		s.deploy("2.3.9")
		s.wait(5 * time.Minute)
		if len(b.learned) != 1 || b.learned[0][0][0].Err == nil {
			t.Errorf("learned %d times", len(b.learned))
		}
	})
}

// A proxy that gives up says 504 or breaks off, whatever was too much.
func TestAProxyThatGivesUpIsAskedForLess(t *testing.T) {
	for _, reason := range []rules.Reason{rules.ServerError, rules.Unreachable} {
		t.Run(string(reason), func(t *testing.T) {
			l, b := newLibrary(), &book{}
			sampler := &narrow{library: l, most: 300, reason: reason}
			stageWith(t, &scene{world: l.world, plan: plan(), config: func(c *watcher.Config) {
				c.Sampler = sampler
				builds(bettor{name: "errors", wants: week("requests"), says: strict, book: b})(c)
			}}, func(s *scene) {
				s.deploy("2.3.9")
				s.wait(15 * time.Minute)
				if len(b.learned) != 1 {
					t.Errorf("learned %d times; %d of %d instants were answered", len(b.learned), l.asked["requests"], weekOfMinutes)
				}
			})
		})
	}
}

// crowd is a sampler that takes its time for the past, and counts how many ask at once.
type crowd struct {
	*library
	now, most int
}

func (c *crowd) Range(ctx context.Context, from, to time.Time, step time.Duration, queries []rules.Query) [][]rules.Result {
	if step == 15*time.Second { // looks that were missed
		return c.library.Range(ctx, from, to, step, queries)
	}
	c.Lock()
	c.now++
	c.most = max(c.most, c.now)
	c.Unlock()
	<-time.After(20 * time.Second)
	c.Lock()
	c.now--
	c.Unlock()
	return c.library.Range(ctx, from, to, step, queries)
}

func TestFewRequestsForThePastRunAtOnce(t *testing.T) {
	l, b := newLibrary(), &book{}
	sampler := &crowd{library: l}
	wants := func(d rules.Deployment) []rules.Past {
		past := week(`x{s="$service"}`)(d)
		past[0].Step += time.Duration(len(d.Service)) * time.Second // so that each is a request of its own
		return past
	}
	stageWith(t, &scene{world: l.world, plan: plan(), config: func(c *watcher.Config) {
		c.Sampler = sampler
		builds(bettor{name: "errors", wants: wants, says: strict, book: b})(c)
	}}, func(s *scene) {
		for i := range 10 {
			s.deploy("1", func(d *rules.Deployment) { d.Service = strings.Repeat("s", i+1) })
		}
		s.wait(30 * time.Minute)
		if len(b.learned) != 10 || sampler.most != 2 {
			t.Errorf("%d of 10 learned, %d requests at once", len(b.learned), sampler.most)
		}
	})
}

func TestARuleThatCannotReadThePastIsBlind(t *testing.T) {
	for name, wants := range map[string]func(rules.Deployment) []rules.Past{
		"wants no end": func(d rules.Deployment) (all []rules.Past) {
			for range 40 {
				all = append(all, week("requests")(d)...)
			}
			return all
		},
		"panics": func(d rules.Deployment) []rules.Past { return week("requests")(d) },
	} {
		t.Run(name, func(t *testing.T) {
			l := newLibrary()
			var rule rules.Rule = bettor{name: "errors", wants: wants, says: strict, book: &book{}}
			if name == "panics" {
				rule = clumsy{rule}
			}
			shelf(t, plan(), l, []rules.Rule{rule}, func(s *scene) {
				s.deploy("2.3.9")
				s.wait(95 * time.Minute)
				if got := s.journal.kinds(); got != "opened blind extended extended undecided" {
					t.Errorf("journal: %s", got)
				}
			})
		})
	}
}

func TestARuleThatWantsNothingAtAllOfThePastHasItsLooks(t *testing.T) {
	l := newLibrary()
	none := func(rules.Deployment) []rules.Past { return nil }
	empty := func(rules.Deployment) []rules.Past { return []rules.Past{{}} }
	built := []rules.Rule{
		bettor{name: "errors", wants: none, says: strict, book: &book{}},
		bettor{name: "latency", wants: empty, says: strict, book: &book{}},
	}
	shelf(t, plan(named("errors", "latency")), l, built, func(s *scene) {
		s.passed("2.3.9")
	})
}

// clumsy is a rule whose evidence panics over the past.
type clumsy struct{ rules.Rule }

func (c clumsy) Begin(d rules.Deployment) rules.Evidence {
	historical, _ := c.Rule.Begin(d).(rules.Historical)
	return stumbling{historical}
}

type stumbling struct{ rules.Historical }

func (stumbling) Learn([][]rules.Result, []rules.Span) { panic(errors.New("no such minute")) }

func TestManyHistoriesAreReadOneAfterTheOther(t *testing.T) {
	l, b := newLibrary(), &book{}
	most := 0
	rule := bettor{name: "errors", wants: week(`x{s="$service"}`), says: strict, book: b}
	s := &scene{world: l.world, plan: plan(), config: func(c *watcher.Config) {
		c.Sampler = l
		builds(rule)(c)
	}}
	stageWith(t, s, func(s *scene) {
		const services = 120 // more than there is room for
		for i := range services {
			s.deploy("1", func(d *rules.Deployment) { d.Service = strings.Repeat("s", i+1) })
		}
		for range 240 {
			s.wait(250 * time.Millisecond)
			most = max(most, s.owners[0].Remembered(s.t.Context()))
		}
		if len(b.state().learned) != services {
			t.Errorf("%d of %d services learned", len(b.state().learned), services)
		}
		if most > 500_000+weekOfMinutes || most < 400_000 {
			t.Errorf("%d instants were kept at once", most)
		}
	})
}

func TestAPastThatIsLargerThanTheRoomIsReadAllTheSame(t *testing.T) {
	l, b := newLibrary(), &book{}
	wants := func(d rules.Deployment) []rules.Past {
		past := week("requests")(d)
		for i := range 51 {
			past[0].Queries = append(past[0].Queries, rules.Query{Source: "main", Template: strings.Repeat("x", i+1)})
		}
		return past
	}
	shelf(t, plan(), l, []rules.Rule{bettor{name: "errors", wants: wants, says: strict, book: b}}, func(s *scene) {
		s.deploy("2.3.9")
		s.wait(time.Minute)
		if len(b.state().learned) != 1 || len(b.state().learned[0]) != 52 {
			t.Errorf("learned %d times", len(b.state().learned))
		}
	})
}
