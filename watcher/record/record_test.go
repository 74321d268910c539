package record_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/bakewatch/bakewatch/actions/authority"
	"github.com/bakewatch/bakewatch/rules"
	"github.com/bakewatch/bakewatch/watcher/record"
)

const (
	day  = 24 * time.Hour
	week = 7 * day
)

// said counts what people said, in words.
func said(r record.Record) string {
	return fmt.Sprintf("%d agreed, %d disagreed, %d unopposed, %d unanswered", r.Agreed, r.Disagreed, r.Unopposed, r.Unanswered)
}

const (
	agrees     = "1 agreed, 0 disagreed, 0 unopposed, 0 unanswered"
	disagrees  = "0 agreed, 1 disagreed, 0 unopposed, 0 unanswered"
	unopposed  = "0 agreed, 0 disagreed, 1 unopposed, 0 unanswered"
	unanswered = "0 agreed, 0 disagreed, 0 unopposed, 1 unanswered"
	nothing    = "0 agreed, 0 disagreed, 0 unopposed, 0 unanswered"
)

func TestWhatPeopleSaidOfABreach(t *testing.T) {
	for name, test := range map[string]struct {
		mode   rules.Mode
		decide rules.Power
		play   func(l *lab)
		later  time.Duration
		want   string
	}{
		"nothing was breached": {rules.Enforce, rules.Ask, func(l *lab) { l.passes("2") }, day, nothing},
		"voted back":           {rules.Enforce, rules.Ask, func(l *lab) { l.deploy("2").look(rules.Breached).vote(authority.RollBack) }, 0, agrees},
		"voted back, and it worked": {rules.Enforce, rules.Ask, func(l *lab) {
			l.deploy("2").look(rules.Breached).vote(authority.RollBack).works()
		}, day, agrees},
		"voted back, and wrong all the same": {rules.Enforce, rules.Ask, func(l *lab) {
			l.deploy("2").look(rules.Breached).vote(authority.RollBack).works().wrong()
		}, day, disagrees},
		"kept": {rules.Enforce, rules.Ask, func(l *lab) {
			l.deploy("2").look(rules.Breached).vote(authority.Keep).ends(rules.Breached)
		}, 0, disagrees},
		"kept, and gone back after all": {rules.Enforce, rules.Ask, func(l *lab) {
			l.deploy("2").look(rules.Breached).vote(authority.Keep).ends(rules.Breached).event("1", rules.RolledBack)
		}, day, agrees},
		"begun by a person while it is breached, and voted": {rules.Enforce, rules.Notify, func(l *lab) {
			l.plan.Authorities = append([]rules.Authority{{Rules: []string{"errors"}, Decide: rules.Notify}}, l.plan.Authorities...)
			l.plan.Authorities[1].Decide = rules.Ask
			l.deploy("2").look(rules.Breached).begin().look(rules.Breached).vote(authority.RollBack)
		}, 0, agrees},
		"begun by a person while it is breached, and nobody answered": {rules.Enforce, rules.Notify, func(l *lab) {
			l.plan.Authorities = append([]rules.Authority{{Rules: []string{"errors"}, Decide: rules.Notify}}, l.plan.Authorities...)
			l.plan.Authorities[1].Decide = rules.Ask
			l.deploy("2").look(rules.Breached).begin().after(time.Hour).look(rules.Breached).deploy("3")
		}, 0, agrees},
		"told, and left": {rules.ModeNotify, rules.Ask, func(l *lab) { l.deploy("2").look(rules.Breached).ends(rules.Breached) }, week, disagrees},
		"told, and left for less than a week": {rules.ModeNotify, rules.Ask, func(l *lab) {
			l.deploy("2").look(rules.Breached).ends(rules.Breached)
		}, week - 2*time.Minute, unanswered},
		"told, left, and replaced after less than a day": {rules.ModeNotify, rules.Ask, func(l *lab) {
			l.deploy("2").look(rules.Breached).ends(rules.Breached).passes("3")
		}, 0, unanswered},
		"told, left, and replaced after some days": {rules.ModeNotify, rules.Ask, func(l *lab) {
			l.deploy("2").look(rules.Breached).ends(rules.Breached).after(2 * day).passes("3")
		}, 0, disagrees},
		"told, and the tool went back while it was watched": {rules.ModeNotify, rules.Ask, func(l *lab) {
			l.deploy("2").look(rules.Breached).event("1", rules.RolledBack)
		}, 0, agrees},
		"told, and the old version was deployed again": {rules.ModeNotify, rules.Ask, func(l *lab) {
			l.deploy("2").look(rules.Breached).ends(rules.Breached).after(time.Hour).deploy("1")
		}, 0, agrees},
		"told, and gone back after the weekend": {rules.ModeNotify, rules.Ask, func(l *lab) {
			l.deploy("2").look(rules.Breached).ends(rules.Breached).after(3*day).event("1", rules.RolledBack)
		}, 0, agrees},
		"told, and gone back later than a week": {rules.ModeNotify, rules.Ask, func(l *lab) {
			l.deploy("2").look(rules.Breached).ends(rules.Breached).after(week).event("1", rules.RolledBack)
		}, 0, disagrees},
		"told, and gone back from a newer version, past this one, after days": {rules.ModeNotify, rules.Ask, func(l *lab) {
			l.deploy("2").look(rules.Breached).ends(rules.Breached).after(day).passes("3").after(time.Hour).event("1", rules.RolledBack)
		}, 0, disagrees},
		"told, replaced where nobody watches, and gone back from that after days": {rules.ModeNotify, rules.Ask, func(l *lab) {
			l.deploy("2").look(rules.Breached).ends(rules.Breached).unwatched("3", rules.Finished).after(2*day).event("1", rules.RolledBack)
		}, 0, disagrees},
		"told, live again after a newer one was cancelled, and gone back after days": {rules.ModeNotify, rules.Ask, func(l *lab) {
			l.deploy("2").look(rules.Breached).ends(rules.Breached)
			l.event("3", rules.Started).after(time.Minute).event("3", rules.Cancelled).after(3*day).event("1", rules.RolledBack)
		}, 0, agrees},
		"told, deployed once more, and gone back after days": {rules.ModeNotify, rules.Ask, func(l *lab) {
			l.deploy("2").look(rules.Breached).ends(rules.Breached)
			l.retry("2").ends(rules.Healthy).after(3*day).event("1", rules.RolledBack)
		}, 0, agrees},
		"told, left, and gone back to where nobody watches": {rules.ModeNotify, rules.Ask, func(l *lab) {
			l.deploy("2").look(rules.Breached).ends(rules.Breached).unwatched("1", rules.RolledBack)
		}, day, agrees},
		"told, left, and replaced by what nobody watches": {rules.ModeNotify, rules.Ask, func(l *lab) {
			l.deploy("2").look(rules.Breached).ends(rules.Breached).unwatched("3", rules.Finished)
		}, day, disagrees},
		"in shadow, passed, and gone back from": {rules.Shadow, rules.Ask, func(l *lab) {
			l.deploy("2").look(rules.Breached).ends(rules.Breached).after(time.Hour).deploy("1")
		}, 0, agrees},
		"in shadow, passed, and replaced by a newer one that was gone back from as well": {rules.Shadow, rules.Ask, func(l *lab) {
			l.deploy("2").look(rules.Breached).ends(rules.Breached).passes("3").deploy("1")
		}, 0, agrees},
		"in shadow, and only the newer one was gone back from": {rules.Shadow, rules.Ask, func(l *lab) {
			l.deploy("2").look(rules.Breached).ends(rules.Breached).passes("3").deploy("2")
		}, week, disagrees},
		"in shadow, and passed": {rules.Shadow, rules.Ask, func(l *lab) { l.deploy("2").look(rules.Breached).ends(rules.Breached) }, week, disagrees},
		"healed and passed":     {rules.ModeNotify, rules.Ask, func(l *lab) { l.deploy("2").look(rules.Breached).ends(rules.Healthy) }, week, disagrees},
		"replaced while it was breached": {rules.ModeNotify, rules.Ask, func(l *lab) {
			l.deploy("2").look(rules.Breached).passes("3")
		}, day, unanswered},
		"replaced after it had healed": {rules.ModeNotify, rules.Ask, func(l *lab) {
			l.deploy("2").look(rules.Breached).look(rules.Healthy).passes("3")
		}, day, disagrees},
		"still open": {rules.ModeNotify, rules.Ask, func(l *lab) { l.deploy("2").look(rules.Breached) }, day, unanswered},
		"rolled back without people": {rules.Enforce, rules.Auto, func(l *lab) {
			l.deploy("2").look(rules.Breached).works()
		}, day, unopposed},
		"rolled back without people just now": {rules.Enforce, rules.Auto, func(l *lab) {
			l.deploy("2").look(rules.Breached).works()
		}, time.Hour, unanswered},
		"rolled back without people, and the old version deployed over it": {rules.Enforce, rules.Auto, func(l *lab) {
			l.deploy("2").look(rules.Breached).works().passes("3").deploy("1")
		}, day, unopposed},
		"rolled back without people, and wrong": {rules.Enforce, rules.Auto, func(l *lab) {
			l.deploy("2").look(rules.Breached).works().wrong()
		}, 0, disagrees},
	} {
		t.Run(name, func(t *testing.T) {
			l := newLab(t, test.mode, test.decide)
			test.play(l)
			if got := said(l.records(test.later)["errors"]); got != test.want {
				t.Errorf("%s, want %s", got, test.want)
			}
		})
	}
}

