package authority

import (
	"slices"

	"github.com/bakewatch/bakewatch/rules"
)

// Decide makes the ruling of a case. For each breached rule, and each rule without
// data whose plan wants that told or asked, on its own:
//
//	power = min(the authority that matches it, its own ceilings, every guard's ceiling)
//
// The rule with the most power speaks, the first of the plan among equals; the
// others are reported and take nothing away.
func Decide(c Case) Ruling {
	var rulings []Ruling // one for each accused rule, on its own
	speaks := 0
	for _, answer := range c.Answers {
		spec, known := c.Plan.Rule(answer.Rule)
		if !known || !accuses(answer, spec) {
			continue
		}
		rulings = append(rulings, ruleOn(c, answer, spec))
		if last := len(rulings) - 1; rulings[last].Power > rulings[speaks].Power {
			speaks = last
		}
	}
	if len(rulings) == 0 {
		return Ruling{Authority: -1, Answers: c.Answers}
	}
	return combine(rulings, speaks)
}

// combine lets one ruling speak for all.
func combine(rulings []Ruling, speaks int) Ruling {
	ruling := rulings[speaks]
	for i, r := range rulings {
		if r.Power > rules.None || ruling.Power == rules.None {
			ruling.Blamed = append(ruling.Blamed, r.Rule)
		}
		if i != speaks {
			ruling.Why = append(ruling.Why, r.Why...)
		}
	}
	return ruling
}

// accuses says whether the answer is a reason for a ruling.
func accuses(answer rules.Answer, spec rules.Spec) bool {
	return answer.Verdict == rules.Breached ||
		answer.Verdict == rules.NoData && spec.OnNoData.Ceiling() > rules.None
}

// ruleOn is the ruling if this were the only accusing rule.
func ruleOn(c Case, answer rules.Answer, spec rules.Spec) Ruling {
	index, clause := match(c, answer, spec, anyClause)
	ruling := Ruling{
		Power: clause.Decide, Rule: spec.Name, NoData: answer.Verdict == rules.NoData,
		Authority: index, Clause: clause, Target: c.Target,
		Why: []string{sentence(answer)}, Answers: c.Answers,
	}
	for _, ceiling := range ceilings(c, answer, spec) {
		ruling.lower(ceiling)
	}
	if ruling.Power == rules.Ask && len(clause.Needs) == 0 {
		ruling.findPeople(c, answer, spec)
	}
	if ruling.Power == rules.Ask && !(Question{Clause: ruling.Clause, Groups: c.Plan.Groups, Barred: c.Barred}).answerable() {
		ruling.lower(Ceiling{Name: nobodyToAsk, Power: rules.Notify, Why: "too few of those who could be asked may vote: the others deployed or wrote it", Guard: true})
	}
	return ruling
}

// lower holds the power below the ceiling.
func (r *Ruling) lower(ceiling Ceiling) {
	if ceiling.Power < rules.Auto {
		r.Power = min(r.Power, ceiling.Power)
		r.Ceilings = append(r.Ceilings, ceiling)
	}
}

// nobodyToAsk is the ceiling of a question that nobody could answer.
const nobodyToAsk = "nobody to ask"

// findPeople finds who is asked where a clause that names nobody (auto) was
// lowered to ask: the people of the next clause that matches and names some. A
// question to nobody would only wait for its own silence.
func (r *Ruling) findPeople(c Case, answer rules.Answer, spec rules.Spec) {
	index, clause := match(c, answer, spec, namesPeople)
	if index < 0 {
		r.lower(Ceiling{Name: nobodyToAsk, Power: rules.Notify, Why: "no matching authority names people who could be asked", Guard: true})
		return
	}
	r.Authority, r.Clause = index, clause
}

func sentence(answer rules.Answer) string { return answer.Rule + ": " + answer.Why }

// match returns the first authority that matches the rule and is fit. None: people are told.
func match(c Case, answer rules.Answer, spec rules.Spec, fit func(rules.Authority) bool) (int, rules.Authority) {
	for i, clause := range c.Plan.Authorities {
		if fit(clause) && matches(c, spec, clause) && anyOf(clause.Attribution, answer.Attribution.Blame) {
			return i, clause
		}
	}
	return -1, rules.Authority{Decide: rules.Notify}
}

func anyClause(rules.Authority) bool { return true }

func namesPeople(clause rules.Authority) bool {
	return clause.Decide >= rules.Ask && len(clause.Needs) > 0
}

func matches(c Case, spec rules.Spec, clause rules.Authority) bool {
	severity := spec.Severity
	if severity == rules.SeverityUnset {
		severity = rules.Critical
	}
	return anyOf(clause.Severity, severity) &&
		anyOf(clause.Environments, c.Deployment.Environment) &&
		anyOf(clause.Strategies, c.Deployment.Strategy) &&
		anyOf(clause.Tier, c.Plan.Tier) &&
		anyOf(clause.Rules, spec.Name) &&
		anyOf(clause.Deployers, c.Deployment.By) &&
		hasLabels(clause.Labels, c.Plan.Labels, c.Deployment.Labels)
}

func anyOf[T comparable](list []T, value T) bool {
	return len(list) == 0 || slices.Contains(list, value)
}

// hasLabels says whether the plan or the deployment carries every wanted label.
// Where both carry a name, the plan's value counts: an event cannot talk its way
// into another authority.
func hasLabels(wanted, plan, event map[string]string) bool {
	for name, value := range wanted {
		have, said := plan[name]
		if !said {
			have = event[name]
		}
		if have != value {
			return false
		}
	}
	return true
}
