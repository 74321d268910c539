package configs_test

import (
	"encoding/json"
	"fmt"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/bakewatch/bakewatch/configs"
	"github.com/bakewatch/bakewatch/rules"
)

const (
	head      = "service = 'checkout'\nowner = 'team'\n"
	tail      = "\n[notify]\nchat = ['log']\n"
	rule      = "\n[[rule]]\nkind = 'error-rate'\njudge = 'threshold'\nerrors = 'e_total'\nrequests = 'r_total'\nmax = '1%'\n"
	byVersion = "\n[select]\nversion = 'version'\n"
)

// load loads a daemon's file and plans, by name below plans/, from a new folder.
func load(t *testing.T, daemon string, plans map[string]string) ([]rules.Plan, configs.Problems) {
	t.Helper()
	folder := t.TempDir()
	write(t, folder, map[string]string{"bakewatch.toml": daemon})
	for name, text := range plans {
		write(t, filepath.Join(folder, "plans"), map[string]string{name: text})
	}
	d, problems := configs.Load(filepath.Join(folder, "bakewatch.toml"), catalog())
	if d == nil {
		t.Fatal(problems)
	}
	return configs.LoadPlans(d, catalog())
}

// one loads one plan that must be good.
func one(t *testing.T, daemon, plan string) rules.Plan {
	t.Helper()
	plans, problems := load(t, daemon, map[string]string{"a.toml": plan})
	if problems.Failed() || len(plans) != 1 {
		t.Fatalf("%d plans: %v", len(plans), problems)
	}
	return plans[0]
}

func minutes(n int) rules.Duration { return rules.Duration(time.Duration(n) * time.Minute) }

func TestWhatIsNotSaidIsWhatAnSREWouldChoose(t *testing.T) {
	p := one(t, minimal, head+rule+tail)
	want := rules.Plan{
		Service: "checkout", Owner: "team", File: "plans/a.toml", Hash: p.Hash,
		Source: "main", Settle: rules.Duration(5 * time.Second), Interval: rules.Duration(15 * time.Second),
		Bake: minutes(30), BakeMin: minutes(5), RollOut: minutes(30), BlindFor: minutes(5), FalseAlarms: 1. / 1000,
		Notify: rules.Notification{Chat: []string{"log"}},
		Rules: []rules.Spec{{
			Name: "error-rate", Kind: "error-rate", Severity: rules.Critical, Mode: rules.ModeNotify, Judge: "threshold",
			Window: minutes(5), WarmUp: minutes(1), Options: p.Rules[0].Options,
		}},
	}
	if !reflect.DeepEqual(p, want) || p.Hash == "" {
		t.Errorf("\n got %+v\nwant %+v", p, want)
	}
}

func TestAShortBakeShortensWhatDependsOnIt(t *testing.T) {
	p := one(t, minimal, head+"bake = '1m'\n"+rule+tail)
	if p.BakeMin != minutes(1) || p.Rules[0].WarmUp != rules.Duration(15*time.Second) {
		t.Errorf("bake_min %s, warm_up %s", p.BakeMin, p.Rules[0].WarmUp)
	}
}

func TestThePlanComesBeforeTheDefaultsAndThoseBeforeOurs(t *testing.T) {
	daemon := minimal + `
[defaults]
mode = "shadow"
bake = "40m"
window = "3m"
labels = { a = "1" }
[defaults.select]
match = { job = "$service" }
join = { metric = "target_info", on = ["job"], label = "v" }
[defaults.notify]
page = ["log"]
`
	p := one(t, daemon, head+"bake = '50m'\n"+byVersion+rule+"mode = 'enforce'\nwindow = '1m'\n"+rule+"name = 'two'\n")
	switch {
	case p.Bake != minutes(50) || p.Labels["a"] != "1":
		t.Errorf("bake %s, labels %v", p.Bake, p.Labels)
	case p.Rules[0].Mode != rules.Enforce || p.Rules[0].Window != minutes(1):
		t.Errorf("the rule's own: %+v", p.Rules[0])
	case p.Rules[1].Mode != rules.Shadow || p.Rules[1].Window != minutes(3):
		t.Errorf("the defaults': %+v", p.Rules[1])
	case p.Select.Version != "version" || p.Select.Join != nil || p.Select.Match["job"] != "$service":
		t.Errorf("select: %+v", p.Select)
	case len(p.Notify.Page) != 1:
		t.Errorf("notify: %+v", p.Notify)
	}
}

