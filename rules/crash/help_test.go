package crash_test

import (
	"testing"
	"time"

	"github.com/bakewatch/bakewatch/rules"
	"github.com/bakewatch/bakewatch/rules/crash"
	"github.com/bakewatch/bakewatch/rules/internal/promtest"
)

// hours is how much of the past the servers of these tests hold.
const hours = 3

// compared is the setting of a rule that compares with these, versions told apart by v.
func compared(controls ...rules.Control) rules.Setting {
	setting := promtest.Setting("crash")
	setting.Select.Version, setting.Bake = "v", rules.Duration(30*time.Minute)
	setting.CompareTo = controls
	return setting
}

// deployment is of version 2 after version 1.
func deployment() rules.Deployment {
	return rules.Deployment{
		Service: "checkout", Environment: "production", Version: "2", Previous: "1",
		Strategy: rules.Canary, At: promtest.Start,
	}
}

// pods stores a counter every 15 seconds for each of the pods, from one second after
// Start to another; restarts returns what it shows, or less than nothing where it is gone.
func pods(t *testing.T, server *promtest.Server, version string, names string, from, to float64, restarts func(pod int, second float64) float64) {
	t.Helper()
	for second := from - 5; second < to; second += 15 { // in the order of time, as a server takes it
		for pod, name := range names {
			series := `restarts_total{v="` + version + `",pod="` + version + string(name) + `"}`
			if value := restarts(pod, second); !(value < 0) {
				server.Add(t, series, promtest.Sample{Second: second, Value: value})
			}
		}
	}
}

// calm is a pod that never restarts.
func calm(int, float64) float64 { return 0 }

// looping returns a pod that is restarted as Kubernetes does, ever later, and has crashed
// so many times by a second.
func looping(second float64) (restarts float64) {
	for at, pause := 4.0, 10.0; at <= second; at, pause = at+pause+3, min(300, 2*pause) {
		restarts++
	}
	return restarts
}

// only returns that one of the pods loops.
func only(one int) func(int, float64) float64 {
	return func(pod int, second float64) float64 {
		if pod != one {
			return 0
		}
		return looping(second)
	}
}

// judged watches the version and returns the answers, one a look, as a plan of this rule
// alone gives them.
func judged(t *testing.T, server *promtest.Server, options *crash.Options, setting rules.Setting, looks int) []rules.Answer {
	t.Helper()
	rule := promtest.Build(t, options, setting)
	d := deployment()
	evidence := rule.Begin(d)
	if past, is := evidence.(rules.Historical); is {
		learn(t, server, past)
	}
	answers := make([]rules.Answer, looks)
	for i := range answers {
		at := promtest.Start.Add(time.Duration(i+1) * promtest.Interval)
		answers[i] = evidence.See(at, server.Ask(t, at, rule.Queries(d)))
		rules.Combine(answers[i:i+1], 0)
	}
	return answers
}

// breach returns the number of the first look that is a breach, or 0.
func breach(answers []rules.Answer) int {
	for i, a := range answers {
		if a.Verdict == rules.Breached {
			return i + 1
		}
	}
	return 0
}

// learn answers what the evidence wants to know, of what the server does not hold that
// there is nothing.
func learn(t *testing.T, server *promtest.Server, past rules.Historical) {
	t.Helper()
	for range 10 {
		want, more := past.Wants()
		if !more {
			return
		}
		results := make([][]rules.Result, len(want.Queries))
		for at := want.From; !at.After(want.To); at = at.Add(want.Step) {
			got := make([]rules.Result, len(want.Queries))
			if at.After(promtest.Start.Add(-hours * time.Hour)) {
				got = server.Ask(t, at, want.Queries)
			}
			for i := range results {
				results[i] = append(results[i], got[i])
			}
		}
		past.Learn(results, nil)
	}
	t.Fatal("it never knows enough")
}
