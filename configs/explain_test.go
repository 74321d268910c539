package configs_test

import (
	"strings"
	"testing"
)

func TestAnExplanationSaysWhatTheRulesComeTo(t *testing.T) {
	const ask = "[[authority]]\ndecide = 'ask'\nneeds = { oncall = 1 }\nwithin = '5m'\nsilence = 'keep'\n"
	const auto = "[[authority]]\ndecide = 'auto'\n"
	enforced := func(more string) string { return rule + "mode = 'enforce'\n" + more }
	for name, test := range map[string]struct{ plan, want string }{
		"told, by severity":        {enforced("severity = 'info'\n") + auto, "at most: told, since its severity is info\n"},
		"told, by mode":            {rule + ask, "at most: told, since its mode is notify\n"},
		"asked, by severity":       {enforced("severity = 'warning'\n") + auto, "at most: people are asked, since its severity is warning\n"},
		"asked, by authority":      {enforced("") + ask, "at most: people are asked, since no authority gives more\n"},
		"told, by no authority":    {enforced("") + auto + "rules = ['two']\n" + rule + "name = 'two'\n", "at most: told, since no authority gives more\n"},
		"a cause":                  {enforced("") + auto + "attribution = ['cannot tell', 'this deployment']\n", "On a breach whose cause is cannot tell or this deployment: it is decided at once.\n"},
		"at once":                  {enforced("") + auto, "at most: rolled back at once\n"},
		"the fewest requests":      {rule, "min_requests = 100\n"},
		"the fewest of a quantile": {"[[rule]]\nkind = 'latency'\njudge = 'threshold'\nmax = '1s'\nhistogram = 'h'\nquantile = 0.999\n", "min_requests = 1000\n"},
		"a level":                  {"[[rule]]\nkind = 'up'\n", "judged by threshold at every look:"},
		"a query of now":           {"[[rule]]\nkind = 'query'\nexpr = 'x'\nmax = 1\n", "judged by threshold at every look:"},
		"a query of a window":      {"[[rule]]\nkind = 'query'\nexpr = 'rate(x[$window])'\nmax = 1\n", "judged by threshold over 5m:"},
		"a ratio of now":           {"[[rule]]\nkind = 'saturation'\nexpr = 'x'\n", "judged by threshold at every look:"},
		"a rating of a window":     {"[[rule]]\nkind = 'feedback'\nrating = 'avg_over_time(x[$window])'\nmin = 4\n", "judged by threshold over 5m:"},
		"the fewest of complaints": {"[[rule]]\nkind = 'feedback'\njudge = 'threshold'\ncomplaints = 'x'\nper = 'y'\nmax = '0.5%'\n", "judged by threshold over 5m:\n    complaints = \"x\"\n    max = \"0.5%\"\n    min_sessions = 200\n"},
		"compared complaints":      {"[[rule]]\nkind = 'feedback'\ncomplaints = 'x'\nper = 'y'\n", "judged by a test against before:\n"},
		"the fewest of a goal":     {"[[rule]]\nkind = 'adoption'\njudge = 'threshold'\nuses = 'x'\nper = 'y'\nmin = '5%'\n", "min_sessions = 400\n"},
		"a compared goal":          {"[[rule]]\nkind = 'adoption'\nuses = 'x'\nper = 'y'\nmin = '5%'\n", "judged by a test against before and min:\n"},
		"the fewest of a canary":   {byVersion + "[[rule]]\nkind = 'traffic'\nrequests = 'x'\nplanned = '5%'\n", "min_requests = 30400\n"},
		"what an executor gets":    {rule + "[[rollback]]\nuse = 'e'\nwith = { args = ['shop'] }\n", `with = {"args":["shop"]}`},
		"a deadline":               {rule + "[[rollback]]\nuse = 'e'\n", "kept again within 10m."},
		"slots":                    {"[select.slots]\nblue = { instance = 'a' }\ngreen = { instance = 'b' }\n" + rule, "blue (instance=a) or green (instance=b)"},
		"no versions":              {rule, "Versions cannot be told apart: rules judge the whole service, old and new version together."},
	} {
		t.Run(name, func(t *testing.T) {
			daemon := minimal + "[executor.e]\nuse = 'exec'\ncommand = ['/x']\n[group.oncall]\npeople = ['ana']\n"
			if said := catalog().Explain(one(t, daemon, head+test.plan+tail)); !strings.Contains(said, test.want) {
				t.Errorf("want %q in\n%s", test.want, said)
			}
		})
	}
}
