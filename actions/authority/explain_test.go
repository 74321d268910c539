package authority_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/bakewatch/bakewatch/actions/authority"
	"github.com/bakewatch/bakewatch/rules"
)

func minutes(n int) rules.Duration { return rules.Duration(time.Duration(n) * time.Minute) }

// asks is a clause that asks one of a group.
func asks(group string, silence rules.Silence) rules.Authority {
	return rules.Authority{Decide: rules.Ask, Needs: map[string]int{group: 1}, Within: minutes(10), Silence: silence}
}

// explained is a plan whose rules are enforced and whose rollback is safe.
func explained(clauses ...rules.Authority) rules.Plan {
	return rules.Plan{
		Service: "checkout",
		Rules: []rules.Spec{
			{Name: "5xx", Mode: rules.Enforce, Severity: rules.Critical},
			{Name: "up", Mode: rules.Enforce, Severity: rules.Critical},
			{Name: "slow", Mode: rules.Enforce, Severity: rules.Warning},
		},
		Rollbacks: []rules.Rollback{{Use: "x", Reversible: &yes}}, Authorities: clauses,
		Groups: map[string][]string{"oncall": {"ana", "ben"}, "lead": {"ana"}, "owners": {"ben", "ana"}},
	}
}

// calls are the sentences about a plan, but those about the groups.
func calls(p rules.Plan) string {
	said := slices.DeleteFunc(authority.Explain(p), func(line string) bool { return strings.Contains(line, " are an") || strings.Contains(line, " are ben") })
	return strings.Join(said, "\n")
}

func TestCasesThatComeToTheSameAreOneSentence(t *testing.T) {
	auto := rules.Authority{Decide: rules.Auto}
	in := func(environments ...string) rules.Authority {
		return rules.Authority{Decide: rules.Auto, Environments: environments}
	}
	keeps := asks("oncall", rules.SilenceKeeps)
	const asked = "1 of oncall must agree within 10m; if nobody answers, nothing is rolled back"
	for name, test := range map[string]struct {
		plan rules.Plan
		want string
	}{
		"nobody is named":        {explained(), "On any breach: people are told."},
		"one clause for all":     {explained(keeps), "On any breach: " + asked + "."},
		"at once, but a warning": {explained(auto), "On a breach of \"5xx\" or \"up\": it is rolled back at once.\nOn a breach of \"slow\": people are told (no more, since the rule's severity is warning, or no matching authority names people who could be asked)."},
		"a severity": {
			explained(rules.Authority{Decide: rules.Auto, Severity: []rules.Severity{rules.Critical}}, keeps),
			"On a breach of \"5xx\" or \"up\": it is rolled back at once.\nOn a breach of \"slow\": " + asked + ".",
		},
		"a rule by name": {
			explained(rules.Authority{Decide: rules.Auto, Rules: []string{"up"}}, keeps),
			"On a breach of \"5xx\" or \"slow\": " + asked + ".\nOn a breach of \"up\": it is rolled back at once.",
		},
		"environments": {
			explained(in("lab", "staging"), keeps),
			"On a breach of \"5xx\" or \"up\" in lab or staging: it is rolled back at once.\n" +
				"On a breach of \"5xx\" or \"up\" outside lab or staging, or on a breach of \"slow\": " + asked + " (where more is granted, no more since the rule's severity is warning).",
		},
		"a strategy": {
			explained(rules.Authority{Decide: rules.Notify, Strategies: []rules.Strategy{rules.Canary}}, keeps),
			"On any breach of a rolling, blue-green or feature-toggle deployment: " + asked + ".\nOn any breach of a canary deployment: people are told.",
		},
		"a deployer who has no vote": {
			explained(rules.Authority{Decide: rules.Notify, Deployers: []string{"bot"}}, keeps),
			"On any breach deployed by bot: people are told.\nOn any breach not deployed by bot: " + asked + ".",
		},
		"a deployer who is the only one": {
			explained(rules.Authority{Decide: rules.Ask, Deployers: []string{"ana"}, Needs: map[string]int{"lead": 1}, Within: minutes(10)}, keeps),
			"On any breach deployed by ana: people are told (no more, since too few of those who could be asked may vote: the others deployed or wrote it).\nOn any breach not deployed by ana: " + asked + ".",
		},
		"two groups of the same people": {
			explained(rules.Authority{Decide: rules.Ask, Needs: map[string]int{"oncall": 1, "owners": 1}, Within: minutes(10), Silence: rules.SilenceKeeps}),
			"On any breach: 1 of oncall and 1 of owners must agree within 10m; if nobody answers, nothing is rolled back.",
		},
		"a label of the event": {
			explained(rules.Authority{Decide: rules.Notify, Labels: map[string]string{"risky": "true"}}, keeps),
			"On any breach labelled risky=true: people are told.\nOn any breach not labelled risky=true: " + asked + ".",
		},
		"who is to blame": {
			explained(rules.Authority{Decide: rules.Auto, Attribution: []rules.Blame{rules.ThisDeployment}}, keeps),
			"On a breach of \"5xx\" or \"up\" (to blame: this deployment): it is rolled back at once.\n" +
				"On any breach (to blame: another deployment, a dependency or ambient): people are told (no more, since it may not be this deployment).\n" +
				"On a breach of \"5xx\" or \"up\" (to blame: cannot tell), or on a breach of \"slow\" (to blame: this deployment or cannot tell): " + asked + " (where more is granted, no more since the rule's severity is warning).",
		},
		"steps": {
			explained(rules.Authority{Decide: rules.Ask, Needs: map[string]int{"oncall": 2, "owners": 1}, Within: minutes(10), Silence: rules.SilenceRollsBack, Escalate: []rules.Escalation{{To: "managers", Needs: 1, Within: minutes(15)}}}),
			"On any breach: 2 of oncall and 1 of owners must agree within 10m, or 1 of managers within the next 15m; if nobody answers, it is rolled back.",
		},
	} {
		t.Run(name, func(t *testing.T) {
			if got := calls(test.plan); got != test.want {
				t.Errorf("said\n%s\nwant\n%s", got, test.want)
			}
		})
	}
}

