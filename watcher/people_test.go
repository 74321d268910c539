package watcher_test

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/bakewatch/bakewatch/actions"
	"github.com/bakewatch/bakewatch/actions/authority"
	"github.com/bakewatch/bakewatch/rules"
	"github.com/bakewatch/bakewatch/watcher"
)

// vetoes makes the plan roll back unless somebody objects within ten minutes.
func vetoes(p *rules.Plan) {
	asks("")(p)
	p.Authorities[0].Decide = rules.Veto
}

// escalates lets managers be asked when nobody answers.
func escalates(p *rules.Plan) {
	p.Groups["managers"] = []string{"zoe", "max"}
	p.Authorities[0].Escalate = []rules.Escalation{{To: "managers", Within: minutes(15)}}
}

// contingent is a plan without a way back, and with something else to do.
func contingent(p *rules.Plan) {
	no := false
	p.Rollbacks[0].Reversible, p.Rollbacks[0].Otherwise = &no, "stop-writes"
}

// acts0 lets a version be rolled back by votes, in a lane in which one passed.
func (l *lab) acts0(version string) {
	l.t.Helper()
	l.pass("2.3.9").event(version, rules.Finished)
	l.after(time.Minute).look(rules.Breached)
	l.vote("ben", authority.RollBack)
	l.after(40 * time.Second).done(actions.ResultDone)
	l.after(time.Minute).look(rules.Healthy)
}

// breach is a look at which every rule is breached.
func (l *lab) breach() *watcher.Look {
	look := &watcher.Look{Watch: l.Watch.Seq}
	for _, spec := range l.Watch.Plan.Rules {
		look.Answers = append(look.Answers, rules.Answer{Rule: spec.Name, Verdict: rules.Breached, Ceiling: rules.Auto, Why: "breached"})
	}
	return look
}

// share is a look at which a rule is breached with this share of bad requests.
func (l *lab) share(bad float64) string {
	look := l.breach()
	look.Answers[0].Bad, look.Answers[0].Total = bad, 1000
	return strings.TrimSpace(strings.ReplaceAll(l.give(watcher.Input{Look: look}), "verdicts", ""))
}

// uses is a breach by want of what users should do, of 1000 who could.
func (l *lab) uses(n float64) string {
	look := l.breach()
	look.Answers[0].Part, look.Answers[0].Total = n, 1000
	return strings.TrimSpace(strings.ReplaceAll(l.give(watcher.Input{Look: look}), "verdicts", ""))
}

// value is a breach of a least value of 10.
func (l *lab) value(v float64) string {
	look, least := l.breach(), 10.0
	look.Answers[0].Value, look.Answers[0].Limit = &v, &least
	return strings.TrimSpace(strings.ReplaceAll(l.give(watcher.Input{Look: look}), "verdicts", ""))
}

