package record

import (
	"testing"

	"github.com/bakewatch/bakewatch/rules"
)

func TestWhatARecordSpeaksFor(t *testing.T) {
	shadow := Record{Mode: rules.Shadow, Decides: rules.Auto, Severity: rules.Critical, Watched: 20}
	notify := Record{Mode: rules.ModeNotify, Decides: rules.Auto, Severity: rules.Critical, Watched: 20}
	asks := Record{Mode: rules.Enforce, Decides: rules.Ask, Severity: rules.Critical, Watched: 20}
	acts := Record{Mode: rules.Enforce, Decides: rules.Auto, Severity: rules.Critical, Watched: 20}
	judged := func(r Record, agreed, disagreed int) Record { r.Agreed, r.Disagreed = agreed, disagreed; return r }
	watched := func(r Record, n int) Record { r.Watched = n; return r }
	severe := func(r Record, s rules.Severity) Record { r.Severity = s; return r }
	granted := func(r Record, p rules.Power) Record { r.Decides = p; return r }
	unopposed := func(r Record, n int) Record { r.Unopposed = n; return r }

	for name, test := range map[string]struct {
		record Record
		step   Step
		do     string
		why    string
	}{
		"shadow, nothing breached":       {shadow, Stay, "", "too little to tell: 4 more breaches that people agree with"},
		"shadow, too few breaches":       {judged(shadow, 3, 0), Stay, "", "too little to tell: 1 more breach that people agree with"},
		"shadow, too few deployments":    {watched(judged(shadow, 9, 0), 19), Stay, "", "too little to tell: 1 more deployment"},
		"shadow, enough":                 {judged(shadow, 4, 0), Up, `mode = "notify"`, "people agreed with 4 of 4 breaches in 20 deployments: at least 51 %"},
		"shadow, so and so":              {judged(shadow, 4, 2), Stay, "", "too little to tell: 5 more breaches that people agree with"},
		"shadow, wrong":                  {judged(shadow, 0, 9), Stay, "", "people agreed with 0 of 9 breaches: too few for notify"},
		"told, enough":                   {judged(notify, 8, 0), Up, `mode = "enforce", and decide = "ask"`, "people agreed with 8 of 8 breaches in 20 deployments: at least 68 %"},
		"told, good enough for that":     {judged(notify, 4, 0), Stay, "", "too little to tell: 4 more breaches that people agree with"},
		"told, wrong":                    {judged(notify, 0, 4), Back, `mode = "shadow"`, "people disagreed with 4 of 4 breaches: too many for notify"},
		"told, wrong too few times":      {judged(notify, 0, 3), Stay, "", "people agreed with 0 of 3 breaches: too few for ask"},
		"told, and may do no more":       {severe(judged(notify, 50, 0), rules.Info), Stay, "", "severity info allows no more"},
		"enforced, and may only tell":    {granted(judged(acts, 8, 0), rules.Notify), Up, `mode = "enforce", and decide = "ask"`, "people agreed with 8 of 8 breaches in 20 deployments: at least 68 %"},
		"asks, enough":                   {judged(asks, 16, 0), Up, `mode = "enforce", and decide = "auto"`, "people agreed with 16 of 16 breaches in 20 deployments: at least 81 %"},
		"asks, almost":                   {judged(asks, 15, 0), Stay, "", "too little to tell: 1 more breach that people agree with"},
		"asks, and may do no more":       {severe(judged(acts, 50, 0), rules.Warning), Stay, "", "severity warning allows no more"},
		"asks, wrong":                    {judged(asks, 0, 3), Back, `mode = "notify"`, "people disagreed with 3 of 3 breaches: too many for ask"},
		"asks, wrong but for a few":      {judged(asks, 1, 2), Stay, "", "people agreed with 1 of 3 breaches: too few for auto"},
		"acts":                           {acts, Stay, "", "there is no further step"},
		"acts, and nobody opposed":       {unopposed(judged(acts, 0, 1), 9), Stay, "", "there is no further step"},
		"acts, wrong":                    {unopposed(judged(acts, 0, 4), 3), Back, `mode = "enforce", and decide = "ask"`, "people disagreed with 4 of 7 breaches: too many for auto"},
		"acts, wrong once":               {judged(acts, 0, 1), Stay, "", "there is no further step"},
		"a countdown steps back as well": {granted(judged(acts, 0, 3), rules.Veto), Back, `mode = "enforce", and decide = "ask"`, "people disagreed with 3 of 3 breaches: too many for veto"},
	} {
		t.Run(name, func(t *testing.T) {
			got := test.record.propose()
			if got.Step != test.step || got.Do != test.do || got.Why != test.why {
				t.Errorf("%s: %s: %s, want %s: %s: %s", got.Step, got.Do, got.Why, test.step, test.do, test.why)
			}
			if (got.To > got.From) != (got.Step == Up) || (got.To < got.From) != (got.Step == Back) {
				t.Errorf("%s from %s to %s", got.Step, got.From, got.To)
			}
		})
	}
}

func TestEveryStepUpWantsMoreThanTheOneBefore(t *testing.T) {
	for _, p := range []rules.Power{rules.None, rules.Notify, rules.Ask} {
		if least[above(p)] <= least[p] {
			t.Errorf("%s wants no more than %s", above(p), p)
		}
	}
}
