package watcher

import (
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/bakewatch/bakewatch/actions"
	"github.com/bakewatch/bakewatch/rules"
)

// Address makes of a message what its audience needs: a pager what is asked and the
// first reasons; a chat everything; stakeholders plain words and nothing to do.
func Address(m actions.Message, to actions.Audience, about Entry) actions.Message {
	m.Audience = to
	switch to {
	case actions.Page:
		return short(m, about)
	case actions.Stakeholders:
		return plainly(m, about)
	case actions.Chat:
	}
	return m
}

// How much a pager shows of the reasons.
const (
	pageLines = 2
	pageRunes = 240 // of one line
)

// short keeps the first reasons, and why people are woken who are not on call.
func short(m actions.Message, about Entry) actions.Message {
	kept := slices.Clone(m.Lines[:min(pageLines, len(m.Lines))])
	if about.Ruling != nil {
		for _, line := range standIns(*about.Ruling) {
			if slices.Contains(m.Lines[len(kept):], line) {
				kept = append(kept, line)
			}
		}
	}
	lines := make([]string, 0, len(kept)+1)
	for _, line := range kept {
		if runes := []rune(line); len(runes) > pageRunes {
			line = string(runes[:pageRunes]) + "…"
		}
		lines = append(lines, line)
	}
	if !slices.Equal(lines, m.Lines) && m.Watch != "" {
		lines = append(lines, "All of it: bakewatch explain "+m.Watch)
	}
	m.Lines = lines
	return m
}

// plainly tells it to people who use the service and know nothing of its rules.
func plainly(m actions.Message, about Entry) actions.Message {
	said, ok := tellPlainly(m, about)
	if !ok {
		return m
	}
	m.Title, m.Lines, m.Question = m.Service+": "+said.title, said.lines, nil
	if m.Level == actions.Urgent {
		m.Level = actions.Concern // nothing is asked of them
	}
	m.Links = maps.Clone(m.Links)
	delete(m.Links, runbook)
	return m
}

// concerned corrects who hears of the entry: stakeholders do if it can be said to them.
func concerned(audiences []actions.Audience, m actions.Message, about Entry) []actions.Audience {
	_, plain := tellPlainly(m, about)
	told := slices.Contains(audiences, actions.Stakeholders)
	switch {
	case len(audiences) == 0 || plain == told:
		return audiences
	case plain:
		return append(slices.Clone(audiences), actions.Stakeholders)
	}
	return slices.DeleteFunc(slices.Clone(audiences), func(a actions.Audience) bool { return a == actions.Stakeholders })
}

// said is a message in plain words.
type said struct {
	title string
	lines []string
}

// tellPlainly says it without rules, numbers and what can be done; not everything is
// worth telling so.
func tellPlainly(m actions.Message, e Entry) (said, bool) {
	where := m.Environment
	switch {
	case e.Kind == Opened:
		return sayOpened(e), true
	case e.Kind == Decided && m.Target == "":
		return said{fmt.Sprintf("a problem was found in version %s in %s, and something is done about it", m.Version, where), []string{atIt(m.Owner)}}, true
	case e.Kind == Decided:
		return said{fmt.Sprintf("a problem was found in version %s, and %s goes back to %s", m.Version, where, m.Target), []string{atIt(m.Owner)}}, true
	case e.Kind == Done:
		return sayDone(m, e), true
	case e.Kind == Verified && e.OK:
		return said{"all is well again", []string{fmt.Sprintf("Version %s is live in %s.", m.Target, where)}}, true
	case e.Kind == Verified && breaches(e.Answers):
		return said{"it went back to version " + m.Target + ", and the problem is still there", []string{atIt(m.Owner)}}, true
	case e.Kind == Verified:
		return said{"it went back to version " + m.Target + ", and it is not known yet whether that helped", []string{atIt(m.Owner)}}, true
	case e.Kind == Noted && e.Topic == KeptByPeople:
		return said{fmt.Sprintf("people looked at a possible problem, and version %s stays in %s", m.Version, where), nil}, true
	case e.Kind == Closed && e.Outcome == Passed:
		return said{fmt.Sprintf("version %s has proved itself in %s", m.Version, where), nil}, true
	}
	return said{}, false
}

func sayOpened(e Entry) said {
	d, does := e.Deployment, "is live"
	if d.Step == rules.Started {
		does = "is being rolled out"
	}
	s := said{
		fmt.Sprintf("version %s %s in %s", d.Version, does, d.Environment),
		[]string{fmt.Sprintf("It is watched for %s. If it does harm, people are told.", inWords(time.Duration(e.Plan.Bake)))},
	}
	if e.Text != "" { // a question lapses
		s.lines = append(s.lines, "It replaces a version in which there may have been a problem.")
	}
	return s
}

// sayDone tells of the end of a rollback. One that is back, by whoever's word, is no urgent message.
func sayDone(m actions.Message, e Entry) said {
	switch {
	case m.Level != actions.Urgent:
		return said{fmt.Sprintf("%s is back on version %s", m.Environment, m.Target), []string{"Whether that helped is being checked."}}
	case e.Done.Result == actions.ResultUnknown:
		return said{fmt.Sprintf("it is not known whether version %s was taken back", m.Version), []string{atIt(m.Owner)}}
	}
	return said{fmt.Sprintf("version %s could not be taken back", m.Version), []string{atIt(m.Owner)}}
}

func breaches(answers []rules.Answer) bool {
	return slices.ContainsFunc(answers, func(a rules.Answer) bool { return a.Verdict == rules.Breached })
}

func atIt(owner string) string {
	if owner == "" {
		return "People have been told."
	}
	return owner + " has been told."
}

// inWords says a length of time as people do.
func inWords(d time.Duration) string {
	switch {
	case d < time.Minute:
		return count(int(d/time.Second), "second")
	case d%time.Hour == 0:
		return count(int(d/time.Hour), "hour")
	}
	return count(int(d.Round(time.Minute)/time.Minute), "minute")
}