func TestWhatPeopleDoWhileTheyAreAsked(t *testing.T) {
	for name, c := range map[string]struct {
		plan *rules.Plan
		play func(t *testing.T, l *lab)
	}{
		"a countdown rolls back when nobody objects": {plan(vetoes), func(t *testing.T, l *lab) {
			l.pass("2.3.9").event("2.4.0", rules.Finished)
			expect(
				t, "breached", l.after(time.Minute).look(rules.Breached), "ruled",
				"heard", l.told(), "told",
				"half of it", l.after(5*time.Minute).look(rules.Breached), "reminded",
				"the last minute", l.after(4*time.Minute+time.Second).look(rules.Breached), "reminded",
			)
			if l.Watch.Phase() != watcher.Vetoing {
				t.Errorf("phase %s", l.Watch.Phase())
			}
			expect(t, "the end", l.after(time.Minute).look(rules.Breached), "decided intended")
			if by := l.Watch.Decision.By; by != watcher.ByCountdown {
				t.Errorf("decided by %s", by)
			}
		}},
		"one objection stops a countdown": {plan(vetoes), func(t *testing.T, l *lab) {
			l.asks().told()
			expect(
				t, "an objection", l.vote("eve", authority.Keep), "voted kept",
				"the end", l.after(11*time.Minute).look(rules.Breached), "",
				"of the bake", l.after(18*time.Minute+30*time.Second).look(rules.Breached), "kept",
			)
		}},
		"a stranger and the deployer do not stop a countdown": {plan(vetoes), func(t *testing.T, l *lab) {
			l.asks().told()
			expect(
				t, "a stranger", l.vote("mallory", authority.Keep), "refused",
				"the deployer", l.vote("ana", authority.Keep), "refused",
				"the deployer again", l.vote("ana", authority.Keep), "",
				"the end", l.after(11*time.Minute).look(rules.Breached), "decided intended",
			)
		}},
		"the people of a countdown may roll back before its end": {plan(vetoes), func(t *testing.T, l *lab) {
			l.asks().told()
			expect(t, "a vote", l.vote("ben", authority.RollBack), "voted decided intended")
		}},
		"a countdown of which nobody heard becomes a question, and never a rollback": {plan(vetoes), func(t *testing.T, l *lab) {
			l.asks()
			expect(t, "the end of the countdown", l.after(11*time.Minute).look(rules.Breached), "",
				"the end of the bake", l.after(19*time.Minute).look(rules.Breached), "ruled")
			if l.Watch.Question == nil || l.Watch.Question.Veto || l.Watch.Ruling.Power != rules.Ask {
				t.Fatalf("ruling %+v", l.Watch.Ruling)
			}
			expect(t, "somebody hears at last", l.told(), "told", "and looks", l.look(rules.Breached), "",
				"silence", l.after(11*time.Minute).look(rules.Breached), "silence left")
		}},
		"a countdown does not end in a rollback while nobody can see the breach": {plan(vetoes), func(t *testing.T, l *lab) {
			l.asks().told()
			expect(t, "blind at the end", l.after(11*time.Minute).look(rules.Blind), "",
				"and at the end of the bake", l.after(30*time.Minute).look(rules.Blind), "silence left")
		}},
		"a countdown that is disarmed is only told about": {plan(vetoes), func(t *testing.T, l *lab) {
			l.asks().told()
			l.guards.Disarmed = "freeze"
			expect(t, "the end", l.after(11*time.Minute).look(rules.Breached), "ruled")
			if l.Watch.Question != nil {
				t.Errorf("question %+v", l.Watch.Question)
			}
		}},
		"a question is escalated, and silence counts only after the last": {plan(asks(rules.SilenceRollsBack), escalates), func(t *testing.T, l *lab) {
			l.asks().told()
			expect(
				t, "a manager is not asked yet", l.vote("zoe", authority.RollBack), "refused",
				"the end", l.after(11*time.Minute).look(rules.Breached), "reminded",
				"nothing more", l.look(rules.Breached), "",
				"half of the managers' time", l.after(8*time.Minute).look(rules.Breached), "reminded",
				"their time is over", l.after(8*time.Minute).look(rules.Breached), "decided intended",
			)
		}},
		"those who were asked later may answer alone": {plan(asks(rules.SilenceKeeps), escalates, func(p *rules.Plan) { p.Authorities[0].Needs["oncall"] = 2 }), func(t *testing.T, l *lab) {
			l.asks().told()
			expect(
				t, "one of two", l.vote("ben", authority.RollBack), "voted",
				"the end", l.after(11*time.Minute).look(rules.Breached), "reminded",
				"a manager", l.vote("zoe", authority.RollBack), "voted decided intended",
			)
		}},
		"those who were asked first may still answer after the escalation": {plan(asks(rules.SilenceKeeps), escalates), func(t *testing.T, l *lab) {
			l.asks().told()
			expect(
				t, "the end", l.after(11*time.Minute).look(rules.Breached), "reminded",
				"one of the first", l.vote("eve", authority.Keep), "voted kept",
			)
		}},
		"a question of which nobody heard is escalated as well, and its silence never counts": {plan(asks(rules.SilenceRollsBack), escalates), func(t *testing.T, l *lab) {
			l.asks()
			expect(
				t, "the end", l.after(11*time.Minute).look(rules.Breached), "reminded",
				"the end of the bake", l.after(30*time.Minute).look(rules.Breached), "unheard undecided",
			)
		}},
		"the managers' time begins when they have heard": {plan(asks(rules.SilenceKeeps), escalates), func(t *testing.T, l *lab) {
			l.asks().told()
			l.after(11 * time.Minute).give(watcher.Input{})
			l.after(5 * time.Minute).give(watcher.Input{Told: &watcher.Delivery{Channel: "pager", Audience: actions.Page, About: l.Watch.Question.Told, Receipt: "2"}})
			if deadline, _ := l.Watch.Question.Deadline(); !deadline.Equal(l.now.Add(15 * time.Minute)) {
				t.Errorf("deadline %s at %s", deadline, l.now)
			}
		}},
		"a vote can be withdrawn, and given anew": {plan(asks(rules.SilenceKeeps), func(p *rules.Plan) { p.Authorities[0].Needs["oncall"] = 2 }), func(t *testing.T, l *lab) {
			l.plan.Groups["oncall"] = append(l.plan.Groups["oncall"], "max")
			l.asks()
			expect(
				t, "one", l.vote("ben", authority.RollBack), "voted",
				"again", l.after(time.Second).vote("ben", authority.Keep), "refused",
				"withdrawn", l.after(time.Second).vote("ben", authority.Withdraw), "voted",
				"twice", l.after(time.Second).vote("ben", authority.Withdraw), "refused",
				"another", l.vote("eve", authority.RollBack), "voted",
				"ben again", l.after(time.Second).vote("ben", authority.RollBack), "voted decided intended",
			)
		}},
		"whoever is looking gets ten minutes more, once": {plan(asks(rules.SilenceKeeps)), func(t *testing.T, l *lab) {
			l.asks().told()
			before, _ := l.Watch.Question.Deadline()
			expect(t, "looking", l.vote("ben", authority.Looking), "voted", "another", l.vote("eve", authority.Looking), "refused")
			if after, _ := l.Watch.Question.Deadline(); after.Sub(before) != authority.Grace {
				t.Errorf("%s more", after.Sub(before))
			}
			expect(t, "and may still vote", l.vote("ben", authority.Keep), "voted kept")
		}},
		"a question that is not to be withdrawn says that it has healed, once": {plan(asks(rules.SilenceKeeps), func(p *rules.Plan) { p.Authorities[0].Withdraw = false }), func(t *testing.T, l *lab) {
			l.asks()
			expect(
				t, "healed", l.look(rules.Healthy), "healed",
				"still", l.after(time.Minute).look(rules.Healthy), "",
				"a vote", l.vote("ben", authority.RollBack), "voted decided intended",
			)
		}},
		"what people kept is asked about again when it has more than doubled": {plan(asks(rules.SilenceKeeps)), func(t *testing.T, l *lab) {
			l.pass("2.3.9").event("2.4.0", rules.Finished)
			expect(
				t, "2 %", l.after(time.Minute).share(20), "ruled",
				"kept", l.vote("ben", authority.Keep), "voted kept",
				"4 %", l.after(time.Minute).share(40), "",
				"5 %", l.after(time.Minute).share(50), "ruled",
			)
		}},
		"what people kept is asked about again when less than half is left of what is wanted": {plan(asks(rules.SilenceKeeps)), func(t *testing.T, l *lab) {
			l.pass("2.3.9").event("2.4.0", rules.Finished)
			expect(
				t, "40 uses", l.after(time.Minute).uses(40), "ruled",
				"kept", l.vote("ben", authority.Keep), "voted kept",
				"90", l.after(time.Minute).uses(90), "",
				"20", l.after(time.Minute).uses(20), "",
				"19", l.after(time.Minute).uses(19), "ruled",
			)
		}},
		"and when a value is less than half of what it was that should be larger": {plan(asks(rules.SilenceKeeps)), func(t *testing.T, l *lab) {
			l.pass("2.3.9").event("2.4.0", rules.Finished)
			expect(
				t, "4", l.after(time.Minute).value(4), "ruled",
				"kept", l.vote("ben", authority.Keep), "voted kept",
				"9", l.after(time.Minute).value(9), "",
				"1", l.after(time.Minute).value(1), "ruled",
			)
		}},
		"the snooze is as long as the clause says": {plan(asks(rules.SilenceKeeps), func(p *rules.Plan) { p.Authorities[0].Snooze = minutes(5) }), func(t *testing.T, l *lab) {
			l.asks()
			expect(
				t, "kept", l.vote("ben", authority.Keep), "voted kept",
				"within", l.after(4*time.Minute).look(rules.Breached), "",
				"after", l.after(2*time.Minute).look(rules.Breached), "ruled",
			)
		}},
		"a person asks for a rollback, and others must agree": {plan(asks(rules.SilenceRollsBack)), func(t *testing.T, l *lab) {
			l.pass("2.3.9").event("2.4.0", rules.Finished)
			begin := watcher.Input{Begin: &watcher.Request{By: "zoe", Reason: "customers cannot pay"}}
			expect(
				t, "asked", l.after(time.Minute).give(begin), "ruled",
				"asked again", l.give(begin), "",
				"all is healthy", l.after(time.Minute).look(rules.Healthy), "",
				"heard", l.told(), "told",
				"ben agrees", l.vote("ben", authority.RollBack), "voted decided intended",
			)
			if l.Watch.Ruling.Begun == nil || l.Watch.Ruling.Begun.By != "zoe" {
				t.Errorf("ruling %+v", l.Watch.Ruling)
			}
		}},
		"a person's wish is not fulfilled by silence": {plan(asks(rules.SilenceRollsBack)), func(t *testing.T, l *lab) {
			l.pass("2.3.9").event("2.4.0", rules.Finished)
			l.give(watcher.Input{Begin: &watcher.Request{By: "zoe", Reason: "so"}})
			l.told()
			expect(t, "the end", l.after(11*time.Minute).look(rules.Healthy), "silence ruled")
		}},
		"a person's wish is a question even where the plan decides alone": {plan(func(p *rules.Plan) {
			asks(rules.SilenceKeeps)(p)
			p.Authorities = append([]rules.Authority{{Decide: rules.Auto}}, p.Authorities...)
		}), func(t *testing.T, l *lab) {
			l.pass("2.3.9").event("2.4.0", rules.Finished)
			expect(t, "asked", l.give(watcher.Input{Begin: &watcher.Request{By: "zoe", Reason: "so"}}), "ruled")
			if l.Watch.Ruling.Power != rules.Ask {
				t.Errorf("power %s", l.Watch.Ruling.Power)
			}
		}},
		"a wish is refused where nothing could be done, with the reason": {plan(asks(rules.SilenceKeeps)), func(t *testing.T, l *lab) {
			l.event("2.4.0", rules.Finished) // nothing to go back to
			in := watcher.Input{Now: l.now, Begin: &watcher.Request{By: "zoe", Reason: "so"}}
			if err := l.Askable(in); !errors.Is(err, watcher.ErrRefused) || !strings.Contains(err.Error(), "no version is known to go back to") {
				t.Errorf("it says %v", err)
			}
			expect(t, "asked", l.give(in), "")
		}},
		"what cannot be undone is answered by something else, and the version stays": {plan(asks(rules.SilenceKeeps), contingent), func(t *testing.T, l *lab) {
			l.asks()
			expect(t, "agreed", l.vote("ben", authority.RollBack), "voted decided intended")
			intent := l.Watch.Intent
			if !intent.Contingency || intent.Executor != "stop-writes" || intent.Subject.To != "" || intent.Subject.From != "2.4.0" {
				t.Errorf("intent %+v", intent)
			}
			if grant, owed := l.Todo(); !owed || grant.Key() != intent.Key {
				t.Error("nothing is owed")
			}
			l.done(actions.ResultDone)
			expect(t, "it helps", l.after(time.Minute).look(rules.Healthy), "verified left")
			if l.Ledger.Live != "2.4.0" || slices.Contains(l.Ledger.Bad, "2.4.0") {
				t.Errorf("ledger %+v", l.Ledger)
			}
		}},
		"silence does nothing else instead": {plan(asks(rules.SilenceRollsBack), contingent), func(t *testing.T, l *lab) {
			l.asks().told()
			expect(t, "the end", l.after(11*time.Minute).look(rules.Breached), "silence")
		}},
		"nothing from before a change that cannot be undone is gone back to": {plan(asks(rules.SilenceKeeps)), func(t *testing.T, l *lab) {
			no := false
			l.pass("2.3.9").event("2.4.0", rules.Finished, func(d *rules.Deployment) { d.Reversible = &no })
			l.after(time.Minute).event("2.5.0", rules.Finished)
			expect(t, "breached", l.after(time.Minute).look(rules.Breached), "ruled")
			if l.Watch.Ruling.Power != rules.Notify || !slices.ContainsFunc(l.Watch.Ruling.Ceilings, func(c authority.Ceiling) bool {
				return strings.Contains(c.Why, "2.3.9 is from before 2.4.0")
			}) {
				t.Errorf("ruling %+v", l.Watch.Ruling)
			}
		}},
		"a change that cannot be undone is a target itself once it has passed": {plan(asks(rules.SilenceKeeps)), func(t *testing.T, l *lab) {
			no := false
			l.change = func(d *rules.Deployment) {
				if d.Version == "2.4.0" {
					d.Reversible = &no
				}
			}
			l.pass("2.3.9").pass("2.4.0").event("2.5.0", rules.Finished)
			expect(t, "breached", l.after(time.Minute).look(rules.Breached), "ruled")
			if l.Watch.Ruling.Power != rules.Ask || l.Watch.Ruling.Target.Version != "2.4.0" {
				t.Errorf("ruling %+v", l.Watch.Ruling)
			}
		}},
		"a false alarm lifts the quarantine, and the version is watched like any other": {plan(), func(t *testing.T, l *lab) {
			l.acts().done(actions.ResultDone)
			l.after(time.Minute).look(rules.Healthy)
			wrong := watcher.Input{Wrong: &watcher.Request{By: "zoe", Reason: "the load balancer", Watch: l.Ledger.Past[1].Watch}}
			expect(t, "wrong", l.give(wrong), "wrong", "again", l.give(wrong), "")
			if slices.Contains(l.Ledger.Bad, "2.4.0") || !l.Ledger.Past[1].Wrong {
				t.Errorf("ledger %+v", l.Ledger)
			}
			l.after(time.Minute).event("2.4.0", rules.Finished, id("again"))
			if l.Watch == nil || l.Watch.SameAgain {
				t.Errorf("watch %+v", l.Watch)
			}
		}},
		"a deadline that passed while nobody was at it is honoured, and told as late": {plan(asks(rules.SilenceKeeps)), func(t *testing.T, l *lab) {
			l.asks().told()
			expect(t, "two hours later", l.after(2*time.Hour).give(watcher.Input{}), "silence")
			if text := l.noted(watcher.LeftBySilence).Text; !strings.Contains(text, "1h50m0s late") {
				t.Errorf("it says %q", text)
			}
		}},
		"a vote that came too late is refused": {plan(asks(rules.SilenceKeeps)), func(t *testing.T, l *lab) {
			l.asks().told()
			question := l.Watch.Question.Seq
			l.after(time.Hour).give(watcher.Input{})
			vote := authority.Vote{Question: question, Person: "ben", Choice: authority.RollBack, At: l.now}
			expect(t, "the vote", l.give(watcher.Input{Vote: &vote}), "refused", "again", l.give(watcher.Input{Vote: &vote}), "")
		}},
		"those on call now are asked, not those of the plan": {plan(asks(rules.SilenceKeeps)), func(t *testing.T, l *lab) {
			l.pass("2.3.9").event("2.4.0", rules.Finished)
			look := l.breach()
			expect(t, "asked", l.after(time.Minute).give(watcher.Input{Look: look, Rota: watcher.Rota{Groups: map[string][]string{"oncall": {"kim"}}}}), "ruled")
			expect(t, "ben", l.vote("ben", authority.RollBack), "refused", "kim", l.vote("kim", authority.RollBack), "voted decided intended")
		}},
		"refusals do not fill the journal": {plan(asks(rules.SilenceKeeps)), func(t *testing.T, l *lab) {
			l.asks()
			before := len(l.entries)
			for i := range 200 {
				l.after(time.Second).vote(strings.Repeat("m", i+1), authority.Keep)
			}
			if written := len(l.entries) - before; written != 50 {
				t.Errorf("%d entries", written)
			}
		}},
	} {
		t.Run(name, func(t *testing.T) { c.play(t, newLab(t, c.plan)) })
	}
}
