package authority

import (
	"fmt"
	"maps"
	"slices"

	"github.com/prometheus/alertmanager/timeinterval"

	"github.com/bakewatch/bakewatch/rules"
)

// accused are the rules, breached or (where the plan says something about that)
// without data. Rules that nothing tells apart are one value.
func accused(p rules.Plan) axis {
	a := axis{}
	var answers []rules.Answer
	at := map[string]int{}
	for _, spec := range p.Rules {
		for _, verdict := range []rules.Verdict{rules.Breached, rules.NoData} {
			answer := rules.Answer{Rule: spec.Name, Verdict: verdict, Ceiling: rules.Auto}
			if !accuses(answer, spec) {
				continue
			}
			alike := fmt.Sprint(verdict, spec.Mode, spec.Severity, spec.OnNoData, namedBy(p, spec.Name))
			said := fmt.Sprintf("%q", spec.Name)
			if verdict == rules.NoData {
				said += " without data"
			}
			if i, known := at[alike]; known {
				a.values[i] += "\n" + said
				continue
			}
			at[alike] = len(answers)
			a.values, answers = append(a.values, said), append(answers, answer)
		}
	}
	a.set = func(c *Case, value int) { c.Answers = []rules.Answer{answers[value]} }
	return a
}

// mostSupposed bounds how many people are made up for a group.
const mostSupposed = 1000

// supposed returns the plan with people in the groups and days in the calendars that
// are not known, as where it is read without the daemon's file.
func supposed(p rules.Plan) rules.Plan {
	groups, calendars := maps.Clone(p.Groups), maps.Clone(p.Calendars)
	suppose := func(needs map[string]int, names []string) {
		for group, n := range needs {
			for i := 0; p.Groups[group] == nil && i <= min(n, mostSupposed); i++ {
				put(&groups, group, append(groups[group], fmt.Sprint(group, " ", i)))
			}
		}
		for _, name := range names {
			if _, known := p.Calendars[name]; !known {
				put(&calendars, name, rules.Calendar{During: rules.Auto})
			}
		}
	}
	for _, a := range p.Authorities {
		suppose(a.Needs, a.Calendar)
		for _, step := range a.Escalate {
			suppose(map[string]int{step.To: step.Needs}, nil)
		}
	}
	p.Groups, p.Calendars = groups, calendars
	return p
}

// put sets an entry of a map that may not be there yet.
func put[V any](into *map[string]V, key string, value V) {
	if *into == nil {
		*into = map[string]V{}
	}
	(*into)[key] = value
}

// namedBy lists the authorities that name the rule.
func namedBy(p rules.Plan, rule string) (by []int) {
	for i, a := range p.Authorities {
		if slices.Contains(a.Rules, rule) {
			by = append(by, i)
		}
	}
	return by
}

// switched returns the calendar as it is when it is on or off, whatever the time.
func switched(c rules.Calendar, on bool) rules.Calendar {
	c.Intervals, c.Overnight, c.Holidays = nil, nil, nil
	if on {
		c.Intervals = []timeinterval.TimeInterval{{}}
	}
	return c
}

// caseAt makes the case at a point: one value of each axis.
func (e explanation) caseAt(point []int) Case {
	c := Case{
		Plan: e.plan, Target: Target{Version: "the target"}, Barred: []string{""},
		Deployment: rules.Deployment{Service: e.plan.Service, Strategy: rules.Rolling, Labels: map[string]string{}},
	}
	c.Plan.Calendars = maps.Clone(e.plan.Calendars)
	for i, a := range e.axes {
		a.set(&c, point[i])
	}
	if c.Answers[0].Attribution.Blame == "" {
		c.Answers[0].Attribution.Blame = rules.ThisDeployment
	}
	return c
}

// points calls for every point, the last axis changing first.
func (e explanation) points(call func(point []int)) {
	point := make([]int, len(e.axes))
	for at := 0; at >= 0; {
		call(slices.Clone(point))
		for at = len(point) - 1; at >= 0; at-- {
			if point[at]++; point[at] < len(e.axes[at].values) {
				break
			}
			point[at] = 0
		}
	}
}

// widest is the most values of an axis: those of a box are the bits of a number.
const widest = 64

// box is a set of points: those with one of these values of each axis.
type box []uint64

// boxes covers the points by few boxes: those that differ in one axis alone are put
// together, again and again. What is accused is put together last, for it is said first.
func boxes(points [][]int) []box {
	var all []box
	for _, point := range points {
		b := make(box, len(point))
		for i, value := range point {
			b[i] = 1 << value
		}
		all = append(all, b)
	}
	for before := 0; before != len(all); {
		before = len(all)
		for along := len(all[0]) - 1; along >= 0; along-- {
			all = merged(all, along)
		}
	}
	return all
}

// merged puts boxes together that differ in this axis alone.
func merged(all []box, along int) []box {
	kept := all[:0:0]
	at := map[string]int{}
	for _, b := range all {
		rest := slices.Clone(b)
		rest[along] = 0
		key := fmt.Sprint(rest)
		if i, known := at[key]; known {
			kept[i][along] |= b[along]
			continue
		}
		at[key] = len(kept)
		kept = append(kept, slices.Clone(b))
	}
	return kept
}
