package ours

import (
	"fmt"
	"testing"
	"time"

	"github.com/bakewatch/bakewatch/rules"
	"github.com/bakewatch/bakewatch/rules/compare"
	"github.com/bakewatch/bakewatch/rules/promql"
	"github.com/bakewatch/bakewatch/rules/threshold"
	"github.com/bakewatch/bakewatch/watcher/replay/quality/sim"
)

// results are counts as a sampler would answer them: bad, and all.
func results(c sim.Counts) rules.Result {
	return rules.Result{Samples: []rules.Sample{{Value: float64(c.Bad)}, {Value: float64(c.Total)}}}
}

// shipped returns the evidence of the rule that plans get, with the history learnt.
func shipped(t *testing.T, h *sim.History, control sim.Control) (rules.Evidence, []rules.Query) {
	t.Helper()
	requests, errSelector := promql.ReadSelector("requests", "http_requests_total")
	scope, errScope := promql.NewScope(rules.Select{Version: "version"})
	if errSelector != nil || errScope != nil {
		t.Fatal(errSelector, errScope)
	}
	setting := rules.Setting{Interval: rules.Duration(sim.Step * time.Second), Bake: rules.Duration(sim.Bake * time.Second)}
	setting.Name, setting.CompareTo = name(0), []rules.Control{rules.Before}
	if control.Parts() > 0 {
		setting.CompareTo = []rules.Control{rules.Previous, rules.Before}
	}
	rule, err := compare.New(compare.Config{
		Setting: setting, Subject: "errors", Of: "requests", Scope: scope, Selectors: []*promql.Selector{requests},
		Ask: func(a promql.Arm, _ rules.Duration) []rules.Query {
			return []rules.Query{{Template: a.Deployment.Version}}
		},
		Read: func(got []rules.Result, _ float64) (threshold.Look, error) {
			if len(got[0].Samples) == 0 {
				return threshold.Look{}, rules.Failed(rules.Empty, "nothing")
			}
			return threshold.Look{Bad: got[0].Samples[0].Value, Total: got[0].Samples[1].Value}, nil
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	d := rules.Deployment{Service: "shop", Environment: "production", Version: "2", Previous: "1", Step: rules.Finished, Strategy: rules.Rolling, At: began}
	evidence := rule.Begin(d).(rules.Historical)
	for {
		want, more := evidence.Wants()
		if !more {
			return evidence, rule.Queries(d)
		}
		evidence.Learn([][]rules.Result{recall(h, want)}, nil)
	}
}

// recall answers what the evidence wants to know of the past.
func recall(h *sim.History, want rules.Past) []rules.Result {
	counts, step := h.Looks, sim.Step*time.Second
	if want.Step == time.Minute {
		counts, step = h.Minutes, time.Minute
	}
	answer := make([]rules.Result, want.Instants())
	for i := range answer {
		ago := int(began.Sub(want.From.Add(time.Duration(i)*want.Step)) / step)
		if at := len(counts) - 1 - ago; at >= 0 {
			answer[i] = results(counts[at])
		}
	}
	return answer
}

// The benchmark goes straight to the bets, for speed. What it measures must be what
// plans get.
func TestTheBenchmarkJudgesAsTheShippedRuleDoes(t *testing.T) {
	for _, control := range []sim.Control{sim.NoControl, sim.OneToOne} {
		for _, c := range []sim.Case{
			{Rate: 1, P0: 0.001, Factor: 20, Noise: sim.Clean},
			{Rate: 10, P0: 0.01, Factor: 5, Noise: sim.Clusters4},
			{Rate: 10, P0: 0.01, Factor: 1, Noise: sim.Blips},
			{Rate: 1000, P0: 0.001, Factor: 1, Noise: sim.Drift},
			{Rate: 10, P0: 0.01, Factor: 1, Noise: sim.Outage},
			{Rate: 10, P0: 0.01, Factor: 10, Noise: sim.Missed},
		} {
			c.Control = control
			t.Run(c.String(), func(t *testing.T) {
				w := sim.NewWorld(c, 8, 1)
				evidence, queries := shipped(t, w.History, control)
				own := newRule(control, learn(w.History), past{})
				for _, l := range w.Deploy(c.Factor, control) {
					var got []rules.Result
					for _, q := range queries {
						switch {
						case l.Missed:
							got = append(got, rules.Result{})
						case q.Template == "2":
							got = append(got, results(l.New))
						default:
							got = append(got, results(l.Control))
						}
					}
					want := evidence.See(began.Add(time.Duration(l.At)*time.Second), got)
					var have rules.Answer
					own.see(l)
					own.answer(&have)
					if l.Missed { // it says that there is no data, and the benchmark what it said before
						continue
					}
					if a, b := said(want), said(have); a != b {
						t.Fatalf("after %d s the rule says %s, the benchmark %s", l.At, a, b)
					}
				}
			})
		}
	}
}

func said(a rules.Answer) string {
	return fmt.Sprintf("%s, at the end %s, proved %v, ceiling %s, wealth %.6g, %s", a.Verdict, a.AtEnd, a.Proved,
		min(a.Ceiling, a.Attribution.Blame.Ceiling()), a.Test.Wealth, a.Attribution.Blame)
}
