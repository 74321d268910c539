package watcher_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/bakewatch/bakewatch/actions/authority"
	"github.com/bakewatch/bakewatch/rules"
	"github.com/bakewatch/bakewatch/watcher"
)

// oddSampler answers as it likes while odd is set.
type oddSampler struct {
	*world
	odd func(results []rules.Result) []rules.Result
}

func (o *oddSampler) Sample(ctx context.Context, at time.Time, queries []rules.Query) []rules.Result {
	results := o.world.Sample(ctx, at, queries)
	o.Lock()
	defer o.Unlock()
	if o.odd != nil {
		results = o.odd(results)
	}
	return results
}

func (o *oddSampler) Range(ctx context.Context, from, to time.Time, step time.Duration, queries []rules.Query) [][]rules.Result {
	var rows [][]rules.Result
	for at := from; !at.After(to); at = at.Add(step) {
		for i, r := range o.Sample(ctx, at, queries) {
			if i == len(rows) {
				rows = append(rows, nil)
			}
			rows[i] = append(rows[i], r)
		}
	}
	return rows
}

func TestASamplerInTroubleMakesRulesBlindAndNothingElse(t *testing.T) {
	for name, odd := range map[string]func([]rules.Result) []rules.Result{
		"it panics":              func([]rules.Result) []rules.Result { panic("oh") },
		"it answers nothing":     func([]rules.Result) []rules.Result { return nil },
		"it answers too few":     func(r []rules.Result) []rules.Result { return r[:len(r)-1] },
		"it answers too much":    func(r []rules.Result) []rules.Result { return append(r, r[0]) },
		"it answers nobody's":    func(r []rules.Result) []rules.Result { r[0].Err = errors.New("no class"); return r },
		"it fails with no cause": func(r []rules.Result) []rules.Result { r[0].Err = &rules.SampleError{Err: errors.New("?")}; return r },
	} {
		t.Run(name, func(t *testing.T) {
			w := &world{bad: []string{"2.4.0"}}
			sampler := &oddSampler{world: w}
			stageWith(t, &scene{world: w, plan: plan(), config: func(c *watcher.Config) { c.Sampler = sampler }}, func(s *scene) {
				s.passed("2.3.9")
				mark := s.journal.kinds()
				w.Lock()
				sampler.odd = odd
				w.Unlock()
				s.deploy("2.4.0")
				s.wait(10 * time.Minute)
				if got := s.since(mark); got != "opened blind" || len(s.calls) > 0 {
					t.Errorf("journal: %s, %d calls", got, len(s.calls))
				}
				w.Lock()
				sampler.odd = nil
				w.Unlock()
				s.wait(15 * time.Minute)
				if got := s.since(mark); got != "opened blind "+strings.TrimPrefix(rolledBack, "opened ") {
					t.Errorf("journal: %s", got)
				}
			})
		})
	}
}

// oddRule is a rule that panics when it begins or when it judges.
type oddRule struct{ begin bool }

func (oddRule) Queries(rules.Deployment) []rules.Query { return nil }
func (r oddRule) Begin(rules.Deployment) rules.Evidence {
	if r.begin {
		panic("cannot begin")
	}
	return r
}
func (oddRule) See(time.Time, []rules.Result) rules.Answer { panic("cannot judge") }

func TestARuleThatPanicsIsBlindAndTheOthersGoOn(t *testing.T) {
	for name, odd := range map[string]rules.Rule{"when it begins": oddRule{begin: true}, "when it judges": oddRule{}} {
		t.Run(name, func(t *testing.T) {
			build := func(p rules.Plan) ([]rules.Rule, error) {
				return []rules.Rule{limit{"errors", 15 * time.Second}, odd}, nil
			}
			stageWith(t, &scene{world: &world{bad: []string{"2.4.0"}}, plan: plan(twoRules), config: func(c *watcher.Config) { c.Build = build }}, func(s *scene) {
				s.deploy("2.4.0", previous("2.3.9"))
				s.wait(10 * time.Minute)
				view, err := s.owners[0].Show(s.t.Context(), watcher.Ref{Name: "checkout"})
				if err != nil || len(view.Answers) != 2 || view.Answers[1].Verdict != rules.Blind {
					t.Fatalf("%+v, %v", view.Answers, err)
				}
				if view.Answers[0].Verdict != rules.Breached || view.Ruling.Rule != "errors" {
					t.Errorf("the other rule says %+v, the ruling %+v", view.Answers[0], view.Ruling)
				}
			})
		})
	}
}

