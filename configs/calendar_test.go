package configs_test

import (
	"testing"
	"time"

	"github.com/bakewatch/bakewatch/rules"
)

func TestCalendarsAreCheckedWithTheirPlace(t *testing.T) {
	for name, test := range map[string]struct{ text, problem string }{
		"no time":                     {"time_zone = 'Europe/Berlin'", `calendar "c": says no time; write weekdays, hours`},
		"no values":                   {"hours = []", "hours is empty"},
		"an unknown day":              {"weekdays = ['sunday', 'mondy']", `:6:23: calendar "c": weekdays: "mondy" is none, and no range of them; such as "monday"`},
		"a range by a dash":           {"weekdays = ['monday-friday']", `weekdays: "monday-friday" is none, and no range of them; a range is written "monday:friday"`},
		"an endless range":            {"weekdays = ['monday:tuesday:friday']", `"monday:tuesday:friday" is none`},
		"half a range":                {"weekdays = ['monday:']", `"monday:" is none`},
		"nothing":                     {"weekdays = ['']", `weekdays: "" is none`},
		"a day by its number":         {"weekdays = [1]", "weekdays[0] must be a string"},
		"an unknown month":            {"months = ['13']", `months: "13" is none, and no range of them; such as "december", "12"`},
		"no month":                    {"months = ['0']", `months: "0" is none`},
		"a day beyond the month":      {"days_of_month = ['32']", `days_of_month: "32" is no day and no range of days; such as "1"`},
		"no day":                      {"days_of_month = ['0']", `days_of_month: "0"`},
		"days backwards":              {"days_of_month = ['5:1']", `days_of_month: "5:1"`},
		"years backwards":             {"years = ['2027:2026']", `years: "2027:2026" is no year and no range of years`},
		"a year of two digits":        {"years = ['26']", `years: "26"`},
		"an hour that is none":        {"hours = ['09:00-17:60']", `:6:10: calendar "c": hours: "09:00-17:60" is no time of a day; such as "09:00-17:00"`},
		"an hour without minutes":     {"hours = ['9-17']", `hours: "9-17"`},
		"an hour of one digit":        {"hours = ['9:00-17:00']", `hours: "9:00-17:00"`},
		"an hour alone":               {"hours = ['09:00']", `hours: "09:00"`},
		"no length":                   {"hours = ['09:00-09:00']", `hours: "09:00-09:00"`},
		"from the end of the day":     {"hours = ['24:00-06:00']", `hours: "24:00-06:00"`},
		"spaces":                      {"hours = ['09:00 - 17:00']", `hours: "09:00 - 17:00"`},
		"an unknown zone":             {"hours = ['09:00-17:00']\ntime_zone = 'Berlin'", `:7:13: calendar "c": time_zone: "Berlin" is none; an IANA name`},
		"the zone of this machine":    {"hours = ['09:00-17:00']\ntime_zone = 'Local'", `time_zone: "Local" is none`},
		"a file instead of a zone":    {"hours = ['09:00-17:00']\ntime_zone = '../../etc/passwd'", `is none`},
		"a holiday that is none":      {"holidays = ['2026-02-30']", `holidays: "2026-02-30" is no day; such as "2026-12-25"`},
		"a holiday that is no string": {"holidays = [2026-12-25]", "holidays[0] must be a string, not a date or time"},
		"a power that is none":        {"hours = ['09:00-17:00']\nduring = 'aks'", `during must be "notify", "ask", "veto" or "auto", not "aks"; did you mean "ask"?`},
		"no power":                    {"hours = ['09:00-17:00']\nduring = 'none'", `during must be "notify", "ask", "veto" or "auto"`},
		"an unknown key":              {"hour = ['09:00-17:00']", `did you mean "hours"?`},
		"all of it": {"weekdays = ['Monday:friday', 'sunday']\nhours = ['09:00-12:00', '22:00-06:00']\ndays_of_month = ['1:5', '-1']\nmonths = ['november:january', '7']\nyears = ['2026', '2028:2030']\n" +
			"holidays = ['2026-12-25']\ntime_zone = 'America/New_York'\nduring = 'ask'", ""},
	} {
		t.Run(name, func(t *testing.T) { expect(t, minimal+"[calendar.c]\n"+test.text, test.problem, false) })
	}
}

