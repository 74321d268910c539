package authority

import (
	"fmt"
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
	for _, a := range accusations(c) {
		rulings = append(rulings, ruleOn(c, a.answer, a.spec))
		if last := len(rulings) - 1; rulings[last].Power > rulings[speaks].Power {
			speaks = last
		}
	}
	if len(rulings) == 0 {
		return Ruling{Authority: -1, Answers: c.Answers}
	}
	return combine(rulings, speaks)
}

// accusation is one reason for a ruling, as a rule that says so.
type accusation struct {
	answer rules.Answer
	spec   rules.Spec
}

// ByHand is what stands for a rule where a person wishes to roll back.
const ByHand = "by hand"

// accusations are a person's wish, and whatever the rules say that is a reason for a
// ruling. A wish alone is never more than a question: others must agree.
func accusations(c Case) (all []accusation) {
	if c.Begun != nil {
		all = append(all, accusation{
			rules.Answer{Rule: ByHand, Verdict: rules.Breached, Ceiling: rules.Ask, Why: fmt.Sprintf("%s asks for it: %s", c.Begun.By, c.Begun.Reason)},
			rules.Spec{Name: ByHand, Mode: rules.Enforce, Severity: rules.Critical},
		})
	}
	for _, answer := range c.Answers {
		if spec, known := c.Plan.Rule(answer.Rule); known && accuses(answer, spec) {
			all = append(all, accusation{answer, spec})
		}
	}
	return all
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
		Authority: index, Clause: clause, Target: c.Target, Otherwise: otherwise(c),
		Why: []string{sentence(answer)}, Answers: c.Answers,
	}
	if spec.Name == ByHand {
		ruling.Begun = c.Begun
	}
	for _, ceiling := range ceilings(c, answer, spec) {
		ruling.lower(ceiling)
	}
	if ruling.waits() {
		ruling.findPeople(c, answer, spec)
	}
	if ruling.waits() {
		ruling.name(c)
	}
	return ruling
}

// waits says whether people have a word in it: a question, or a countdown.
func (r *Ruling) waits() bool { return r.Power == rules.Ask || r.Power == rules.Veto }

// name writes down who is asked, and lowers the power where they could not answer: a
// countdown that nobody may stop becomes a question, a question that nobody may
// answer is only told.
func (r *Ruling) name(c Case) {
	r.Required = policyNeeds(c)
	q := Question{Clause: r.Clause, Required: r.Required, Groups: c.groups(), Barred: c.Barred}
	if r.Power == rules.Veto && !q.stoppable() {
		r.lower(Ceiling{Name: nobodyToAsk, Power: rules.Ask, Why: "nobody is left who may object: the others deployed or wrote it", Guard: true})
	}
	if r.Power == rules.Ask && !q.answerable() {
		r.lower(Ceiling{Name: nobodyToAsk, Power: rules.Notify, Why: "too few of those who could be asked may vote: the others deployed or wrote it", Guard: true})
	}
	if !r.waits() {
		return
	}
	r.Groups = map[string][]string{}
	for _, group := range q.groups() {
		r.Groups[group] = c.groups()[group]
		if why, is := c.StandIns[group]; is {
			if r.StandIns == nil {
				r.StandIns = map[string]string{}
			}
			r.StandIns[group] = why
		}
	}
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
// lowered: the people of the next clause that matches and names some, and whom the
// policies want. A question to nobody would only wait for its own silence.
func (r *Ruling) findPeople(c Case, answer rules.Answer, spec rules.Spec) {
	wanted := policyNeeds(c)
	if len(r.Clause.Needs) == 0 {
		index, clause := match(c, answer, spec, namesPeople)
		switch {
		case index >= 0:
			r.Authority, r.Clause = index, clause
		case len(wanted) > 0:
			r.Clause = policyClause(r.Clause)
		default:
			r.lower(Ceiling{Name: nobodyToAsk, Power: rules.Notify, Why: "no matching authority names people who could be asked", Guard: true})
			return
		}
	}
	r.Clause.Needs = atLeast(r.Clause.Needs, wanted)
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
		anyOn(clause.Calendar, c) &&
		hasLabels(clause.Labels, c.Plan.Labels, c.Deployment.Labels)
}

func anyOf[T comparable](list []T, value T) bool {
	return len(list) == 0 || slices.Contains(list, value)
}

// anyOn says whether one of the calendars is on; none named: always.
func anyOn(names []string, c Case) bool {
	return len(names) == 0 || slices.ContainsFunc(names, func(name string) bool {
		calendar, known := c.Plan.Calendars[name]
		return known && calendar.On(c.Now)
	})
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
