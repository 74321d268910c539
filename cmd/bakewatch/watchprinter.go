package main

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/bakewatch/bakewatch/rules"
	"github.com/bakewatch/bakewatch/watcher"
)

// watchPrinter prints one watch for people.
type watchPrinter struct {
	printer
	w   watcher.WatchView
	now time.Time
}

func (v watchPrinter) head() {
	change := v.w.Lane.Service + " " + v.w.Version
	goesBack := ""
	switch v.w.Phase {
	case watcher.Acting, watcher.Verifying, watcher.Ended:
		change += prefixed(" → ", v.w.Target)
	case watcher.Rolling, watcher.Baking, watcher.Asking, watcher.Vetoing: // an arrow would read as the deployment
		goesBack = prefixed("would go back to ", v.w.Target)
	}
	v.line(bold, "%s", joined(" ", fmt.Sprintf("%s in %s (watch %d, %s)", change, v.w.Lane.Environment, v.w.Watch, v.w.ID), bracketed(goesBack)))
	if v.w.Lane.Flag != "" {
		v.line(plain, "flag %s", v.w.Lane.Flag)
	}
	v.line(phaseColour(v.w), "%s", v.state())
	if v.w.Reason != "" {
		v.line(plain, "%s", v.reason())
	}
	if v.w.Aside != "" {
		v.line(red, "set aside, nobody watches it until Bakewatch is started again: %s", v.w.Aside)
	}
	if v.w.Disarmed != "" && v.w.Outcome == "" {
		v.line(yellow, "disarmed, nothing is rolled back: %s", v.w.Disarmed)
	}
}

func (v watchPrinter) state() string {
	parts := []string{string(v.w.Phase)}
	if v.w.Outcome != "" {
		parts = []string{string(v.w.Outcome)}
	}
	parts = append(parts, "opened "+since(v.w.Opened, v.now), stageText(v.w, v.now))
	switch {
	case !v.w.Closed.IsZero():
		parts = append(parts, "closed "+since(v.w.Closed, v.now))
	case v.w.Phase == watcher.Verifying && !v.w.VerifyEnds.IsZero():
		parts = append(parts, "verified by "+left(v.w.VerifyEnds, v.now))
	case v.w.Phase == watcher.Acting, v.w.Phase == watcher.Verifying:
	case !v.w.BakeEnds.IsZero():
		parts = append(parts, "bake ends "+left(v.w.BakeEnds, v.now))
	}
	return joined(", ", parts...)
}

// stageText says at what stage a roll-out is, and whether it may be left.
func stageText(w watcher.WatchView, now time.Time) string {
	switch {
	case w.Stage == nil || w.Outcome != "":
		return ""
	case w.Stage.Passed.IsZero() && now.After(w.Stage.Ends):
		return fmt.Sprintf("stage %s is held, its bake is over", w.Stage.Name)
	case w.Stage.Passed.IsZero():
		return fmt.Sprintf("stage %s, its bake ends %s", w.Stage.Name, left(w.Stage.Ends, now))
	}
	return fmt.Sprintf("stage %s is well: promote", w.Stage.Name)
}

func (v watchPrinter) reason() string { return joined(": ", v.w.Rule, because(v.w)) }

// because is why the watch stands as it does, without the rule's name before it.
func because(w watcher.WatchView) string { return strings.TrimPrefix(w.Reason, w.Rule+": ") }

func (v watchPrinter) rules() {
	if len(v.w.Answers) == 0 {
		return
	}
	v.section("Rules")
	rows := make([]row, len(v.w.Answers))
	for i, a := range v.w.Answers {
		rows[i] = row{colour: verdictColour(a.Verdict), cells: []string{a.Verdict.String(), a.Rule, a.Why}}
	}
	v.table("  ", nil, rows)
}

func (v watchPrinter) ruling() {
	r := v.w.Ruling
	if r == nil {
		return
	}
	v.section("Ruling")
	switch {
	case r.Rule == "":
		v.line(plain, "  %s: nothing is breached", r.Power)
	case r.NoData:
		v.line(plain, "  %s, because %s has no data", r.Power, r.Rule)
	default:
		v.line(plain, "  %s, because %s is breached", r.Power, r.Rule)
	}
	for _, why := range r.Why {
		v.line(plain, "  %s", why)
	}
	if who := r.Attribution(); who.Blame != "" && !r.HeldByAttribution() {
		v.line(plain, "  to blame: %s", who)
	}
	rows := make([]row, len(r.Ceilings))
	for i, c := range r.Ceilings {
		rows[i] = row{cells: []string{"at most " + c.Power.String(), c.Name, c.Why}}
	}
	v.table("  ", nil, rows)
	v.target(r.Target.Version, r.Target.Doubt, r.Target.Missing)
}