func TestACalendarIsOnWhenItSays(t *testing.T) {
	for name, test := range map[string]struct {
		text    string
		on, off []string
	}{
		"office hours":       {"weekdays = ['monday:friday']\nhours = ['09:00-17:00']", []string{"Mon 2026-11-23 09:00", "Fri 2026-11-27 16:59"}, []string{"Mon 2026-11-23 08:59", "Fri 2026-11-27 17:00", "Sat 2026-11-28 12:00"}},
		"nights":             {"hours = ['22:00-06:00']", []string{"Mon 2026-11-23 22:00", "Tue 2026-11-24 05:59", "Tue 2026-11-24 00:00"}, []string{"Mon 2026-11-23 21:59", "Tue 2026-11-24 06:00"}},
		"nights of weekdays": {"weekdays = ['monday:friday']\nhours = ['22:00-06:00']", []string{"Fri 2026-11-27 22:00", "Sat 2026-11-28 05:59"}, []string{"Mon 2026-11-23 05:59", "Sat 2026-11-28 22:00", "Sun 2026-11-29 03:00"}},
		"until midnight":     {"hours = ['22:00-00:00']", []string{"Mon 2026-11-23 23:59"}, []string{"Tue 2026-11-24 00:00"}},
		"all day":            {"weekdays = ['monday']\nhours = ['00:00-24:00']", []string{"Mon 2026-11-23 00:00", "Mon 2026-11-23 23:59"}, []string{"Tue 2026-11-24 00:00"}},
		"two times of a day": {"hours = ['12:00-13:00', '23:00-01:00']", []string{"Mon 2026-11-23 12:30", "Mon 2026-11-23 00:30", "Mon 2026-11-23 23:30"}, []string{"Mon 2026-11-23 13:00", "Mon 2026-11-23 01:00"}},
		"over the weekend":   {"weekdays = ['friday:monday']", []string{"Fri 2026-11-27 12:00", "Sat 2026-11-28 12:00", "Sun 2026-11-29 12:00", "Mon 2026-11-23 12:00"}, []string{"Tue 2026-11-24 12:00", "Thu 2026-11-26 12:00"}},
		"over new year":      {"months = ['december:january']", []string{"Tue 2026-12-01 12:00", "Fri 2027-01-01 12:00"}, []string{"Mon 2026-11-30 12:00", "Mon 2027-02-01 12:00"}},
		"the last day":       {"days_of_month = ['-1']", []string{"Mon 2026-11-30 12:00", "Sun 2027-02-28 12:00"}, []string{"Sun 2026-11-29 12:00"}},
		"the last night of the year": {
			"months = ['december']\ndays_of_month = ['31']\nhours = ['20:00-08:00']",
			[]string{"Thu 2026-12-31 20:00", "Fri 2027-01-01 07:59"},
			[]string{"Thu 2026-12-31 07:59", "Fri 2027-01-01 20:00"},
		},
		"a year":                        {"years = ['2026']", []string{"Mon 2026-11-23 12:00"}, []string{"Fri 2027-01-01 12:00"}},
		"holidays alone":                {"holidays = ['2026-12-25']", []string{"Fri 2026-12-25 00:00", "Fri 2026-12-25 23:59"}, []string{"Thu 2026-12-24 23:59", "Sat 2026-12-26 00:00"}},
		"holidays beside office hours":  {"weekdays = ['monday:friday']\nhours = ['17:00-09:00']\nholidays = ['2026-12-25']", []string{"Fri 2026-12-25 12:00", "Mon 2026-11-23 18:00"}, []string{"Mon 2026-11-23 12:00"}},
		"in a zone that changes clocks": {"hours = ['02:00-03:00']\ntime_zone = 'Europe/Berlin'", []string{"Mon 2026-11-23 01:30", "Wed 2026-07-01 00:30"}, []string{"Mon 2026-11-23 00:30", "Wed 2026-07-01 01:30"}},
	} {
		t.Run(name, func(t *testing.T) {
			d, problems := daemon(t, minimal+"[calendar.c]\n"+test.text)
			if d == nil || len(problems) > 0 {
				t.Fatal(problems)
			}
			calendar := d.Calendars["c"]
			if calendar.During != rules.Auto {
				t.Errorf("unsaid, it lowers power to %s", calendar.During)
			}
			for want, times := range map[bool][]string{true: test.on, false: test.off} {
				for _, text := range times {
					at, err := time.Parse("Mon 2006-01-02 15:04", text)
					if err != nil || at.Format("Mon") != text[:3] {
						t.Fatal(text, err)
					}
					if calendar.On(at) != want {
						t.Errorf("%s: on is %t", text, !want)
					}
				}
			}
		})
	}
}

