package promtest

import (
	"testing"
	"time"

	"github.com/bakewatch/bakewatch/rules"
)

// Interval is how often Watch looks.
const Interval = 15 * time.Second

// Setting returns what a plan without [select] gives a rule: looks every 15 s, a
// window of 5 m.
func Setting(name string) rules.Setting {
	return rules.Setting{
		Spec:     rules.Spec{Name: name, Window: rules.Duration(5 * time.Minute)},
		Interval: rules.Duration(Interval), Source: "main",
	}
}

// Build checks the options and makes their rule.
func Build(t testing.TB, options rules.RuleOptions, setting rules.Setting) rules.Rule {
	t.Helper()
	if err := options.Check(); err != nil {
		t.Fatal(err)
	}
	rule, err := options.Rule(setting)
	if err != nil {
		t.Fatal(err)
	}
	return rule
}

// Watch looks so many times at a deployment of version 2 at Start, as an owner
// does, and returns the answers. An error in a result becomes its verdict.
func (s *Server) Watch(t testing.TB, rule rules.Rule, looks int) []rules.Answer {
	t.Helper()
	d := rules.Deployment{Service: "checkout", Environment: "production", Version: "2", At: Start}
	evidence := rule.Begin(d)
	answers := make([]rules.Answer, looks)
	for i := range answers {
		at := Start.Add(time.Duration(i+1) * Interval)
		answers[i] = evidence.See(at, s.Ask(t, at, rule.Queries(d)))
	}
	return answers
}

// Gauge stores one value of a series at Start and at each of so many looks.
func (s *Server) Gauge(t testing.TB, series string, looks int, value float64) {
	t.Helper()
	for i := range looks + 1 {
		s.Add(t, series, Sample{Second: float64(i) * Interval.Seconds(), Value: value})
	}
}