func TestARecordCountsWhatARuleWouldHaveDone(t *testing.T) {
	for name, test := range map[string]struct {
		mode   rules.Mode
		decide rules.Power
		change func(*rules.Plan)
		want   record.Powers
	}{
		"in shadow":                {rules.Shadow, rules.Auto, nil, record.Powers{Auto: 1}},
		"told":                     {rules.ModeNotify, rules.Ask, nil, record.Powers{Ask: 1}},
		"asked":                    {rules.Enforce, rules.Ask, nil, record.Powers{Ask: 1}},
		"of a rule that may ask":   {rules.Shadow, rules.Auto, func(p *rules.Plan) { p.Rules[0].Severity = rules.Info }, record.Powers{Notify: 1}},
		"where nothing is granted": {rules.Shadow, rules.Auto, func(p *rules.Plan) { p.Authorities = nil }, record.Powers{Notify: 1}},
		"where there is no way back": {rules.Shadow, rules.Auto, func(p *rules.Plan) {
			p.Rollbacks = nil
		}, record.Powers{Notify: 1}},
	} {
		t.Run(name, func(t *testing.T) {
			l := newLab(t, test.mode, test.decide)
			if test.change != nil {
				test.change(&l.plan)
				l.plan.Hash = name
			}
			r := l.deploy("2").look(rules.Breached).look(rules.Breached).records(0)["errors"]
			if r.Would != test.want || r.Breached != 1 || r.Watched != 1 || r.Acted != 0 {
				t.Errorf("%+v", r)
			}
		})
	}
}

