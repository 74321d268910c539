package watcher_test

import (
	"errors"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/bakewatch/bakewatch/actions"
	"github.com/bakewatch/bakewatch/actions/authority"
	"github.com/bakewatch/bakewatch/rules"
	"github.com/bakewatch/bakewatch/watcher"
)

var quiet = slog.New(slog.DiscardHandler)

const rolledBack = "opened decided intended done verified rolled-back"

func TestAWatch(t *testing.T) {
	for name, c := range map[string]struct {
		world   *world
		plan    *rules.Plan
		play    func(s *scene)
		journal string // after 2.3.9 has passed
		outcome watcher.Outcome
		calls   int
	}{
		"a good version passes": {
			play:    func(s *scene) { s.deploy("2.4.0"); s.wait(31 * time.Minute) },
			journal: "opened passed", outcome: watcher.Passed,
		},
		"a bad version is rolled back once, and the recovery is verified": {
			world:   &world{bad: []string{"2.4.0"}},
			play:    func(s *scene) { s.deploy("2.4.0"); s.wait(40 * time.Minute) },
			journal: rolledBack, outcome: watcher.RolledBack, calls: 1,
		},
		"two owners that see the same act once": {
			world: &world{bad: []string{"2.4.0"}},
			play: func(s *scene) {
				s.start("b")
				s.deploy("2.4.0")
				s.wait(40 * time.Minute)
			},
			journal: rolledBack, outcome: watcher.RolledBack, calls: 1,
		},
		"Prometheus down for the whole bake: told, no rollback, no pass": {
			world:   &world{bad: []string{"2.4.0"}},
			play:    func(s *scene) { s.down = true; s.deploy("2.4.0"); s.wait(95 * time.Minute) },
			journal: "opened blind extended extended undecided", outcome: watcher.Undecided,
		},
		"Prometheus down for ten minutes: told, caught up, and the bad version is still found": {
			world: &world{bad: []string{"2.4.0"}},
			play: func(s *scene) {
				s.down = true
				s.deploy("2.4.0")
				s.wait(10 * time.Minute)
				s.Lock()
				s.down = false
				s.Unlock()
				s.wait(20 * time.Minute)
			},
			journal: "opened blind decided intended done verified rolled-back", outcome: watcher.RolledBack, calls: 1,
		},
		"a metric that is missing is never a reason to roll back": {
			play:    func(s *scene) { s.silent = true; s.deploy("2.4.0"); s.wait(95 * time.Minute) },
			journal: "opened extended extended undecided", outcome: watcher.Undecided,
		},
		"a shadow rule only says what it would have done": {
			world:   &world{bad: []string{"2.4.0"}},
			plan:    plan(func(p *rules.Plan) { p.Rules[0].Mode = rules.Shadow }),
			play:    func(s *scene) { s.deploy("2.4.0"); s.wait(31 * time.Minute) },
			journal: "opened ruled passed", outcome: watcher.Passed,
		},
		"a rule in mode notify tells, and the watch ends as left": {
			world:   &world{bad: []string{"2.4.0"}},
			plan:    plan(func(p *rules.Plan) { p.Rules[0].Mode = rules.ModeNotify }),
			play:    func(s *scene) { s.deploy("2.4.0"); s.wait(31 * time.Minute) },
			journal: "opened ruled left", outcome: watcher.Left,
		},
		"while disarmed nothing is rolled back": {
			world:   &world{bad: []string{"2.4.0"}},
			play:    func(s *scene) { s.guards.Disarmed = "freeze"; s.deploy("2.4.0"); s.wait(31 * time.Minute) },
			journal: "opened ruled left", outcome: watcher.Left,
		},
		"after bad B comes bad C, and C does not go back to B": {
			world: &world{bad: []string{"2.4.0", "2.5.0"}, tells: true},
			play: func(s *scene) {
				s.deploy("2.4.0")
				s.wait(40 * time.Second)
				s.deploy("2.5.0") // before 2.4.0 was found to be bad
				s.wait(40 * time.Minute)
				if s.live != "2.3.9" {
					s.t.Errorf("live: %s, want the last that passed", s.live)
				}
			},
			journal: "opened " + rolledBack, outcome: watcher.RolledBack, calls: 1,
		},
		"a version that was rolled back here is only told about when it comes again": {
			world: &world{bad: []string{"2.4.0"}},
			play: func(s *scene) {
				s.deploy("2.4.0")
				s.wait(40 * time.Minute)
				s.deploy("2.4.0", func(d *rules.Deployment) { d.ID = "again" })
				s.wait(31 * time.Minute)
			},
			journal: rolledBack + " opened ruled left", outcome: watcher.Left, calls: 1,
		},
		"a rollback by hand is watched, and never rolled back": {
			world: &world{bad: []string{"2.3.8"}},
			play: func(s *scene) {
				s.deploy("2.3.8", func(d *rules.Deployment) { d.Step = rules.RolledBack })
				s.wait(31 * time.Minute)
			},
			journal: "opened ruled left", outcome: watcher.Left,
		},
		"an event that comes twice opens one watch": {
			play: func(s *scene) {
				s.deploy("2.4.0")
				s.deploy("2.4.0")
				s.wait(31 * time.Minute)
				s.deploy("2.4.0")
				s.wait(time.Minute)
			},
			journal: "opened passed", outcome: watcher.Passed,
		},
		"an older event is recorded, not watched": {
			play: func(s *scene) {
				s.deploy("2.2.0", func(d *rules.Deployment) { d.At = time.Now().Add(-2 * time.Hour) })
				s.wait(time.Minute)
			},
			journal: "older-event", outcome: watcher.Passed,
		},
		"a deployment without a plan is told once": {
			play: func(s *scene) {
				s.plan = nil
				s.deploy("2.4.0")
				s.deploy("2.4.0")
			},
			journal: "no-plan", outcome: watcher.Passed,
		},
		"the bake's clock starts when the roll-out has finished": {
			play: func(s *scene) {
				s.deploy("2.4.0", func(d *rules.Deployment) { d.Step = rules.Started })
				s.wait(20 * time.Minute)
				s.deploy("2.4.0", func(d *rules.Deployment) { d.ID = "finished" })
				s.wait(25 * time.Minute)
				if s.ledger().Live != "2.4.0" || s.outcome() != watcher.Passed || len(s.ledger().Past) != 1 {
					s.t.Errorf("ended early: %s", s.journal.kinds())
				}
				s.wait(6 * time.Minute)
			},
			journal: "opened step passed", outcome: watcher.Passed,
		},
		"a roll-out that does not finish is told": {
			play: func(s *scene) {
				s.deploy("2.4.0", func(d *rules.Deployment) { d.Step = rules.Started })
				s.wait(31 * time.Minute)
			},
			journal: "opened still-rolling", outcome: watcher.Passed,
		},
		"a cancelled deployment ends its watch": {
			play: func(s *scene) {
				s.deploy("2.4.0", func(d *rules.Deployment) { d.Step = rules.Started })
				s.deploy("2.4.0", func(d *rules.Deployment) { d.Step = rules.Cancelled })
				s.wait(time.Minute)
			},
			journal: "opened cancelled", outcome: watcher.CancelledWatch,
		},
		"an executor that fails for good: rollback-failed, and one call": {
			world:   &world{bad: []string{"2.4.0"}, fails: actions.Permanent(errors.New("no such service"))},
			play:    func(s *scene) { s.deploy("2.4.0"); s.wait(10 * time.Minute) },
			journal: "opened decided intended done rollback-failed", outcome: watcher.RollbackFailed, calls: 1,
		},
		"an executor whose answer is lost: unknown, and one call": {
			world:   &world{bad: []string{"2.4.0"}, fails: errors.New("connection reset")},
			play:    func(s *scene) { s.deploy("2.4.0"); s.wait(10 * time.Minute) },
			journal: "opened decided intended done unknown", outcome: watcher.Unknown, calls: 1,
		},
		"errors that stay after the rollback are said to be somebody else's": {
			world: &world{bad: []string{"2.4.0"}},
			play: func(s *scene) {
				s.deploy("2.4.0")
				s.Lock()
				s.bad = append(s.bad, "2.3.9")
				s.Unlock()
				s.wait(40 * time.Minute)
			},
			journal: rolledBack, outcome: watcher.RolledBack, calls: 1,
		},
	} {
		t.Run(name, func(t *testing.T) {
			p := c.plan
			if p == nil {
				p = plan()
			}
			if c.world == nil {
				c.world = &world{}
			}
			stage(t, c.world, p, func(s *scene) {
				s.passed("2.3.9")
				mark := s.journal.kinds()
				c.play(s)
				if got := s.since(mark); got != c.journal {
					t.Errorf("journal: %s\nwant:    %s", got, c.journal)
				}
				if got := s.outcome(); got != c.outcome {
					t.Errorf("outcome %q, want %q", got, c.outcome)
				}
				if len(s.calls) != c.calls {
					t.Errorf("%d calls of the executor, want %d", len(s.calls), c.calls)
				}
			})
		})
	}
}

