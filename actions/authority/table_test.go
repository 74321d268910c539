package authority_test

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/alertmanager/timeinterval"

	"github.com/bakewatch/bakewatch/actions/authority"
	"github.com/bakewatch/bakewatch/rules"
)

// circumstance is one of the guards of the design's table: what brings it about, and
// the most power that it leaves.
type circumstance struct {
	name string
	most rules.Power
	set  func(c *authority.Case)
}

// always is a calendar that is on whenever one looks.
func always(during rules.Power) rules.Calendar {
	return rules.Calendar{During: during, Intervals: []timeinterval.TimeInterval{{}}}
}

func circumstances() []circumstance {
	return []circumstance{
		{"no target", rules.Notify, func(c *authority.Case) { c.Target = authority.Target{Missing: "none"} }},
		{"unseen target", rules.Ask, func(c *authority.Case) {
			if c.Target.Version != "" {
				c.Target.Doubt = "never seen"
			}
		}},
		{"the plan does not say that it is reversible", rules.Ask, func(c *authority.Case) { c.Plan.Rollbacks[0].Reversible = nil }},
		{"a rollback of a rollback", rules.Notify, func(c *authority.Case) { c.Rollback = true }},
		{"same again", rules.Notify, func(c *authority.Case) { c.SameAgain = true }},
		{"budget", rules.Ask, func(c *authority.Case) { c.Budget = "spent" }},
		{"disarmed", rules.Notify, func(c *authority.Case) { c.Disarmed = "freeze" }},
		{"a calendar that asks", rules.Ask, func(c *authority.Case) {
			c.Plan.Calendars = map[string]rules.Calendar{"xmas": always(rules.Ask), "never": {During: rules.None}}
		}},
		{"skewed", rules.Ask, func(c *authority.Case) { c.Skewed = "clock" }},
		{"unheard", rules.Ask, func(c *authority.Case) { c.Unheard = "nobody" }},
		{"a policy", rules.Veto, func(c *authority.Case) {
			c.Plan.Policies = append(c.Plan.Policies, rules.Policy{Most: rules.Veto, Services: []string{"checkout"}}, rules.Policy{Most: rules.None, Services: []string{"search"}})
		}},
	}
}

