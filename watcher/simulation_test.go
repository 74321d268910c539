package watcher_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/bakewatch/bakewatch/actions"
	"github.com/bakewatch/bakewatch/actions/authority"
	"github.com/bakewatch/bakewatch/rules"
	"github.com/bakewatch/bakewatch/watcher"
	"github.com/bakewatch/bakewatch/watcher/audit"
)

// TestNoRollbackLacksItsAuthorityWhateverPeopleAndFaultsDo lets random people answer,
// object, withdraw and forge, while replicas race, die and start again, appends are
// lost, deliveries fail and Prometheus goes away. An auditor who knows nothing of the
// state machine then reads the journal.
func TestNoRollbackLacksItsAuthorityWhateverPeopleAndFaultsDo(t *testing.T) {
	seen, by := audit.Result{}, map[string]int{}
	for seed := uint64(0); seen.Watches < simulatedWatches; seed++ {
		t.Run(fmt.Sprint("seed ", seed), func(t *testing.T) {
			d := &drama{rand: rand.New(rand.NewPCG(seed, 5)), plans: map[string]*rules.Plan{}}
			d.play(t)
			result := audit.Check(d.journal.entries)
			for _, f := range result.Findings {
				t.Errorf("%s", f)
			}
			seen.Watches += result.Watches
			seen.Decisions += result.Decisions
			seen.Votes += result.Votes
			seen.Refused += result.Refused
			seen.Uncounted += result.Uncounted
			for _, e := range d.journal.entries {
				if e.Kind == watcher.Decided {
					by[e.Decision.By]++
				}
			}
		})
		if t.Failed() {
			t.Fatalf("seed %d: go test ./watcher -run '%s/seed_%d$' plays it again", seed, t.Name(), seed)
		}
	}
	for _, way := range []string{watcher.ByAuthority, watcher.ByVotes, watcher.BySilence, watcher.ByCountdown} {
		if by[way] == 0 && seen.Watches >= enoughForAll {
			t.Errorf("nothing was ever decided by %s: %v", way, by)
		}
	}
	if seen.Decisions == 0 || seen.Votes == 0 || seen.Refused == 0 {
		t.Error("little happened")
	}
	if seen.Uncounted > 0 {
		t.Errorf("of %d decisions the journal does not say which budget was in force", seen.Uncounted)
	}
	t.Logf("%d watches, %d decisions (%v), %d votes, %d refused", seen.Watches, seen.Decisions, by, seen.Votes, seen.Refused)
}

// enoughForAll is how many watches must have seen every way of deciding; few of them are
// left to silence.
const enoughForAll = 3000

// drama is a scene in which everything happens.
type drama struct {
	*scene
	rand     *rand.Rand
	services []string
	plans    map[string]*rules.Plan
	versions int
}

var cast = []string{"ana", "ben", "eve", "kim", "zoe", "max", "mallory"}

func (d *drama) play(t *testing.T) {
	d.services = []string{"checkout", "payment", "search"}
	all := &rules.Allowance{Most: pick(d.rand, 2, 20), Per: rules.Duration(time.Hour)}
	for _, service := range d.services {
		d.plans[service] = d.plan()
	}
	d.scene = &scene{world: &world{idempotent: true}, plan: plan(), config: func(c *watcher.Config) {
		c.PlanFor = func(dep rules.Deployment) *rules.Plan { return d.plans[dep.Service] }
		c.Guards = func(string) watcher.Guards {
			d.Lock()
			defer d.Unlock()
			return d.guards
		}
		c.Budget = func() *rules.Allowance { return all }
	}}
	stageWith(t, d.scene, func(*scene) {
		d.bad = nil
		for _, service := range d.services {
			d.release(service, false)
		}
		d.wait(5 * time.Minute)
		d.journal.Lock()
		d.journal.delay = delays(rand.New(rand.NewPCG(d.rand.Uint64(), 6)))
		d.journal.Unlock()
		for range 160 {
			d.something()
			d.wait(time.Duration(5+d.rand.IntN(40)) * time.Second)
		}
		d.guard(watcher.Guards{}, false)
		d.wait(30 * time.Minute)
	})
}

// plan draws a plan: who may decide what, and what silence means.
func (d *drama) plan() *rules.Plan {
	return plan(func(p *rules.Plan) {
		p.Bake, p.Rollbacks[0].Verify = minutes(4), minutes(2)
		p.Groups = map[string][]string{"oncall": {"ana", "ben", "eve"}, "owners": {"ben", "zoe", "kim"}, "managers": {"max", "zoe"}}
		clause := rules.Authority{
			Decide: pick(d.rand, rules.Ask, rules.Ask, rules.Veto, rules.Auto), Within: rules.Duration(time.Minute),
			Withdraw: d.rand.IntN(3) > 0, Snooze: minutes(2),
		}
		if clause.Decide == rules.Ask {
			clause.Silence = pick(d.rand, rules.SilenceKeeps, rules.SilenceRollsBack, rules.SilenceRollsBack)
			clause.Needs = pick(d.rand, map[string]int{"oncall": 1}, map[string]int{"oncall": 2}, map[string]int{"oncall": 1, "owners": 1})
		}
		if clause.Decide == rules.Veto {
			clause.Needs = map[string]int{"oncall": 1}
		}
		if clause.Decide != rules.Auto && d.rand.IntN(2) == 0 {
			clause.Escalate = []rules.Escalation{{To: "managers", Within: rules.Duration(40 * time.Second)}}
		}
		p.Authorities = []rules.Authority{clause, {Decide: rules.Ask, Needs: map[string]int{"oncall": 1}, Within: rules.Duration(time.Minute), Silence: rules.SilenceKeeps, Withdraw: true}}
		if d.rand.IntN(2) == 0 {
			p.Budget = &rules.Allowance{Most: 2, Per: minutes(20)}
		}
		if d.rand.IntN(4) == 0 {
			p.Rollbacks[0].Reversible, p.Rollbacks[0].Otherwise = new(bool), "stop-writes"
		}
		if d.rand.IntN(5) == 0 {
			p.Policies = []rules.Policy{{Most: rules.Veto}}
		}
	})
}