func TestAQuestion(t *testing.T) {
	for name, c := range map[string]struct {
		silence rules.Silence
		play    func(s *scene)
		journal string
		outcome watcher.Outcome
		calls   int
	}{
		"is answered by one of the group: rolled back": {
			silence: rules.SilenceKeeps,
			play:    func(s *scene) { s.answer("ben", authority.RollBack, nil) },
			journal: "opened ruled voted decided intended done verified rolled-back", outcome: watcher.RolledBack, calls: 1,
		},
		"is answered with keep: the bake goes on and ends as kept": {
			silence: rules.SilenceRollsBack,
			play:    func(s *scene) { s.heard(); s.answer("ben", authority.Keep, nil) },
			journal: "opened ruled told voted kept kept", outcome: watcher.Kept,
		},
		"is not answered by whoever deployed": {
			silence: rules.SilenceKeeps,
			play:    func(s *scene) { s.answer("ana", authority.RollBack, authority.ErrBarred); s.heard() },
			journal: "opened ruled refused told reminded reminded silence left", outcome: watcher.Left,
		},
		"is not answered by a stranger": {
			silence: rules.SilenceKeeps,
			play:    func(s *scene) { s.answer("mallory", authority.RollBack, authority.ErrNotAsked); s.heard() },
			journal: "opened ruled refused told reminded reminded silence left", outcome: watcher.Left,
		},
		"is left to a silence that means roll-back": {
			silence: rules.SilenceRollsBack,
			play:    func(s *scene) { s.heard() },
			journal: "opened ruled told reminded reminded decided intended done verified rolled-back", outcome: watcher.RolledBack, calls: 1,
		},
		"is heard by nobody: silence does not count": {
			silence: rules.SilenceRollsBack,
			play:    func(*scene) {},
			journal: "opened ruled unheard undecided", outcome: watcher.Undecided,
		},
		"is withdrawn when the breach heals, and silence rolls nothing back": {
			silence: rules.SilenceRollsBack,
			play: func(s *scene) {
				s.heard()
				s.Lock()
				s.bad = nil
				s.Unlock()
			},
			journal: "opened ruled told ruled passed", outcome: watcher.Passed,
		},
		"is superseded by a newer deployment": {
			silence: rules.SilenceKeeps,
			play:    func(s *scene) { s.deploy("2.5.0") },
			journal: "opened ruled opened passed", outcome: watcher.Passed,
		},
	} {
		t.Run(name, func(t *testing.T) {
			stage(t, &world{bad: []string{"2.4.0"}}, plan(asks(c.silence)), func(s *scene) {
				s.passed("2.3.9")
				mark := s.journal.kinds()
				s.deploy("2.4.0")
				s.wait(2 * time.Minute)
				c.play(s)
				s.wait(40 * time.Minute)
				if got := s.since(mark); got != c.journal {
					t.Errorf("journal: %s\nwant:    %s", got, c.journal)
				}
				if got := s.outcome(); got != c.outcome || len(s.calls) != c.calls {
					t.Errorf("outcome %q after %d calls, want %q after %d", got, len(s.calls), c.outcome, c.calls)
				}
			})
		})
	}
}