// TestPowerIsTheLeastOfAllThatTheDesignNames runs every combination of authority, mode,
// severity, answer and circumstance against the sentence of the design, stated without
// any of the code: power is the least of them all, and who could not be asked is told.
func TestPowerIsTheLeastOfAllThatTheDesignNames(t *testing.T) {
	grants := map[string][]rules.Power{
		"none": nil, "notify": {rules.Notify}, "ask": {rules.Ask}, "veto": {rules.Veto}, "auto": {rules.Auto},
		"auto, then ask": {rules.Auto, rules.Ask}, "auto, then veto": {rules.Auto, rules.Veto}, "notify, then auto": {rules.Notify, rules.Auto},
	}
	modes := map[rules.Mode]rules.Power{rules.Shadow: rules.None, rules.ModeNotify: rules.Notify, rules.Enforce: rules.Auto}
	severities := map[rules.Severity]rules.Power{rules.Info: rules.Notify, rules.Warning: rules.Ask, rules.Critical: rules.Auto}
	answers := map[string]struct {
		answer rules.Answer
		most   rules.Power
	}{
		"proved":      {rules.Answer{Rule: "errors", Verdict: rules.Breached, Ceiling: rules.Auto}, rules.Auto},
		"weak":        {rules.Answer{Rule: "errors", Verdict: rules.Breached, Ceiling: rules.Ask}, rules.Ask},
		"cannot tell": {rules.Answer{Rule: "errors", Verdict: rules.Breached, Ceiling: rules.Auto, Attribution: rules.Attribution{Blame: rules.CannotTell}}, rules.Ask},
		"ambient":     {rules.Answer{Rule: "errors", Verdict: rules.Breached, Ceiling: rules.Auto, Attribution: rules.Attribution{Blame: rules.Ambient}}, rules.Notify},
		"no data":     {rules.Answer{Rule: "errors", Verdict: rules.NoData, Ceiling: rules.Auto}, rules.Ask},
	}
	all, cases := circumstances(), 0
	for named, powers := range grants {
		for mode, byMode := range modes {
			for severity, bySeverity := range severities {
				for said, a := range answers {
					for which := range 1 << len(all) {
						c := authority.Case{
							Deployment: rules.Deployment{Service: "checkout", Version: "2", Strategy: rules.Rolling}, Target: authority.Target{Version: "1"},
							Answers: []rules.Answer{a.answer}, Barred: []string{"ana"},
							Plan: rules.Plan{
								Rules:     []rules.Spec{{Name: "errors", Mode: mode, Severity: severity, OnNoData: rules.AskOnNoData}},
								Rollbacks: []rules.Rollback{{Use: "x", Reversible: &yes}}, Groups: map[string][]string{"oncall": {"ana", "ben"}},
							},
						}
						people := false
						for _, power := range powers {
							clause := rules.Authority{Decide: power}
							if power == rules.Ask || power == rules.Veto {
								clause.Needs, people = map[string]int{"oncall": 1}, true
							}
							c.Plan.Authorities = append(c.Plan.Authorities, clause)
						}
						least := min(byMode, bySeverity, a.most)
						if len(powers) > 0 {
							least = min(least, powers[0])
						} else {
							least = min(least, rules.Notify)
						}
						var names []string
						for i, circumstance := range all {
							if which&(1<<i) != 0 {
								circumstance.set(&c)
								least = min(least, circumstance.most)
								names = append(names, circumstance.name)
							}
						}
						if (least == rules.Ask || least == rules.Veto) && !people {
							least = rules.Notify
						}
						cases++
						if got := authority.Decide(c); got.Power != least {
							t.Fatalf("%s, %s, %s, %s, %q: power %s, want %s; ceilings %+v", named, mode, severity, said, names, got.Power, least, got.Ceilings)
						}
					}
				}
			}
		}
	}
	t.Logf("%d cases", cases)
}

// TestAQuorumIsCountedAsByHand compares the counting of votes with a statement of it that
// tries every way to give each seat a person of its own.
func TestAQuorumIsCountedAsByHand(t *testing.T) {
	groups := map[string][]string{"oncall": {"ben", "eve", "ana"}, "owners": {"ben", "zoe"}, "managers": {"zoe", "max"}}
	everybody := []string{"ben", "eve", "ana", "zoe", "max"}
	choices := []authority.Choice{"", authority.RollBack, authority.Keep}
	for _, needs := range []map[string]int{{"oncall": 1}, {"oncall": 2}, {"oncall": 1, "owners": 1}, {"oncall": 2, "owners": 1}, {"oncall": 1, "owners": 2}, {"owners": 2}} {
		for _, barred := range [][]string{{"ana"}, {"ben"}, {"nobody"}, nil} {
			for _, level := range []int{0, 1} {
				for _, veto := range []bool{false, true} {
					for which := range 243 { // three choices of five people
						q := authority.Question{
							Seq: 7, Veto: veto, Groups: groups, Barred: barred, Level: level,
							Clause: rules.Authority{Needs: needs, Escalate: []rules.Escalation{{To: "managers"}}},
						}
						said := map[authority.Choice][]string{}
						for i, n := 0, which; i < len(everybody); i, n = i+1, n/3 {
							v := authority.Vote{Question: 7, Person: everybody[i], Choice: choices[n%3]}
							if v.Choice != "" && q.Admit(v) == nil {
								q = q.With(v)
								said[v.Choice] = append(said[v.Choice], v.Person)
							}
						}
						want := byHand(q, said)
						if got, _ := q.Answer(); got != want {
							t.Fatalf("needs %v, barred %v, level %d, veto %v, said %v: %q, want %q", needs, barred, level, veto, said, got, want)
						}
					}
				}
			}
		}
	}
}

