package promql_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/bakewatch/bakewatch/rules"
	"github.com/bakewatch/bakewatch/rules/internal/promtest"
	"github.com/bakewatch/bakewatch/rules/promql"
)

var look = rules.Duration(15 * time.Second)

func scopeOf(t promtest.Fataler, s rules.Select) promql.Scope {
	t.Helper()
	scope, err := promql.NewScope(s)
	if err != nil {
		t.Fatalf("select: %v", err)
	}
	return scope
}

func selectorOf(t promtest.Fataler, text string) *promql.Selector {
	t.Helper()
	selector, err := promql.ParseSelector(text)
	if err != nil {
		t.Fatalf("selector %s: %v", text, err)
	}
	return selector
}

func TestASelectorNamesTheCountersOfOneMetric(t *testing.T) {
	for text, want := range map[string]string{
		`x_total`:                               "",
		`x_total{code=~"5..$", env="$service"}`: "",
		`{__name__="x_total"}`:                  "",
		`{"http.server.requests"}`:              "",
		`{__name__=~"a|b"}`:                     "several metric names",
		`{__name__="$service"}`:                 "several metric names",
		`{job="x"}`:                             "names no metric",
		`rate(x_total[5m])`:                     "a selector such as",
		`x_total[5m]`:                           "a selector such as",
		`a_total + b_total`:                     "a selector such as",
		`x_total offset 5m`:                     "no offset",
		`x_total @ 0`:                           "no offset",
		`x_total{`:                              "unexpected",
	} {
		t.Run(text, func(t *testing.T) {
			_, err := promql.ParseSelector(text)
			if want == "" && err != nil || want != "" && (err == nil || !strings.Contains(err.Error(), want)) {
				t.Errorf("got %v, want %q", err, want)
			}
		})
	}
}

func TestSelectAddsMatchersToASelector(t *testing.T) {
	d := rules.Deployment{Service: "checkout", Version: "2", Slot: "green"}
	slots := map[string]map[string]string{"blue": {"instance": "a"}, "green": {"instance": "b$$"}}
	for name, test := range map[string]struct {
		selected       rules.Select
		selector, want string
		apart          bool
	}{
		"none":                                   {rules.Select{}, `x`, `count(x)`, false},
		"match":                                  {rules.Select{Match: map[string]string{"job": "$service"}}, `x{a="1"}`, `count(x{a="1",job="checkout"})`, false},
		"match leaves the selector's own alone":  {rules.Select{Match: map[string]string{"job": "checkout"}}, `x{job="ksm"}`, `count(x{job="ksm"})`, false},
		"version":                                {rules.Select{Version: "v"}, `x`, `count(x{v="2"})`, true},
		"version that the selector opts out of":  {rules.Select{Version: "v"}, `x{v=~".*"}`, `count(x{v=~".*"})`, false},
		"version that the selector only narrows": {rules.Select{Version: "v"}, `x{v!=""}`, `count(x{v!="",v="2"})`, true},
		"version that the selector excludes":     {rules.Select{}, `x{v!="$version"}`, `count(x{v!="2"})`, false},
		"match that the selector only narrows":   {rules.Select{Match: map[string]string{"job": "j"}}, `x{job=~"j|k"}`, `count(x{job="j",job=~"j|k"})`, false},
		"slots that the selector only narrows":   {rules.Select{Slots: slots}, `x{instance!="canary"}`, `count(x{instance!="canary",instance="b$"})`, false},
		"join on a label in UTF-8": {
			rules.Select{Join: &rules.Join{Metric: "target_info", On: []string{"service.name"}, Label: "v"}},
			`x`,
			`count(x and on ("service.name") last_over_time(target_info{v="2"}[5m]) unless on ("service.name") target_info{v!="2"})`, true,
		},
		"version that the selector writes itself": {rules.Select{}, `x{tag="$version"}`, `count(x{tag="2"})`, true},
		"a version label in UTF-8":                {rules.Select{Version: "service.version"}, `x`, `count(x{"service.version"="2"})`, true},
		"slots":                                   {rules.Select{Slots: slots}, `x`, `count(x{instance="b$"})`, false},
		"join": {
			rules.Select{Match: map[string]string{"job": "j", "team": "t"}, Join: &rules.Join{Metric: "target_info", On: []string{"job", "instance"}, Label: "v"}},
			`x`,
			`count(x{job="j",team="t"} and on (job, instance) last_over_time(target_info{job="j",v="2"}[5m]) unless on (job, instance) target_info{job="j",v!="2"})`, true,
		},
	} {
		t.Run(name, func(t *testing.T) {
			scope, selector := scopeOf(t, test.selected), selectorOf(t, test.selector)
			query := scope.Queries("main", d, scope.Series(selector, d).Present())[0]
			got, err := promql.Bind(query.Template, query.Values)
			if err != nil || got != test.want {
				t.Errorf("got %s, %v; want %s", got, err, test.want)
			}
			if apart := scope.Apart(selector); apart != test.apart {
				t.Errorf("apart: %v", apart)
			}
		})
	}
}

