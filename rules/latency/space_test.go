package latency_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/bakewatch/bakewatch/rules"
	"github.com/bakewatch/bakewatch/rules/internal/promtest"
	"github.com/bakewatch/bakewatch/rules/latency"
	"github.com/bakewatch/bakewatch/rules/quantity"
)

// spatial returns what can say where: of a comparison the evidence, of a plain limit the rule.
func spatial(t *testing.T, o *latency.Options, judge string, s rules.Select, d rules.Deployment) rules.Spatial {
	t.Helper()
	setting := promtest.Setting("latency")
	setting.Judge, setting.Select = judge, s
	rule := promtest.Build(t, o, setting)
	if evidence, is := rule.Begin(d).(rules.Spatial); is {
		return evidence
	}
	return rule.(rules.Spatial)
}

// Two classic and one native instance of the version, and a classic one of another.
func TestSlowRequestsAreCountedByInstance(t *testing.T) {
	server := promtest.New(t)
	classic := func(instance, version string, fast, slow float64) {
		for le, count := range map[string]float64{"0.1": 0, "0.5": fast, "+Inf": fast + slow} {
			series := fmt.Sprintf(`d_seconds_bucket{instance=%q,v=%q,le=%q}`, instance, version, le)
			server.Add(t, series, promtest.Sample{Second: -10, Value: 0}, promtest.Sample{Second: 110, Value: count})
		}
	}
	classic("a", "2", 70, 30)
	classic("b", "2", 100, 0)
	classic("c", "1", 200, 1)
	server.AddHistogram(t, `d_seconds{instance="n",v="2"}`, 110, native(40, 10))
	d := rules.Deployment{Version: "2", Previous: "1", At: promtest.Start}
	for _, judge := range []string{"", "threshold"} {
		rule := spatial(t, options(), judge, rules.Select{Version: "v"}, d)
		got, err := rule.ReadInstances(server.Ask(t, promtest.At(120), rule.Instances(d, rules.Duration(2*time.Minute))))
		if err != nil {
			t.Fatal(err)
		}
		if got, want := fmt.Sprint(got.New, got.Rest), "[{a 30 100} {b 0 100} {n 10 50}] [{c 1 201}]"; got != want {
			t.Errorf("judge %q: got %s, want %s", judge, got, want)
		}
	}
}

func TestInstancesAreNotAskedForWhereTheyCouldNotBeCounted(t *testing.T) {
	d := rules.Deployment{Version: "2", Previous: "1", At: promtest.Start}
	limitless := options()
	limitless.Max = quantity.Quantity{}
	for name, rule := range map[string]rules.Spatial{
		"versions cannot be told apart":           spatial(t, options(), "", rules.Select{}, d),
		"nobody knows yet what slow is":           spatial(t, limitless, "", rules.Select{Version: "v"}, d),
		"versions cannot be told apart, by limit": spatial(t, options(), "threshold", rules.Select{}, d),
	} {
		if got := rule.Instances(d, rules.Duration(time.Minute)); got != nil {
			t.Errorf("%s: got %v", name, got)
		}
	}
}
