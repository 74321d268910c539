package configs_test

import (
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/nats-io/nkeys"

	"github.com/bakewatch/bakewatch/configs"
	"github.com/bakewatch/bakewatch/rules"
)

const (
	external = minimal + "[nats]\nurl = 'nats://n:4222'\n"
	believed = "[trust]\nrequired = false\n"
	proved   = "[trust]\nrequired = true\n[trust.announcer.ci]\nnkeys = ['" + nkey + "']\nservices = ['*']\n"
)

// publicKey makes a user's key.
func publicKey(t *testing.T) string {
	t.Helper()
	pair, err := nkeys.CreateUser()
	if err != nil {
		t.Fatal(err)
	}
	key, err := pair.PublicKey()
	if err != nil {
		t.Fatal(err)
	}
	return key
}

// daemon loads a daemon's file alone.
func daemon(t *testing.T, text string) (*configs.Daemon, configs.Problems) {
	t.Helper()
	folder := t.TempDir()
	write(t, folder, map[string]string{"bakewatch.toml": text})
	return configs.Load(filepath.Join(folder, "bakewatch.toml"), catalog())
}

// expect loads a daemon's file: problem is what must be wrong with it, or "".
func expect(t *testing.T, text, problem string, warning bool) {
	t.Helper()
	d, problems := daemon(t, text)
	if (problem == "") != (len(problems) == 0) || !strings.Contains(problems.String(), problem) || (d == nil) != (problem != "" && !warning) {
		t.Errorf("%v\nwant %q", problems, problem)
	}
	if strings.Contains(problems.String(), "SUAC") {
		t.Error("a seed is shown")
	}
}

