package replay

import (
	"github.com/bakewatch/bakewatch/rules"
	"github.com/bakewatch/bakewatch/rules/compare"
	"github.com/bakewatch/bakewatch/rules/promql"
	"github.com/bakewatch/bakewatch/rules/threshold"
)

// build makes the rule that judges a measure, against what was recorded before the
// deployment. A recording does not tell versions apart.
func build(m Measure, setting rules.Setting) (rules.Rule, error) {
	return compare.New(compare.Config{
		Setting: setting, Subject: m.Subject, Of: "requests",
		Ask: func(_ promql.Arm, step rules.Duration) []rules.Query {
			return []rules.Query{queryOf(m.Name, step)}
		},
		Read: func(got []rules.Result, _ float64) (threshold.Look, error) {
			counts, err := read(got)
			return threshold.Look{Bad: counts.Bad, Total: counts.Total}, err
		},
	})
}