// byHand states what the people have said: to keep first; one keep stops a countdown; one
// more of each group where nobody is known to have deployed; a manager alone once it
// was escalated.
func byHand(q authority.Question, said map[authority.Choice][]string) authority.Choice {
	for _, person := range append(slices.Clone(said[authority.Keep]), said[authority.RollBack]...) {
		if slices.Contains(q.Barred, person) {
			return "a barred person voted: " + authority.Choice(person)
		}
	}
	if q.Veto && len(said[authority.Keep]) > 0 {
		return authority.Keep
	}
	ways := []map[string]int{q.Clause.Needs}
	if q.Level > 0 {
		ways = append(ways, map[string]int{"managers": 1})
	}
	for _, choice := range []authority.Choice{authority.Keep, authority.RollBack} {
		for _, way := range ways {
			var seats []string
			for group, n := range way {
				if len(q.Barred) == 0 && n < len(q.Groups[group]) {
					n++
				}
				for range n {
					seats = append(seats, group)
				}
			}
			if seated(seats, said[choice], q.Groups) {
				return choice
			}
		}
	}
	return ""
}

func seated(seats, people []string, groups map[string][]string) bool {
	if len(seats) == 0 {
		return true
	}
	for i, person := range people {
		if slices.Contains(groups[seats[0]], person) && seated(seats[1:], slices.Delete(slices.Clone(people), i, i+1), groups) {
			return true
		}
	}
	return false
}

func TestOneProofSpeaksForOnePerson(t *testing.T) {
	directory := authority.Directory{People: map[string]authority.Person{
		"ana": {NKeys: []string{"UANA", "UOLD"}, Basic: "ana", OIDC: "ana@example.com", Slack: "U1", PagerDuty: "P1", Link: true},
		"ben": {NKeys: []string{"UBEN"}, Basic: "shared", Local: true},
		"eve": {Basic: "shared"},
	}}
	for name, c := range map[string]struct {
		proof  authority.Proof
		person string
	}{
		"a key":                           {authority.Proof{Way: authority.Signature, Subject: "UANA"}, "ana"},
		"her older key":                   {authority.Proof{Way: authority.Signature, Subject: "UOLD"}, "ana"},
		"nobody's key":                    {authority.Proof{Way: authority.Signature, Subject: "UEVE"}, ""},
		"a login":                         {authority.Proof{Way: authority.OIDC, Subject: "ana@example.com"}, "ana"},
		"a login in another case":         {authority.Proof{Way: authority.OIDC, Subject: "Ana@example.com"}, ""},
		"a user name":                     {authority.Proof{Way: authority.Basic, Subject: "ana"}, "ana"},
		"a user name in another case":     {authority.Proof{Way: authority.Basic, Subject: "Ana"}, ""},
		"a user name that two people use": {authority.Proof{Way: authority.Basic, Subject: "shared"}, ""},
		"a Slack id":                      {authority.Proof{Way: authority.Slack, Subject: "U1"}, "ana"},
		"a Slack id as a PagerDuty id":    {authority.Proof{Way: authority.PagerDuty, Subject: "U1"}, ""},
		"a PagerDuty id":                  {authority.Proof{Way: authority.PagerDuty, Subject: "P1"}, "ana"},
		"a link":                          {authority.Proof{Way: authority.Link, Subject: "ana"}, "ana"},
		"a link of whoever gets none":     {authority.Proof{Way: authority.Link, Subject: "ben"}, ""},
		"word on this machine":            {authority.Proof{Way: authority.Local, Subject: "ben"}, "ben"},
		"word of whoever must prove it":   {authority.Proof{Way: authority.Local, Subject: "ana"}, ""},
		"no way at all":                   {authority.Proof{Subject: "ana"}, ""},
		"an unknown way":                  {authority.Proof{Way: "telepathy", Subject: "ana"}, ""},
		"nothing":                         {authority.Proof{}, ""},
		"an empty user name":              {authority.Proof{Way: authority.Basic}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			person, err := directory.Identify(c.proof)
			if person != c.person || (err == nil) != (c.person != "") {
				t.Errorf("%q, %v", person, err)
			}
		})
	}
	t.Run("who is believed on this machine is believed, but not without a name", func(t *testing.T) {
		believing := authority.Directory{Believe: true}
		if person, err := believing.Identify(authority.LocalProof("zoe")); err != nil || person != "zoe" {
			t.Errorf("%q, %v", person, err)
		}
		if person, err := believing.Identify(authority.LocalProof("")); err == nil {
			t.Errorf("%q", person)
		}
		if person, err := believing.Identify(authority.Proof{Way: authority.Slack, Subject: "zoe"}); err == nil {
			t.Errorf("%q", person)
		}
	})
}

