package configs_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/bakewatch/bakewatch/rules"
)

const (
	tested   = "\n[[rule]]\nkind = 'error-rate'\nerrors = 'e_total'\nrequests = 'r_total'\n"
	crashed  = "\n[[rule]]\nkind = 'crash'\nrestarts = 'process_restarts_total'\n"
	byCohort = "\n[select]\nmatch = { cohort = '$cohort' }\n"
)

func TestAComparisonIsChecked(t *testing.T) {
	for name, test := range map[string]struct{ plan, want string }{
		"a control that there is not":      {byVersion + tested + "compare_to = ['canary']", `compare_to[0] must be "previous", "off", "before", "last-week" or "load-test", not "canary"`},
		"a control twice":                  {byVersion + tested + "compare_to = ['before', 'previous', 'before']", `compare_to: "before" is named twice`},
		"no list":                          {byVersion + tested + "compare_to = 'before'", `compare_to must be a list, not a string; write ["before"]`},
		"previous, and no versions":        {tested + "compare_to = ['before', 'previous']", `compare_to: "previous" needs versions to be told apart; name version, join or slots in [select], or compare with before or last-week`},
		"a load test, and no versions":     {tested + "compare_to = ['load-test']", `compare_to: "load-test" needs versions to be told apart`},
		"a load test that is not named":    {byVersion + tested + "compare_to = ['load-test']", `compare_to: "load-test" needs what the load test measured; name its summary by load_test`},
		"previous, and select = none":      {byVersion + tested + "select = 'none'\ncompare_to = ['previous']", `compare_to: "previous" needs versions to be told apart`},
		"off, and no cohorts":              {byVersion + tested + "compare_to = ['off']", `compare_to: "off" needs cohorts to be told apart; put $cohort into a matcher`},
		"off, and an escaped placeholder":  {"\n[select]\nmatch = { cohort = '$$cohort' }\n" + tested + "compare_to = ['off']", `compare_to: "off" needs cohorts to be told apart`},
		"a difference that is none":        {tested + "worse_by = '0.5x'", `worse_by: "0.5x" is neither a factor of 1 or more, such as 1.25x, nor points, such as +0.1pp`},
		"a difference without a unit":      {tested + "worse_by = '1.25'", `worse_by: "1.25" is neither a factor`},
		"a difference that is no text":     {tested + "worse_by = 1.25", "worse_by must be a string, not a number"},
		"a difference from nothing":        {tested + "max = '1%'\ncompare_to = []\nworse_by = '2x'", "worse_by: there is nothing to be worse than: compare_to is empty"},
		"a plain limit that compares":      {rule + "compare_to = ['before']", `compare_to: a plain limit compares nothing; remove it, or judge = "threshold"`},
		"a plain limit and a difference":   {rule + "worse_by = '2x'", `worse_by: a plain limit compares nothing; remove it, or judge = "threshold"`},
		"a kind that never compares":       {"\n[[rule]]\nkind = 'up'\ncompare_to = ['before']", `compare_to: a plain limit compares nothing; remove it: rules of kind "up" are held against plain limits`},
		"odds that are none":               {"false_alarms = '0.1%'\n" + tested, `false_alarms: "0.1%" is no chance between 1 in 10 and 1 in 1000000`},
		"odds that are too good":           {"false_alarms = '1 in 10000000'\n" + tested, `false_alarms: "1 in 10000000" is no chance`},
		"odds that are a number":           {"false_alarms = 0.001\n" + tested, "false_alarms must be a string, not a number"},
		"a dependency twice":               {"depends_on = ['payments', 'payments']\n" + tested, `depends_on: "payments" is named twice`},
		"a dependency on itself":           {"depends_on = ['checkout']\n" + tested, "depends_on: a service does not depend on itself"},
		"a dependency without a name":      {"depends_on = ['']\n" + tested, `depends_on: "" is no name`},
		"an improvement that is none":      {tested + "better_by = '1x'", "a.toml:8:13: rule \"error-rate\": better_by: 1x is no improvement; leave it out: a rule that compares allows nothing worse"},
		"an improvement among errors":      {tested + "window = '1s'\nbetter_by = '1x'", "better_by: 1x is no improvement"},
		"an improvement without a unit":    {tested + "better_by = '2'", `better_by: "2" is neither a factor of 1 or more, such as 1.25x, nor points, such as +0.1pp`},
		"an improvement that may be none":  {tested + "worse_by = '2x'\nbetter_by = '2x'", "a.toml:9:13: rule \"error-rate\": better_by: stands beside worse_by: what must be better may not be worse; remove one of them, or write two rules"},
		"an improvement on nothing":        {tested + "max = '1%'\ncompare_to = []\nbetter_by = '2x'", "better_by: there is nothing to be better than: compare_to is empty; name a control, or remove it"},
		"a plain limit and an improvement": {rule + "better_by = '2x'", `better_by: a plain limit compares nothing; remove it, or judge = "threshold"`},
		"a kind that never improves":       {"\n[[rule]]\nkind = 'up'\nbetter_by = '2x'", `better_by: a plain limit compares nothing; remove it: rules of kind "up" are held against plain limits`},
		"a rating that must improve":       {"\n[[rule]]\nkind = 'feedback'\nrating = 'r'\nmin = 4\nbetter_by = '2x'", `better_by: a plain limit compares nothing; remove it: rules of kind "feedback"`},
		"a limit and a difference":         {crashed + "max = 2\nworse_by = '2x'", `worse_by: a plain limit compares nothing; remove it, or say by compare_to what to compare with besides`},
		"a limit and nothing to compare":   {crashed + "max = 2\ncompare_to = []", `compare_to: there is nothing to compare with; remove it: max alone compares nothing`},
		"restarts and no limit":            {crashed + "judge = 'threshold'", "max: a limit is needed"},
		"points of a rate":                 {crashed + "worse_by = '+0.1pp'", `worse_by: +0.1pp is a difference of shares, and restarts have a rate; write a factor`},
		"restarts, and no versions":        {crashed + "compare_to = ['previous']", `compare_to: "previous" needs versions to be told apart`},
		"restarts in a load test":          {byVersion + crashed + "compare_to = ['load-test']", `compare_to: "load-test" needs what the load test measured`},
	} {
		t.Run(name, func(t *testing.T) {
			_, problems := load(t, minimal, map[string]string{"a.toml": head + test.plan + "\n" + tail})
			if said := problems.String(); !strings.Contains(said, test.want) || !problems.Failed() {
				t.Errorf("said:\n%s\nwant %q", said, test.want)
			}
		})
	}
}

