package compare

import (
	"time"

	"github.com/bakewatch/bakewatch/rules"
	"github.com/bakewatch/bakewatch/rules/promql"
)

// verification holds the target of a rollback against a plain limit: the plan's, or
// twice what is normal for the service.
type verification struct {
	Config
	past
	deployment rules.Deployment
	limits     rules.Evidence
	begun      bool
}

var _ rules.Historical = (*verification)(nil)

// Wants implements rules.Historical: a limit of the plan needs no history.
func (v *verification) Wants() (rules.Past, bool) {
	if v.Limit != nil && v.Mark.Ask == nil {
		return rules.Past{}, false
	}
	return v.past.Wants()
}

// timesNormal is what is still taken for recovered: what was broken shortly before
// still shows in the last looks.
const timesNormal = 2

// See folds one look.
func (v *verification) See(at time.Time, got []rules.Result) rules.Answer {
	if !v.begun {
		v.begun = true
		v.limits = v.begin()
	}
	if v.limits == nil {
		return rules.Answer{
			Rule: v.Setting.Name, At: at, Ceiling: rules.Auto, Verdict: rules.Healthy,
			Why: "no limit of its own to keep, and no history: " + v.why,
		}
	}
	return v.limits.See(at, got[:min(len(got), len(v.Ask(promql.Version(v.deployment), v.Setting.Interval)))])
}

func (v *verification) begin() rules.Evidence {
	limit := v.Limit
	if limit == nil {
		model, known := v.model()
		if !known {
			return nil
		}
		limit = new(timesNormal * model.Null)
	}
	limited := Choice{Config: v.Config, Bad: v.mark}
	limited.Limit, limited.Setting.For, limited.Setting.Judge = limit, 0, "threshold"
	rule, err := limited.limited()
	if err != nil {
		return nil
	}
	return rule.Begin(v.deployment)
}