func TestAPolicyWantsItsPeopleWhateverThePlanSays(t *testing.T) {
	policy := rules.Policy{Name: "pci", Most: rules.Auto, Labels: map[string]string{"pci": "true"}, Needs: map[string]int{"security": 1}}
	for name, test := range map[string]struct {
		clauses []rules.Authority
		labels  map[string]string // of the event; the plan's say pci
		power   rules.Power
		needs   map[string]int
	}{
		"auto becomes a question to them":         {authorities(rules.Auto), nil, rules.Ask, map[string]int{"security": 1}},
		"a question needs them as well":           {authorities(rules.Ask), nil, rules.Ask, map[string]int{"oncall": 1, "security": 1}},
		"notify stays notify":                     {authorities(rules.Notify), nil, rules.Notify, nil},
		"an event does not talk its way out":      {authorities(rules.Auto), map[string]string{"pci": "false"}, rules.Ask, map[string]int{"security": 1}},
		"auto, and a question that comes after":   {authorities(rules.Auto, rules.Ask), nil, rules.Ask, map[string]int{"oncall": 1, "security": 1}},
		"a plan that wants more of them keeps it": {[]rules.Authority{{Decide: rules.Ask, Needs: map[string]int{"security": 2}}}, nil, rules.Ask, map[string]int{"security": 2}},
	} {
		t.Run(name, func(t *testing.T) {
			before := maps.Clone(people)
			got := authority.Decide(authority.Case{
				Plan: rules.Plan{
					Labels: map[string]string{"pci": "true"}, Policies: []rules.Policy{policy}, Authorities: test.clauses,
					Rules:     []rules.Spec{{Name: "errors", Mode: rules.Enforce}},
					Rollbacks: []rules.Rollback{{Use: "x", Reversible: &yes}},
					Groups:    map[string][]string{"oncall": {"ben", "eve"}, "security": {"sam", "sue"}},
				},
				Deployment: rules.Deployment{Labels: test.labels}, Barred: []string{"ana"},
				Answers: breached("errors"), Target: authority.Target{Version: "1"},
			})
			if got.Power != test.power || test.needs != nil && !maps.Equal(got.Clause.Needs, test.needs) {
				t.Errorf("power %s, needs %v", got.Power, got.Clause.Needs)
			}
			if test.power == rules.Ask && got.Clause.Within <= 0 && len(test.clauses[0].Needs) == 0 {
				t.Errorf("they have no time: %+v", got.Clause)
			}
			if !maps.Equal(before, people) {
				t.Error("the plan's own needs were changed")
			}
		})
	}
}

func TestAPolicysPeopleAreNeededAlsoOfThoseWhoAreAskedLater(t *testing.T) {
	clause := rules.Authority{Decide: rules.Ask, Needs: map[string]int{"oncall": 1}, Escalate: []rules.Escalation{{To: "managers"}}}
	ruling := authority.Decide(authority.Case{
		Plan: rules.Plan{
			Policies:    []rules.Policy{{Most: rules.Ask, Needs: map[string]int{"security": 1}}},
			Authorities: []rules.Authority{clause}, Rules: []rules.Spec{{Name: "errors", Mode: rules.Enforce}},
			Rollbacks: []rules.Rollback{{Use: "x", Reversible: &yes}},
			Groups:    map[string][]string{"oncall": {"ben", "eve"}, "security": {"sam", "sue"}, "managers": {"max"}},
		},
		Barred: []string{"ana"}, Answers: breached("errors"), Target: authority.Target{Version: "1"},
	})
	q := authority.Question{Seq: 7, Clause: ruling.Clause, Required: ruling.Required, Groups: ruling.Groups, Barred: []string{"ana"}, Level: 1}
	for who, want := range map[string]authority.Choice{"max": "", "ben": "", "max sam": authority.RollBack, "ben sue": authority.RollBack, "sam sue": ""} {
		asked := q
		for _, person := range strings.Fields(who) {
			v := authority.Vote{Question: 7, Person: person, Choice: authority.RollBack}
			if err := asked.Admit(v); err != nil {
				t.Errorf("%s: %v", person, err)
			}
			asked = asked.With(v)
		}
		if got, _ := asked.Answer(); got != want {
			t.Errorf("%s: %q, want %q", who, got, want)
		}
	}
}