func TestEveryPresetMakesRulesOfItsKinds(t *testing.T) {
	const errorRate = "\n[[rule]]\nkind = 'error-rate'\njudge = 'threshold'\nmax = '1%'\n"
	const latency = "\n[[rule]]\nkind = 'latency'\njudge = 'threshold'\nmax = '500ms'\n"
	for preset, text := range map[string]string{
		"prometheus-http": errorRate + latency, "otel-http": errorRate + latency, "istio": errorRate,
	} {
		t.Run(preset, func(t *testing.T) {
			p := one(t, minimal, head+"preset = '"+preset+"'\n"+text+tail)
			if len(p.Rules) != strings.Count(text, "[[rule]]") || len(p.Select.Match) == 0 {
				t.Errorf("%+v", p)
			}
		})
	}
}

func TestAPresetFillsInOnlyWhatThePlanDoesNotSay(t *testing.T) {
	daemon := minimal + `
[preset.prometheus-http]
select.version = "house_version"
rule.error-rate = { errors = 'house_errors', requests = 'house_requests' }
`
	p := one(t, daemon, head+"preset = 'prometheus-http'\n[[rule]]\nkind = 'error-rate'\njudge = 'threshold'\nmax = 0.5\n"+rule+"name = 'own'\n"+tail)
	if p.Select.Version != "house_version" {
		t.Errorf("the team's own preset is not taken: %+v", p.Select)
	}
	for i, want := range []string{"house_errors", "e_total"} {
		if !strings.Contains(string(p.Rules[i].Options), want) {
			t.Errorf("rule %d: %s, want %s", i, p.Rules[i].Options, want)
		}
	}
	p = one(t, minimal, head+"preset = 'otel-http'\n"+byVersion+"match = { job = 'x' }\n[[rule]]\nkind = 'error-rate'\njudge = 'threshold'\nmax = 0.5\n"+tail)
	if p.Select.Join != nil || p.Select.Version != "version" || p.Select.Match["job"] != "x" {
		t.Errorf("the preset's select is mixed into the plan's: %+v", p.Select)
	}
}

func TestWhatCountsEventsIsComparedUnlessThePlanWantsAThreshold(t *testing.T) {
	tested := one(t, minimal, head+byVersion+strings.Replace(rule, "judge = 'threshold'\n", "", 1)+tail)
	limited := one(t, minimal, head+byVersion+rule+tail)
	query := one(t, minimal, head+byVersion+"[[rule]]\nkind = 'query'\nexpr = 'up'\nmax = 1\n"+tail)
	if got := []string{tested.Rules[0].Judge, limited.Rules[0].Judge, query.Rules[0].Judge}; !slices.Equal(got, []string{"", "threshold", "threshold"}) {
		t.Errorf("judged by %q", got)
	}
}