func TestAPlanWhoseRulesCannotBeBuiltIsBlind(t *testing.T) {
	stageWith(t, &scene{world: &world{}, plan: plan(), config: func(c *watcher.Config) {
		c.Build = func(rules.Plan) ([]rules.Rule, error) { return nil, errors.New("no such kind") }
	}}, func(s *scene) {
		s.deploy("2.4.0")
		s.wait(95 * time.Minute)
		if got := s.journal.kinds(); got != "opened blind extended extended undecided" {
			t.Errorf("journal: %s", got)
		}
	})
}

// unasked is a rule that asks nothing, and is healthy.
type unasked struct{}

func (unasked) Queries(rules.Deployment) []rules.Query  { return nil }
func (u unasked) Begin(rules.Deployment) rules.Evidence { return u }
func (unasked) See(time.Time, []rules.Result) rules.Answer {
	return rules.Answer{Verdict: rules.Healthy, Ceiling: rules.Auto, Why: "it asks nothing"}
}

func TestARuleThatAsksNothingIsJudgedAllTheSame(t *testing.T) {
	stageWith(t, &scene{world: &world{}, plan: plan(), config: func(c *watcher.Config) {
		c.Build = func(rules.Plan) ([]rules.Rule, error) { return []rules.Rule{unasked{}}, nil }
	}}, func(s *scene) {
		s.deploy("2.4.0")
		s.wait(31 * time.Minute)
		if got := s.journal.kinds(); got != "opened passed" {
			t.Errorf("journal: %s", got)
		}
	})
}

func TestAnIntervalThatChangesCountsFromTheNextWatch(t *testing.T) {
	stage(t, &world{bad: []string{"2.5.0"}}, plan(), func(s *scene) {
		s.passed("2.3.9")
		s.plan = plan(func(p *rules.Plan) { p.Interval = rules.Duration(time.Minute) })
		s.deploy("2.4.0")
		s.wait(10 * time.Minute)
		s.plan = plan(func(p *rules.Plan) { p.Interval = rules.Duration(5 * time.Second) })
		s.deploy("2.5.0")
		s.wait(30 * time.Second)
		if got := s.outcome(); len(s.calls) != 1 {
			t.Errorf("%d calls, outcome %q: %s", len(s.calls), got, s.journal.kinds())
		}
	})
}

func TestALaneThatPanicsIsSetAsideAndToldAndTheOthersGoOn(t *testing.T) {
	var odd atomic.Value
	odd.Store("")
	stageWith(t, &scene{world: &world{}, plan: plan(), config: func(c *watcher.Config) {
		c.Guards = func(service string) watcher.Guards {
			if service == odd.Load() {
				panic("no guards here")
			}
			return watcher.Guards{}
		}
	}}, func(s *scene) {
		s.deploy("2.4.0")
		s.deploy("2.4.0", func(d *rules.Deployment) { d.Service = "payment" })
		s.wait(time.Minute)
		odd.Store("checkout")
		s.wait(10 * time.Minute)
		odd.Store("")
		if got := s.journal.kinds(); got != "opened opened set-aside" {
			t.Errorf("journal: %s", got)
		}
		aside := slices.IndexFunc(s.journal.entries, func(e watcher.Entry) bool { return e.Topic == watcher.SetAside })
		if got := s.journal.entries[aside].Text; !strings.Contains(got, "it caused 3 panics; the last: no guards here") {
			t.Errorf("people are told: %s", got)
		}
		if err := s.owners[0].Announce(s.t.Context(), rules.Deployment{ID: "next", Service: "checkout", Environment: "production", Version: "3"}); err == nil {
			t.Error("an event for a lane that is set aside is called taken")
		}
		if _, err := s.owners[0].Cancel(s.t.Context(), watcher.Ref{Name: "checkout"}, authority.LocalProof("ben"), "why"); err == nil {
			t.Error("a lane that is set aside takes a cancellation")
		}
		if _, err := s.owners[0].Rollback(s.t.Context(), watcher.Ref{Name: "checkout"}, authority.LocalProof("ben"), "why"); err == nil || !strings.Contains(err.Error(), "set aside") {
			t.Errorf("a lane that is set aside takes a wish: %v", err)
		}
		s.wait(20 * time.Minute)
		if got := s.journal.kinds(); got != "opened opened set-aside passed" {
			t.Errorf("journal: %s", got)
		}
		s.owners[0].kill()
		<-s.owners[0].gone
		s.start("a2")
		s.wait(time.Minute)
		if got := s.journal.kinds(); got != "opened opened set-aside passed passed" {
			t.Errorf("journal after a restart: %s", got)
		}
	})
}