func TestWhoIsAskedIsCheckedWhenTheFileIsLoaded(t *testing.T) {
	const oncall = "[group.oncall]\npeople = ['ana', 'ben']\n"
	const asked = "[schedule.pagerduty]\ntoken_env = 'HOME'\n"
	anasKey, bensKey := publicKey(t), publicKey(t)
	const persons = "[person.ana]\nslack = 'U024BE7LH'\n[person.ben]\nlocal = true\n"
	for name, test := range map[string]struct {
		text, problem string
		warning       bool
	}{
		"people and how they prove it":       {oncall + persons, "", false},
		"a schedule and its fallback":        {oncall + "[group.duty]\nschedule = 'pagerduty:PABC123'\nfallback = 'oncall'\npage = ['log']\n" + asked, "", false},
		"a schedule that cannot be asked":    {oncall + "[group.duty]\nschedule = 'pagerduty:PABC123'\nfallback = 'oncall'\n", `:8:12: group "duty": schedule: it is not said how pagerduty is asked; write [schedule.pagerduty] with token_file = …`, false},
		"another service to ask":             {"[schedule.opsgenie]\ntoken_env = 'HOME'\n", `schedule "opsgenie": no service of this name is known`, false},
		"a service without its options":      {"[schedule.pagerduty]\nurl = ''\n", `schedule "pagerduty": url_file: is required`, false},
		"a token in place":                   {"[schedule.pagerduty]\ntoken = 'abc'\n", "token: a secret must not be written in place; write token_file = … or token_env = …", false},
		"a key that it does not have":        {"[schedule.pagerduty]\ntokn_file = 'x'\n", `did you mean "token_file"?`, false},
		"a name twice":                       {"[group.oncall]\npeople = ['ana', 'Ana']\n", `:6:18: group "oncall": people: "Ana" is empty or named twice`, false},
		"no name":                            {"[group.oncall]\npeople = [' ']\n", `people: " " is empty or named twice`, false},
		"people and a schedule":              {oncall + "schedule = 'pagerduty:P1'\nfallback = 'oncall'\n", "people and schedule exclude each other", false},
		"a schedule of nobody we know":       {oncall + "[group.duty]\nschedule = 'opsgenie:P1'\nfallback = 'oncall'\n", `:8:12: group "duty": schedule: "opsgenie:P1" is none; such as "pagerduty:PABC123"`, false},
		"a schedule without an id":           {oncall + "[group.duty]\nschedule = 'pagerduty:'\nfallback = 'oncall'\n", `schedule: "pagerduty:" is none`, false},
		"a schedule without a fallback":      {asked + "[group.duty]\nschedule = 'pagerduty:P1'\n", "a schedule needs a fallback", false},
		"a fallback that is not there":       {oncall + "[group.duty]\nschedule = 'pagerduty:P1'\nfallback = 'onkall'\n", `there is no [group.onkall]; did you mean "oncall"?`, false},
		"a fallback to a schedule":           {"[group.a]\nschedule = 'pagerduty:P1'\nfallback = 'a'\n", "fallback: [group.a] has a schedule itself", false},
		"a fallback without a schedule":      {oncall + "fallback = 'oncall'\n", "fallback is for a group with a schedule", false},
		"a page that is no channel":          {oncall + "page = ['pagr']\n", "there is no [channel.pagr]", false},
		"a page of nothing":                  {oncall + "page = []\n", "page is empty", false},
		"a person without a proof":           {oncall + "[person.ana]\n", `person "ana": accepts no proof; write nkeys`, false},
		"a person in no group":               {oncall + "[person.eve]\nlocal = true\n", `person "eve": is in no group`, true},
		"a person who may be on call":        {oncall + "[group.duty]\nschedule = 'pagerduty:P1'\nfallback = 'oncall'\n[person.eve]\npagerduty = 'PEVE123'\n" + asked, "", false},
		"one who is on no schedule":          {oncall + "[person.eve]\npagerduty = 'PEVE123'\n", `person "eve": is in no group`, true},
		"a proof of two people":              {oncall + persons + "slack = 'U024BE7LH'\n", `person "ben": slack: it stands for ana already; each proof speaks for one person`, false},
		"a login of two":                     {oncall + reached + login + "[person.ana]\noidc = '4711'\n[person.ben]\noidc = '4711'\n", `person "ben": oidc: it stands for ana already`, false},
		"logins in other letters":            {oncall + reached + login + "[person.ana]\noidc = 'abc'\n[person.ben]\noidc = 'ABC'\n", "", false},
		"a login nobody may make":            {oncall + "[person.ana]\noidc = '4711'\n", "oidc: nobody can log in so: there is no [http.oidc]", true},
		"a login by e-mail address":          {oncall + reached + login + "claim = 'email'\n[person.ana]\noidc = 'ana@example.com'\n", "", false},
		"an address in large letters":        {oncall + reached + login + "claim = 'email'\n[person.ana]\noidc = 'Ana@example.com'\n", `"Ana@example.com" is no e-mail address in small letters`, false},
		"an address that is none":            {oncall + reached + login + "claim = 'email'\n[person.ana]\noidc = '4711'\n", `"4711" is no e-mail address`, false},
		"an address instead of a sub":        {oncall + reached + login + "[person.ana]\noidc = 'ana@example.com'\n", "this looks like an e-mail address, and claim in [http.oidc] is sub", true},
		"a name of this machine, and logins": {oncall + reached + "believe_local = true\n" + login + "[person.ana]\noidc = '4711'\n", "nobody is believed without a login", true},
		"a login on this machine":            {oncall + "[http]\nexternal_url = 'http://127.0.0.1:9595'\n" + login + "[person.ana]\noidc = '4711'\n", "", false},
		"a key of two people":                {oncall + "[person.ana]\nnkeys = ['" + anasKey + "']\n[person.ben]\nnkeys = ['" + bensKey + "', '" + anasKey + "']\n", `person "ben": nkeys: it stands for ana already`, false},
		"one id in two places is two proofs": {oncall + "[person.ana]\nslack = 'UANA123'\n[person.ben]\npagerduty = 'UANA123'\n", "", false},
		"keys":                               {oncall + "[person.ana]\nnkeys = ['" + anasKey + "', '" + bensKey + "']\n", "", false},
		"a key that is none":                 {oncall + "[person.ana]\nnkeys = ['UABC']\n", `:8:10: person "ana": nkeys: this is no public nkey of a user`, false},
		"a seed":                             {oncall + "[person.ana]\nnkeys = ['SUACSSL3UAHUDXKFSNVUZRF5UHPMWZ6BFDTJ7M6USDXIEDNPPQYYYCU3VY']\n", "nkeys: a secret must not be written in place", false},
		"a name instead of an id":            {oncall + "[person.ana]\nslack = '@ana'\n", `slack: "@ana" is no id; not the name but the id`, false},
		"a password that nobody may give":    {oncall + "[person.ana]\nbasic = 'ana'\n", "basic: nobody can log in so: there is no web_config_file", true},
		"an unknown proof":                   {oncall + "[person.ana]\nslak = 'U1'\n", `did you mean "slack"?`, false},
	} {
		t.Run(name, func(t *testing.T) { expect(t, minimal+test.text, test.problem, test.warning) })
	}
}

