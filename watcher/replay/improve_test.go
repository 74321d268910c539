package replay

import (
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/bakewatch/bakewatch/rules"
	"github.com/bakewatch/bakewatch/watcher"
)

// fixed is a day of a service of which one request in a hundred fails, a minute a row,
// until a version is deployed late in the day of which so many times as many do.
func fixed(perMinute int, times float64) (Recording, Deployment) {
	const deployed = 22 * 60
	midnight := time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)
	random := rand.New(rand.NewPCG(3, 4)) //nolint:gosec // repeatable
	s := Series{Step: time.Minute}
	for i := range 24 * 60 {
		share := 0.01
		if i >= deployed {
			share *= times
		}
		row := Row{From: midnight.Add(time.Duration(i) * time.Minute), To: midnight.Add(time.Duration(i+1) * time.Minute)}
		row.Total = float64(perMinute)
		for range perMinute {
			if random.Float64() < share {
				row.Bad++
			}
		}
		s.Rows = append(s.Rows, row)
	}
	r := Recording{Name: "shop", Measures: []Measure{{Name: "errors", Subject: "errors", Series: s}}}
	return r, Deployment{Name: "2.4.0", At: midnight.Add(deployed * time.Minute)}
}

// By the state machine itself, from the deployment to the end of its watch.
func TestAVersionThatMustHalveTheErrorsIsWatched(t *testing.T) {
	for name, test := range map[string]struct {
		perMinute int
		times     float64
		severity  rules.Severity
		power     rules.Power
		outcome   watcher.Outcome // empty: rolled back, or people are still asked
		why       string
	}{
		"it changes nothing":               {6000, 1, rules.Critical, rules.Auto, "", "; to be 2x better: not so in all, "},
		"it changes nothing, as a warning": {6000, 1, rules.Warning, rules.Ask, "", "; to be 2x better: not so in all, "},
		"it makes it worse":                {6000, 3, rules.Critical, rules.Auto, "", "; to be 2x better: not so in all, "},
		"it leaves a fifth":                {6000, 0.2, rules.Critical, rules.None, watcher.Passed, ""},
		"it does nearly what it must":      {6000, 0.53, rules.Critical, rules.None, watcher.Undecided, "; to be 2x better: not so in all, "},
		"it is hardly used":                {12, 0.2, rules.Critical, rules.None, watcher.Undecided, "; to be 2x better: too few requests yet to tell"},
	} {
		t.Run(name, func(t *testing.T) {
			r, d := fixed(test.perMinute, test.times)
			c := Config{Bake: 30 * time.Minute, Interval: time.Minute}
			plan := c.plan(r)
			plan.Rules[0].BetterBy, plan.Rules[0].Severity = rules.Margin{Factor: 2}, test.severity
			f, err := c.run(r, d, plan)
			if err != nil {
				t.Fatal(err)
			}
			if f.Power != test.power || f.Outcome != test.outcome {
				t.Errorf("%s, ended %q after %s: %s", f.Power, f.Outcome, f.After(), f.Said[0].Why)
			}
			if why := f.Why + f.Said[0].Why; !strings.Contains(why, test.why) {
				t.Errorf("it says %s", why)
			}
		})
	}
}
