package authority_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/bakewatch/bakewatch/actions/authority"
	"github.com/bakewatch/bakewatch/rules"
)

var (
	yes, no = true, false
	people  = map[string]int{"oncall": 1}
	group   = map[string][]string{"oncall": {"ben", "eve"}}
)

func authorities(decide ...rules.Power) []rules.Authority {
	var clauses []rules.Authority
	for _, power := range decide {
		clause := rules.Authority{Decide: power}
		if power == rules.Ask {
			clause.Needs, clause.Silence, clause.Within = people, rules.SilenceRollsBack, rules.Duration(time.Minute)
		}
		clauses = append(clauses, clause)
	}
	return clauses
}

// granted is what one way of writing [[authority]] grants, and whether it names people.
type granted struct {
	clauses []rules.Authority
	power   rules.Power
	people  bool
}

// said is one answer of a rule, whether it accuses at all, and what it supports at most.
type said struct {
	verdict  rules.Verdict
	ceiling  rules.Power
	onNoData rules.OnNoData
	accuses  bool
	supports rules.Power
	blame    rules.Blame
}

// everyCase makes every case of one rule with all that may lower its power, and
// states the power by the words of the design: the least of all of them.
func everyCase(check func(c authority.Case, g granted, s said, least rules.Power, what func() string)) {
	grants := []granted{
		{authorities(), rules.Notify, false},
		{authorities(rules.Notify), rules.Notify, false},
		{authorities(rules.Ask), rules.Ask, true},
		{authorities(rules.Auto), rules.Auto, false},
		{authorities(rules.Auto, rules.Notify, rules.Ask), rules.Auto, true},
		{authorities(rules.Notify, rules.Auto), rules.Notify, false},
	}
	answers := []said{
		{rules.Breached, rules.Auto, rules.Wait, true, rules.Auto, ""},
		{rules.Breached, rules.Ask, rules.AskOnNoData, true, rules.Ask, ""},
		{rules.Breached, rules.Notify, rules.Wait, true, rules.Notify, rules.ThisDeployment},
		{rules.Breached, rules.Auto, rules.Wait, true, rules.Auto, rules.ThisDeployment},
		{rules.Breached, rules.Auto, rules.Wait, true, rules.Ask, rules.CannotTell},
		{rules.Breached, rules.Auto, rules.Wait, true, rules.Notify, rules.AnotherDeployment},
		{rules.Breached, rules.Auto, rules.Wait, true, rules.Notify, rules.ADependency},
		{rules.Breached, rules.Ask, rules.Wait, true, rules.Notify, rules.Ambient},
		{rules.NoData, rules.Auto, rules.Wait, false, 0, ""},
		{rules.NoData, rules.Auto, rules.NotifyOnNoData, true, rules.Notify, ""},
		{rules.NoData, rules.None, rules.AskOnNoData, true, rules.Ask, ""},
		{rules.Healthy, rules.Auto, rules.AskOnNoData, false, 0, ""},
		{rules.LowTraffic, rules.Auto, rules.AskOnNoData, false, 0, ""},
		{rules.Blind, rules.Auto, rules.AskOnNoData, false, 0, ""},
		{rules.Inconclusive, rules.Auto, rules.AskOnNoData, false, 0, ""},
	}
	modes := map[rules.Mode]rules.Power{rules.ModeUnset: rules.Notify, rules.Shadow: rules.None, rules.ModeNotify: rules.Notify, rules.Enforce: rules.Auto}
	severities := map[rules.Severity]rules.Power{rules.Info: rules.Notify, rules.Warning: rules.Ask, rules.Critical: rules.Auto, rules.SeverityUnset: rules.Auto}
	targets := map[authority.Target]rules.Power{{Version: "1"}: rules.Auto, {Version: "1", Doubt: "never seen"}: rules.Ask, {Missing: "none"}: rules.Notify}
	ways := map[rules.Power][][]rules.Rollback{
		rules.Auto: {{{Use: "x", Reversible: &yes}}}, rules.Ask: {{{Use: "x"}}},
		rules.Notify: {{{Use: "x", Reversible: &no}}, nil, {{Use: "x", Reversible: &yes, Strategies: []rules.Strategy{rules.Canary}}}},
	}
	events := map[*bool]rules.Power{nil: rules.Auto, &yes: rules.Auto, &no: rules.Notify}
	for _, g := range grants {
		for _, s := range answers {
			for mode, byMode := range modes {
				for severity, bySeverity := range severities {
					for target, byTarget := range targets {
						for byWay, plans := range ways {
							for _, way := range plans {
								for event, byEvent := range events {
									for guards := range 16 {
										c := authority.Case{
											Plan: rules.Plan{
												Rules:       []rules.Spec{{Name: "errors", Mode: mode, Severity: severity, OnNoData: s.onNoData}},
												Authorities: g.clauses, Rollbacks: way, Groups: group,
											},
											Deployment: rules.Deployment{Version: "2", Strategy: rules.Rolling, Reversible: event},
											Answers:    []rules.Answer{{Rule: "errors", Verdict: s.verdict, Ceiling: s.ceiling, Why: "5 % > 1 %", Attribution: rules.Attribution{Blame: s.blame}}},
											Target:     target, Rollback: guards&1 > 0, SameAgain: guards&2 > 0,
										}
										least := min(g.power, s.supports, byMode, bySeverity, byTarget, byWay, byEvent)
										if guards&3 > 0 {
											least = min(least, rules.Notify)
										}
										if guards&4 > 0 {
											c.Disarmed, least = "freeze", min(least, rules.Notify)
										}
										if guards&8 > 0 {
											c.Skewed, least = "clock", min(least, rules.Ask)
										}
										if least == rules.Ask && !g.people {
											least = rules.Notify // there is nobody who could be asked
										}
										check(c, g, s, least, func() string {
											return fmt.Sprintf("%v %v mode=%q severity=%q %v %v %v guards=%04b", g.clauses, s, mode, severity, target, way, event, guards)
										})
									}
								}
							}
						}
					}
				}
			}
		}
	}
}