func TestWhoCannotProveWhoTheyAreCannotBeAskedOnceVotesAreSigned(t *testing.T) {
	const oncall = "[group.oncall]\npeople = ['ana', 'ben']\n[person.ana]\nlink = true\n"
	for name, test := range map[string]struct{ trust, problem string }{
		"unsaid": {"", ""},
		"no":     {believed, ""},
		"yes":    {proved, `group "oncall": people: "ben" could not vote: votes must be signed, and there is no [person.ben]; write how they prove who they are`},
		"all do": {proved + "[person.ben]\nlink = true\n", ""},
	} {
		t.Run(name, func(t *testing.T) { expect(t, minimal+oncall+test.trust, test.problem, false) })
	}
	d, problems := daemon(t, external+proved)
	if d == nil || !d.Trust.Signed() {
		t.Error(problems)
	}
}

func TestWhatRollsBackWithoutPeopleOnAnExternalNATSNeedsAWordAboutTrust(t *testing.T) {
	const asked = "needs = { oncall = 1 }\nwithin = '5m'\n"
	const oncall = "[group.oncall]\npeople = ['ana', 'ben']\n[person.ana]\nlink = true\n[person.ben]\nlink = true\n"
	for decide, open := range map[string]bool{"auto'\n": false, "veto'\n" + asked: false, "ask'\nsilence = 'keep'\n" + asked: true, "notify'\n": true} {
		plan := map[string]string{"a.toml": head + rule + "[[authority]]\ndecide = '" + decide + tail}
		for trust, good := range map[string]bool{"": open, believed: true, proved: true} {
			_, problems := load(t, external+oncall+trust, plan)
			if problems.Failed() == good || !good && !strings.Contains(problems.String(), "[trust] required = true in the daemon's file to have them signed, or required = false") {
				t.Errorf("%s with %q: %v", decide, trust, problems)
			}
		}
	}
}

func TestTheBudgetIsSoManyInSoLong(t *testing.T) {
	d, problems := daemon(t, minimal+"[budget]\nlane = '2 in 24h'\nall = '5 in 1h'\n")
	if d == nil || d.Budget.Lane.String() != "2 in 1d" || d.Budget.All.String() != "5 in 1h" {
		t.Fatalf("%+v, %v", d, problems)
	}
	for text, problem := range map[string]string{
		"lane = '2'":       `:6:8: budget: lane: "2" is not so many in so long, such as "2 in 24h"`,
		"lane = '0 in 1h'": `budget: lane: "0 in 1h" is not so many`,
		"all = '2 in 0s'":  `budget: all: "2 in 0s" is not so many`,
		"all = 2":          "budget: all must be a string, not a whole number",
		"rollbacks = 3":    `unknown key "rollbacks"`,
	} {
		expect(t, minimal+"[budget]\n"+text, problem, false)
	}
}

