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

func TestOptionsAreChecked(t *testing.T) {
	for name, test := range map[string]struct {
		options crash.Options
		key     string
	}{
		"no limit":        {crash.Options{Restarts: "x"}, "max"},
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