func TestACrashRuleComparesUnlessALimitIsAllThatThePlanSays(t *testing.T) {
	const crash = "\n[[rule]]\nkind = 'crash'\nrestarts = 'process_restarts_total'\n"
	for name, test := range map[string]struct{ plan, judge, said string }{
		"nothing":               {crash, "", "judged by a test against previous and before:\n"},
		"a limit":               {crash + "max = 2\n", "threshold", "judged by threshold over 5m:\n"},
		"a limit, plainly":      {crash + "max = 2\njudge = 'threshold'\n", "threshold", "breached at once; looks"},
		"what to compare with":  {crash + "compare_to = ['before']\n", "", "judged by a test against before:\n"},
		"both":                  {crash + "max = 2\ncompare_to = ['before']\n", "", "judged by a test against before, and by threshold over 5m:\n"},
		"when both are broken":  {crash + "max = 2\ncompare_to = ['before']\n", "", "breached once it is proved, or at once beyond max; looks"},
		"when it is broken":     {crash, "", "breached once it is proved; looks"},
		"what both promise":     {crash + "max = 2\ncompare_to = ['before']\n", "", "; its plain limits promise nothing.\n"},
		"what a test promises":  {crash, "", "by all tests of the plan together.\n"},
		"nobody else's version": {crash + "select = 'none'\n", "", "judged by a test against before:\n"},
	} {
		t.Run(name, func(t *testing.T) {
			p := one(t, minimal, head+byVersion+test.plan+tail)
			if said := catalog().Explain(p); p.Rules[0].Judge != test.judge || !strings.Contains(said, test.said) {
				t.Errorf("judged by %q:\n%s", p.Rules[0].Judge, said)
			}
		})
	}
}

func TestAQueryCountsOnceItsWindowHasPassedTheDeployment(t *testing.T) {
	const text = head + byVersion + "\n[[rule]]\nkind = 'query'\nexpr = 'max_over_time(x[$window])'\nmax = 1\n"
	for name, test := range map[string]struct {
		plan string
		warm rules.Duration
		said string
	}{
		"the window":             {text + tail, minutes(5), ""},
		"the rule's own window":  {text + "window = '10m'\n" + tail, minutes(10), ""},
		"a longer warm-up":       {text + "warm_up = '7m'\n" + tail, minutes(7), ""},
		"a shorter one":          {text + "warm_up = '1m'\n" + tail, minutes(1), "until 5m after the deployment, $window sees the time before it"},
		"a window beyond bake":   {"bake = '5m'\n" + text + tail, 0, "sees the time before the deployment during all of bake"},
		"without $window":        {strings.Replace(text, "$window", "2m", 1) + tail, minutes(1), ""},
		"a window for no reason": {strings.Replace(text, "$window", "2m", 1) + "window = '10m'\n" + tail, minutes(1), ""},
	} {
		t.Run(name, func(t *testing.T) {
			plans, problems := load(t, minimal, map[string]string{"a.toml": test.plan})
			if (test.said == "") != (len(problems) == 0) || !strings.Contains(problems.String(), test.said) {
				t.Fatal(problems)
			}
			if len(plans) == 1 && plans[0].Rules[0].WarmUp != test.warm || len(plans) == 0 && test.warm > 0 {
				t.Errorf("%d plans, %v", len(plans), plans)
			}
		})
	}
}