func TestWhereThereIsNoWayBackSomethingElseIsOffered(t *testing.T) {
	for name, test := range map[string]struct {
		plan, event *bool
		target      authority.Target
		otherwise   string
		power       rules.Power
		offered     string
	}{
		"reversible":                           {&yes, nil, authority.Target{Version: "1"}, "stop-writes", rules.Auto, ""},
		"unsaid":                               {nil, nil, authority.Target{Version: "1"}, "stop-writes", rules.Ask, ""},
		"the plan says no":                     {&no, nil, authority.Target{Version: "1"}, "stop-writes", rules.Ask, "stop-writes"},
		"the event says no":                    {&yes, &no, authority.Target{Version: "1"}, "stop-writes", rules.Ask, "stop-writes"},
		"below the last that cannot be undone": {&yes, nil, authority.Target{Version: "1", BelowFloor: "too old"}, "stop-writes", rules.Ask, "stop-writes"},
		"no target either":                     {&no, nil, authority.Target{Missing: "none"}, "stop-writes", rules.Ask, "stop-writes"},
		"no, and nothing to offer":             {&no, nil, authority.Target{Version: "1"}, "", rules.Notify, ""},
		"too old, and nothing to offer":        {&yes, nil, authority.Target{Version: "1", BelowFloor: "too old"}, "", rules.Notify, ""},
		"no target, and a way back":            {&yes, nil, authority.Target{Missing: "none"}, "stop-writes", rules.Notify, ""},
	} {
		t.Run(name, func(t *testing.T) {
			got := authority.Decide(authority.Case{
				Plan: rules.Plan{
					Rules: []rules.Spec{{Name: "errors", Mode: rules.Enforce}}, Authorities: authorities(rules.Auto, rules.Ask), Groups: group,
					Rollbacks: []rules.Rollback{{Use: "x", Reversible: test.plan, Otherwise: test.otherwise}},
				},
				Deployment: rules.Deployment{Reversible: test.event}, Barred: []string{"ana"},
				Answers: breached("errors"), Target: test.target,
			})
			if got.Power != test.power || got.Otherwise != test.offered {
				t.Errorf("power %s, otherwise %q, ceilings %+v", got.Power, got.Otherwise, got.Ceilings)
			}
			if test.offered != "" && got.Silence() != rules.SilenceKeeps {
				t.Error("silence does it")
			}
		})
	}
}

func TestACalendarIsOnByItsIntervalsAndHolidays(t *testing.T) {
	berlin, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		t.Fatal(err)
	}
	night := rules.Calendar{
		Zone: "Europe/Berlin", Holidays: []string{"2026-12-25"},
		Intervals: []timeinterval.TimeInterval{{
			Times:    []timeinterval.TimeRange{{StartMinute: 22 * 60, EndMinute: 24 * 60}},
			Location: &timeinterval.Location{Location: berlin},
		}},
	}
	for at, on := range map[string]bool{
		"2026-12-01T21:30:00Z": true, "2026-12-01T20:59:00Z": false, // 22:30 and 21:59 in Berlin, in winter
		"2026-07-01T20:30:00Z": true, "2026-07-01T19:59:00Z": false, // an hour earlier in summer
		"2026-12-24T23:00:00Z": true, "2026-12-25T12:00:00Z": true, "2026-12-26T12:00:00Z": false,
	} {
		t.Run(fmt.Sprint(at, " ", on), func(t *testing.T) {
			when, err := time.Parse(time.RFC3339, at)
			if err != nil {
				t.Fatal(err)
			}
			if night.On(when) != on {
				t.Errorf("on: %v", !on)
			}
		})
	}
}