func TestThePowerOfARuleIsTheLeastOfAuthorityAndEveryCeiling(t *testing.T) {
	cases, byPower := 0, map[rules.Power]int{}
	everyCase(func(c authority.Case, _ granted, s said, least rules.Power, what func() string) {
		cases++
		got := authority.Decide(c)
		switch {
		case !s.accuses:
			if got.Rule != "" || got.Power != rules.None || len(got.Blamed) > 0 {
				t.Fatalf("%s: accused without a reason: %+v", what(), got)
			}
			return
		case got.Power != least || got.Rule != "errors" || !slices.Equal(got.Blamed, []string{"errors"}):
			t.Fatalf("%s: power %s by %q, want %s", what(), got.Power, got.Rule, least)
		case got.NoData != (s.verdict == rules.NoData):
			t.Fatalf("%s: NoData is %v", what(), got.NoData)
		case got.Power == rules.Ask && len(got.Clause.Needs) == 0:
			t.Fatalf("%s: nobody is asked", what())
		case got.Power < rules.Auto && got.Power < got.Clause.Decide && len(got.Ceilings) == 0:
			t.Fatalf("%s: lowered without a reason", what())
		case len(got.Why) != 1 || got.Why[0] != "errors: 5 % > 1 %":
			t.Fatalf("%s: why: %q", what(), got.Why)
		}
		for _, ceiling := range got.Ceilings {
			if ceiling.Why == "" || ceiling.Name == "" || ceiling.Power < got.Power || ceiling.Power >= rules.Auto {
				t.Fatalf("%s: ceiling %+v of power %s", what(), ceiling, got.Power)
			}
		}
		byPower[got.Power]++
	})
	t.Logf("%d cases: %v", cases, byPower)
	for _, power := range []rules.Power{rules.None, rules.Notify, rules.Ask, rules.Auto} {
		if byPower[power] == 0 {
			t.Errorf("no case has power %s: the table proves nothing about it", power)
		}
	}
}

