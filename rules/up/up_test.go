package up_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/bakewatch/bakewatch/rules"
	"github.com/bakewatch/bakewatch/rules/internal/promtest"
	"github.com/bakewatch/bakewatch/rules/quantity"
	"github.com/bakewatch/bakewatch/rules/up"
)

func TestTargetsUp(t *testing.T) {
	type targets map[string]float64
	for name, test := range map[string]struct {
		targets targets
		min     string
		want    rules.Verdict
		why     string
	}{
		"all are up":                           {targets{"a": 1, "b": 1}, "1", rules.Healthy, "targets up 2 ≥ limit 1"},
		"a version that never starts":          {targets{"a": 0, "b": 0}, "1", rules.Breached, "targets up 0 < limit 1; 2 of 2 down"},
		"too few":                              {targets{"a": 1, "b": 0, "c": 0}, "2", rules.Breached, "targets up 1 < limit 2; 2 of 3 down"},
		"too small a share":                    {targets{"a": 1, "b": 0, "c": 1, "d": 1}, "100%", rules.Breached, "targets up 75 % < limit 100 %; 1 of 4 down"},
		"share enough":                         {targets{"a": 1, "b": 0}, "50%", rules.Healthy, "targets up 50 % ≥ limit 50 %"},
		"no target is no data, never a breach": {nil, "1", rules.NoData, "knows no target"},
		"a series that is not 0 or 1":          {targets{"a": 5}, "1", rules.Blind, "not 0 or 1"},
	} {
		t.Run(name, func(t *testing.T) {
			server := promtest.New(t)
			for instance, value := range test.targets {
				server.Gauge(t, `up{v="2",instance="`+instance+`"}`, 1, value)
			}
			server.Gauge(t, `up{v="1",instance="old"}`, 1, 1)
			setting := promtest.Setting("up")
			setting.Select.Version = "v"
			rule := promtest.Build(t, &up.Options{Targets: "up", Min: quantity.Must(test.min)}, setting)
			if got := server.Watch(t, rule, 1)[0]; got.Verdict != test.want || !strings.Contains(got.Why, test.why) {
				t.Errorf("%v, %q; want %v, %q", got.Verdict, got.Why, test.want, test.why)
			}
		})
	}
}

func TestAVersionThatNeverStartsIsCaughtAfterTheWarmUp(t *testing.T) {
	server := promtest.New(t)
	server.Gauge(t, `up{instance="10.0.0.2:9100"}`, 6, 0)
	server.Gauge(t, `up{instance="10.0.0.1:9100"}`, 6, 1)
	setting := promtest.Setting("up")
	setting.WarmUp = rules.Duration(time.Minute)
	setting.Select.Slots = map[string]map[string]string{"green": {"instance": "10.0.0.2:9100"}}
	options, ok := up.Kind().New().(*up.Options)
	if !ok {
		t.Fatal("other options")
	}
	rule := promtest.Build(t, options, setting)
	d := rules.Deployment{Version: "2", Slot: "green", At: promtest.Start}
	evidence := rule.Begin(d)
	for look, want := range []rules.Verdict{rules.Inconclusive, rules.Inconclusive, rules.Inconclusive, rules.Inconclusive, rules.Breached, rules.Breached} {
		at := promtest.At(float64(15 * look))
		if got := evidence.See(at, server.Ask(t, at, rule.Queries(d))); got.Verdict != want {
			t.Errorf("look %d: %v, %s", look, got.Verdict, got.Why)
		}
	}
}

func TestOptionsAreChecked(t *testing.T) {
	for name, test := range map[string]struct {
		options up.Options
		key     string
	}{
		"half a target": {up.Options{Targets: "up", Min: quantity.Must("1.5")}, "min"},
		"more than all": {up.Options{Targets: "up", Min: quantity.Must("101%")}, "min"},
		"none":          {up.Options{Targets: "up", Min: quantity.Must("0")}, "min"},
		"a time":        {up.Options{Targets: "up", Min: quantity.Must("1s")}, "min"},
		"no series":     {up.Options{Min: quantity.Must("1")}, "targets"},
		"an expression": {up.Options{Targets: "sum(up)", Min: quantity.Must("1")}, "targets"},
	} {
		t.Run(name, func(t *testing.T) {
			if blamed, ok := errors.AsType[*rules.FieldError](test.options.Check()); !ok || blamed.Key != test.key {
				t.Errorf("got %v", test.options.Check())
			}
		})
	}
}