func TestADeploymentsSeriesAreAPartOfTheServicesOrTheyAreNot(t *testing.T) {
	slots := map[string]map[string]string{"blue": {"pool": "a"}, "green": {"pool": "b"}}
	join := &rules.Join{Metric: "target_info", On: []string{"instance"}, Label: "v"}
	for name, test := range map[string]struct {
		selected rules.Select
		selector string
		whole    string
		parts    bool
	}{
		"nothing tells versions apart":           {rules.Select{Match: map[string]string{"job": "$service"}}, "x", `count(x{job="checkout"})`, false},
		"version":                                {rules.Select{Match: map[string]string{"job": "$service"}, Version: "v"}, "x", `count(x{job="checkout"})`, true},
		"version that the selector only narrows": {rules.Select{Version: "v"}, `x{v!=""}`, `count(x{v!=""})`, true},
		"version that the selector opts out of":  {rules.Select{Version: "v"}, `x{v=~".*"}`, `count(x{v=~".*"})`, false},
		"version that match settles":             {rules.Select{Match: map[string]string{"v": "2"}, Version: "v"}, "x", `count(x{v="2"})`, false},
		"version under another name":             {rules.Select{Version: "v"}, `x{tag="$version"}`, `count(x{tag="2"})`, false},
		"join":                                   {rules.Select{Join: join}, "x", "count(x)", true},
		"slots":                                  {rules.Select{Slots: slots}, "x", "count(x)", true},
		"slots that the selector settles":        {rules.Select{Slots: slots}, `x{pool="a"}`, `count(x{pool="a"})`, false},
	} {
		t.Run(name, func(t *testing.T) {
			d := rules.Deployment{Service: "checkout", Version: "2", Slot: "green"}
			scope, selector := scopeOf(t, test.selected), selectorOf(t, test.selector)
			query := scope.Queries("", d, scope.Of(selector, promql.Arm{Deployment: d, Whole: true}).Present())[0]
			if got, err := promql.Bind(query.Template, query.Values); err != nil || got != test.whole {
				t.Errorf("the whole is %s, %v; want %s", got, err, test.whole)
			}
			if got := scope.Parts(selector); got != test.parts {
				t.Errorf("parts: %v", got)
			}
		})
	}
}