func (s *scene) answer(person string, choice authority.Choice, want error) {
	s.t.Helper()
	_, err := s.owners[0].Answer(s.t.Context(), watcher.Ref{Name: "checkout"}, authority.Vote{Proof: authority.LocalProof(person), Choice: choice})
	if !errors.Is(err, want) {
		s.t.Errorf("%s says %s: %v, want %v", person, choice, err, want)
	}
}

// heard confirms that the open question was delivered.
func (s *scene) heard() {
	s.t.Helper()
	view, err := s.owners[0].Show(s.t.Context(), watcher.Ref{Name: "checkout"})
	if err != nil || view.Question == nil {
		s.t.Fatalf("no question is open: %v", err)
	}
	told := watcher.Delivery{Channel: "pager", Audience: actions.Page, About: view.Question.Question, Receipt: "ok"}
	if err := s.owners[0].Heard(s.t.Context(), lane, told); err != nil {
		s.t.Fatal(err)
	}
}

func TestANewerDeploymentThatComesWhileARollbackIsUnderWayIsWatchedRightAfter(t *testing.T) {
	stage(t, &world{bad: []string{"2.4.0"}}, plan(), func(s *scene) {
		s.passed("2.3.9")
		mark := s.journal.kinds()
		s.hang = make(chan struct{})
		s.deploy("2.4.0")
		s.wait(2 * time.Minute)
		s.deploy("2.5.0")
		s.wait(time.Second)
		close(s.hang)
		s.wait(31 * time.Minute)
		if got, want := s.since(mark), "opened decided intended newer-waits done opened passed"; got != want {
			t.Errorf("journal: %s\nwant:    %s", got, want)
		}
		if past := s.ledger().Past; past[len(past)-2].Outcome != watcher.RolledBack {
			t.Errorf("2.4.0 ended as %q", past[len(past)-2].Outcome)
		}
	})
}