func TestPoliciesAreCheckedWithTheirPlace(t *testing.T) {
	const house = minimal + "[group.oncall]\npeople = ['ana', 'ben', 'cem']\n[calendar.night]\nhours = ['22:00-06:00']\n"
	for name, test := range map[string]struct{ text, problem string }{
		"everything":          {"[[policy]]\nname = 'x'\nservices = ['a']\nenvironments = ['p']\nstrategies = ['canary']\ntier = [1, 2]\nlabels = { pci = 'true' }\ncalendar = ['night']\nmost = 'ask'\nneeds = { oncall = 2 }", ""},
		"nothing may be done": {"[[policy]]\nmost = 'none'", ""},
		"no power":            {"[[policy]]\nname = 'pci'", `:9:3: policy "pci": most is required; the most power there: "none"`},
		"a power that is none": {
			"[[policy]]\nmost = 'aks'", `policy 1: most must be "notify", "ask", "veto" or "auto", not "aks"`,
		},
		"people and auto":            {"[[policy]]\nmost = 'auto'\nneeds = { oncall = 1 }", `:10:8: policy 1: most = "auto" does not go with needs; people are needed for a question`},
		"people and notify":          {"[[policy]]\nmost = 'notify'\nneeds = { oncall = 1 }", `most = "notify" does not go with needs`},
		"a group that is not there":  {"[[policy]]\nmost = 'ask'\nneeds = { onkall = 1 }", `:11:20: policy 1: needs: there is no [group.onkall] in the daemon's file; did you mean "oncall"?`},
		"more than there are":        {"[[policy]]\nmost = 'ask'\nneeds = { oncall = 4 }", "needs: 4 of oncall are needed, and [group.oncall] has 3"},
		"nobody":                     {"[[policy]]\nmost = 'ask'\nneeds = { oncall = 0 }", "needs.oncall must be 1 or more, not 0"},
		"a calendar of nobody":       {"[[policy]]\nmost = 'ask'\ncalendar = ['nigt']", `calendar: there is no [calendar.nigt] in the daemon's file; did you mean "night"?`},
		"a tier that is none":        {"[[policy]]\nmost = 'ask'\ntier = [5]", "tier must be 1 (most critical) to 4, not 5"},
		"a strategy that is none":    {"[[policy]]\nmost = 'ask'\nstrategies = ['canari']", `did you mean "canary"?`},
		"an empty list":              {"[[policy]]\nmost = 'ask'\nservices = []", "services is empty"},
		"two of one name":            {"[[policy]]\nname = 'x'\nmost = 'ask'\n[[policy]]\nname = 'x'\nmost = 'ask'", `:13:8: policy "x": name: there is another policy called "x"`},
		"a name that is a number":    {"[[policy]]\nname = '2'\nmost = 'ask'\n[[policy]]\nmost = 'ask'", `policy 2: name: there is another policy called "2"`},
		"a table instead of a list":  {"[policy]\nmost = 'ask'", "policy must be a list of tables"},
		"what a plan alone may name": {"[[policy]]\nmost = 'ask'\nrules = ['x']", `unknown key "rules"`},
	} {
		t.Run(name, func(t *testing.T) { expect(t, house+test.text, test.problem, false) })
	}
}

func TestAPolicyGoesWithThePlansThatItMayMeet(t *testing.T) {
	for policy, meets := range map[string]bool{
		"": true, "services = ['checkout']": true, "services = ['search', 'basket']": false,
		"environments = ['eu', 'us']": true, "environments = ['us']": false, "tier = [1]": true, "tier = [2]": false,
		"labels = { pci = 'true' }": true, "labels = { pci = 'false' }": false, "labels = { eventual = 'x' }": true,
		"strategies = ['canary']": true,
	} {
		house := minimal + "[[policy]]\nmost = 'ask'\n" + policy
		plan := one(t, house, head+"environments = ['eu']\ntier = 1\nlabels = { pci = 'true' }\n"+rule+tail)
		if (len(plan.Policies) == 1) != meets {
			t.Errorf("%s: %v", policy, plan.Policies)
		}
	}
}

func TestAPolicyForAServiceWithoutAPlanIsWarnedOf(t *testing.T) {
	const house = minimal + "[[policy]]\nservices = ['checkout', 'serch']\nmost = 'ask'\n"
	const warning = `:6:12: warning: policy 1: services: there is no plan for "serch"`
	expectLast := func(plans map[string]string, want string) {
		t.Helper()
		_, problems := load(t, house, plans)
		said := ""
		for _, p := range problems {
			if p.Where == "policy 1" {
				said += p.String()
			}
		}
		if (want == "") != (said == "") || len(said) < len(want) || said[len(said)-len(want):] != want {
			t.Errorf("%v\nwant %q", problems, want)
		}
	}
	expectLast(map[string]string{"a.toml": head + rule + tail}, warning)
	expectLast(map[string]string{"a.toml": head + rule + tail, "b.toml": "service = 'serch'\nowner = 'x'\n" + rule + tail}, "")
	expectLast(map[string]string{"a.toml": head + rule + tail, "b.toml": "broken"}, "")
}