func TestTheRuleWithTheMostPowerSpeaksAndTheOthersTakeNothingAway(t *testing.T) {
	c := authority.Case{
		Plan: rules.Plan{
			Rules: []rules.Spec{
				{Name: "shadow", Mode: rules.Shadow},
				{Name: "info", Mode: rules.Enforce, Severity: rules.Info},
				{Name: "a", Mode: rules.Enforce},
				{Name: "b", Mode: rules.Enforce},
				{Name: "silent", Mode: rules.Enforce, OnNoData: rules.AskOnNoData},
			},
			Authorities: authorities(rules.Auto, rules.Ask), Rollbacks: []rules.Rollback{{Use: "x", Reversible: &yes}},
		},
		Target: authority.Target{Version: "1"},
	}
	for name, want := range map[string]struct {
		answers []rules.Answer
		power   rules.Power
		rule    string
		blamed  []string
		why     []string
	}{
		"none":                                   {nil, rules.None, "", nil, nil},
		"a shadow rule alone":                    {breached("shadow"), rules.None, "shadow", []string{"shadow"}, []string{"shadow: bad"}},
		"a shadow rule beside another":           {breached("shadow", "info"), rules.Notify, "info", []string{"info"}, []string{"info: bad", "shadow: bad"}},
		"the first among equals":                 {breached("a", "b"), rules.Auto, "a", []string{"a", "b"}, []string{"a: bad", "b: bad"}},
		"the strongest, wherever it stands":      {breached("info", "b"), rules.Auto, "b", []string{"info", "b"}, []string{"b: bad", "info: bad"}},
		"missing data beside a breach":           {append(breached("a"), rules.Answer{Rule: "silent", Verdict: rules.NoData, Ceiling: rules.Auto, Why: "bad"}), rules.Auto, "a", []string{"a", "silent"}, []string{"a: bad", "silent: bad"}},
		"a rule that the plan does not know":     {breached("stranger"), rules.None, "", nil, nil},
		"all at once, and each is reported once": {breached("shadow", "info", "a", "b"), rules.Auto, "a", []string{"info", "a", "b"}, []string{"a: bad", "shadow: bad", "info: bad", "b: bad"}},
	} {
		t.Run(name, func(t *testing.T) {
			c.Answers = want.answers
			got := authority.Decide(c)
			if got.Power != want.power || got.Rule != want.rule || !slices.Equal(got.Blamed, want.blamed) || !slices.Equal(got.Why, want.why) {
				t.Errorf("got %s by %q, blamed %q, why %q", got.Power, got.Rule, got.Blamed, got.Why)
			}
		})
	}
}

func breached(names ...string) (answers []rules.Answer) {
	for _, name := range names {
		answers = append(answers, rules.Answer{Rule: name, Verdict: rules.Breached, Ceiling: rules.Auto, Why: "bad"})
	}
	return answers
}

func blamed(answers []rules.Answer, blame rules.Blame, why ...string) []rules.Answer {
	for i := range answers {
		answers[i].Attribution = rules.Attribution{Blame: blame, Why: why}
	}
	return answers
}