func TestAnExplanationSaysWhatHoldsThePower(t *testing.T) {
	rollsBack := asks("oncall", rules.SilenceRollsBack)
	with := func(change func(*rules.Plan), clauses ...rules.Authority) rules.Plan {
		p := explained(clauses...)
		change(&p)
		return p
	}
	for name, test := range map[string]struct {
		plan rules.Plan
		want string
	}{
		"a shadow rule": {
			with(func(p *rules.Plan) { p.Rules = p.Rules[:1]; p.Rules[0].Mode = rules.Shadow }, rollsBack),
			"On any breach: it is only recorded (no more, since the rule's mode is shadow).",
		},
		"silence that does not count": {
			with(func(p *rules.Plan) { p.Rollbacks[0].Reversible = nil }, rollsBack),
			"On any breach: 1 of oncall must agree within 10m; if nobody answers, nothing is rolled back (no more, since the plan does not say whether the rollback is reversible).",
		},
		"no rollback at all": {
			with(func(p *rules.Plan) { p.Rollbacks = nil }, rollsBack),
			"On any breach: people are told (no more, since the plan has no [[rollback]] for it).",
		},
		"no rollback for a strategy": {
			with(func(p *rules.Plan) { p.Rollbacks[0].Strategies = []rules.Strategy{rules.Rolling} }, rollsBack),
			"On any breach of a rolling deployment: 1 of oncall must agree within 10m; if nobody answers, it is rolled back.\n" +
				"On any breach of a blue-green, canary or feature-toggle deployment: people are told (no more, since the plan has no [[rollback]] for it).",
		},
		"a rule without data": {
			with(func(p *rules.Plan) {
				p.Rules[0].OnNoData, p.Rules[1].OnNoData = rules.AskOnNoData, rules.NotifyOnNoData
			}, rollsBack),
			"On any breach: 1 of oncall must agree within 10m; if nobody answers, it is rolled back.\n" +
				"On \"5xx\" without data: 1 of oncall must agree within 10m; if nobody answers, nothing is rolled back (no more, since the rule has no data, and on_no_data is ask).\n" +
				"On \"up\" without data: people are told (no more, since the rule has no data, and on_no_data is notify).",
		},
		"a budget": {
			with(func(p *rules.Plan) { p.Budget = &rules.Allowance{Most: 2, Per: minutes(60)} }, rules.Authority{Decide: rules.Notify}),
			"On any breach: people are told.\nAfter 2 rollbacks in 1h of one environment people are asked at most.",
		},
		"no rules": {with(func(p *rules.Plan) { p.Rules = nil }, rollsBack), ""},
	} {
		t.Run(name, func(t *testing.T) {
			if got := calls(test.plan); got != test.want {
				t.Errorf("said\n%s\nwant\n%s", got, test.want)
			}
		})
	}
}