func TestADeploymentThatArrivesWhileAnotherIsDecidedMakesTheDecisionLapse(t *testing.T) {
	stage(t, &world{bad: []string{"2.4.0"}}, plan(), func(s *scene) {
		s.passed("2.3.9")
		mark := s.journal.kinds()
		s.journal.overtake = func() { // as another replica would
			entries, _ := s.journal.Read(s.t.Context(), lane)
			d := rules.Deployment{ID: "event-2.5.0", Service: "checkout", Environment: "production", Version: "2.5.0", Step: rules.Finished, At: time.Now(), By: "ana"}
			e, _ := watcher.Fold(lane, entries).Next(watcher.Input{Now: time.Now(), Event: &watcher.Announced{Deployment: d, Plan: s.plan}})
			if _, err := s.journal.Append(s.t.Context(), e); err != nil {
				t.Error(err)
			}
		}
		s.deploy("2.4.0")
		s.wait(40 * time.Minute)
		if got, want := s.since(mark), "opened opened passed"; got != want || len(s.calls) != 0 {
			t.Errorf("journal: %s after %d calls\nwant:    %s after none", got, len(s.calls), want)
		}
	})
}

func TestOurOwnRollbacksEventIsProofAndOpensNothing(t *testing.T) {
	stage(t, &world{bad: []string{"2.4.0"}}, plan(), func(s *scene) {
		s.passed("2.3.9")
		mark := s.journal.kinds()
		s.deploy("2.4.0")
		s.wait(75 * time.Second)
		s.deploy("2.3.9", func(d *rules.Deployment) { d.ID, d.Step = "by the tool", rules.RolledBack })
		s.wait(40 * time.Minute)
		s.deploy("2.3.9", func(d *rules.Deployment) { d.ID, d.Step = "by the tool, later", rules.RolledBack })
		s.wait(time.Minute)
		if got, want := s.since(mark), "opened decided intended done step verified rolled-back"; got != want {
			t.Errorf("journal: %s\nwant:    %s", got, want)
		}
	})
}