func TestTheFirstAuthorityThatMatchesCounts(t *testing.T) {
	notify := rules.Authority{Decide: rules.Notify}
	for name, c := range map[string]struct {
		clause  rules.Authority // decides auto if it matches; notify stands behind it
		matches bool
	}{
		"one without matchers matches all":   {rules.Authority{}, true},
		"the severity":                       {rules.Authority{Severity: []rules.Severity{rules.Info, rules.Critical}}, true},
		"another severity":                   {rules.Authority{Severity: []rules.Severity{rules.Info}}, false},
		"the environment":                    {rules.Authority{Environments: []string{"staging", "production"}}, true},
		"another environment":                {rules.Authority{Environments: []string{"staging"}}, false},
		"the strategy":                       {rules.Authority{Strategies: []rules.Strategy{rules.Rolling}}, true},
		"another strategy":                   {rules.Authority{Strategies: []rules.Strategy{rules.Canary}}, false},
		"the tier":                           {rules.Authority{Tier: []int{1, 2}}, true},
		"another tier":                       {rules.Authority{Tier: []int{3}}, false},
		"the rule":                           {rules.Authority{Rules: []string{"errors"}}, true},
		"another rule":                       {rules.Authority{Rules: []string{"latency"}}, false},
		"the deployer":                       {rules.Authority{Deployers: []string{"ana"}}, true},
		"another deployer":                   {rules.Authority{Deployers: []string{"bot"}}, false},
		"a label of the plan":                {rules.Authority{Labels: map[string]string{"pci": "true"}}, true},
		"a label of the event":               {rules.Authority{Labels: map[string]string{"size": "small"}}, true},
		"labels of both":                     {rules.Authority{Labels: map[string]string{"size": "small", "pci": "true"}}, true},
		"a label that nobody carries":        {rules.Authority{Labels: map[string]string{"risk": "low"}}, false},
		"one label right and one wrong":      {rules.Authority{Labels: map[string]string{"pci": "true", "size": "big"}}, false},
		"an event that contradicts the plan": {rules.Authority{Labels: map[string]string{"pci": "false"}}, false},
		"the cause":                          {rules.Authority{Attribution: []rules.Blame{rules.CannotTell, rules.ThisDeployment}}, true},
		"another cause":                      {rules.Authority{Attribution: []rules.Blame{rules.CannotTell}}, false},
		"all but one matcher":                {rules.Authority{Tier: []int{1}, Rules: []string{"errors"}, Environments: []string{"staging"}}, false},
		"all matchers":                       {rules.Authority{Tier: []int{1}, Rules: []string{"errors"}, Environments: []string{"production"}}, true},
	} {
		t.Run(name, func(t *testing.T) {
			c.clause.Decide = rules.Auto
			got := authority.Decide(authority.Case{
				Plan: rules.Plan{
					Tier: 1, Labels: map[string]string{"pci": "true"},
					Rules:       []rules.Spec{{Name: "errors", Mode: rules.Enforce}},
					Authorities: []rules.Authority{c.clause, notify}, Rollbacks: []rules.Rollback{{Use: "x", Reversible: &yes}},
				},
				Deployment: rules.Deployment{
					Environment: "production", Strategy: rules.Rolling, By: "ana", Labels: map[string]string{"pci": "false", "size": "small"},
				},
				Answers: blamed(breached("errors"), rules.ThisDeployment), Target: authority.Target{Version: "1"},
			})
			want, index := rules.Notify, 1
			if c.matches {
				want, index = rules.Auto, 0
			}
			if got.Power != want || got.Authority != index {
				t.Errorf("power %s by authority %d, want %s by %d", got.Power, got.Authority, want, index)
			}
		})
	}
}

func TestSilenceIsAYesOnlyWhereTheClauseItselfLetsPeopleDecide(t *testing.T) {
	everyCase(func(c authority.Case, g granted, s said, least rules.Power, what func() string) {
		if least != rules.Ask {
			return
		}
		want := rules.SilenceKeeps
		if s.verdict == rules.Breached && s.ceiling == rules.Auto && s.blame != rules.CannotTell && c.Skewed == "" && c.Target.Doubt == "" && c.Plan.Rollbacks[0].Reversible != nil {
			want = rules.SilenceRollsBack
		}
		if got := authority.Decide(c).Silence(); got != want {
			t.Fatalf("%s: silence means %q, want %q", what(), got, want)
		}
		c.Plan.Authorities = slices.Clone(g.clauses)
		for i := range c.Plan.Authorities {
			c.Plan.Authorities[i].Silence = rules.SilenceKeeps
		}
		if got := authority.Decide(c).Silence(); got != rules.SilenceKeeps {
			t.Fatalf("%s: silence means %q though the clause says keep", what(), got)
		}
	})
}

