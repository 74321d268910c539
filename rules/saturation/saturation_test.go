package saturation_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/bakewatch/bakewatch/rules"
	"github.com/bakewatch/bakewatch/rules/internal/promtest"
	"github.com/bakewatch/bakewatch/rules/quantity"
	"github.com/bakewatch/bakewatch/rules/saturation"
)

const memory = `max(used_bytes{v="$version"} / limit_bytes)`

func TestARatioOfALimit(t *testing.T) {
	for name, test := range map[string]struct {
		expr, max string
		used      float64 // of a limit of 1000
		want      rules.Verdict
		why       string
	}{
		"room enough, and how much":            {memory, "90%", 840, rules.Healthy, "saturation 84 % ≤ limit 90 %; 16 % is left"},
		"the limit itself keeps the limit":     {memory, "0.9", 900, rules.Healthy, "90 % ≤ limit 90 %"},
		"nearly full":                          {memory, "90%", 930, rules.Breached, "saturation 93 % > limit 90 %; 7 % is left"},
		"full":                                 {memory, "90%", 1000, rules.Breached, "100 % > limit 90 %; nothing is left"},
		"more than was requested, as allowed":  {memory, "120%", 1100, rules.Healthy, "110 % ≤ limit 120 %; nothing is left"},
		"percent is not taken for a ratio":     {"100 * " + memory, "90%", 400, rules.Blind, "40 is no ratio of a limit, or it would be 4000 %"},
		"a negative number is no data":         {"-" + memory, "90%", 930, rules.NoData, "a negative ratio, -0.93"},
		"without a limit there is no data":     {memory + " / 0", "90%", 930, rules.NoData, "+Inf"},
		"nor with a limit of nothing of it":    {memory + " * 0 / 0", "90%", 930, rules.NoData, "NaN"},
		"nothing is no data":                   {`max(absent_bytes / limit_bytes)`, "90%", 930, rules.NoData, "gives nothing"},
		"several series are blind":             {`used_bytes / limit_bytes`, "90%", 930, rules.Blind, "they differ in instance"},
		"no previous version is known":         {`max(used_bytes{v="$previous"})`, "90%", 930, rules.NoData, "no previous version"},
		"the plan's window":                    {`max_over_time(ratio[$window])`, "90%", 930, rules.Healthy, "saturation 50 %"},
		"another version's instances are full": {memory, "90%", 500, rules.Healthy, "50 %"},
	} {
		t.Run(name, func(t *testing.T) {
			server := promtest.New(t)
			server.Gauge(t, `used_bytes{v="2",instance="a"}`, 1, test.used)
			server.Gauge(t, `limit_bytes{v="2",instance="a"}`, 1, 1000)
			server.Gauge(t, `used_bytes{v="1",instance="b"}`, 1, 999)
			server.Gauge(t, `limit_bytes{v="1",instance="b"}`, 1, 1000)
			server.Gauge(t, `ratio`, 1, 0.5)
			rule := promtest.Build(t, &saturation.Options{Expr: test.expr, Max: quantity.Must(test.max)}, promtest.Setting("memory"))
			if got := server.Watch(t, rule, 1)[0]; got.Verdict != test.want || !strings.Contains(got.Why, test.why) {
				t.Errorf("%v, %q; want %v, %q", got.Verdict, got.Why, test.want, test.why)
			}
		})
	}
}

func TestABurstIsNoBreachWhereForIsLonger(t *testing.T) {
	server := promtest.New(t)
	for look, used := range []float64{0.95, 0.95, 0.5, 0.95, 0.95, 0.95} {
		server.Add(t, "ratio", promtest.Sample{Second: float64(15 * (look + 1)), Value: used})
	}
	setting := promtest.Setting("cpu")
	setting.For = rules.Duration(30 * time.Second)
	answers := server.Watch(t, promtest.Build(t, &saturation.Options{Expr: "ratio", Max: quantity.Must("90%")}, setting), 6)
	for i, want := range []rules.Verdict{rules.Inconclusive, rules.Inconclusive, rules.Healthy, rules.Inconclusive, rules.Inconclusive, rules.Breached} {
		if got := answers[i]; got.Verdict != want || got.Unit != "ratio" {
			t.Errorf("look %d: %v in %q, %s", i+1, got.Verdict, got.Unit, got.Why)
		}
	}
}

func TestNineTenthsAreTheDefault(t *testing.T) {
	options, ok := saturation.Kind().New().(*saturation.Options)
	if !ok || options.Max.Value() != 0.9 {
		t.Errorf("got %v", options)
	}
}

func TestAnExpressionReachesBackAsFarAsItsWindow(t *testing.T) {
	for expr, want := range map[string]rules.Duration{"ratio": 0, "max_over_time(ratio[$window])": promtest.Setting("").Window} {
		if got := (&saturation.Options{Expr: expr}).ReachesBack(promtest.Setting("").Window); got != want {
			t.Errorf("%s: %s, want %s", expr, got, want)
		}
	}
}

func TestOptionsAreChecked(t *testing.T) {
	most := quantity.Must("90%")
	for name, test := range map[string]struct {
		options saturation.Options
		key     string
	}{
		"no expression":              {saturation.Options{Max: most}, "expr"},
		"bad PromQL":                 {saturation.Options{Expr: "max(", Max: most}, "expr"},
		"a comparison":               {saturation.Options{Expr: "ratio > 0.9", Max: most}, "expr"},
		"a placeholder in the open":  {saturation.Options{Expr: "ratio * $version", Max: most}, "expr"},
		"no limit":                   {saturation.Options{Expr: "ratio"}, "max"},
		"bytes":                      {saturation.Options{Expr: "ratio", Max: quantity.Must("2GiB")}, "max"},
		"percent without its sign":   {saturation.Options{Expr: "ratio", Max: quantity.Must("90")}, "max"},
		"nothing":                    {saturation.Options{Expr: "ratio", Max: quantity.Must("0%")}, "max"},
		"more than is taken serious": {saturation.Options{Expr: "ratio", Max: quantity.Must("1000%")}, "max"},
	} {
		t.Run(name, func(t *testing.T) {
			if blamed, ok := errors.AsType[*rules.FieldError](test.options.Check()); !ok || blamed.Key != test.key {
				t.Errorf("got %v", test.options.Check())
			}
		})
	}
}