func TestAProcessThatDiesInTheMiddleOfARollback(t *testing.T) {
	for name, c := range map[string]struct {
		world   *world
		outcome watcher.Outcome
		calls   int
	}{
		"does not try again, and says unknown":                   {&world{}, watcher.Unknown, 1},
		"finds that it was done, where the tool can tell":        {&world{tells: true}, watcher.RolledBack, 1},
		"tries again with the same key, where that does no harm": {&world{idempotent: true}, watcher.RolledBack, 2},
	} {
		t.Run(name, func(t *testing.T) {
			c.world.bad = []string{"2.4.0"}
			stage(t, c.world, plan(), func(s *scene) {
				s.passed("2.3.9")
				s.hang = make(chan struct{})
				s.deploy("2.4.0")
				s.wait(2 * time.Minute)
				s.owners[0].kill()
				<-s.owners[0].gone
				close(s.hang)
				s.start("a2")
				s.wait(20 * time.Minute)
				if got := s.outcome(); got != c.outcome || len(s.calls) != c.calls {
					t.Errorf("outcome %q after %d calls, want %q after %d", got, len(s.calls), c.outcome, c.calls)
				}
				if len(slices.Compact(slices.Clone(s.calls))) != 1 {
					t.Errorf("keys differ: %v", s.calls)
				}
			})
		})
	}
}

func TestAnOwnerThatStartsAgainRebuildsItsEvidenceAndGoesOn(t *testing.T) {
	stage(t, &world{bad: []string{"2.4.0"}}, plan(), func(s *scene) {
		s.passed("2.3.9")
		mark := s.journal.kinds()
		s.deploy("2.4.0")
		s.wait(25 * time.Second) // one bad look
		s.owners[0].kill()
		<-s.owners[0].gone
		s.wait(5 * time.Minute)
		s.start("a2")
		s.wait(2 * time.Second) // no fresh look was needed: the missed ones were fetched
		if got := s.since(mark); !strings.HasPrefix(got, "opened decided intended done") {
			t.Errorf("journal: %s", got)
		}
	})
}

func TestADeliveryIsRecordedOnceHoweverOftenItIsRepeated(t *testing.T) {
	stage(t, &world{}, plan(), func(s *scene) {
		s.deploy("2.4.0")
		s.wait(time.Minute)
		for _, told := range []watcher.Delivery{
			{Channel: "chat", About: 1, Receipt: "a"},
			{Channel: "phone", About: 1, Receipt: "b"},
			{Channel: "chat", About: 1, Receipt: "c"}, // sent again by a process that found it unsettled
			{Channel: "phone", About: 1, Receipt: "d"},
		} {
			if err := s.owners[0].Heard(s.t.Context(), lane, told); err != nil {
				t.Fatal(err)
			}
		}
		if got, want := s.journal.kinds(), "opened told told"; got != want {
			t.Errorf("journal: %s, want %s", got, want)
		}
	})
}

func TestAJournalThatDoesNotAnswerStopsEverythingAndLosesNothing(t *testing.T) {
	stage(t, &world{bad: []string{"2.4.0"}}, plan(), func(s *scene) {
		s.passed("2.3.9")
		mark := s.journal.kinds()
		s.deploy("2.4.0")
		s.journal.Lock()
		s.journal.refuse = errors.New("no space left on device")
		s.journal.Unlock()
		s.wait(10 * time.Minute)
		if len(s.calls) != 0 {
			t.Error("acted without an acknowledged intent")
		}
		s.journal.Lock()
		s.journal.refuse = nil
		s.journal.Unlock()
		s.wait(40 * time.Minute)
		if got := s.since(mark); got != rolledBack {
			t.Errorf("journal: %s", got)
		}
	})
}

func TestWhatTheJournalDidNotTakeIsOfferedOnceMoreBeforeTheEnd(t *testing.T) {
	stageWith(t, &scene{world: &world{bad: []string{"2.4.0"}}, plan: plan(), grace: 5 * time.Second}, func(s *scene) {
		s.passed("2.3.9")
		s.hang = make(chan struct{})
		s.deploy("2.4.0")
		s.wait(2 * time.Minute)
		s.journal.Lock()
		s.journal.refuse = errors.New("no space left on device")
		s.journal.Unlock()
		close(s.hang)
		s.wait(time.Millisecond) // less than a tick
		s.journal.Lock()
		s.journal.refuse = nil
		s.journal.Unlock()
		s.owners[0].kill()
		<-s.owners[0].gone
		if got := s.journal.kinds(); !strings.Contains(got, "intended done") {
			t.Errorf("the rollback was done, and nobody knows: %s", got)
		}
	})
}
