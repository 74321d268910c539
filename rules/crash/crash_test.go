package crash_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/bakewatch/bakewatch/rules"
	"github.com/bakewatch/bakewatch/rules/crash"
	"github.com/bakewatch/bakewatch/rules/internal/promtest"
	"github.com/bakewatch/bakewatch/rules/quantity"
)

func TestRestartsAreCountedFromTheDeploymentOn(t *testing.T) {
	scrapes := func(values ...float64) []promtest.Sample { // the first is before the deployment
		var samples []promtest.Sample
		for i, v := range values {
			samples = append(samples, promtest.Sample{Second: float64(15*i) - 5, Value: v})
		}
		return samples
	}
	for name, test := range map[string]struct {
		samples []promtest.Sample
		want    rules.Verdict
		why     string
	}{
		"restarts of long ago do not count":    {scrapes(90, 90, 90, 90), rules.Healthy, "restarts 0 in 45s ≤ limit 2"},
		"as many as allowed are healthy":       {scrapes(90, 91, 91, 92), rules.Healthy, "restarts 2 in 45s ≤ limit 2"},
		"more are a breach":                    {scrapes(90, 91, 92, 93), rules.Breached, "restarts 3 in 45s > limit 2"},
		"no counter is no data":                {nil, rules.NoData, "no series of restarts"},
		"a new pod's first restarts all count": {[]promtest.Sample{{Second: 40, Value: 3}}, rules.Breached, "restarts 3 in 15s > limit 2"},
	} {
		t.Run(name, func(t *testing.T) {
			server := promtest.New(t)
			server.Add(t, `restarts_total{v="2"}`, test.samples...)
			server.Add(t, `restarts_total{v="1"}`, scrapes(0, 100, 200, 300)...)
			setting := promtest.Setting("crash")
			setting.Select.Version = "v"
			rule := promtest.Build(t, &crash.Options{Restarts: "restarts_total", Max: quantity.Must("2")}, setting)
			if got := server.Watch(t, rule, 3)[2]; got.Verdict != test.want || !strings.Contains(got.Why, test.why) {
				t.Errorf("%v, %q; want %v, %q", got.Verdict, got.Why, test.want, test.why)
			}
		})
	}
}

// A gap so long that no query tells a pod that came back from a new one.
func TestAPodsOldRestartsNeverCountAfterAGap(t *testing.T) {
	const born, gone, back = -1800.0, 600.0, 600.0 + 66*60
	server := promtest.New(t)
	for second := born; second < back+300; second += 15 {
		if second < gone || second >= back {
			server.Add(t, `restarts_total{v="2",pod="a"}`, promtest.Sample{Second: second, Value: 7})
		}
	}
	for name, version := range map[string]string{"told apart": "v", "not told apart": ""} {
		t.Run(name, func(t *testing.T) {
			setting := promtest.Setting("crash")
			setting.Select.Version = version
			rule := promtest.Build(t, &crash.Options{Restarts: "restarts_total", Max: quantity.Must("2")}, setting)
			answers := server.Watch(t, rule, 320)
			for i, got := range answers {
				if got.Verdict == rules.Breached {
					t.Fatalf("look %d: %s", i+1, got.Why)
				}
			}
			if last := answers[len(answers)-1]; last.Verdict != rules.Healthy {
				t.Errorf("at the end: %v, %s", last.Verdict, last.Why)
			}
		})
	}
}

// The gap began before the deployment, so that no look saw the pod in its old life.
func TestAGapThatBeganBeforeTheDeploymentCountsNothing(t *testing.T) {
	server := promtest.New(t)
	for second := -7200.0; second < 300; second += 15 {
		if second < -4000 || second >= 40 {
			server.Add(t, `restarts_total{pod="a"}`, promtest.Sample{Second: second, Value: 7})
		}
	}
	rule := promtest.Build(t, &crash.Options{Restarts: "restarts_total", Max: quantity.Must("2")}, promtest.Setting("crash"))
	for i, got := range server.Watch(t, rule, 10) {
		if got.Verdict == rules.Breached {
			t.Fatalf("look %d: %s", i+1, got.Why)
		}
	}
}

func TestOptionsAreChecked(t *testing.T) {
	for name, test := range map[string]struct {
		options crash.Options
		key     string
	}{
		"half a restart":  {crash.Options{Restarts: "x", Max: quantity.Must("0.5")}, "max"},
		"a share":         {crash.Options{Restarts: "x", Max: quantity.Must("1%")}, "max"},
		"no restarts":     {crash.Options{Max: quantity.Must("1")}, "restarts"},
		"two metrics":     {crash.Options{Restarts: `{__name__=~"a|b"}`, Max: quantity.Must("1")}, "restarts"},
		"fewer than none": {crash.Options{Restarts: "x", Max: quantity.Must("-1")}, "max"},
	} {
		t.Run(name, func(t *testing.T) {
			if blamed, ok := errors.AsType[*rules.FieldError](test.options.Check()); !ok || blamed.Key != test.key {
				t.Errorf("got %v", test.options.Check())
			}
		})
	}
}
