package authority

import (
	"fmt"
	"maps"
	"slices"

	"github.com/bakewatch/bakewatch/rules"
)

// mostCases bounds how many cases an explanation tries out.
const mostCases = 20_000

// Explain says in sentences who makes the call in every case that the plan, the
// policies and the calendars tell apart, as Decide would: what is known of the target
// and of the evidence being good, and nothing else forbidding it. Cases that come to
// the same are one sentence. Where there are too many cases to try them all, the
// authorities are told one by one.
func Explain(p rules.Plan) []string {
	if len(p.Rules) == 0 {
		return nil
	}
	supposed := supposed(p)
	e := explanation{plan: supposed, axes: axesOf(supposed)}
	said := e.sentences()
	if p.Budget != nil {
		said = append(said, fmt.Sprintf("After %s of one environment people are asked at most.", rollbacks(*p.Budget)))
	}
	return append(said, people(p)...)
}

func rollbacks(a rules.Allowance) string {
	if a.Most == 1 {
		return fmt.Sprintf("a rollback in %s", a.Per)
	}
	return fmt.Sprintf("%d rollbacks in %s", a.Most, a.Per)
}

// many says whether there are too many cases to try them all.
func (e explanation) many() bool {
	cases := 1
	for _, a := range e.axes {
		if cases *= len(a.values); cases > mostCases || len(a.values) > widest {
			return true
		}
	}
	return false
}

// explanation is a plan, and all by which it tells cases apart; the first axis is
// what is accused.
type explanation struct {
	plan rules.Plan
	axes []axis
}

// axis is one thing by which cases are told apart.
type axis struct {
	values []string // as they are said; the last of an open axis is whatever else there is
	open   bool
	// calendar says that it is one: those that are on or off are said together.
	calendar bool
	is       string // how some of the values are said: " in %s"
	not      string // how the rest is said: " not in %s"
	set      func(c *Case, value int)
}

// axesOf lists what the plan tells cases apart by.
func axesOf(p rules.Plan) []axis {
	axes := []axis{accused(p), environments(p), strategies(p), deployers(p), attributions(p)}
	axes = append(axes, labels(p)...)
	for _, name := range slices.Sorted(maps.Keys(p.Calendars)) {
		axes = append(axes, axis{
			values: []string{name, ""}, open: true, calendar: true, is: " and %s is on", not: " and %s is off",
			set: func(c *Case, value int) { c.Plan.Calendars[name] = switched(p.Calendars[name], value == 0) },
		})
	}
	return slices.DeleteFunc(axes, func(a axis) bool { return len(a.values) == 0 })
}

// environments are those of the plan or, of a plan for every one, those that are named.
func environments(p rules.Plan) axis {
	a := axis{values: p.Environments, is: " in %s", not: " outside %s"}
	if len(a.values) == 0 {
		a.values = namesOf(p, func(a rules.Authority) []string { return a.Environments }, func(p rules.Policy) []string { return p.Environments })
		a.values, a.open = others(a.values), true
	}
	a.set = func(c *Case, value int) { c.Deployment.Environment = a.values[value] }
	return a
}

// strategies are all of them, where one is named anywhere.
func strategies(p rules.Plan) axis {
	named := namesOf(p, func(a rules.Authority) []rules.Strategy { return a.Strategies }, func(p rules.Policy) []rules.Strategy { return p.Strategies })
	for _, r := range p.Rollbacks {
		named = append(named, r.Strategies...)
	}
	if len(named) == 0 {
		return axis{}
	}
	return axis{
		values: rules.Strategy("").Words(), is: " of a %s deployment",
		set: func(c *Case, value int) { c.Deployment.Strategy = rules.Strategies()[value] },
	}
}

func deployers(p rules.Plan) axis {
	a := axis{values: others(namesOf(p, func(a rules.Authority) []string { return a.Deployers }, nil)), open: true, is: " deployed by %s", not: " not deployed by %s"}
	a.set = func(c *Case, value int) { c.Deployment.By, c.Barred = a.values[value], []string{a.values[value]} }
	return a
}

// attributions are all of them, where one is named: without, it is this deployment.
func attributions(p rules.Plan) axis {
	if !slices.ContainsFunc(p.Authorities, func(a rules.Authority) bool { return len(a.Attribution) > 0 }) {
		return axis{}
	}
	a := axis{values: rules.Blame("").Words(), is: " (to blame: %s)"}
	a.set = func(c *Case, value int) { c.Answers[0].Attribution.Blame = rules.Blame(a.values[value]) }
	return a
}

// labels are those that an event may carry: what the plan sets is settled.
func labels(p rules.Plan) (axes []axis) {
	values := map[string][]string{}
	add := func(wanted map[string]string) {
		for label, value := range wanted {
			if _, settled := p.Labels[label]; !settled && !slices.Contains(values[label], value) {
				values[label] = append(values[label], value)
			}
		}
	}
	for _, a := range p.Authorities {
		add(a.Labels)
	}
	for _, policy := range p.Policies {
		add(policy.Labels)
	}
	for _, label := range slices.Sorted(maps.Keys(values)) {
		a := axis{values: others(values[label]), open: true, is: " labelled " + label + "=%s", not: " not labelled " + label + "=%s"}
		a.set = func(c *Case, value int) { c.Deployment.Labels[label] = a.values[value] }
		axes = append(axes, a)
	}
	return axes
}

// namesOf lists what authorities and policies name, sorted.
func namesOf[T ~string](p rules.Plan, ofAuthority func(rules.Authority) []T, ofPolicy func(rules.Policy) []T) (names []T) {
	for _, a := range p.Authorities {
		names = append(names, ofAuthority(a)...)
	}
	for _, policy := range p.Policies {
		if ofPolicy != nil {
			names = append(names, ofPolicy(policy)...)
		}
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// others returns the names and, if there are any, whatever else there is: a name that
// nothing has.
func others(names []string) []string {
	if len(names) == 0 {
		return nil
	}
	return append(slices.Sorted(slices.Values(names)), "")
}