func TestAComparisonThatCanBeMadeIsTaken(t *testing.T) {
	for name, test := range map[string]struct {
		plan     string
		controls []rules.Control
	}{
		"what the strategy says":            {tested, nil},
		"nothing, but a limit":              {tested + "max = '1%'\ncompare_to = []", []rules.Control{}},
		"the service itself":                {tested + "compare_to = ['before', 'last-week']", []rules.Control{rules.Before, rules.LastWeek}},
		"the previous version":              {byVersion + tested + "compare_to = ['previous']", []rules.Control{rules.Previous}},
		"the version in a matcher":          {"\n[select]\nmatch = { v = '$version' }\n" + tested + "compare_to = ['previous']", []rules.Control{rules.Previous}},
		"the version in the selectors":      {strings.ReplaceAll(tested, "_total'", `_total{v="$version"}'`) + "select = 'none'\ncompare_to = ['previous']", []rules.Control{rules.Previous}},
		"the other slot":                    {"[select.slots]\nblue = { instance = 'a' }\ngreen = { instance = 'b' }\n" + tested + "compare_to = ['previous']", []rules.Control{rules.Previous}},
		"the other cohort":                  {byCohort + tested + "compare_to = ['off']", []rules.Control{rules.Off}},
		"the other cohort, in a selector":   {strings.ReplaceAll(tested, "_total'", `_total{c="$cohort"}'`) + "compare_to = ['off']", []rules.Control{rules.Off}},
		"several, in the order of the plan": {byVersion + tested + "compare_to = ['before', 'previous']", []rules.Control{rules.Before, rules.Previous}},
	} {
		t.Run(name, func(t *testing.T) {
			p := one(t, minimal, head+test.plan+"\n"+tail)
			if got := p.Rules[0].CompareTo; !slices.Equal(got, test.controls) || (got == nil) != (test.controls == nil) {
				t.Errorf("compares to %q, want %q", got, test.controls)
			}
		})
	}
}

func TestADifferenceThatMattersIsKeptAsSaid(t *testing.T) {
	for plan, want := range map[string]rules.Margin{
		tested: {}, tested + "worse_by = '2x'": {Factor: 2}, tested + "worse_by = '+0.1pp'": {Points: 0.001},
		tested + "max = '1%'\ncompare_to = []": {}, rule: {}, "\n[[rule]]\nkind = 'up'\n": {},
	} {
		if got := one(t, minimal, head+plan+"\n"+tail).Rules[0].WorseBy; got != want {
			t.Errorf("worse by %s, want %s, in%s", got, want, plan)
		}
	}
}

