package watcher

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/bakewatch/bakewatch/rules"
)

// calmLooks is how many looks in a row must find every limit kept before a rollback is verified.
const calmLooks = 4

// close ends the open watch.
func (l Lane) close(at time.Time, outcome Outcome, reason string) Entry {
	ledger := l.Ledger.ends(l.Watch.line(at, outcome, reason))
	return Entry{Kind: Closed, Outcome: outcome, Text: reason, Ledger: &ledger}
}

// conclude closes a watch whose rollback has come to its end.
func (l Lane) conclude(in Input) (Entry, bool) {
	w := l.Watch
	switch {
	case w == nil || w.Done == nil:
		return Entry{}, false
	case !w.isBack():
		e := l.close(in.Now, w.fate(), w.Done.Reason)
		ledger := e.Ledger.unclear()
		e.Ledger = &ledger
		return e, true
	case w.Verified != nil:
		return l.close(in.Now, w.fate(), w.story()), true
	}
	return Entry{}, false
}

// story says in a sentence what was done about the watch.
func (w *Watch) story() string {
	if w.Intent.Contingency {
		return fmt.Sprintf("%s was done instead of a rollback: %s", w.Intent.Executor, first(w.Ruling.Why))
	}
	return first(w.Ruling.Why)
}

// verify says whether the rollback helped: the target is live, and every limit is
// kept again, before the plan's `verify` has passed.
func (l Lane) verify(in Input) (Entry, bool) {
	w := l.Watch
	if w == nil || w.Done == nil || in.Look == nil || !in.Look.Verify || in.Look.Watch != w.Seq {
		return Entry{}, false
	}
	rollback, _ := w.Plan.RollbackFor(w.Deployment.Strategy)
	switch {
	case in.Look.Calm >= calmLooks && w.seenLive(in.Look.Answers):
		text := fmt.Sprintf("%s, and every limit is kept again; it took %s", w.feat(w.Intent.Subject.To+" is live"), took(in.Now.Sub(w.Acting), rollback))
		return Entry{Kind: Verified, OK: true, Answers: in.Look.Answers, Text: text}, true
	case in.Now.Before(w.DoneAt.Add(time.Duration(rollback.Verify))):
		return Entry{}, false
	}
	breached, open := w.standing(in.Look.Answers)
	back := w.feat("rolled back to " + w.Intent.Subject.To)
	text := fmt.Sprintf("%s, but it could not be verified: %s", back, open)
	if breached != "" {
		text = fmt.Sprintf("%s, but %s: perhaps it was not this deployment", back, breached)
	}
	return Entry{Kind: Verified, Answers: in.Look.Answers, Text: text}, true
}

// feat says what has been done, a rollback in the given words and who confirms it.
func (w *Watch) feat(rollback string) string {
	if w.Intent.Contingency {
		return w.Intent.Executor + " was done instead of a rollback"
	}
	return rollback + w.liveBy()
}

// took says how long the rollback and the recovery took, beside what the plan expects.
func took(span time.Duration, rollback rules.Rollback) string {
	text := span.Round(time.Second).String()
	if rollback.Takes > 0 {
		text += fmt.Sprintf(" (expected: %s)", rollback.Takes)
	}
	return text
}

// seenLive says whether anybody saw the target live: the executor, an event, or a rule
// that found enough of its traffic to be healthy. No traffic at all shows nothing.
func (w *Watch) seenLive(answers []rules.Answer) bool {
	return w.Intent.Contingency || w.Proof != "" || w.Done.Live != "" ||
		slices.ContainsFunc(answers, func(a rules.Answer) bool { return a.Verdict == rules.Healthy })
}

// liveBy says who confirmed that the target is live.
func (w *Watch) liveBy() string {
	switch {
	case w.Proof != "":
		return " (event " + w.Proof + " says so)"
	case w.Done.Live != "":
		return " (the executor sees it)"
	}
	return " (the executor said done; nobody else confirmed it)"
}

// complete ends the bake: passed when every rule that counts is healthy, or is
// satisfied now that the bake is over. What could not be judged is never a silent
// pass: the bake is extended, and then people are told.
func (l Lane) complete(in Input) (Entry, bool) {
	w := l.Watch
	if !l.judges(in) || in.Look.Partly || w.Question != nil || w.Finished.IsZero() {
		return Entry{}, false
	}
	if in.Now.Before(w.BakeEnds()) {
		return l.completeEarly(in)
	}
	if w.catchesUp(in, w.BakeEnds()) {
		return Entry{}, false
	}
	breached, open := w.standing(atEnd(in.Look.Answers))
	switch {
	case !w.Kept.IsZero():
		return l.close(in.Now, Kept, "people said keep"), true
	case w.Unheard && breached != "":
		return l.close(in.Now, Undecided, "nobody could be reached; "+breached), true
	case breached != "" || w.Silent:
		return l.close(in.Now, Left, breached), true
	case open == "":
		return l.close(in.Now, Passed, ""), true
	case w.Extensions < maxExtensions:
		return Entry{Kind: Noted, Topic: Extended, Text: "the bake is extended: " + open}, true
	}
	return l.close(in.Now, Undecided, open), true
}

