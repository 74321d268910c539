package configs_test

import (
	"context"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/bakewatch/bakewatch/configs"
	"github.com/bakewatch/bakewatch/rules"
)

// planOf is a plan of a service with two rules that are judged by tests.
func planOf(service, more string) string {
	return "service = '" + service + "'\nowner = 'team'\n" + more + `
[select]
match = { job = "$service" }

[[rule]]
name = "slow"
kind = "latency"
histogram = "` + service + `_seconds"
max = "500ms"

[[rule]]
kind = "error-rate"
errors = 'r_total{code=~"5.."}'
requests = 'r_total'
` + tail
}

const borrowing = "weather = ['search', 'cart']\n"

// inForce loads what is in force with these plans.
func inForce(t *testing.T, daemon string, plans map[string]string) configs.Set {
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
	return configs.LoadSet(context.Background(), d, catalog(), configs.Set{}, nil)
}

// aboutWeather is what is said of services that are borrowed.
func aboutWeather(problems configs.Problems) string {
	return slices.DeleteFunc(slices.Clone(problems), func(p configs.Problem) bool { return !strings.HasPrefix(p.What, "weather:") }).String()
}

func TestARuleBorrowsWhatTheServicesOwnPlanSays(t *testing.T) {
	set := inForce(t, minimal, map[string]string{
		"a.toml": planOf("checkout", borrowing), "b.toml": planOf("search", ""),
		"c.toml": planOf("cart", "environments = ['staging']\n"),
	})
	p, ok := set.Plan("checkout", "production")
	if !ok || len(p.Rules) != 2 || len(p.Rules[0].Stations) != 2 {
		t.Fatalf("%+v, %v", p.Rules, set.Problems)
	}
	for i, kind := range []string{"latency", "error-rate"} {
		search, cart := p.Rules[i].Stations[0], p.Rules[i].Stations[1]
		if search.Service != "search" || search.Missing != "" || search.Rule == nil || search.Rule.Kind != kind || search.Select.Match["job"] != "$service" {
			t.Errorf("%+v", search)
		}
		if cart.Service != "cart" || cart.Missing != "there is no plan of it in production" || cart.Rule != nil {
			t.Errorf("%+v", cart)
		}
	}
	if !strings.Contains(string(p.Rules[0].Stations[0].Rule.Options), "search_seconds") {
		t.Errorf("%s", p.Rules[0].Stations[0].Rule.Options)
	}
	if _, err := catalog().Build(p); err != nil {
		t.Error(err)
	}
	if p, _ = set.Plan("search", "production"); p.Rules[0].Stations != nil {
		t.Errorf("a plan without weather borrows %+v", p.Rules[0].Stations)
	}
	if set.Plans[0].Rules[0].Stations != nil {
		t.Error("what is in force was changed")
	}
}

func TestAServiceThatLendsNothingIsWarnedOf(t *testing.T) {
	two := minimal + "\n[prometheus.other]\nurl = 'http://127.0.0.1:9099'\n"
	limits := strings.Replace(planOf("search", ""), `kind = "latency"`, "kind = \"latency\"\njudge = \"threshold\"", 1)
	for name, test := range map[string]struct{ daemon, own, search, want string }{
		"no plan":                 {minimal, "weather = ['serach']\n", planOf("search", ""), `plans/a.toml:3:12: warning: weather: "serach" lends nothing: there is no plan of it; did you mean "search"?`},
		"another environment":     {minimal, "weather = ['search']\nenvironments = ['production']\n", planOf("search", "environments = ['staging']\n"), `weather: "search" lends nothing: there is no plan of it in production`},
		"a caller":                {minimal, "weather = ['search']\n", planOf("search", "depends_on = ['checkout']\n"), `weather: "search" lends nothing: it depends on checkout, and fails with it`},
		"another Prometheus":      {two, "source = 'main'\nweather = ['search']\n", planOf("search", "source = 'other'\n"), `weather: "search" lends nothing: another Prometheus is asked about it, "other"`},
		"no test of one kind":     {minimal, "weather = ['search']\n", limits, `weather: "search" lends nothing to rule "slow": its plan has no latency rule that is judged by a test`},
		"one that is needed":      {minimal, "weather = ['search']\ndepends_on = ['search']\n", planOf("search", ""), `weather: "search" is in depends_on`},
		"nothing to warn of":      {minimal, "weather = ['search']\n", planOf("search", ""), ""},
		"nothing that can borrow": {minimal, "", head + "weather = ['search']\n" + rule + tail, `weather: no rule borrows it`},
	} {
		t.Run(name, func(t *testing.T) {
			plans := map[string]string{"a.toml": planOf("checkout", test.own), "b.toml": test.search}
			if test.own == "" {
				plans["a.toml"] = test.search
				plans["b.toml"] = planOf("search", "")
			}
			loaded, problems := load(t, test.daemon, plans)
			text := aboutWeather(problems)
			if problems.Failed() || len(loaded) != 2 || !strings.Contains(text, test.want) || test.want == "" && text != "" {
				t.Errorf("%d plans: %s\nwant %s", len(loaded), text, test.want)
			}
			if strings.Count(text, "weather:") > 1 {
				t.Errorf("said more than once: %s", text)
			}
		})
	}
}

