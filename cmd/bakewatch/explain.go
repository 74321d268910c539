package main

import (
	"time"

	"github.com/spf13/cobra"

	"github.com/bakewatch/bakewatch/actions/authority"
	"github.com/bakewatch/bakewatch/rules"
	"github.com/bakewatch/bakewatch/watcher"
)

func explainCommand(p *program) *cobra.Command {
	return p.aboutWatch(&cobra.Command{
		Use:   "explain SERVICE|ID",
		Short: "Explain a ruling: data, comparison, evidence, who is to blame, ceilings, authority",
		Long: `Explain the ruling of a watch, open or ended, from what was counted to what may be done:
of each rule the counts with their window and query, what they were held against and what
that proves; who is to blame; every ceiling that lowered power; the authority that grants
it, and its people. Before anything is breached, explain what the rules see now; of a watch
that ended without a breach, what they said last.`,
	}, p.printExplanation)
}

// explanation is the whole reasoning of a ruling.
type explanation struct {
	ID      string          `json:"id"`
	Watch   uint64          `json:"watch"`
	Lane    rules.LaneID    `json:"lane"`
	Version string          `json:"version"`
	Phase   watcher.Phase   `json:"phase"`
	Outcome watcher.Outcome `json:"outcome,omitempty"`
	// Rules are what each rule said when it was ruled, says now, or said last.
	Rules []explainedRule `json:"rules"`
	// Power is the least of what the authority grants and of every ceiling.
	Power  rules.Power `json:"power"`
	Rule   string      `json:"rule,omitempty"` // the rule that speaks; empty: nothing is breached
	Blamed []string    `json:"blamed,omitempty"`
	// Authority is the clause that grants power, counted from 1 as the plan's; 0: none matches.
	Authority   int                   `json:"authority,omitempty"`
	Clause      *rules.Authority      `json:"clause,omitempty"`
	Attribution rules.Attribution     `json:"attribution,omitzero"`
	Ceilings    []authority.Ceiling   `json:"ceilings,omitempty"`
	Target      *authority.Target     `json:"target,omitempty"`
	Question    *watcher.QuestionView `json:"question,omitempty"`
	Decision    *watcher.Decision     `json:"decision,omitempty"`
}

// explainedRule is one rule's part in it.
type explainedRule struct {
	Kind     string         `json:"kind,omitempty"`
	Severity rules.Severity `json:"severity"`
	Mode     rules.Mode     `json:"mode"`
	BetterBy rules.Margin   `json:"better_by,omitzero"`
	Answer   rules.Answer   `json:"answer"`
}

// explain gathers the reasoning from what is shown of a watch.
func explain(w watcher.WatchView) explanation {
	e := explanation{
		ID: w.ID, Watch: w.Watch, Lane: w.Lane, Version: w.Version, Phase: w.Phase, Outcome: w.Outcome,
		Rules: []explainedRule{}, Question: w.Question, Decision: w.Decision,
	}
	answers := w.Answers
	if r := w.Ruling; r != nil && r.Rule != "" {
		answers = r.Answers
		e.Power, e.Rule, e.Blamed, e.Attribution = r.Power, r.Rule, r.Blamed, r.Attribution()
		e.Authority, e.Clause, e.Ceilings, e.Target = r.Authority+1, &r.Clause, r.Ceilings, &r.Target
	}
	for _, a := range answers {
		rule := explainedRule{Answer: a}
		if w.Plan != nil {
			spec, _ := w.Plan.Rule(a.Rule)
			rule.Kind, rule.Severity, rule.Mode, rule.BetterBy = spec.Kind, spec.Severity, spec.Mode, spec.BetterBy
		}
		e.Rules = append(e.Rules, rule)
	}
	return e
}

func (p *program) printExplanation(w watcher.WatchView) error {
	e := explain(w)
	if p.output == jsonOut {
		return p.json(e)
	}
	view := explainer{watchPrinter: watchPrinter{printer: p.printer(), w: w, now: p.now()}, e: e}
	view.head()
	view.evidence()
	view.blame()
	view.limits()
	view.granted()
	view.decision()
	return nil
}

// when is the instant of the look that is explained; zero: there was none.
func (e explanation) when() (at time.Time) {
	for _, r := range e.Rules {
		if r.Answer.At.After(at) {
			at = r.Answer.At
		}
	}
	return at
}
