package configs_test

import (
	"strings"
	"testing"
)

func TestAnExplanationSaysWhatTheRulesComeTo(t *testing.T) {
	for name, test := range map[string]struct{ plan, want string }{
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
		"another way out":          {rule + "[[rollback]]\nuse = 'e'\notherwise = 'stop'\n", `people are asked whether to run "stop" instead.`},
		"a calendar":               {rule + "[[authority]]\ncalendar = ['night']\ndecide = 'auto'\n", "\nCalendar night is on at 09:00-10:00 and 22:00-24:00 and 00:00-06:00 of the day after, on monday:friday and sunday on day -1 of the month in month 11:12 and 1 in 2026:2027, and all day on 2026-12-25 (Europe/Berlin).\n"},
		"a freeze":                 {rule, "\nCalendar freeze is on on saturday (UTC). While it is on, power is at most ask.\n"},
		"slots":                    {"[select.slots]\nblue = { instance = 'a' }\ngreen = { instance = 'b' }\n" + rule, "blue (instance=a) or green (instance=b)"},
		"no versions":              {rule, "Versions cannot be told apart: rules judge the whole service, old and new version together."},
	} {
		t.Run(name, func(t *testing.T) {
			daemon := minimal + "[executor.e]\nuse = 'exec'\ncommand = ['/x']\n[executor.stop]\nuse = 'exec'\ncommand = ['/x']\n" +
				"[calendar.night]\nhours = ['09:00-10:00', '22:00-06:00']\nweekdays = ['monday:friday', 'sunday']\ndays_of_month = ['-1']\nmonths = ['november:january']\nyears = ['2026:2027']\nholidays = ['2026-12-25']\ntime_zone = 'Europe/Berlin'\n" +
				"[calendar.freeze]\nweekdays = ['saturday']\nduring = 'ask'\n"
			if said := catalog().Explain(one(t, daemon, head+test.plan+tail)); !strings.Contains(said, test.want) {
				t.Errorf("want %q in\n%s", test.want, said)
			}
		})
	}
}