func TestTwoRulingsAreTheSameWhenTheyAskTheSameOfTheSamePeople(t *testing.T) {
	ruling := func(changes ...func(*authority.Ruling)) authority.Ruling {
		r := authority.Ruling{Power: rules.Ask, Rule: "a", Blamed: []string{"a", "b"}, Authority: 1, Target: authority.Target{Version: "1"}, Why: []string{"4 %"}}
		for _, change := range changes {
			change(&r)
		}
		return r
	}
	for name, c := range map[string]struct {
		change func(*authority.Ruling)
		same   bool
	}{
		"other arithmetic":                   {func(r *authority.Ruling) { r.Why = []string{"5 %"} }, true},
		"other answers":                      {func(r *authority.Ruling) { r.Answers = breached("a") }, true},
		"another power":                      {func(r *authority.Ruling) { r.Power = rules.Notify }, false},
		"another rule speaks":                {func(r *authority.Ruling) { r.Rule = "b" }, false},
		"another authority":                  {func(r *authority.Ruling) { r.Authority = 0 }, false},
		"another target":                     {func(r *authority.Ruling) { r.Target.Version = "0" }, false},
		"other blamed rules":                 {func(r *authority.Ruling) { r.Blamed = []string{"a"} }, false},
		"missing data where it was a breach": {func(r *authority.Ruling) { r.NoData = true }, false},
	} {
		t.Run(name, func(t *testing.T) {
			if got := ruling().Same(ruling(c.change)); got != c.same {
				t.Errorf("same: %v", got)
			}
		})
	}
}

// Who is to blame is a circumstance: the plan's people hear of it as of any other, with
// the reasons, and where nobody looked no clause that asks for a cause matches.
func TestWhoIsToBlameLimitsThePowerAndSaysWhy(t *testing.T) {
	clauses := authorities(rules.Auto, rules.Ask)
	clauses[0].Attribution = []rules.Blame{rules.ThisDeployment}
	for name, test := range map[string]struct {
		blame    rules.Blame
		power    rules.Power
		clause   int
		why      string
		thwarted bool
	}{
		"this deployment":        {rules.ThisDeployment, rules.Auto, 0, "", false},
		"nobody looked":          {"", rules.Ask, 1, "", false},
		"cannot tell":            {rules.CannotTell, rules.Ask, 1, "cannot tell: so it seems", false},
		"something else's fault": {rules.Ambient, rules.Notify, 1, "ambient: so it seems", true},
	} {
		t.Run(name, func(t *testing.T) {
			got := authority.Decide(authority.Case{
				Plan: rules.Plan{
					Rules: []rules.Spec{{Name: "errors", Mode: rules.Enforce}}, Authorities: clauses, Groups: group,
					Rollbacks: []rules.Rollback{{Use: "x", Reversible: &yes}},
				},
				Answers: blamed(breached("errors"), test.blame, "so it seems"), Target: authority.Target{Version: "1"},
			})
			why := ""
			for _, c := range got.Ceilings {
				why += c.Why
			}
			if got.Power != test.power || got.Authority != test.clause || why != test.why || got.Thwarted() != test.thwarted {
				t.Errorf("power %s by %d, thwarted %v, why %q", got.Power, got.Authority, got.Thwarted(), why)
			}
			if got.HeldByAttribution() != (test.why != "") || got.Attribution().Blame != test.blame {
				t.Errorf("attribution %+v, held by it: %v", got.Attribution(), got.HeldByAttribution())
			}
		})
	}
}