// catchesUp says that what follows from the end of a bake waits: after a restart rules
// read again what was seen before, and say soon what they had said. It waits no longer
// than the plan waits for answers.
func (w *Watch) catchesUp(in Input, ended time.Time) bool {
	return in.Look.Behind && in.Now.Before(ended.Add(time.Duration(w.Plan.BlindFor)))
}

// completeEarly passes what every test has proved to be well before the bake is over,
// but never before the plan's bake_min, and not where people had to do with it. A plan
// without tests has nothing that could prove it.
func (l Lane) completeEarly(in Input) (Entry, bool) {
	w := l.Watch
	if in.Now.Before(w.Finished.Add(time.Duration(w.Plan.BakeMin))) || !w.Kept.IsZero() || w.Silent || w.Unheard {
		return Entry{}, false
	}
	proofs, all := w.proofs(in.Look.Answers)
	if !all || len(proofs) == 0 {
		return Entry{}, false
	}
	text := fmt.Sprintf("proved well %s before the end of the bake: %s",
		rules.Duration(w.BakeEnds().Sub(in.Now).Round(time.Second)), strings.Join(proofs, "; "))
	return l.close(in.Now, Passed, text), true
}

// proofs returns the arithmetic of the tests that proved the version to be well; all
// says that they all did, and that no rule that counts finds anything else.
func (w *Watch) proofs(answers []rules.Answer) (proofs []string, all bool) {
	for _, a := range answers {
		if spec, _ := w.Plan.Rule(a.Rule); spec.Mode == rules.Shadow {
			continue
		}
		switch {
		case a.Verdict != rules.Healthy, a.Test != nil && !a.Proved:
			return nil, false
		case a.Test != nil:
			proofs = append(proofs, a.Rule+": "+a.Why)
		}
	}
	return proofs, true
}

// atEnd returns the answers now that the bake is over: a test that has found nothing
// is satisfied, or could not have found anything.
func atEnd(answers []rules.Answer) []rules.Answer {
	answers = slices.Clone(answers)
	for i, a := range answers {
		if a.Verdict == rules.Inconclusive && (a.AtEnd == rules.Healthy || a.AtEnd == rules.LowTraffic) {
			answers[i].Verdict = a.AtEnd
		}
	}
	return answers
}

// standing returns the arithmetic of the first breached rule and of the first that
// could not be judged, among the rules that count: a shadow rule never keeps a watch from passing.
func (w *Watch) standing(answers []rules.Answer) (breached, open string) {
	if len(answers) == 0 {
		open = "no rule has an answer yet"
	}
	for _, a := range answers {
		if spec, _ := w.Plan.Rule(a.Rule); spec.Mode == rules.Shadow {
			continue
		}
		switch a.Verdict {
		case rules.Healthy:
		case rules.Breached:
			if breached == "" {
				breached = a.Rule + ": " + a.Why
			}
		case rules.Inconclusive, rules.LowTraffic, rules.NoData, rules.Blind:
			if open == "" {
				open = fmt.Sprintf("%s: %s: %s", a.Rule, a.Verdict, a.Why)
			}
		}
	}
	return breached, open
}

// remark notes what people should know although it changes nothing.
func (l Lane) remark(in Input) (Entry, bool) {
	w := l.Watch
	if !l.judges(in) {
		return Entry{}, false
	}
	blind := !in.Look.BlindSince.IsZero() && in.Now.Sub(in.Look.BlindSince) >= time.Duration(w.Plan.BlindFor)
	switch {
	case blind && !w.Blind:
		return Entry{Kind: Noted, Topic: WentBlind, Answers: in.Look.Answers, Text: "no usable answers from Prometheus since " + in.Look.BlindSince.UTC().Format(time.RFC3339) + ": nothing is judged, nothing is rolled back"}, true
	case w.Blind && in.Look.BlindSince.IsZero():
		return Entry{Kind: Noted, Topic: SeesAgain, Text: "Prometheus answers again; what was missed is being caught up"}, true
	case !w.Late && w.Finished.IsZero() && in.Now.Sub(w.rollingSince()) >= time.Duration(w.Plan.RollOut):
		return Entry{Kind: Noted, Topic: StillRolling, Text: w.slowly()}, true
	}
	return Entry{}, false
}
