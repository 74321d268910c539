package query_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/bakewatch/bakewatch/rules"
	"github.com/bakewatch/bakewatch/rules/internal/promtest"
	"github.com/bakewatch/bakewatch/rules/quantity"
	"github.com/bakewatch/bakewatch/rules/query"
)

func TestOneNumberAgainstItsLimits(t *testing.T) {
	for name, test := range map[string]struct {
		options query.Options
		want    rules.Verdict
		why     string
	}{
		"within":                       {query.Options{Expr: `max(memory_bytes{v="$version"})`, Max: quantity.Must("4GiB")}, rules.Healthy, "value 3 GiB ≤ limit 4 GiB"},
		"above":                        {query.Options{Expr: `max(memory_bytes{v="$version"})`, Max: quantity.Must("2GiB")}, rules.Breached, "value 3 GiB > limit 2 GiB"},
		"below":                        {query.Options{Expr: `ratio`, Min: quantity.Must("90%")}, rules.Breached, "value 50 % < limit 90 %"},
		"between":                      {query.Options{Expr: `ratio`, Min: quantity.Must("10%"), Max: quantity.Must("90%")}, rules.Healthy, "≤ limit 90 %"},
		"a scalar":                     {query.Options{Expr: `scalar(ratio)`, Max: quantity.Must("1")}, rules.Healthy, "value 0.5"},
		"the plan's window":            {query.Options{Expr: `max_over_time(ratio[$window])`, Max: quantity.Must("1")}, rules.Healthy, ""},
		"nothing":                      {query.Options{Expr: `absent_metric`, Max: quantity.Must("1")}, rules.NoData, "gives nothing"},
		"not a number":                 {query.Options{Expr: `ratio * 0 / 0`, Max: quantity.Must("1")}, rules.NoData, "NaN"},
		"infinity":                     {query.Options{Expr: `ratio / 0`, Max: quantity.Must("1")}, rules.NoData, "+Inf"},
		"several series":               {query.Options{Expr: `memory_bytes`, Max: quantity.Must("1")}, rules.Blind, "they differ in pod, v"},
		"no previous version is known": {query.Options{Expr: `memory_bytes{v="$previous"}`, Max: quantity.Must("1")}, rules.NoData, "no previous version"},
	} {
		t.Run(name, func(t *testing.T) {
			server := promtest.New(t)
			server.Gauge(t, `memory_bytes{v="2",pod="a"}`, 1, 3<<30)
			server.Gauge(t, `memory_bytes{v="1",pod="b"}`, 1, 9<<30)
			server.Gauge(t, `ratio`, 1, 0.5)
			rule := promtest.Build(t, &test.options, promtest.Setting("memory"))
			if got := server.Watch(t, rule, 1)[0]; got.Verdict != test.want || !strings.Contains(got.Why, test.why) {
				t.Errorf("%v, %q; want %v, %q", got.Verdict, got.Why, test.want, test.why)
			}
		})
	}
}

func TestAnExpressionReachesBackAsFarAsItsWindow(t *testing.T) {
	window := promtest.Setting("").Window
	for expr, want := range map[string]rules.Duration{"up": 0, "rate(x[$window])": window, "rate(x[5m])": 0, "rate(x[": 0, `x{v="$$window"}`: 0} {
		options := &query.Options{Expr: expr}
		if got := options.ReachesBack(window); got != want {
			t.Errorf("%s: %s, want %s", expr, got, want)
		}
	}
}

func TestOptionsAreChecked(t *testing.T) {
	one := quantity.Must("1")
	for name, test := range map[string]struct {
		options query.Options
		key     string
	}{
		"no expression":        {query.Options{Max: one}, "expr"},
		"bad PromQL":           {query.Options{Expr: "sum(", Max: one}, "expr"},
		"a range":              {query.Options{Expr: "up[5m]", Max: one}, "expr"},
		"another instant":      {query.Options{Expr: "sum(rate(x[5m] @ start()))", Max: one}, "expr"},
		"another range":        {query.Options{Expr: "max_over_time(x[5m:1m] @ end())", Max: one}, "expr"},
		"a comparison":         {query.Options{Expr: "up > 1", Max: one}, "expr"},
		"no limit":             {query.Options{Expr: "up"}, "max"},
		"limits of two units":  {query.Options{Expr: "up", Max: one, Min: quantity.Must("1s")}, "min"},
		"limits that conflict": {query.Options{Expr: "up", Max: one, Min: quantity.Must("2")}, "min"},
	} {
		t.Run(name, func(t *testing.T) {
			if blamed, ok := errors.AsType[*rules.FieldError](test.options.Check()); !ok || blamed.Key != test.key {
				t.Errorf("got %v", test.options.Check())
			}
		})
	}
}
