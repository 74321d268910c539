package watcher

import (
	"fmt"
	"slices"

	"github.com/bakewatch/bakewatch/actions"
)

func tellDecided(m *actions.Message, e tale) []actions.Audience {
	m.Level, m.Target = actions.Urgent, e.Ruling.Target.Version
	m.Title = fmt.Sprintf("%s %s → %s (%s) is being rolled back: %s", m.Service, m.Version, m.Target, m.Environment, decidedBy[e.Decision.By])
	if e.Ruling.Otherwise != "" {
		m.Title = fmt.Sprintf("%s %s (%s) cannot be rolled back: %s is being done instead: %s", m.Service, m.Version, m.Environment, e.Ruling.Otherwise, decidedBy[e.Decision.By])
	}
	m.Lines = append(slices.Clone(e.Ruling.Why), cause(e.Ruling)...)
	if len(e.Decision.Votes) > 0 {
		m.Lines = append(m.Lines, who(e.Decision.Votes))
	}
	return everyone
}

func tellDone(m *actions.Message, e tale) []actions.Audience {
	if e.after.isBack() && e.after.Intent.Contingency {
		m.Title = fmt.Sprintf("%s %s: %s was done; now it is looked whether that helped", m.Service, m.Version, e.after.Intent.Executor)
		return chat
	}
	if e.after.isBack() {
		m.Title = fmt.Sprintf("%s is back on %s; now it is verified", m.Service, orNothing(m.Target))
		return chat
	}
	switch e.Done.Result {
	case actions.ResultDone, actions.ResultFailed:
		m.Title = fmt.Sprintf("%s %s could NOT be rolled back", m.Service, m.Version)
	case actions.ResultUnknown:
		m.Title = fmt.Sprintf("%s %s: nobody knows whether it was rolled back; a person must look", m.Service, m.Version)
	}
	m.Level, m.Lines = actions.Urgent, []string{e.Done.Reason}
	return team
}

func tellVerified(m *actions.Message, e tale) []actions.Audience {
	m.Lines = []string{e.Text}
	if e.OK {
		m.Level, m.Title = actions.Good, m.Service+" has recovered"
		return bystanders
	}
	m.Level, m.Title = actions.Urgent, m.Service+" was rolled back and has not recovered"
	if breached, _ := e.after.standing(e.Answers); breached == "" {
		m.Title = m.Service + " was rolled back, and nobody can tell whether it has recovered"
	}
	return team
}

func tellClosed(m *actions.Message, e tale) []actions.Audience {
	m.Title = fmt.Sprintf("%s %s (%s): %s", m.Service, m.Version, m.Environment, e.Outcome)
	if e.Text != "" {
		m.Lines = []string{e.Text}
	}
	switch e.Outcome {
	case Passed:
		m.Level = actions.Good
		return bystanders
	case Undecided, Left:
		m.Level = actions.Concern
		return team
	case Superseded, CancelledWatch:
		if e.before != nil && e.before.Question != nil {
			m.Lines = append(m.Lines, "The question whether to roll back lapses.")
			return team // whoever was asked
		}
		return chat
	case RolledBack, RollbackFailed, Unknown, Kept:
		return chat // told when it happened
	}
	return chat
}
