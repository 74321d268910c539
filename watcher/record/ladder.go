package record

import (
	"fmt"
	"strings"

	"github.com/bakewatch/bakewatch/rules"
	"github.com/bakewatch/bakewatch/rules/counting"
)

// What a step up wants: so many deployments, and that people agree with so many of the
// breaches, by the lower bound of the interval.
const fewestWatched = 20

// least is, by the power that a rule would then have, the least share of breaches that people
// must agree with. To be told wrongly costs little, to be rolled back wrongly much.
var least = map[rules.Power]float64{rules.Notify: 0.5, rules.Ask: 0.65, rules.Auto: 0.8}

// fewestJudged is how many breaches people must have judged before a step back is proposed.
const fewestJudged = 3

// Step is where a proposal leads.
type Step string

// The steps.
const (
	Up   Step = "up"
	Back Step = "back"
	Stay Step = "stay"
)

// Proposal is what the record speaks for. It is for people: nothing follows from it.
type Proposal struct {
	Step Step        `json:"step"`
	From rules.Power `json:"from"` // the power that a breach has now at most: none in shadow
	To   rules.Power `json:"to"`
	// Do is what to write into the plan; empty: nothing.
	Do  string `json:"do,omitempty"`
	Why string `json:"why"`
}

// propose says which step the record speaks for.
func (r Record) propose() Proposal {
	now := min(r.Mode.Ceiling(), r.Decides, r.Severity.Ceiling())
	p := Proposal{Step: Stay, From: now, To: now}
	if why := r.faults(now); why != "" {
		p.Step, p.To, p.Why = Back, below(now), why
		p.Do = doing(p.To)
		return p
	}
	next := above(now)
	switch {
	case next == now:
		p.Why = "there is no further step"
	case next > r.Severity.Ceiling():
		p.Why = fmt.Sprintf("severity %s allows no more", r.Severity)
	default:
		return r.climb(p, next)
	}
	return p
}

// climb proposes the next step, or says what it lacks.
func (r Record) climb(p Proposal, next rules.Power) Proposal {
	judged := r.Agreed + r.Disagreed
	low, high := counting.Wilson(r.Agreed, judged)
	switch {
	case high < least[next]:
		p.Why = fmt.Sprintf("people agreed with %d of %d breaches: too few for %s", r.Agreed, judged, next)
	case r.Watched < fewestWatched:
		p.Why = fmt.Sprintf("too little to tell: %s", count(fewestWatched-r.Watched, "more deployment"))
	case low < least[next]:
		p.Why = fmt.Sprintf("too little to tell: %s that people agree with", count(r.lacks(least[next]), "more breach"))
	default:
		p.Step, p.To, p.Do = Up, next, doing(next)
		p.Why = fmt.Sprintf("people agreed with %d of %d breaches in %s: at least %.0f %%", r.Agreed, judged, count(r.Watched, "deployment"), 100*low)
	}
	return p
}

// faults says why the rule does not deserve the power that it has; empty: nothing speaks
// against it. A rollback without people that nobody called wrong speaks for it here.
func (r Record) faults(now rules.Power) string {
	if now == rules.None {
		return ""
	}
	right := r.Agreed + r.Unopposed
	judged := right + r.Disagreed
	if _, high := counting.Wilson(right, judged); judged < fewestJudged || high >= wants(now) {
		return ""
	}
	return fmt.Sprintf("people disagreed with %d of %d breaches: too many for %s", r.Disagreed, judged, now)
}

// lacks returns how many more breaches people must agree with, and with none disagree.
func (r Record) lacks(least float64) (more int) {
	for {
		if low, _ := counting.Wilson(r.Agreed+more, r.Agreed+r.Disagreed+more); low >= least {
			return more
		}
		more++
	}
}

// wants is the least share for the power that a rule has; a countdown is as much as auto.
func wants(power rules.Power) float64 {
	if power == rules.Veto {
		power = rules.Auto
	}
	return least[power]
}

func above(power rules.Power) rules.Power {
	switch power {
	case rules.None:
		return rules.Notify
	case rules.Notify:
		return rules.Ask
	case rules.Ask, rules.Veto, rules.Auto:
	}
	return rules.Auto
}

func below(power rules.Power) rules.Power {
	switch power {
	case rules.Auto, rules.Veto:
		return rules.Ask
	case rules.Ask:
		return rules.Notify
	case rules.None, rules.Notify:
	}
	return rules.None
}

// doing is what to write into the plan for a power.
func doing(power rules.Power) string {
	switch power {
	case rules.None:
		return `mode = "shadow"`
	case rules.Notify:
		return `mode = "notify"`
	case rules.Ask, rules.Veto, rules.Auto:
	}
	return fmt.Sprintf(`mode = "enforce", and decide = "%s"`, power)
}

// shareOf returns hits of n with their interval; nil of none.
func shareOf(hits, n int) *Share {
	if n == 0 {
		return nil
	}
	low, high := counting.Wilson(hits, n)
	return &Share{Value: float64(hits) / float64(n), Low: low, High: high}
}

func count(n int, of string) string {
	switch {
	case n == 1:
		return "1 " + of
	case strings.HasSuffix(of, "h"):
		return fmt.Sprintf("%d %ses", n, of)
	}
	return fmt.Sprintf("%d %ss", n, of)
}