// decision says who decided, what was done, and whether it helped.
func (v watchPrinter) decision() {
	if v.w.Decision == nil {
		return
	}
	v.section("Decision")
	v.line(plain, "  by %s", decidedBy(*v.w.Decision))
	if v.w.Done != nil {
		v.line(plain, "  rollback %s", doneText(*v.w.Done))
	}
	if v.w.Verified != "" {
		v.line(plain, "  %s", v.w.Verified)
	}
}

func (v watchPrinter) target(version, doubt, missing string) {
	switch {
	case version == "" && missing != "":
		v.line(plain, "  no target: %s", missing)
	case doubt != "":
		v.line(plain, "  target %s, in doubt: %s", version, doubt)
	case version != "":
		v.line(plain, "  target %s", version)
	}
}

func (v watchPrinter) question() {
	q := v.w.Question
	if q == nil {
		return
	}
	v.section("Question")
	what := fmt.Sprintf("Roll %s back?", v.w.Lane.Service)
	if v.w.Ruling != nil && v.w.Ruling.Otherwise != "" {
		what = fmt.Sprintf("Do %s instead of rolling %s back?", v.w.Ruling.Otherwise, v.w.Lane.Service)
	}
	if q.Veto {
		v.line(red, "  %s It will be, unless one of %s objects: %s.", what, names(q.Needs), v.deadline(*q))
	} else {
		v.line(red, "  %s Needs %s; %s. %s", what, ways(*q), v.deadline(*q), silence(q.Silence))
	}
	for _, vote := range q.Votes {
		text := fmt.Sprintf("  %s said %s at %s", vote.Person, vote.Choice, clock(vote.At, v.now))
		if vote.Reason != "" {
			text += ": " + vote.Reason
		}
		v.line(plain, "%s", text)
	}
}

func (v watchPrinter) deadline(q watcher.QuestionView) string {
	if q.Heard.IsZero() {
		return fmt.Sprintf("asked %s, and nobody is known to have heard it yet", since(q.Asked, v.now))
	}
	if q.Deadline.IsZero() {
		return "asked " + since(q.Asked, v.now)
	}
	return "answer by " + left(q.Deadline, v.now)
}

// ways are the ways in which it may be agreed on.
func ways(q watcher.QuestionView) string {
	text := needs(q.Needs)
	for _, way := range q.Else {
		text += ", or " + needs(way)
	}
	return text
}

// names lists the groups.
func names(groups map[string]int) string {
	return strings.Join(slices.Sorted(maps.Keys(groups)), " or ")
}

func needs(groups map[string]int) string {
	parts := make([]string, 0, len(groups))
	for _, group := range slices.Sorted(maps.Keys(groups)) {
		parts = append(parts, fmt.Sprintf("%d of %s", groups[group], group))
	}
	return strings.Join(parts, " and ")
}

func silence(s rules.Silence) string {
	if s == rules.SilenceRollsBack {
		return "Silence rolls back."
	}
	return "Silence keeps it."
}

// next says what a person may do now.
func (v watchPrinter) next() {
	service := v.w.Lane.Service
	switch {
	case v.w.Question != nil:
		v.section("What next")
		v.line(plain, "  bakewatch answer %s roll-back --reason …", service)
		v.line(plain, "  bakewatch answer %s keep --reason …", service)
		v.line(plain, "  bakewatch answer %s looking               for ten minutes more", service)
	case v.w.Phase == watcher.Rolling || v.w.Phase == watcher.Baking:
		v.section("What next")
		v.line(plain, "  bakewatch wait %s          until it ends", v.w.ID)
		v.line(plain, "  bakewatch cancel %s        to end it without a verdict", v.w.ID)
	case v.w.Outcome == watcher.RollbackFailed || v.w.Outcome == watcher.Unknown:
		v.section("What next")
		v.line(red, "  look for yourself which version of %s is live: Bakewatch does nothing more here", service)
		if runbook := v.runbook(); runbook != "" {
			v.line(plain, "  runbook: %s", runbook)
		}
	}
}

func (v watchPrinter) runbook() string {
	if v.w.Plan == nil || v.w.Deployment == nil {
		return ""
	}
	rollback, _ := v.w.Plan.RollbackFor(v.w.Deployment.Strategy)
	return rollback.Runbook
}

func (v watchPrinter) section(title string) {
	if v.terminal {
		v.line(plain, "")
	}
	v.line(bold, "%s", title)
}

func verdictColour(verdict rules.Verdict) paint {
	switch verdict {
	case rules.Breached:
		return red
	case rules.Healthy:
		return green
	case rules.Blind, rules.NoData, rules.LowTraffic:
		return yellow
	case rules.Inconclusive:
	}
	return plain
}