func TestAStageOfALaneThatIsSetAsideIsHeld(t *testing.T) {
	var odd atomic.Bool
	stageWith(t, &scene{world: &world{}, plan: canary(), config: func(c *watcher.Config) {
		c.Guards = func(string) watcher.Guards {
			if odd.Load() {
				panic("no guards here")
			}
			return watcher.Guards{}
		}
	}}, func(s *scene) {
		s.deploy("2.4.0", func(d *rules.Deployment) { d.Step, d.Stage = rules.Stage, "5%" })
		s.wait(11 * time.Minute)
		about := watcher.Enquiry{Service: "checkout", Version: "2.4.0", Stage: "5%"}
		if advice, err := watcher.Advise(s.t.Context(), s.owners[0], about); err != nil || advice.Verdict != watcher.Promote {
			t.Fatalf("%+v, %v", advice, err)
		}
		odd.Store(true)
		s.wait(10 * time.Minute)
		odd.Store(false)
		advice, err := watcher.Advise(s.t.Context(), s.owners[0], about)
		if err != nil || advice.Verdict != watcher.Hold || !strings.Contains(advice.Why, "no guards here") {
			t.Errorf("nobody watches it: %+v, %v", advice, err)
		}
	})
}

func TestAToolAsksAboutTheServiceAndNotAboutItsFlags(t *testing.T) {
	stage(t, &world{}, canary(), func(s *scene) {
		about := watcher.Enquiry{Service: "checkout"}
		flag := func(d *rules.Deployment) { d.Strategy, d.Flag = rules.FeatureToggle, "fast" }
		s.deploy("on", flag)
		s.wait(time.Minute)
		if advice, err := watcher.Advise(s.t.Context(), s.owners[0], about); !errors.Is(err, watcher.ErrNotFound) {
			t.Errorf("%+v, %v", advice, err)
		}
		s.deploy("2.4.0", func(d *rules.Deployment) { d.Step, d.Stage = rules.Stage, "5%" })
		s.wait(11 * time.Minute)
		if advice, err := watcher.Advise(s.t.Context(), s.owners[0], about); err != nil || advice.Version != "2.4.0" || advice.Verdict != watcher.Promote {
			t.Errorf("%+v, %v", advice, err)
		}
	})
}

func TestARequestThatPanicsIsAnsweredAndTheLoopGoesOn(t *testing.T) {
	var odd atomic.Bool
	stageWith(t, &scene{world: &world{}, plan: plan(), config: func(c *watcher.Config) {
		c.Guards = func(string) watcher.Guards {
			if odd.Load() {
				panic("oh")
			}
			return watcher.Guards{}
		}
	}}, func(s *scene) {
		s.deploy("2.4.0")
		odd.Store(true)
		if _, err := s.owners[0].List(s.t.Context()); err == nil || !strings.Contains(err.Error(), "panic") {
			t.Errorf("got %v", err)
		}
		odd.Store(false)
		if lanes, err := s.owners[0].List(s.t.Context()); err != nil || len(lanes) != 1 {
			t.Errorf("%v, %v", lanes, err)
		}
	})
}