func TestOnePlanIsCheckedBesideThoseOfTheDaemonsFile(t *testing.T) {
	folder := t.TempDir()
	write(t, folder, map[string]string{"bakewatch.toml": minimal})
	write(t, filepath.Join(folder, "plans"), map[string]string{"a.toml": planOf("checkout", borrowing), "b.toml": planOf("search", "")})
	d, _ := configs.Load(filepath.Join(folder, "bakewatch.toml"), catalog())
	_, problems := configs.CheckPlans([]string{filepath.Join(folder, "plans", "a.toml")}, d, catalog())
	if text := aboutWeather(problems); !strings.HasSuffix(text, `plans/a.toml:3:22: warning: weather: "cart" lends nothing: there is no plan of it; one of "search"`) {
		t.Error(text)
	}
}

// One team's typo takes no other team's plan down.
func TestAServiceWhosePlanBreaksLendsItsLastGoodVersion(t *testing.T) {
	folder := t.TempDir()
	write(t, folder, map[string]string{"bakewatch.toml": minimal})
	write(t, filepath.Join(folder, "plans"), map[string]string{"a.toml": planOf("checkout", "weather = ['search']\n"), "b.toml": planOf("search", "")})
	d, _ := configs.Load(filepath.Join(folder, "bakewatch.toml"), catalog())
	before := configs.LoadSet(t.Context(), d, catalog(), configs.Set{}, nil)
	write(t, filepath.Join(folder, "plans"), map[string]string{"b.toml": "service = 'search'\nownr = 'typo'\n"})
	now := configs.LoadSet(t.Context(), d, catalog(), before, nil)
	p, ok := now.Plan("checkout", "production")
	if !ok || p.Rules[0].Stations[0].Rule == nil || strings.Contains(now.Problems.String(), "lends nothing") {
		t.Errorf("%+v\n%s", p.Rules, now.Problems)
	}
}

func TestAPlanThatWouldBeTooLargeBorrowsNothingAndSaysSo(t *testing.T) {
	var many strings.Builder
	for i := range 60 {
		fmt.Fprintf(&many, "\n[[rule]]\nname = 'r%d'\nkind = 'error-rate'\nerrors = 'e_total{path=~\"%s\"}'\nrequests = 'r_total'\n", i, strings.Repeat("x", 300))
	}
	plan := func(service, more string) string {
		return "service = '" + service + "'\nowner = 'team'\n" + more + many.String() + tail
	}
	set := inForce(t, minimal, map[string]string{
		"a.toml": plan("checkout", borrowing), "b.toml": plan("search", ""), "c.toml": plan("cart", ""),
	})
	p, _ := set.Plan("checkout", "production")
	if len(p.Rules) != 60 || slices.ContainsFunc(p.Rules, func(s rules.Spec) bool {
		return len(s.Stations) != 2 || s.Stations[0].Rule != nil || !strings.Contains(s.Stations[0].Missing, "too large")
	}) {
		t.Errorf("%d rules, %v", len(p.Rules), set.Problems)
	}
}

func TestItIsExplainedWhatIsBorrowed(t *testing.T) {
	p := one(t, minimal, planOf("checkout", borrowing))
	want := `Rules "slow" and "error-rate" borrow search and cart: what rises there in the same minutes is not held against the version.`
	if text := catalog().Explain(p); !strings.Contains(text, want) {
		t.Errorf("%s is not said:\n%s", want, text)
	}
}