func TestAMetricThatCannotCarryWhatSelectAddsIsWarnedOf(t *testing.T) {
	const crash = "[[rule]]\nkind = 'crash'\njudge = 'threshold'\nmax = 2\nrestarts = 'kube_pod_container_status_restarts_total{container=\"checkout\"}'\n"
	const own = "[[rule]]\nkind = 'crash'\njudge = 'threshold'\nmax = 2\nrestarts = 'process_restarts_total'\n"
	const up = "[[rule]]\nkind = 'up'\n"
	const istio, otel, promhttp = "preset = 'istio'\n", "preset = 'otel-http'\n", "preset = 'prometheus-http'\n"
	const selected = "[select]\nmatch = { job = 'checkout', namespace = 'shop' }\nversion = 'version'\n"
	for name, test := range map[string]struct{ plan, said string }{
		"kube metrics and match":            {selected + crash, "kube_pod_container_status_restarts_total does not carry what [select] adds (job, version)"},
		"kube metrics and a preset":         {promhttp + byVersion + crash, "adds (job, version)"},
		"kube metrics and a preset's join":  {otel + crash, "the join with target_info"},
		"kube metrics and a join of theirs": {"[select]\njoin = { metric = 'kube_pod_labels', on = ['namespace', 'pod'], label = 'label_version' }\n" + crash, ""},
		"kube metrics without select":       {selected + crash + "select = 'none'\n", ""},
		"kube metrics by their own labels":  {selected + strings.Replace(crash, "{", "{job=\"ksm\", version=~\".*\", ", 1), ""},
		"kube metrics and slots":            {"[select.slots]\na = { instance = '1' }\nb = { instance = '2' }\n" + crash, "adds (instance)"},
		"a metric of the service":           {selected + own, ""},
		"up and istio":                      {istio + up, "up does not carry what [select] adds (destination_service_name, reporter, destination_version)"},
		"up and istio without select":       {istio + up + "targets = 'up{job=\"checkout\"}'\nselect = 'none'\n", ""},
		"up and a version of the target":    {selected + up, ""},
		"up and a join":                     {otel + up, ""},
	} {
		t.Run(name, func(t *testing.T) {
			_, problems := load(t, minimal, map[string]string{"a.toml": head + test.plan + tail})
			if problems.Failed() || (test.said == "") != (len(problems) == 0) || !strings.Contains(problems.String(), test.said) {
				t.Error(problems)
			}
		})
	}
}

func TestWhatIsOfferedInsteadOfARollbackMustNeedNothingOfThePlan(t *testing.T) {
	const house = minimal + "[executor.e]\nuse = 'exec'\ncommand = ['/x']\n[executor.needy]\nuse = 'needy'\n[executor.stop]\nuse = 'exec'\ncommand = ['/x']\n"
	for otherwise, problem := range map[string]string{
		"stop":  "",
		"needy": `:13:13: rollback 1: otherwise: an executor of kind "needy" needs to be told what for: workload: is required`,
		"e":     "otherwise must be another executor than use",
		"stopp": `there is no [executor.stopp] in the daemon's file; did you mean "stop"?`,
	} {
		plans, problems := load(t, house, map[string]string{"a.toml": head + rule + "[[rollback]]\nuse = 'e'\n\notherwise = '" + otherwise + "'\n" + tail})
		if problems.Failed() == (problem == "") || !strings.Contains(problems.String(), problem) {
			t.Errorf("%v, want %q", problems, problem)
		}
		if problem == "" && plans[0].Rollbacks[0].Otherwise != otherwise {
			t.Errorf("%+v", plans[0].Rollbacks)
		}
	}
}

func TestOnePlansErrorTakesNoOtherPlanDown(t *testing.T) {
	plans, problems := load(t, minimal, map[string]string{
		"team-a/a.toml": head + rule + tail,
		"team-b/b.toml": "service = 'search'\nbroken",
		"team-c/c.toml": strings.Replace(head, "checkout", "basket", 1) + rule + tail,
	})
	if len(plans) != 2 || !problems.Failed() {
		t.Errorf("%d plans, %v", len(plans), problems)
	}
}

func TestTwoPlansForOneServiceAreRefusedOnlyWhereTheyMeet(t *testing.T) {
	for name, test := range map[string]struct {
		a, b string
		want int
	}{
		"different environments":            {"environments = ['eu']\n", "environments = ['us']\n", 2},
		"one environment in common":         {"environments = ['eu', 'us']\n", "environments = ['us']\n", 0},
		"every environment and one of them": {"", "environments = ['us']\n", 0},
		"every environment in both":         {"", "", 0},
	} {
		t.Run(name, func(t *testing.T) {
			plans, problems := load(t, minimal, map[string]string{"a.toml": head + test.a + rule + tail, "b.toml": head + test.b + rule + tail})
			if len(plans) != test.want || problems.Failed() != (test.want == 0) {
				t.Errorf("%d plans: %v", len(plans), problems)
			}
		})
	}
}

