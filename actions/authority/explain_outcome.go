package authority

import (
	"fmt"
	"maps"
	"slices"

	"github.com/bakewatch/bakewatch/rules"
)

// outcome says what the ruling on the case comes to, and what held it there.
func (e explanation) outcome(c Case) (done string, held []string) {
	r := Decide(c)
	_, granted := match(c, c.Answers[0], e.spec(c.Answers[0]), anyClause)
	return e.done(r, c), lowered(r, granted.Decide)
}

func (e explanation) spec(a rules.Answer) rules.Spec {
	spec, _ := e.plan.Rule(a.Rule)
	return spec
}

// done says what is done.
func (e explanation) done(r Ruling, c Case) string {
	switch r.Power {
	case rules.Auto:
		return "it is rolled back at once"
	case rules.Veto:
		return fmt.Sprintf("it is rolled back after %s unless anyone of %s objects", r.Clause.Within, list(slices.Sorted(maps.Keys(r.Clause.Needs)), "or"))
	case rules.Ask:
		return e.asked(r, c)
	case rules.Notify:
		return "people are told"
	case rules.None:
	}
	return "it is only recorded"
}

// asked says who is asked what, in which order, and what silence means.
func (e explanation) asked(r Ruling, c Case) string {
	what, silent := "", "nothing is rolled back"
	if way, ok := e.plan.RollbackFor(c.Deployment.Strategy); ok && way.Reversible != nil && !*way.Reversible {
		what, silent = fmt.Sprintf(" to %q instead of a rollback", way.Otherwise), "nothing is done"
	}
	text := fmt.Sprintf("%s must agree%s within %s", wanted(r.Clause.Needs), what, r.Clause.Within)
	for _, step := range r.Clause.Escalate {
		text += fmt.Sprintf(", or %d of %s within the next %s", max(1, step.Needs), step.To, step.Within)
	}
	if r.Silence() == rules.SilenceRollsBack {
		silent = "it is rolled back"
	}
	return text + "; if nobody answers, " + silent
}

// wanted says how many of which groups.
func wanted(needs map[string]int) string {
	var said []string
	for _, group := range slices.Sorted(maps.Keys(needs)) {
		said = append(said, fmt.Sprintf("%d of %s", needs[group], group))
	}
	return list(said, "and")
}

// lowered says what holds the power below what the authority grants: the lowest
// ceilings and, where nobody could be asked, also why anybody should have been. What
// keeps silence from rolling back holds it as well.
func lowered(r Ruling, granted rules.Power) (why []string) {
	alone := slices.ContainsFunc(r.Ceilings, func(c Ceiling) bool { return c.Name == nobodyToAsk })
	silenced := r.Power == rules.Ask && r.Clause.Silence == rules.SilenceRollsBack && r.Silence() != rules.SilenceRollsBack
	for _, c := range r.Ceilings {
		lowest := r.Power < granted && (c.Power == r.Power || alone && c.Power < granted)
		if lowest || silenced && c.Power <= rules.Ask && c.Name != severityCeiling {
			why = append(why, short(c))
		}
	}
	return why
}

// short says why a ceiling is there, without what is different in every case.
func short(c Ceiling) string {
	switch c.Name {
	case "no way back":
		return "the plan has no [[rollback]] for it"
	case attributionCeiling:
		return "it may not be this deployment"
	}
	return c.Why
}
