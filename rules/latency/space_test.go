package latency_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/bakewatch/bakewatch/rules"
	"github.com/bakewatch/bakewatch/rules/internal/promtest"
)

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
	rule := build(t, options(), rules.Select{Version: "v"}).(rules.Spatial)
	d := rules.Deployment{Version: "2", At: promtest.Start}
	got, err := rule.ReadInstances(server.Ask(t, promtest.At(120), rule.Instances(d, rules.Duration(2*time.Minute))))
	if err != nil {
		t.Fatal(err)
	}
	if got, want := fmt.Sprint(got.New, got.Rest), "[{a 30 100} {b 0 100} {n 10 50}] [{c 1 201}]"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

func TestInstancesAreNotAskedForWhereVersionsCannotBeToldApart(t *testing.T) {
	rule := build(t, options(), rules.Select{}).(rules.Spatial)
	if got := rule.Instances(rules.Deployment{Version: "2"}, rules.Duration(time.Minute)); got != nil {
		t.Errorf("got %v", got)
	}
}
