package watcher_test

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/bakewatch/bakewatch/actions/authority"
	"github.com/bakewatch/bakewatch/rules"
	"github.com/bakewatch/bakewatch/watcher"
)

// autoThenAsk decides alone while it may, and asks when it may not.
func autoThenAsk(p *rules.Plan) {
	asks(rules.SilenceRollsBack)(p)
	p.Authorities = append([]rules.Authority{{Decide: rules.Auto}}, p.Authorities...)
}

func oneADay(p *rules.Plan) {
	p.Budget = &rules.Allowance{Most: 1, Per: rules.Duration(24 * time.Hour)}
}

// charges returns what was written into the budget's lane.
func (s *scene) charges() (all []watcher.Spending) {
	entries, _ := s.journal.Read(s.t.Context(), watcher.BudgetLane)
	for _, e := range entries {
		all = append(all, *e.Spent)
	}
	return all
}

// rulings returns the powers that were ruled from an entry on.
func (s *scene) rulings(from int) (all []string) {
	for _, e := range s.journal.entries[from:] {
		if e.Kind == watcher.Ruled || e.Kind == watcher.Decided {
			all = append(all, string(e.Kind)+" "+e.Ruling.Power.String())
		}
	}
	return all
}

func TestABudgetIsChargedBeforeARollbackAndKnownAfterARestart(t *testing.T) {
	stage(t, &world{bad: []string{"2.4.0", "2.5.0", "2.6.0"}}, plan(autoThenAsk, oneADay), func(s *scene) {
		s.passed("2.3.9")
		mark := s.journal.kinds()
		s.deploy("2.4.0")
		s.wait(15 * time.Minute)
		if got := s.since(mark); got != "opened spent decided intended done verified rolled-back" {
			t.Fatalf("journal: %s", got)
		}
		s.owners[0].kill()
		<-s.owners[0].gone
		s.owners = nil
		s.start("b")
		from := s.journal.length()
		s.deploy("2.5.0")
		s.wait(2 * time.Minute)
		if got := s.rulings(from); !slices.Equal(got, []string{"ruled ask"}) {
			t.Fatalf("ruled %q", got)
		}
		entries, _ := s.journal.Read(s.t.Context(), lane)
		ruling := entries[len(entries)-1].Ruling
		if !slices.ContainsFunc(ruling.Ceilings, func(c authority.Ceiling) bool {
			return c.Name == authority.BudgetCeiling && strings.Contains(c.Why, "1 in 1d")
		}) || ruling.Silence() != rules.SilenceKeeps {
			t.Errorf("ruling %+v", ruling)
		}
		s.answer("ben", authority.RollBack, nil)
		s.wait(15 * time.Minute)
		if got := s.outcome(); got != watcher.RolledBack || len(s.charges()) != 2 {
			t.Errorf("people decide all the same: %q, charged %+v", got, s.charges())
		}
		s.wait(24 * time.Hour)
		from = s.journal.length()
		s.deploy("2.6.0")
		s.wait(2 * time.Minute)
		if got := s.rulings(from); !slices.Equal(got, []string{"decided auto"}) {
			t.Errorf("a day later: %q", got)
		}
	})
}

func TestARollbackThatWasChargedAndNotWrittenDownIsNotAskedAboutForItsOwnCharge(t *testing.T) {
	stage(t, &world{bad: []string{"2.4.0"}}, plan(autoThenAsk, oneADay), func(s *scene) {
		s.passed("2.3.9")
		s.journal.overtake = func() {
			s.journal.Lock()
			defer s.journal.Unlock()
			s.journal.refuse = errors.New("no space left on device")
		}
		from := s.journal.length()
		s.deploy("2.4.0")
		s.wait(2 * time.Minute)
		if len(s.charges()) != 1 || len(s.calls) != 0 {
			t.Fatalf("charged %+v, %d calls", s.charges(), len(s.calls))
		}
		s.journal.Lock()
		s.journal.refuse = nil
		s.journal.Unlock()
		s.wait(2 * time.Minute)
		if got := s.rulings(from); !slices.Equal(got, []string{"decided auto"}) || len(s.charges()) != 1 {
			t.Errorf("ruled %q, charged %+v", got, s.charges())
		}
	})
}

func TestTheBudgetOfAllLanesIsOneAlsoWhenTwoReplicasSpendItAtOnce(t *testing.T) {
	for name, replicas := range map[string][]string{"one replica": nil, "two replicas": {"b"}} {
		t.Run(name, func(t *testing.T) {
			stageWith(t, &scene{world: &world{bad: []string{"2.4.0"}}, plan: plan(autoThenAsk), config: func(c *watcher.Config) {
				c.Budget = func() *rules.Allowance { return &rules.Allowance{Most: 1, Per: rules.Duration(time.Hour)} }
			}}, func(s *scene) {
				services := []string{"checkout", "payment", "search"}
				for _, service := range services {
					s.deploy("2.3.9", func(d *rules.Deployment) { d.Service = service })
				}
				s.wait(31 * time.Minute)
				for _, name := range replicas {
					s.start(name)
				}
				for _, service := range services {
					s.deploy("2.4.0", func(d *rules.Deployment) { d.Service = service })
				}
				s.wait(5 * time.Minute)
				all := s.rulings(0)
				slices.Sort(all)
				if want := []string{"decided auto", "ruled ask", "ruled ask"}; !slices.Equal(all, want) || len(s.calls) != 1 || len(s.charges()) != 1 {
					t.Errorf("%q after %d calls, charged %+v", all, len(s.calls), s.charges())
				}
			})
		})
	}
}