func TestAnOwnerRunsOnceAndIsStoppedAfterwards(t *testing.T) {
	stage(t, &world{}, plan(), func(s *scene) {
		r := s.owners[0]
		synctest.Wait()
		if err := r.Run(s.t.Context(), 0); err == nil {
			t.Error("it ran twice")
		}
		r.kill()
		<-r.gone
		d := rules.Deployment{ID: "x", Service: "checkout", Environment: "production", Version: "1"}
		if err := r.Announce(s.t.Context(), d); !errors.Is(err, watcher.ErrStopped) {
			t.Errorf("announced: %v", err)
		}
		if _, err := r.List(s.t.Context()); !errors.Is(err, watcher.ErrStopped) {
			t.Errorf("listed: %v", err)
		}
	})
}

func TestWhoeverAsksBeforeTheOwnerRunsWaitsAsLongAsHeLikes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &scene{t: t, world: &world{}, plan: plan(), journal: &memory{}}
		owner, err := watcher.NewOwner(s.settings("a"))
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		if err := owner.Announce(ctx, rules.Deployment{Service: "checkout", Version: "1"}); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("got %v", err)
		}
	})
}

func TestAContextThatEndsInTheMiddleOfAnAppendEndsTheLoop(t *testing.T) {
	stage(t, &world{}, plan(), func(s *scene) {
		s.journal.block = true
		answer := make(chan error)
		go func() {
			answer <- s.owners[0].Announce(s.t.Context(), rules.Deployment{ID: "x", Service: "checkout", Environment: "production", Version: "1"})
		}()
		s.wait(time.Minute)
		s.owners[0].kill()
		<-s.owners[0].gone
		if err := <-answer; err == nil {
			t.Error("an event that is not in the journal is called taken")
		}
	})
}

func TestStoppingLetsARollbackComeToItsEnd(t *testing.T) {
	for name, c := range map[string]struct {
		world   *world
		takes   time.Duration // after the stop
		waits   time.Duration // that stopping takes
		journal string
	}{
		"that is done soon":                     {&world{}, 3 * time.Second, 3 * time.Second, "opened decided intended done"},
		"that takes longer":                     {&world{}, time.Hour, 5 * time.Second, "opened decided intended"},
		"that does not hear that it is to stop": {&world{deaf: true}, time.Hour, 6 * time.Second, "opened decided intended"},
	} {
		t.Run(name, func(t *testing.T) {
			c.world.bad = []string{"2.4.0"}
			stageWith(t, &scene{world: c.world, plan: plan(), grace: 5 * time.Second}, func(s *scene) {
				s.passed("2.3.9")
				mark := s.journal.kinds()
				hang := make(chan struct{})
				s.hang = hang
				s.deploy("2.4.0")
				s.wait(2 * time.Minute)
				stopped := time.Now()
				time.AfterFunc(c.takes, func() { close(hang) })
				s.owners[0].kill()
				<-s.owners[0].gone
				if took := time.Since(stopped); took != c.waits {
					t.Errorf("stopping took %s, want %s", took, c.waits)
				}
				if got := s.since(mark); got != c.journal {
					t.Errorf("journal: %s\nwant:    %s", got, c.journal)
				}
				<-time.After(2 * time.Hour) // nothing may be left over that still runs
			})
		})
	}
}

func TestARollbackThatAnotherReplicaBeganIsLeftToItAsLongAsItMayTake(t *testing.T) {
	for name, c := range map[string]struct {
		world   *world
		after   time.Duration
		outcome watcher.Outcome
		calls   int
	}{
		"it may be at it still":                {&world{}, 4 * time.Minute, watcher.Passed, 1},
		"it is gone, and nobody knows":         {&world{}, 8 * time.Minute, watcher.Unknown, 1},
		"it is gone, and it was done":          {&world{learns: true}, 20 * time.Minute, watcher.RolledBack, 1},
		"it is gone, and twice does no harm":   {&world{idempotent: true}, 20 * time.Minute, watcher.RolledBack, 2},
		"it is gone, and nothing was done yet": {&world{learns: true, fails: errors.New("interrupted")}, 8 * time.Minute, watcher.Unknown, 1},
	} {
		t.Run(name, func(t *testing.T) {
			c.world.bad = []string{"2.4.0"}
			stage(t, c.world, plan(), func(s *scene) {
				s.passed("2.3.9")
				other := s.start("b")
				hang := make(chan struct{})
				s.hang = hang
				s.deploy("2.4.0")
				s.wait(2 * time.Minute)
				writer := s.owners[0]
				if s.journal.last().Owner == "b" {
					writer = other
				}
				writer.kill()
				<-writer.gone
				s.Lock()
				s.hang, s.tells = nil, s.learns
				s.Unlock()
				close(hang)
				s.wait(c.after)
				if got := s.outcome(); got != c.outcome || len(s.calls) != c.calls {
					t.Errorf("outcome %q after %d calls, want %q after %d: %s", got, len(s.calls), c.outcome, c.calls, s.journal.kinds())
				}
			})
		})
	}
}