func TestPlansAreCheckedWithoutTheDaemonsFile(t *testing.T) {
	folder := t.TempDir()
	write(t, folder, map[string]string{"a.toml": head + byVersion + rule + "[[rollback]]\nuse = 'whatever'\n" + tail, "b.toml": head + "bakee = 1"})
	plans, problems := configs.CheckPlans([]string{filepath.Join(folder, "a.toml"), filepath.Join(folder, "b.toml")}, nil, catalog())
	if len(plans) != 1 || !strings.Contains(problems.String(), "were not checked") || !strings.Contains(problems.String(), `unknown key "bakee"`) {
		t.Errorf("%d plans: %v", len(plans), problems)
	}
}

func TestNamesThatBeginWithTwoDotsAreSkipped(t *testing.T) {
	plans, problems := load(t, minimal, map[string]string{
		"team/a.toml": head + rule + tail, "..2026/a.toml": head + rule + tail, "team/..data/a.toml": head + rule + tail,
	})
	if len(plans) != 1 || problems.Failed() {
		t.Errorf("%d plans: %v", len(plans), problems)
	}
}

func TestFilesThatMeanHarmAreRefusedInBoundedTime(t *testing.T) {
	for name, test := range map[string]struct{ text, want string }{
		"10 MB":                 {head + "# " + strings.Repeat("x", 10<<20), "longer than 1024 KiB"},
		"deep lists":            {"x = " + strings.Repeat("[", 500_000), "nested too deeply"},
		"deep tables":           {"x = " + strings.Repeat("{a=", 200_000), "nested too deeply"},
		"a plan beyond 64 KiB":  {head + "labels = { a = '" + strings.Repeat("x", 70_000) + "' }\n" + rule + tail, "the resolved plan takes 68 KiB, more than 64"},
		"an enormous key":       {head + strings.Repeat("k", 100_000) + " = 1\n", "unknown key"},
		"countless rules":       {head + strings.Repeat("[[rule]]\n", 100_000), "100000 [[rule]] are more than 500"},
		"countless keys":        {head + countless("k%d = 1\n", 100_000), "more than 199 problems"},
		"countless tables":      {head + countless("[k%d]\n", 100_000), "more than 199 problems"},
		"a countless list":      {head + "environments = [" + strings.Repeat("1,", 400_000) + "]", "more than 199 problems"},
		"an endless dotted key": {head + strings.Repeat("a.", 400_000) + "b = 1", "nested too deeply"},
		"NUL bytes":             {head + "bake = \"\x00\"", "not valid TOML"},
		"a list where none is":  {head + "rule = [[[[1]]]]" + tail, "rule must hold tables"},
		"a number beyond all":   {head + "tier = 99999999999999999999", "not valid TOML"},
		"a value of infinity":   {head + "[[rule]]\nkind = 'latency'\nquantile = inf\n" + tail, "quantile must be a number"},
		"a date for a duration": {head + "bake = 2026-11-23" + tail, "bake must be a length of time"},
	} {
		t.Run(name, func(t *testing.T) {
			plans, problems := load(t, minimal, map[string]string{"a.toml": test.text})
			said := problems.String()
			if len(plans) != 0 || !strings.Contains(said, test.want) {
				t.Errorf("%d plans: %.300s", len(plans), said)
			}
			if len(said) > 40_000 {
				t.Errorf("%d bytes are said about it", len(said))
			}
		})
	}
}

func countless(format string, n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, format, i)
	}
	return b.String()[:min(b.Len(), 1<<20-100)]
}

