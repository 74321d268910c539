package compare

import (
	"time"

	"github.com/bakewatch/bakewatch/rules"
	"github.com/bakewatch/bakewatch/rules/promql"
)

// verification holds the target of a rollback against a plain limit: the plan's, or
// twice what is normal for the service. Of a rate the limit is what must not go unseen, if
// that is more.
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
	got = got[:min(len(got), len(v.Ask(promql.Version(v.deployment), v.Setting.Interval)))]
	if v.limits == nil {
		return v.unlimited(at, got)
	}
	return v.limits.See(at, got)
}

// unlimited answers where there is no limit to keep. Healthy is what shows that the
// target is live, so it takes requests that the target has served.
func (v *verification) unlimited(at time.Time, got []rules.Result) rules.Answer {
	answer := rules.Answer{
		Rule: v.Setting.Name, At: at, Ceiling: rules.Auto, Verdict: rules.LowTraffic,
		Why: "no limit of its own to keep, and no history: " + v.why,
	}
	if v.unmarked() {
		return answer
	}
	look, err := readLook(v.Config, got, v.mark, &v.beyond)
	switch {
	case err != nil:
		answer.Verdict, answer.Why = rules.VerdictOf(err), reason(err)
	case look.Total > 0:
		answer.Verdict, answer.Bad, answer.Total = rules.Healthy, look.Bad, look.Total
	}
	return answer
}

func (v *verification) begin() rules.Evidence {
	limit := v.Limit
	if limit == nil {
		model, known := v.model()
		v.forget()
		if !known && v.Rate == nil {
			return nil
		}
		limit = new(max(timesNormal*model.Null, v.large()))
	}
	limited := Choice{Config: v.Config, Bad: v.mark, MinRequests: v.fewestToVerify()}
	limited.Limit, limited.Setting.For, limited.Setting.Judge = limit, 0, "threshold"
	rule, err := limited.limited()
	if err != nil {
		return nil
	}
	return rule.Begin(v.deployment)
}
