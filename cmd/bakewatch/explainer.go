package main

import (
	"cmp"
	"fmt"
	"strconv"

	"github.com/bakewatch/bakewatch/actions/authority"
	"github.com/bakewatch/bakewatch/rules"
	"github.com/bakewatch/bakewatch/rules/counting"
	"github.com/bakewatch/bakewatch/rules/quantity"
)

// explainer prints an explanation for people.
type explainer struct {
	watchPrinter
	e explanation
}

// evidence prints what each rule has counted, held it against, and made of it.
func (v explainer) evidence() {
	if len(v.e.Rules) == 0 {
		v.line(plain, "nothing was ruled, and what the rules saw is not kept")
		return
	}
	what := "Evidence"
	if at := v.e.when(); !at.IsZero() {
		what += ", as seen at " + clock(at, v.now)
	}
	v.section(what)
	for _, r := range v.e.Rules {
		v.rule(r)
	}
}

func (v explainer) rule(r explainedRule) {
	a := r.Answer
	kind := joined(", ", r.Kind, r.Severity.String(), r.Mode.String())
	v.line(verdictColour(a.Verdict), "  %s", joined(" ", a.Rule, bracketed(kind))+": "+joined(": ", a.Verdict.String(), a.Why))
	rows := []row{}
	add := func(name, text string) {
		if text != "" {
			rows = append(rows, row{cells: []string{name, text}})
		}
	}
	add("data", data(a))
	add("query", a.Query)
	if a.Limit != nil {
		add("limit", quantity.Format(*a.Limit, quantity.Unit(a.Unit)))
	}
	for _, c := range a.Compared {
		if c.With != "" { // else the limit, said above
			add("against", against(c))
		}
	}
	for _, w := range a.Weather {
		add("weather", weather(w))
	}
	if a.Test != nil {
		add("evidence", wealth(*a.Test, r.BetterBy))
	}
	if a.Ceiling < rules.Auto {
		add("supports", "at most "+a.Ceiling.String())
	}
	add("to blame", a.Attribution.String())
	v.table("    ", nil, rows)
}

// data says what was counted: "41 of 1000 in 5m".
func data(a rules.Answer) string {
	var text string
	switch {
	case a.Total > 0:
		text = among(a.Bad+a.Part, a.Total, quantity.Unit(a.Unit)) // a rule counts one of them
	case a.Window > 0:
		text = counted(a.Bad)
	case a.Value != nil:
		text = quantity.Format(*a.Value, quantity.Unit(a.Unit))
	default:
		return ""
	}
	if a.Window > 0 {
		text += " in " + a.Window.String()
	}
	return text
}

// against says what a version was held against, and what was found there.
func against(c rules.Compared) string {
	if c.Missing != "" {
		return fmt.Sprintf("%s: not compared with: %s", c.With, c.Missing)
	}
	unit := cmp.Or(quantity.Unit(c.Unit), quantity.Ratio)
	text, shares := fmt.Sprintf("%s: %s", c.With, quantity.Format(c.Level, unit)), ""
	if c.Total > 0 {
		text += " " + bracketed(among(c.Bad, c.Total, unit))
	}
	if c.Shares {
		shares = "it suffers as well"
	}
	return joined(", ", text, shares)
}

// weather says what a borrowed service has shown.
func weather(w rules.Weather) string {
	if w.Missing != "" {
		return fmt.Sprintf("%s: not borrowed: %s", w.Service, w.Missing)
	}
	text := fmt.Sprintf("%s: %s (%s of %s), %s is normal", w.Service, quantity.Format(w.Share(), quantity.Ratio), counted(w.Bad), counted(w.Total), quantity.Format(w.Level, quantity.Ratio))
	if w.Rose > 0 {
		text += fmt.Sprintf(": rose by %s points, not held against the version", quantity.Format(100*w.Rose, quantity.Plain))
	}
	return text
}

// wealth says what a test has won, and what it takes.
func wealth(t rules.Test, better rules.Margin) string {
	claim := "it is worse"
	if !better.IsZero() {
		claim = fmt.Sprintf("it is not %s better", better)
	}
	text := fmt.Sprintf("%s to 1 that %s", counted(t.Wealth), claim)
	if t.Needed > 0 {
		text += fmt.Sprintf(", %s needed as the plan's other tests stand", counted(t.Needed))
	}
	if t.Held != "" {
		text += "; held: " + t.Held
	}
	return text
}

// among writes "41 of 1000", or "9 in 2.5 pod-hours" where that is what the unit is of.
func among(bad, total float64, unit quantity.Unit) string {
	if unit == quantity.PerPodSecond {
		return counted(bad) + " " + counting.Among(total, unit)
	}
	return fmt.Sprintf("%s of %s", counted(bad), counted(total))
}

// counted writes a number with as many figures as it deserves.
func counted(n float64) string {
	if n >= 100 || n == float64(int64(n)) {
		return strconv.FormatFloat(n, 'f', 0, 64)
	}
	return strconv.FormatFloat(n, 'g', 3, 64)
}

// blame prints who is to blame for the breach of the rule that speaks.
func (v explainer) blame() {
	if v.e.Rule == "" {
		return
	}
	v.section("Who is to blame")
	a := v.e.Attribution
	if a.Blame == "" {
		v.line(plain, "  nobody looked: the rule blames this deployment")
		return
	}
	v.line(plain, "  %s", joined(" ", string(a.Blame), bracketed(a.Suspect)))
	for _, why := range a.Why {
		v.line(plain, "  - %s", why)
	}
}

// limits prints what lowers the power of the rule that speaks: its own ceilings, then the guards.
func (v explainer) limits() {
	own := func(c authority.Ceiling) bool { return !c.Guard }
	guards := func(c authority.Ceiling) bool { return c.Guard }
	v.ceilings("Ceilings of the rule", own)
	v.ceilings("Guards", guards)
}

func (v explainer) ceilings(title string, of func(authority.Ceiling) bool) {
	var rows []row
	for _, c := range v.e.Ceilings {
		if of(c) {
			rows = append(rows, row{cells: []string{"at most " + c.Power.String(), c.Name, c.Why}})
		}
	}
	if len(rows) > 0 {
		v.section(title)
		v.table("  ", nil, rows)
	}
}

// granted prints the authority, and what comes of it and the ceilings.
func (v explainer) granted() {
	if v.e.Rule == "" {
		if len(v.e.Rules) > 0 {
			v.section("Ruling")
			v.line(plain, "  nothing is breached")
		}
		return
	}
	v.section("Authority")
	c := v.e.Clause
	if v.e.Authority == 0 {
		v.line(plain, "  none matches: people are told")
	} else {
		v.line(plain, "  the plan's authority %d decides: %s", v.e.Authority, c.Decide)
	}
	if len(c.Needs) > 0 {
		v.line(plain, "  it needs %s within %s; %s", needs(c.Needs), c.Within, silence(v.w.Ruling.Silence()))
	}
	v.section("Ruling")
	v.line(plain, "  %s, because %s: the least of authority and ceilings", v.e.Power, v.e.cause())
	v.target(v.e.Target.Version, v.e.Target.Doubt, v.e.Target.Missing)
}

// cause names the reason of the ruling.
func (e explanation) cause() string {
	for _, r := range e.Rules {
		if r.Answer.Rule == e.Rule && r.Answer.Verdict == rules.NoData {
			return e.Rule + " has no data"
		}
	}
	return e.Rule + " is breached"
}