func TestAPlanCarriesWhatTheDaemonsFileSaysOfIt(t *testing.T) {
	const house = minimal + `
[schedule.pagerduty]
token_env = "HOME"
[group.oncall]
people = ["ana", "ben"]
page = ["log"]
[group.duty]
schedule = "pagerduty:P1"
fallback = "oncall"
[group.owners]
people = ["cem"]
[group.security]
people = ["sue", "tom"]
[group.others]
people = ["zoe", "yan"]
[calendar.night]
hours = ["22:00-06:00"]
[calendar.freeze]
holidays = ["2026-12-25"]
during = "ask"
[calendar.weekend]
weekdays = ["saturday:sunday"]
[calendar.lunch]
hours = ["12:00-13:00"]
[budget]
lane = "2 in 24h"
[[policy]]
name = "pci"
labels = { pci = "true" }
calendar = ["weekend"]
most = "ask"
needs = { security = 1 }
[[policy]]
services = ["search"]
most = "ask"
needs = { others = 1 }
`
	const authority = "[[authority]]\ncalendar = ['night']\ndecide = 'ask'\nneeds = { duty = 1 }\nwithin = '5m'\nescalate = [{ to = 'oncall', within = '5m' }]\nsilence = 'keep'\n"
	plans, problems := load(t, house, map[string]string{"a.toml": head + rule + authority + tail, "b.toml": strings.Replace(head, "checkout", "search", 1) + "labels = { pci = 'false' }\n" + rule + tail})
	if len(plans) != 2 || problems.Failed() {
		t.Fatal(problems)
	}
	p := plans[0]
	keys := func(m map[string]rules.Calendar) (names []string) {
		for name := range m {
			names = append(names, name)
		}
		slices.Sort(names)
		return names
	}
	for what, pair := range map[string][2]any{
		"groups":      {p.Groups, map[string][]string{"duty": {"ana", "ben"}, "oncall": {"ana", "ben"}, "security": {"sue", "tom"}}},
		"schedules":   {p.Schedules, map[string]string{"duty": "pagerduty:P1"}},
		"pages":       {p.Pages, map[string][]string{"oncall": {"log"}}},
		"calendars":   {keys(p.Calendars), []string{"freeze", "night", "weekend"}},
		"policies":    {p.Policies, []rules.Policy{{Name: "pci", Labels: map[string]string{"pci": "true"}, Calendar: []string{"weekend"}, Most: rules.Ask, Needs: map[string]int{"security": 1}}}},
		"budget":      {p.Budget.String(), "2 in 1d"},
		"escalation":  {p.Authorities[0].Escalate, []rules.Escalation{{To: "oncall", Needs: 1, Within: minutes(5)}}},
		"withdraw":    {p.Authorities[0].Withdraw, true},
		"snooze":      {p.Authorities[0].Snooze, minutes(30)},
		"other plan":  {len(plans[1].Policies), 1},
		"its groups":  {plans[1].Groups, map[string][]string{"others": {"zoe", "yan"}}},
		"calendars 2": {keys(plans[1].Calendars), []string{"freeze"}},
	} {
		if !reflect.DeepEqual(pair[0], pair[1]) {
			t.Errorf("%s: %+v, want %+v", what, pair[0], pair[1])
		}
	}
}

func TestACountdownThatNobodyCouldHearIsWarnedOf(t *testing.T) {
	const house = minimal + "[channel.hook]\nuse = 'webhook'\nurl_file = 'x'\n[group.oncall]\npeople = ['ana', 'ben']\n[group.woken]\npeople = ['ana', 'ben']\npage = ['hook']\n"
	const warning = "the log confirms nothing: it never begins"
	const veto, silent = "decide = 'veto'\n", "decide = 'ask'\nsilence = 'roll-back'\n"
	for name, test := range map[string]struct {
		authority, group, chat string
		warned                 bool
	}{
		"a veto and the log":            {veto, "oncall", "log", true},
		"a veto and a channel":          {veto, "oncall", "hook", false},
		"a veto and a group with pages": {veto, "woken", "log", false},
		"silence and the log":           {silent, "oncall", "log", true},
		"silence that keeps":            {strings.Replace(silent, "roll-back", "keep", 1), "oncall", "log", false},
	} {
		t.Run(name, func(t *testing.T) {
			plan := head + byVersion + rule + "[[rollback]]\nuse = 'e'\n[[authority]]\nwithin = '5m'\nneeds = { " + test.group + " = 1 }\n" + test.authority + strings.Replace(tail, "log", test.chat, 1)
			_, problems := load(t, house+"[executor.e]\nuse = 'exec'\ncommand = ['/x']\n", map[string]string{"a.toml": plan})
			if problems.Failed() || strings.Contains(problems.String(), warning) != test.warned {
				t.Error(problems)
			}
		})
	}
}