func TestARecordCountsWhatWouldHaveStoodInTheWay(t *testing.T) {
	for name, test := range map[string]struct {
		play func(l *lab)
		want record.Powers
	}{
		"the deployment is a rollback": {func(l *lab) {
			l.passes("1.5").deploy("2").event("1.5", rules.RolledBack).look(rules.Breached)
		}, record.Powers{Notify: 1}},
		"the version was rolled back before": {func(l *lab) {
			l.deploy("2").event("1", rules.RolledBack).ends(rules.Healthy).deploy("2").look(rules.Breached)
		}, record.Powers{Notify: 1}},
		"who is asked has deployed it": {func(l *lab) {
			l.plan.Groups, l.plan.Hash = map[string][]string{"oncall": {"ana"}}, "one person"
			l.deploy("2").look(rules.Breached)
		}, record.Powers{Notify: 1}},
		"nothing": {func(l *lab) { l.deploy("2").look(rules.Breached) }, record.Powers{Ask: 1}},
	} {
		t.Run(name, func(t *testing.T) {
			l := newLab(t, rules.Shadow, rules.Ask)
			test.play(l)
			if got := l.records(0)["errors"].Would; got != test.want {
				t.Errorf("%+v, want %+v", got, test.want)
			}
		})
	}
}

func TestAShadowRuleBesideOneThatActsHasARecordOfItsOwn(t *testing.T) {
	l := newLab(t, rules.Enforce, rules.Ask)
	l.plan.Hash = "two rules"
	l.plan.Rules = append(l.plan.Rules, rules.Spec{Name: "latency", Kind: "query", Mode: rules.Shadow})
	l.deploy("2").look(rules.Breached, rules.Healthy).look(rules.Breached, rules.Breached).vote(authority.RollBack).works()
	for name, want := range map[string]struct{ acted, minutes int }{"errors": {1, 1}, "latency": {0, 2}} {
		r := l.records(0)[name]
		if r.Breached != 1 || r.Would != (record.Powers{Ask: 1}) || r.Agreed != 1 {
			t.Errorf("%s: %+v", name, r)
		}
		if r.Acted != want.acted || r.Detection != minutes(want.minutes) {
			t.Errorf("%s: acted %d in %s", name, r.Acted, r.Detection)
		}
	}
}

func TestARecordBeginsAnewWhenTheRuleAsksSomethingElse(t *testing.T) {
	l := newLab(t, rules.Shadow, rules.Ask)
	l.passes("2").deploy("3").look(rules.Breached).ends(rules.Breached)
	l.plan.Rules[0].Mode, l.plan.Hash = rules.ModeNotify, "another mode"
	l.passes("4")
	if r := l.records(0)["errors"]; r.Watched != 3 || r.Breached != 1 || r.Mode != rules.ModeNotify {
		t.Errorf("after another mode: %+v", r)
	}
	l.plan.Rules[0].Window, l.plan.Hash = minutes(7), "another window"
	l.passes("5")
	if r := l.records(0)["errors"]; r.Watched != 1 || r.Breached != 0 {
		t.Errorf("after another window: %+v", r)
	}
	l.plan.Rules[0].Name, l.plan.Hash = "latency", "another rule"
	l.passes("6")
	if got := l.records(0); len(got) != 1 || got["latency"].Watched != 1 {
		t.Errorf("after another rule: %+v", got)
	}
}

func TestOnlyWatchesSinceThenCount(t *testing.T) {
	l := newLab(t, rules.Shadow, rules.Ask)
	if r := l.records(0)["errors"]; r.Watched != 0 {
		t.Errorf("a watch of before counts: %+v", r)
	}
	if r := l.passes("2").records(0)["errors"]; r.Watched != 1 {
		t.Errorf("%+v", r)
	}
}
