package main

import (
	"cmp"
	"fmt"
	"strings"

	"github.com/bakewatch/bakewatch/actions"
	"github.com/bakewatch/bakewatch/actions/authority"
	"github.com/bakewatch/bakewatch/rules"
	"github.com/bakewatch/bakewatch/watcher"
)

// entryText says in one line what an entry says.
func entryText(e watcher.Entry) string {
	return joined(": ", string(e.Kind), entryDetail(e))
}

func entryDetail(e watcher.Entry) string {
	switch {
	case e.Topic == watcher.Refused && e.Vote != nil:
		return joined(" ", string(e.Topic), refusedText(*e.Vote), bracketed(e.Text))
	case e.Vote != nil:
		return joined(" ", e.Vote.Person+" says "+string(e.Vote.Choice), bracketed(e.Vote.Reason))
	case e.Reminder != nil:
		return joined(" ", string(e.Reminder.Of), fmt.Sprintf("of question %d", e.Reminder.Question), prefixed("to ", e.Reminder.To))
	case e.Spent != nil:
		return fmt.Sprintf("a rollback of %s, watch %d, by %s", e.Spent.Lane, e.Spent.Watch, e.Spent.By)
	case e.Decision != nil:
		return joined(", ", "by "+decidedBy(*e.Decision), rulingText(e))
	case e.Ruling != nil:
		return rulingText(e)
	case e.Intent != nil && e.Intent.Contingency:
		return e.Intent.Executor + " is done instead of a rollback"
	case e.Intent != nil:
		return fmt.Sprintf("%s brings %s live again", e.Intent.Executor, e.Intent.Subject.To)
	case e.Done != nil:
		return strings.TrimPrefix(strings.TrimPrefix(doneText(*e.Done), string(actions.ResultDone)), ", ") // the kind says it
	case e.Told != nil:
		return toldText(*e.Told)
	case e.Kind == watcher.Verdicts:
		return answersText(e.Answers)
	case e.Kind == watcher.Verified:
		return cmp.Or(e.Text, verifiedText(e.OK))
	case e.Kind == watcher.Opened && e.Outcome != "" && e.Deployment != nil:
		return joined(" ", deploymentText(*e.Deployment), bracketed(replaced(e)))
	case e.Deployment != nil:
		return joined(" ", string(e.Topic), deploymentText(*e.Deployment), bracketed(e.Text))
	}
	return joined(" ", string(e.Outcome), string(e.Topic), bracketed(e.Text))
}

// refusedText says who answered what, as far as it is known who.
func refusedText(v authority.Vote) string {
	if v.Person == "" && v.Proof == (authority.Proof{}) {
		return string(v.Choice)
	}
	return cmp.Or(v.Person, v.Proof.String()) + " says " + string(v.Choice)
}

func rulingText(e watcher.Entry) string {
	if e.Ruling == nil {
		return ""
	}
	r := *e.Ruling
	return joined(", ", joined(" ", r.Power.String(), prefixed("because of ", r.Rule)),
		prefixed("target ", r.Target.Version), prefixed("instead of a rollback ", r.Otherwise), strings.TrimPrefix(strings.Join(r.Why, "; "), r.Rule+": "))
}

// decidedBy says who decided: "votes of ana (ours) and bea".
func decidedBy(d watcher.Decision) string {
	said := make([]string, len(d.Votes))
	for i, vote := range d.Votes {
		said[i] = joined(" ", vote.Person, bracketed(vote.Reason))
	}
	return joined(" of ", d.By, strings.Join(said, " and "))
}

// doneText says how a rollback ended: "done, 1.1.0 is live".
func doneText(done actions.Outcome) string {
	live := ""
	if done.Live != "" {
		live = done.Live + " is live"
	}
	return joined(", ", string(done.Result), live, done.Reason)
}

// replaced says how the watch ended that this deployment ends: a rolled-back one would
// have been closed when it was verified.
func replaced(e watcher.Entry) string {
	version, verified := "", ""
	if e.Ledger != nil && len(e.Ledger.Past) > 0 {
		version = e.Ledger.Past[len(e.Ledger.Past)-1].Version
	}
	if e.Outcome == watcher.RolledBack {
		verified = "not verified"
	}
	return joined(", ", joined(": ", version, string(e.Outcome)), verified, e.Text)
}

func toldText(d watcher.Delivery) string {
	if d.Failed != "" {
		return fmt.Sprintf("%s (%s) gave up on entry %d: %s", d.Channel, d.Audience, d.About, d.Failed)
	}
	return fmt.Sprintf("%s (%s) has entry %d", d.Channel, d.Audience, d.About)
}

func answersText(answers []rules.Answer) string {
	parts := make([]string, len(answers))
	for i, a := range answers {
		parts[i] = a.Rule + " " + a.Verdict.String()
	}
	return strings.Join(parts, ", ")
}

func verifiedText(ok bool) string {
	if ok {
		return "the limits are kept again"
	}
	return "not recovered"
}

func deploymentText(d rules.Deployment) string {
	return joined(" ", d.Version, string(d.Step), d.Stage, prefixed("by ", d.By))
}

func joined(by string, parts ...string) string {
	var said []string
	for _, part := range parts {
		if part != "" {
			said = append(said, part)
		}
	}
	return strings.Join(said, by)
}

func prefixed(prefix, s string) string {
	if s == "" {
		return ""
	}
	return prefix + s
}

func bracketed(s string) string {
	if s == "" {
		return ""
	}
	return "(" + s + ")"
}

func entryColour(e watcher.Entry) paint {
	switch e.Kind {
	case watcher.Ruled, watcher.Reminded, watcher.Decided, watcher.Intended:
		return yellow
	case watcher.Done:
		if e.Done != nil && e.Done.Result != actions.ResultDone {
			return red
		}
		return yellow
	case watcher.Verified:
		if e.OK {
			return green
		}
		return red
	case watcher.Closed:
		return outcomeColour(e.Outcome)
	case watcher.Verdicts, watcher.Told, watcher.Spent:
		return faint
	case watcher.Opened, watcher.Step, watcher.Voted, watcher.Noted:
	}
	return plain
}