func TestCalendarsPoliciesAndOtherWaysOutAreToldApart(t *testing.T) {
	keeps := asks("oncall", rules.SilenceKeeps)
	veto := rules.Authority{Decide: rules.Veto, Calendar: []string{"night"}, Needs: map[string]int{"oncall": 1, "lead": 1}, Within: minutes(10)}
	with := func(change func(*rules.Plan), clauses ...rules.Authority) rules.Plan {
		p := explained(clauses...)
		p.Rules = p.Rules[:1]
		change(&p)
		return p
	}
	night := map[string]rules.Calendar{"night": {During: rules.Auto}}
	const asked = "1 of oncall must agree within 10m; if nobody answers, nothing is rolled back"
	for name, test := range map[string]struct {
		plan rules.Plan
		want string
	}{
		"a countdown at night": {
			with(func(p *rules.Plan) { p.Calendars = night }, veto, keeps),
			"On any breach while night is on: it is rolled back after 10m unless anyone of lead or oncall objects.\nOn any breach while night is off: " + asked + ".",
		},
		"a calendar that is not known": {
			with(func(*rules.Plan) {}, veto, keeps),
			"On any breach while night is on: it is rolled back after 10m unless anyone of lead or oncall objects.\nOn any breach while night is off: " + asked + ".",
		},
		"a freeze": {
			with(func(p *rules.Plan) { p.Calendars = map[string]rules.Calendar{"freeze": {During: rules.Ask}} }, rules.Authority{Decide: rules.Auto}, keeps),
			"On any breach while freeze is on: " + asked + " (no more, since the calendar \"freeze\" is on).\nOn any breach while freeze is off: it is rolled back at once.",
		},
		"two calendars": {
			with(func(p *rules.Plan) {
				p.Calendars = map[string]rules.Calendar{"freeze": {During: rules.Notify}, "night": {During: rules.Auto}}
			}, veto, keeps),
			"On any breach while freeze is on: people are told (no more, since the calendar \"freeze\" is on).\n" +
				"On any breach while freeze is off and night is on: it is rolled back after 10m unless anyone of lead or oncall objects.\n" +
				"On any breach while freeze is off and night is off: " + asked + ".",
		},
		"a policy": {
			with(func(p *rules.Plan) {
				p.Policies = []rules.Policy{{Name: "pci", Environments: []string{"production"}, Most: rules.Ask, Needs: map[string]int{"owners": 1}}}
			}, rules.Authority{Decide: rules.Auto}, keeps),
			"On any breach in production: 1 of oncall and 1 of owners must agree within 10m; if nobody answers, nothing is rolled back (no more, since policy \"pci\" allows no more).\nOn any breach outside production: it is rolled back at once.",
		},
		"a policy alone names people": {
			with(func(p *rules.Plan) {
				p.Policies = []rules.Policy{{Name: "pci", Most: rules.Ask, Needs: map[string]int{"owners": 1}}}
			}, rules.Authority{Decide: rules.Auto}),
			"On any breach: 1 of owners must agree within 15m; if nobody answers, nothing is rolled back (no more, since policy \"pci\" allows no more).",
		},
		"no way back": {
			with(func(p *rules.Plan) { p.Rollbacks = []rules.Rollback{{Use: "x", Reversible: &no, Otherwise: "stop"}} }, keeps),
			"On any breach: 1 of oncall must agree to \"stop\" instead of a rollback within 10m; if nobody answers, nothing is done.",
		},
	} {
		t.Run(name, func(t *testing.T) {
			if got := calls(test.plan); got != test.want {
				t.Errorf("said\n%s\nwant\n%s", got, test.want)
			}
		})
	}
}

func TestWithoutTheDaemonsFileThereAreEnoughPeople(t *testing.T) {
	p := explained(rules.Authority{Decide: rules.Ask, Needs: map[string]int{"oncall": 2, "owners": 1 << 50}, Within: minutes(10), Silence: rules.SilenceKeeps})
	p.Groups = nil
	if got := authority.Explain(p); len(got) != 1 || !strings.HasPrefix(got[0], "On any breach: ") {
		t.Errorf("said %q", got)
	}
	p.Authorities[0].Needs["owners"] = 3
	if got := calls(p); got != "On any breach: 2 of oncall and 3 of owners must agree within 10m; if nobody answers, nothing is rolled back." {
		t.Error(got)
	}
}

func TestAnExplanationNamesThePeople(t *testing.T) {
	p := explained(asks("oncall", rules.SilenceKeeps))
	p.Groups["duty"], p.Schedules, p.Pages = []string{"cem"}, map[string]string{"duty": "pagerduty:P1"}, map[string][]string{"oncall": {"pager", "team"}}
	said := authority.Explain(p)
	want := []string{"duty are whoever is on call by pagerduty:P1 and, where nobody knows that, cem.", "oncall are ana and ben, woken by pager and team."}
	if got := slices.DeleteFunc(said, func(line string) bool { return !slices.Contains(want, line) }); !slices.Equal(got, want) {
		t.Errorf("said %q", got)
	}
}

func TestAPlanOfVeryManyCasesIsToldClauseByClause(t *testing.T) {
	var clauses []rules.Authority
	for i := range 30 {
		clauses = append(clauses, rules.Authority{Decide: rules.Auto, Environments: []string{fmt.Sprint("e", i)}, Deployers: []string{fmt.Sprint("d", i)}, Labels: map[string]string{"l": fmt.Sprint(i)}})
	}
	p := explained(append(clauses, asks("oncall", rules.SilenceKeeps))...)
	p.Policies = []rules.Policy{{Name: "pci", Labels: map[string]string{"pci": "true"}, Most: rules.Ask, Needs: map[string]int{"oncall": 1}}}
	said := authority.Explain(p)
	for i, want := range map[int]string{
		0:  "There are too many cases to tell each.",
		1:  "Authority 1, on a breach whose environment is e0 and whose deployer is d0 and whose label l is 0: it is rolled back at once.",
		31: "Authority 31, on any breach: 1 of oncall must agree within 10m; if nobody answers, nothing is rolled back.",
		32: "On any other breach: people are told.",
		33: `Policy "pci", on a breach whose label pci is true: at most ask, and 1 of oncall must agree.`,
	} {
		if !strings.HasPrefix(said[i], want) {
			t.Errorf("%d: %s\nwant %s", i, said[i], want)
		}
	}
}
