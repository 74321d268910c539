package replay

import (
	"github.com/bakewatch/bakewatch/rules"
	"github.com/bakewatch/bakewatch/rules/quantity"
	"github.com/bakewatch/bakewatch/rules/threshold"
)

// build makes the rule that judges a measure.
func build(m Measure, setting rules.Setting) (rules.Rule, error) {
	limit := 0.01
	setting.Judge = "threshold"
	return threshold.New(threshold.Config{
		Setting: setting, Measure: threshold.Share, Limits: threshold.Limits{Max: &limit, Unit: quantity.Ratio},
		Subject: m.Subject, Of: "requests", MinTotal: threshold.MinRequests(0, limit),
		Ask: func(rules.Deployment) []rules.Query { return []rules.Query{queryOf(m.Name, interval(setting))} },
		Read: func(got []rules.Result) (threshold.Look, error) {
			counts, err := read(got)
			return threshold.Look{Bad: counts.Bad, Total: counts.Total}, err
		},
	})
}