func TestAnImprovementIsKeptAsSaid(t *testing.T) {
	for plan, want := range map[string]rules.Margin{
		tested: {}, tested + "better_by = '1.1x'": {Factor: 1.1}, tested + "better_by = '+0.5pp'": {Points: 0.005},
		"\n[[rule]]\nkind = 'adoption'\nuses = 'u'\nper = 's'\nmin = '5%'\nbetter_by = '1.5x'": {Factor: 1.5},
		"\n[[rule]]\nkind = 'feedback'\ncomplaints = 'c'\nper = 's'\nbetter_by = '2x'":         {Factor: 2},
		"\n[[rule]]\nkind = 'latency'\nhistogram = 'h'\nbetter_by = '2x'":                      {Factor: 2},
	} {
		if got := one(t, minimal, head+plan+"\n"+tail).Rules[0].BetterBy; got != want {
			t.Errorf("better by %s, want %s, in%s", got, want, plan)
		}
	}
}

func TestFalseAlarmsHaveADefaultThatTheDaemonsFileMayChange(t *testing.T) {
	thousand := one(t, minimal, head+tested+tail)
	hundred := one(t, minimal+"[defaults]\nfalse_alarms = '1 in 100'\n", head+tested+tail)
	million := one(t, minimal+"[defaults]\nfalse_alarms = '1 in 100'\n", head+"false_alarms = '1 in 1,000,000'\n"+tested+tail)
	for want, p := range map[string]rules.Plan{"1 in 1000": thousand, "1 in 100": hundred, "1 in 1000000": million} {
		if got := p.FalseAlarms.String(); got != want {
			t.Errorf("%s, want %s", got, want)
		}
	}
	if thousand.Hash == hundred.Hash {
		t.Error("plans with other false alarms have one hash")
	}
}

func TestAnExplanationSaysWhatATestComesTo(t *testing.T) {
	const promise = "Of healthy deployments, 1 in 1000 may be blamed by chance, by all tests of the plan together"
	for name, test := range map[string]struct {
		plan, want string
		not        bool
	}{
		"the promise":                   {tested, promise + ".\n", false},
		"that a limit promises nothing": {tested + "name = 'a test'\n" + rule, promise + "; its plain limits promise nothing.\n", false},
		"no promise of a plain limit":   {rule, "may be blamed by chance", true},
		"an early pass":                 {tested, "bakes for 30m after it is live; it passes before that, but never before 5m, once its tests have proved it well.\n", false},
		"no early pass without a test":  {rule, "bakes for 30m after it is live, and never passes before 5m.\n", false},
		"what does not matter":          {tested, "    smaller differences than 1.25x do not matter\n", false},
		"points that do not matter":     {tested + "worse_by = '+0.1pp'", "    smaller differences than +0.1pp do not matter\n", false},
		"what must be better":           {tested + "better_by = '2x'", "    it must be at least 2x better\n", false},
		"when it is not":                {tested + "better_by = '2x'", "    breached once it is proved that it is not; looks", false},
		"not that less may be":          {tested + "better_by = '2x'", "do not matter", true},
		"nothing that does not matter":  {rule, "do not matter", true},
		"what it depends on":            {"depends_on = ['payments', 'db']\n" + tested, "It depends on payments and db, which may be to blame instead.\n", false},
		"that it depends on nothing":    {tested, "It depends on", true},
		"what the rule is compared to":  {byVersion + tested + "compare_to = ['previous', 'last-week']", "against previous and last-week", false},
		"the control of the strategy":   {byVersion + tested, "against previous and before:", false},
		"the toggle's other cohort":     {"[select]\nmatch = { cohort = '$cohort' }\n" + tested, "against off and before:", false},
		"whichever the strategy has":    {"[select]\nversion = 'v'\nmatch = { cohort = '$cohort' }\n" + tested, "against the strategy's control (previous, or off of a toggle) and before:", false},
		"no version of somebody else's": {byVersion + tested + "select = 'none'", "against before:", false},
		"none that cannot be told":      {tested, "against before:", false},
	} {
		t.Run(name, func(t *testing.T) {
			said := catalog().Explain(one(t, minimal, head+test.plan+"\n"+tail))
			if strings.Contains(said, test.want) == test.not {
				t.Errorf("%q, want it there: %v, in\n%s", test.want, !test.not, said)
			}
		})
	}
}
