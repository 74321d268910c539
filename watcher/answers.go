package watcher

import (
	"slices"
	"time"

	"github.com/bakewatch/bakewatch/rules"
)

// answers returns what every rule says, the tests of all rules taken together.
func (s *sight) answers(last time.Time) []rules.Answer {
	answers := make([]rules.Answer, len(s.feeds))
	for i, f := range s.feeds {
		answers[i] = f.says(last)
	}
	s.combine(answers)
	return answers
}

// says returns the rule's answer now. One that has not caught up has no verdict.
func (f *feed) says(last time.Time) rules.Answer {
	a, behind := f.answer, f.behind(last)
	if behind != "" {
		a = rules.Answer{Rule: f.rule, Verdict: rules.Inconclusive, Ceiling: rules.None, At: f.answer.At, Why: behind}
	}
	if f.bets {
		a.Test = f.test(a, behind)
	}
	return a
}

// behind says why the rule has no verdict yet although its queries are answered; empty:
// it has one.
func (f *feed) behind(last time.Time) string {
	switch {
	case f.err != nil:
	case f.reading != nil:
		return "reading history"
	case last.Sub(f.next) >= f.interval:
		return "catching up"
	}
	return ""
}

// test returns what the rule's test stands at; behind is why it has no verdict yet.
func (f *feed) test(a rules.Answer, behind string) *rules.Test {
	test := a.Standing(f.wealth)
	if behind != "" {
		test.Held = behind
	}
	f.wealth = test.Wealth
	return &test
}

// combine marks what the tests of a plan prove together. Shadow rules are taken on
// their own: what is only tried out takes nothing from the others' false alarms.
func (s *sight) combine(answers []rules.Answer) {
	if !slices.ContainsFunc(s.feeds, func(f *feed) bool { return f.bets }) {
		return
	}
	for _, shadow := range []bool{false, true} {
		var group []rules.Answer
		var of []int
		for i, f := range s.feeds {
			if f.shadow == shadow {
				group, of = append(group, answers[i]), append(of, i)
			}
		}
		rules.Combine(group, s.alarms)
		for j, i := range of {
			answers[i] = group[j]
		}
	}
}