// counter counts what an owner is doing.
type counter struct{ ticks, missed, appended, detected int }

func (c *counter) Detected(time.Duration)             { c.detected++ }
func (c *counter) Appended(watcher.Entry)             { c.appended++ }
func (c *counter) Watching(int)                       {}
func (c *counter) Ticked(_ time.Duration, missed int) { c.ticks++; c.missed += missed }

// slowSampler takes its time.
type slowSampler struct {
	*world
	takes time.Duration
}

func (s slowSampler) Sample(ctx context.Context, at time.Time, queries []rules.Query) []rules.Result {
	<-time.After(s.takes)
	return s.world.Sample(ctx, at, queries)
}

func TestALookThatIsMissedIsCountedOnceAndFetchedLater(t *testing.T) {
	var c counter
	w := &world{bad: []string{"2.4.0"}}
	stageWith(t, &scene{world: w, plan: plan(), config: func(config *watcher.Config) {
		config.Sampler, config.Watch = slowSampler{w, 50 * time.Second}, &c
	}}, func(s *scene) {
		s.deploy("2.4.0")
		s.wait(45 * time.Second) // looked at 15 s, and busy at 30 s and 45 s
		s.owners[0].kill()
		<-s.owners[0].gone
		if c.missed < 1 || c.missed > 2 {
			t.Errorf("%d missed, want one an instant", c.missed)
		}
	})
}

func TestAVoteThatComesAsTheQuestionEndsIsNotCalledCounted(t *testing.T) {
	stage(t, &world{bad: []string{"2.4.0"}}, plan(asks(rules.SilenceKeeps)), func(s *scene) {
		s.passed("2.3.9")
		s.deploy("2.4.0")
		s.wait(2 * time.Minute)
		other := s.start("b")
		_, err := other.Cancel(s.t.Context(), watcher.Ref{Name: "checkout"}, authority.LocalProof("zoe"), "mine")
		if err != nil {
			t.Fatal(err)
		}
		s.answer("ben", authority.RollBack, watcher.ErrRefused)
		if _, err := s.owners[0].Cancel(s.t.Context(), watcher.Ref{Name: "checkout"}, authority.LocalProof("zoe"), "again"); !errors.Is(err, watcher.ErrRefused) {
			t.Errorf("cancelled again: %v", err)
		}
	})
}

func TestAWatchIsFoundByItsNumberThenItsEventThenItsService(t *testing.T) {
	stage(t, &world{}, plan(), func(s *scene) {
		service := func(name string) func(*rules.Deployment) { return func(d *rules.Deployment) { d.Service = name } }
		staging := func(d *rules.Deployment) { d.Environment = "staging" }
		s.deploy("1", id("first"))                        // watch 1
		s.deploy("2", id("1"))                            // watch 2, whose event has the number of another watch
		s.deploy("3", id("checkout"), service("payment")) // watch 3, whose event has the name of a service
		s.deploy("4", id("both"), service("shop"))
		s.deploy("4", id("both"), service("shop"), staging)
		for name, want := range map[string]struct {
			ref   watcher.Ref
			watch uint64
			err   error
		}{
			"by number":                       {watcher.Ref{Name: "2"}, 2, nil},
			"a number before an event's id":   {watcher.Ref{Name: "1"}, 1, nil},
			"by event":                        {watcher.Ref{Name: "first"}, 1, nil},
			"an event's id before a service":  {watcher.Ref{Name: "checkout"}, 3, nil},
			"by service":                      {watcher.Ref{Name: "payment"}, 3, nil},
			"by service, in two environments": {watcher.Ref{Name: "shop"}, 0, watcher.ErrRefused},
			"by service and environment":      {watcher.Ref{Name: "shop", Environment: "staging"}, 5, nil},
			"by event and environment":        {watcher.Ref{Name: "both", Environment: "production"}, 4, nil},
			"by nothing":                      {watcher.Ref{}, 0, watcher.ErrNotFound},
			"by a stranger's name":            {watcher.Ref{Name: "nobody"}, 0, watcher.ErrNotFound},
		} {
			view, err := s.owners[0].Show(s.t.Context(), want.ref)
			if !errors.Is(err, want.err) || view.Watch != want.watch {
				t.Errorf("%s: watch %d, %v; want %d, %v", name, view.Watch, err, want.watch, want.err)
			}
		}
	})
}

