package authority

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/bakewatch/bakewatch/rules"
)

// oneByOne tells each authority and each policy by itself.
func (e explanation) oneByOne() (said []string) {
	said = append(said, "There are too many cases to tell each. The first authority that matches counts; what it grants is lowered by the rule's mode and severity, and by these policies and calendars.")
	for i, a := range e.plan.Authorities {
		done := e.done(Ruling{Power: a.Decide, Clause: a}, Case{Deployment: rules.Deployment{Strategy: rules.Rolling}})
		said = append(said, fmt.Sprintf("Authority %d, on %s: %s.", i+1, matchersOf(a), done))
	}
	said = append(said, "On any other breach: people are told.")
	for _, p := range e.plan.Policies {
		matchers := rules.Authority{Environments: p.Environments, Strategies: p.Strategies, Tier: p.Tier, Labels: p.Labels, Calendar: p.Calendar}
		text := fmt.Sprintf("Policy %q, on %s: at most %s", p.Name, matchersOf(matchers), p.Most)
		if len(p.Needs) > 0 {
			text += ", and " + wanted(p.Needs) + " must agree"
		}
		said = append(said, text+".")
	}
	return said
}

// matchersOf says what the authority is for.
func matchersOf(a rules.Authority) string {
	var said []string
	add := func(what string, words []string) {
		if len(words) > 0 {
			said = append(said, what+" "+list(words, "or"))
		}
	}
	add("rule is", a.Rules)
	add("severity is", texts(a.Severity))
	add("environment is", a.Environments)
	add("strategy is", texts(a.Strategies))
	add("tier is", texts(a.Tier))
	add("deployer is", a.Deployers)
	add("cause is", texts(a.Attribution))
	add("calendar is", a.Calendar)
	for _, label := range slices.Sorted(maps.Keys(a.Labels)) {
		said = append(said, "label "+label+" is "+a.Labels[label])
	}
	if len(said) == 0 {
		return "any breach"
	}
	return "a breach whose " + strings.Join(said, " and whose ")
}