func TestAGroupThatIsWokenIsReached(t *testing.T) {
	const house = minimal + "[group.woken]\npeople = ['ana', 'ben']\npage = ['log']\n[group.oncall]\npeople = ['ana', 'ben']\n"
	for group, warned := range map[string]bool{"woken": false, "oncall": true} {
		plan := head + byVersion + rule + "[[authority]]\nwithin = '5m'\nneeds = { " + group + " = 1 }\ndecide = 'ask'\nsilence = 'keep'\n"
		_, problems := load(t, house, map[string]string{"a.toml": plan})
		if problems.Failed() || strings.Contains(problems.String(), "no channel tells them") != warned {
			t.Errorf("%s: %v", group, problems)
		}
	}
}

func TestPeopleWhoWouldBeTooFewAreWarnedOf(t *testing.T) {
	const house = minimal + "[executor.e]\nuse = 'exec'\ncommand = ['/x']\n[group.oncall]\npeople = ['ana', 'ben']\n[group.lead]\npeople = ['ana']\n[group.cto]\npeople = ['cem']\n[group.duty]\nschedule = 'pagerduty:P1'\nfallback = 'lead'\n[schedule.pagerduty]\ntoken_env = 'HOME'\n"
	const policy = "[[policy]]\nname = 'four eyes'\nmost = 'ask'\nneeds = { oncall = 2 }\n"
	const ask, veto = "decide = 'ask'\nsilence = 'keep'\n", "decide = 'veto'\n"
	for name, test := range map[string]struct{ house, authority, said string }{
		"enough":                       {house, ask + "needs = { oncall = 1 }\n", ""},
		"all of a group":               {house, ask + "needs = { oncall = 2 }\n", "needs: when ana or ben deployed, too few are left who may vote, and people are only told"},
		"all of two groups":            {house, ask + "needs = { oncall = 1, lead = 1 }\n", "needs: when ana or ben deployed"},
		"a fallback of one":            {house, ask + "needs = { duty = 1 }\n", "needs: when ana deployed"},
		"an escalation to another":     {house, ask + "needs = { lead = 1 }\nescalate = [{ to = 'cto', within = '5m' }]\n", ""},
		"an escalation to the same":    {house, ask + "needs = { oncall = 2 }\nescalate = [{ to = 'lead', within = '5m' }]\n", "needs: when ana deployed"},
		"fewer of the same, later":     {house, ask + "needs = { oncall = 2 }\nescalate = [{ to = 'oncall', within = '5m' }]\n", ""},
		"a countdown":                  {house, veto + "needs = { oncall = 1 }\n", ""},
		"a countdown for one":          {house, veto + "needs = { lead = 1, duty = 1 }\n", "needs: when ana deployed, too few are left"},
		"a countdown for two groups":   {house, veto + "needs = { lead = 1, cto = 1 }\n", ""},
		"a policy that needs the same": {house + policy, ask + "needs = { oncall = 1 }\n", ""},
		"a policy that needs them all": {house + policy, ask + "needs = { lead = 1 }\n", `with those whom policy "four eyes" needs as well there are too few different people`},
	} {
		t.Run(name, func(t *testing.T) {
			plan := head + byVersion + rule + "[[rollback]]\nuse = 'e'\n[[authority]]\nwithin = '5m'\n" + test.authority + strings.Replace(tail, "log", "hook", 1)
			_, problems := load(t, test.house+"[channel.hook]\nuse = 'webhook'\nurl_file = 'x'\n", map[string]string{"a.toml": plan})
			var said []string
			for _, p := range problems {
				if p.Where == "authority 1" {
					said = append(said, p.String())
				}
			}
			if problems.Failed() || (test.said == "") != (len(said) == 0) || !strings.Contains(strings.Join(said, "\n"), test.said) {
				t.Errorf("%v\nwant %q", problems, test.said)
			}
		})
	}
}