func TestASelectorMayAskForAnotherPlaceholder(t *testing.T) {
	got := selectorOf(t, `x{a="$version", b=~"v$version|x", c="$$version", d="$service"}`).Of("version", "previous").String()
	if want := `x{a="$previous",b=~"v$previous|x",c="$$version",d="$service"}`; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

func TestASlotThatThePlanDoesNotKnowIsNoData(t *testing.T) {
	scope := scopeOf(t, rules.Select{Slots: map[string]map[string]string{"blue": {"instance": "a"}}})
	for _, slot := range []string{"", "purple"} {
		for _, selector := range []string{"x", `x{slot="blue"}`, `x{instance="a"}`} {
			t.Run("slot "+slot+" of "+selector, func(t *testing.T) {
				d := rules.Deployment{Version: "2", Slot: slot}
				query := scope.Queries("main", d, scope.Series(selectorOf(t, selector), d).Count(look))[0]
				_, err := promql.Bind(query.Template, query.Values)
				if failed, ok := errors.AsType[*rules.SampleError](err); !ok || failed.Reason != rules.Unbound {
					t.Errorf("got %v, want unbound", err)
				}
			})
		}
	}
}

func TestABrokenSelectIsRefusedWithItsKeys(t *testing.T) {
	for key, s := range map[string]rules.Select{
		"select.match.job":   {Match: map[string]string{"job": "$nix"}},
		"select.match.":      {Match: map[string]string{"": "x"}},
		"select.version":     {Version: "__name__"},
		"select":             {Version: "v", Slots: map[string]map[string]string{"a": {"b": "c"}}},
		"select.slots.a":     {Slots: map[string]map[string]string{"a": {}}},
		"select.slots.a.b":   {Slots: map[string]map[string]string{"a": {"b": "$nix"}}},
		"select.join.on":     {Join: &rules.Join{Metric: "m", Label: "v"}},
		"select.join.metric": {Join: &rules.Join{On: []string{"a"}, Label: "v"}},
		"select.join.label":  {Join: &rules.Join{On: []string{"a"}, Metric: "m"}},
	} {
		t.Run(key, func(t *testing.T) {
			_, err := promql.NewScope(s)
			if blamed, ok := errors.AsType[*rules.FieldError](err); !ok || blamed.Key != key {
				t.Errorf("got %v", err)
			}
		})
	}
}

const scrapes = 25 // 15 s apart, one a look

// drawInstance draws an instance that serves version 1, then 2, and adds what it
// served to the truth. It returns the samples of its series, by a format for them.
func drawInstance(t *rapid.T, truth map[string][]float64) map[string][]promtest.Sample {
	changed := rapid.IntRange(1, scrapes).Draw(t, "changes at")
	total, version := float64(rapid.IntRange(100, 200).Draw(t, "before")), "1"
	series := map[string][]promtest.Sample{}
	add := func(name string, second, value float64) {
		series[name] = append(series[name], promtest.Sample{Second: second, Value: value})
	}
	add("requests_total%s}", -12, total)
	add(`target_info%s,v="1"}`, -12, 1)
	for k := range scrapes {
		second, growth := float64(15*k+3), float64(rapid.IntRange(0, 9).Draw(t, "growth"))
		if k == changed {
			add(`target_info%s,v="1"}`, second, promtest.Stale)
			version, total = "2", 0
		}
		total += growth
		truth[version][k] += growth
		add("requests_total%s}", second, total)
		add(`target_info%s,v="`+version+`"}`, second, 1)
	}
	return series
}

// Instances that change their version under way: with a join, each version's
// counts are its own to the last request.
func TestAJoinGivesEachVersionExactlyItsOwnCounts(t *testing.T) {
	server := promtest.New(t)
	run := 0
	rapid.Check(t, func(t *rapid.T) {
		run++
		truth := map[string][]float64{"1": make([]float64, scrapes), "2": make([]float64, scrapes)}
		for i := range rapid.IntRange(1, 4).Draw(t, "instances") {
			labels := fmt.Sprintf(`{job="j%d",instance="%d"`, run, i)
			for series, samples := range drawInstance(t, truth) {
				server.Add(t, fmt.Sprintf(series, labels), samples...)
			}
		}
		scope := scopeOf(t, rules.Select{
			Match: map[string]string{"job": fmt.Sprintf("j%d", run)},
			Join:  &rules.Join{Metric: "target_info", On: []string{"job", "instance"}, Label: "v"},
		})
		for version, counts := range truth {
			d := rules.Deployment{Version: version}
			queries := scope.Queries("", d, scope.Series(selectorOf(t, "requests_total"), d).Count(look))
			for k, want := range counts {
				if got := sumOf(server.Ask(t, promtest.At(float64(15*k+15)), queries)[0].Samples); got != want {
					t.Fatalf("version %s, look %d: counted %v, truly %v", version, k, got, want)
				}
			}
		}
	})
}

func TestAVersionThatDiedCountsToItsEndUnderAJoin(t *testing.T) {
	server := promtest.New(t)
	server.Add(t, `requests_total{instance="a"}`, promtest.Sample{Second: 3, Value: 10}, promtest.Sample{Second: 18, Value: 14}, promtest.Sample{Second: 20, Value: promtest.Stale})
	server.Add(t, `target_info{instance="a",v="2"}`, promtest.Sample{Second: 3, Value: 1}, promtest.Sample{Second: 20, Value: promtest.Stale})
	scope := scopeOf(t, rules.Select{Join: &rules.Join{Metric: "target_info", On: []string{"instance"}, Label: "v"}})
	d := rules.Deployment{Version: "2"}
	queries := scope.Queries("", d, scope.Series(selectorOf(t, "requests_total"), d).Count(look))
	total := 0.0
	for second := 15; second <= 600; second += 15 {
		total += sumOf(server.Ask(t, promtest.At(float64(second)), queries)[0].Samples)
	}
	if total != 14 {
		t.Errorf("counted %v, want 14", total)
	}
}