func pick[T any](random *rand.Rand, of ...T) T { return of[random.IntN(len(of))] }

// something is the next thing that happens.
func (d *drama) something() {
	service := pick(d.rand, d.services...)
	switch d.rand.IntN(16) {
	case 0, 1, 2:
		d.release(service, d.rand.IntN(3) > 0)
	case 3, 4, 5, 6:
		for range 1 + d.rand.IntN(3) { // people often answer together
			d.answers(d.asking(service))
		}
	case 7, 8, 9:
		d.hears()
	case 10:
		d.restart()
	case 11:
		d.guard(d.guards, !d.down)
	case 12:
		d.guard(pick(d.rand, watcher.Guards{}, watcher.Guards{}, watcher.Guards{Disarmed: "freeze"}, watcher.Guards{Skewed: "clock"}), d.down)
	case 13:
		d.ask(func(r *replica) {
			_, _ = r.Rollback(d.t.Context(), watcher.Ref{Name: service}, authority.LocalProof(pick(d.rand, cast...)), "so")
		})
	case 14:
		d.forges(service)
	case 15:
		if d.rand.IntN(3) == 0 {
			d.ask(func(r *replica) {
				_, _ = r.Cancel(d.t.Context(), watcher.Ref{Name: service}, authority.LocalProof("zoe"), "so")
			})
		}
	}
}

// guard sets what lowers power, and whether Prometheus is down.
func (d *drama) guard(guards watcher.Guards, down bool) {
	d.Lock()
	d.guards, d.down = guards, down
	d.Unlock()
}

// release deploys a version of its own, which may be bad.
func (d *drama) release(service string, bad bool) {
	d.versions++
	version := fmt.Sprint("v", d.versions)
	d.Lock()
	if bad {
		d.bad = append(d.bad, version)
	}
	d.Unlock()
	by, authors, release := pick(d.rand, "ana", "ben", "robot", ""), []string(nil), ""
	if d.rand.IntN(4) == 0 {
		authors = []string{pick(d.rand, cast...)}
	}
	if d.rand.IntN(3) == 0 {
		release = "2026-47"
	}
	dep := rules.Deployment{
		ID: "event-" + version, Service: service, Environment: "production", Version: version, Release: release,
		Step: rules.Finished, Strategy: rules.Rolling, At: time.Now(), By: by, Authors: authors,
	}
	d.ask(func(r *replica) { _ = r.Announce(d.t.Context(), dep) })
}

// asking returns the service of a question that was asked of late, or else the one given.
func (d *drama) asking(otherwise string) string {
	d.journal.Lock()
	defer d.journal.Unlock()
	for _, e := range slices.Backward(d.journal.entries) {
		if e.Kind == watcher.Ruled && e.Ruling.Power >= rules.Ask && d.rand.IntN(3) > 0 {
			return e.Lane.Service
		}
	}
	return otherwise
}

// answers lets somebody say something, to the open question or to another.
func (d *drama) answers(service string) {
	vote := authority.Vote{
		Proof:  authority.LocalProof(pick(d.rand, cast...)),
		Choice: pick(d.rand, authority.RollBack, authority.RollBack, authority.RollBack, authority.Keep, authority.Withdraw, authority.Looking),
	}
	if d.rand.IntN(6) == 0 {
		vote.Question = uint64(d.rand.IntN(200))
	}
	d.ask(func(r *replica) { _, _ = r.Answer(d.t.Context(), watcher.Ref{Name: service}, vote) })
}

// forges answers in ways that nobody may.
func (d *drama) forges(service string) {
	proof := pick(d.rand, authority.Proof{}, authority.Proof{Way: authority.Slack, Subject: "ben"}, authority.Proof{Way: authority.Signature, Subject: "UBEN"})
	d.ask(func(r *replica) {
		_, _ = r.Answer(d.t.Context(), watcher.Ref{Name: service}, authority.Vote{Person: "ben", Proof: proof, Choice: authority.RollBack})
	})
}

// hears confirms what was asked last in some lane, or that it could not be delivered.
func (d *drama) hears() {
	d.journal.Lock()
	entries := slices.Clone(d.journal.entries)
	d.journal.Unlock()
	for _, e := range slices.Backward(entries) {
		if (e.Kind == watcher.Ruled || e.Kind == watcher.Reminded) && d.rand.IntN(2) == 0 {
			told := watcher.Delivery{Channel: "pager", Audience: actions.Page, About: e.Seq, Receipt: "1"}
			if d.rand.IntN(4) == 0 {
				told.Receipt, told.Failed = "", "503"
			}
			d.ask(func(r *replica) { _ = r.Heard(d.t.Context(), e.Lane, told) })
			return
		}
	}
}

// restart kills a replica, starts another, or both.
func (d *drama) restart() {
	if len(d.owners) > 1 || d.rand.IntN(2) == 0 {
		d.owners[0].kill()
		<-d.owners[0].gone
		d.owners = d.owners[1:]
	}
	if len(d.owners) < 2 {
		d.start(fmt.Sprint("replica ", d.rand.IntN(1000)))
	}
}

// ask hands something to one replica or, now and then, to all of them.
func (d *drama) ask(do func(r *replica)) {
	if d.rand.IntN(3) == 0 {
		for _, r := range d.owners {
			do(r)
		}
		return
	}
	do(pick(d.rand, d.owners...))
}