func TestAResolvedPlanComesBackFromTheJournalAsItWas(t *testing.T) {
	folder := t.TempDir()
	write(t, folder, map[string]string{"bakewatch.toml": minimal + "[executor.e]\nuse = 'exec'\ncommand = ['/x']\n[group.oncall]\npeople = ['ana', 'ben']\n[group.duty]\nschedule = 'pagerduty:P1'\nfallback = 'oncall'\npage = ['log']\n[schedule.pagerduty]\ntoken_env = 'HOME'\n" +
		"[calendar.night]\nhours = ['22:00-06:00']\nweekdays = ['friday:monday']\ntime_zone = 'Europe/Berlin'\n[calendar.freeze]\nholidays = ['2026-12-25']\nduring = 'ask'\n" +
		"[budget]\nlane = '2 in 24h'\n[[policy]]\ncalendar = ['night']\nmost = 'ask'\nneeds = { oncall = 2 }\n"})
	d, problems := configs.Load(filepath.Join(folder, "bakewatch.toml"), catalog())
	if d == nil {
		t.Fatal(problems)
	}
	rapid.Check(t, func(r *rapid.T) {
		write(t, folder, map[string]string{"plans/a.toml": anyPlan(r)})
		plans, problems := configs.LoadPlans(d, catalog())
		if len(plans) != 1 {
			r.Fatal(problems)
		}
		text, err := json.Marshal(plans[0])
		var back rules.Plan
		if err := json.Unmarshal(text, &back); err != nil {
			r.Fatal(err)
		}
		if err != nil || !reflect.DeepEqual(back, plans[0]) {
			r.Fatalf("%v\n got %+v\nwant %+v", err, back, plans[0])
		}
		if catalog().Explain(back) != catalog().Explain(plans[0]) {
			r.Fatal("it is explained differently")
		}
	})
}

// anyPlan draws a plan that is right.
func anyPlan(r *rapid.T) string {
	word := rapid.StringMatching(`[a-z][a-z0-9]{0,8}`)
	text := fmt.Sprintf("service = %q\nowner = %q\nbake = \"%dm\"\ntier = %d\nmode = %q\n", word.Draw(r, "service"),
		rapid.StringMatching(`[a-zäöü🔥 ]{1,12}`).Draw(r, "owner"), rapid.IntRange(10, 90).Draw(r, "bake"),
		rapid.IntRange(1, 4).Draw(r, "tier"), rapid.SampledFrom([]string{"shadow", "notify", "enforce"}).Draw(r, "mode"))
	text += fmt.Sprintf("labels = { %s = '%s' }\n", word.Draw(r, "label"), word.Draw(r, "value"))
	text += rapid.SampledFrom([]string{
		"", "[select]\nversion = 'v'\n", "[select]\nmatch = { job = \"a$$b\" }\njoin = { metric = 'm', on = ['job'], label = 'l' }\n",
		"[select.slots]\nblue = { instance = 'a' }\ngreen = { instance = 'b' }\n",
	}).Draw(r, "select")
	for i := range rapid.IntRange(1, 4).Draw(r, "rules") {
		text += rule + fmt.Sprintf("name = 'r%d'\nseverity = %q\n", i, rapid.SampledFrom([]string{"info", "warning", "critical"}).Draw(r, "severity"))
	}
	text += rapid.SampledFrom([]string{"", "[[rollback]]\nuse = 'e'\nwith = { args = ['a', 'ö'] }\nreversible = false\n"}).Draw(r, "rollback")
	text += rapid.SampledFrom([]string{
		"", "[[authority]]\ndecide = 'auto'\nseverity = ['critical']\n",
		"[[authority]]\ndecide = 'ask'\nneeds = { oncall = 1 }\nwithin = '5m'\nsilence = 'roll-back'\n",
		"[[authority]]\ncalendar = ['night']\ndecide = 'veto'\nneeds = { duty = 1 }\nwithin = '5m'\nsnooze = '1h'\n",
		"[[authority]]\ndecide = 'ask'\nneeds = { duty = 1 }\nwithin = '5m'\nescalate = [{ to = 'oncall', within = '5m', needs = 2 }]\nsilence = 'keep'\nwithdraw = false\n",
	}).Draw(r, "authority")
	return text + tail
}