func TestALaneInWhichEveryAppendConflictsDoesNotStopTheLoop(t *testing.T) {
	stage(t, &world{}, plan(), func(s *scene) {
		s.journal.Lock()
		s.journal.refuse = watcher.ErrConflict
		s.journal.Unlock()
		if err := s.owners[0].Announce(s.t.Context(), rules.Deployment{ID: "x", Service: "checkout", Environment: "production", Version: "1"}); err == nil {
			t.Error("an event that is not in the journal is called taken")
		}
	})
}

func TestTheEndOfARollbackThatTheJournalDoesNotTakeIsKept(t *testing.T) {
	stage(t, &world{bad: []string{"2.4.0"}}, plan(), func(s *scene) {
		s.passed("2.3.9")
		mark := s.journal.kinds()
		hang := make(chan struct{})
		s.hang = hang
		s.deploy("2.4.0")
		s.wait(2 * time.Minute)
		s.journal.Lock()
		s.journal.refuse = errors.New("no space left on device")
		s.journal.Unlock()
		close(hang)
		s.wait(10 * time.Minute)
		s.journal.Lock()
		s.journal.refuse = nil
		s.journal.Unlock()
		s.wait(40 * time.Minute)
		if got := s.since(mark); got != rolledBack || len(s.calls) != 1 {
			t.Errorf("journal: %s after %d calls", got, len(s.calls))
		}
	})
}

func TestAnOwnerThatIsFencedStopsARollbackAtOnce(t *testing.T) {
	stage(t, &world{bad: []string{"2.4.0"}}, plan(), func(s *scene) {
		s.passed("2.3.9")
		s.hang = make(chan struct{})
		s.owners[0].kill()
		<-s.owners[0].gone
		owner, err := watcher.NewOwner(s.settings("b"))
		if err != nil {
			t.Fatal(err)
		}
		ctx, fence := context.WithCancelCause(s.t.Context())
		if err := owner.Load(ctx); err != nil {
			t.Fatal(err)
		}
		gone := make(chan struct{})
		go func() { _ = owner.Run(ctx, time.Hour); close(gone) }()
		s.owners = []*replica{{Owner: owner, kill: func() { fence(nil) }, gone: gone}}
		s.deploy("2.4.0")
		s.wait(2 * time.Minute)
		mark := s.journal.kinds()
		begun := time.Now()
		fence(watcher.ErrFenced)
		<-gone
		if took := time.Since(begun); len(s.calls) != 1 || took > 2*time.Second {
			t.Errorf("it took %s, with %d calls", took, len(s.calls))
		}
		if got := s.since(mark); got != "" {
			t.Errorf("written after the fence: %s", got)
		}
	})
}

func TestAResumedRollbackIsNotPutOverAVersionThatWasDeployedMeanwhile(t *testing.T) {
	w := &world{bad: []string{"2.4.0"}, idempotent: true}
	stage(t, w, plan(), func(s *scene) {
		s.passed("2.3.9")
		mark := s.journal.kinds()
		s.hang = make(chan struct{})
		s.deploy("2.4.0")
		s.wait(2 * time.Minute)
		s.deploy("2.5.0")
		s.owners[0].kill()
		<-s.owners[0].gone
		s.Lock()
		s.hang = nil
		s.Unlock()
		s.start("b")
		s.wait(2 * time.Minute)
		if len(s.calls) != 1 || !strings.HasPrefix(s.since(mark), "opened decided intended newer-waits done opened") {
			t.Errorf("%d calls; journal: %s", len(s.calls), s.since(mark))
		}
	})
}
