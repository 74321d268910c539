package compare

import (
	"slices"
	"strings"

	"github.com/bakewatch/bakewatch/rules"
	"github.com/bakewatch/bakewatch/rules/counting"
	"github.com/bakewatch/bakewatch/rules/eprocess"
	"github.com/bakewatch/bakewatch/rules/quantity"
)

// compared says what the version was held against, in the order of the plan.
func (e *evidence) compared(f eprocess.Finding) []rules.Compared {
	all := make([]rules.Compared, 0, len(e.against)+1)
	i := 0
	for _, control := range e.against {
		switch control {
		case rules.Before:
			all = append(all, e.before())
		case rules.LoadTest:
			all = append(all, e.inLoadTest())
		case rules.Previous, rules.Off, rules.LastWeek:
			if missing := e.missingArm(control); missing != "" {
				all = append(all, rules.Compared{With: control, Missing: missing})
				continue
			}
			all = append(all, e.beside(control, i, f))
			i++
		}
	}
	if e.Limit != nil {
		all = append(all, rules.Compared{Level: *e.Limit})
	}
	if e.Rate != nil {
		for i := range all {
			all[i].Unit = string(e.Rate.Unit)
		}
	}
	return all
}

func (e *evidence) before() rules.Compared {
	if !e.known {
		return rules.Compared{With: rules.Before, Missing: e.past.why}
	}
	if askable, is := e.unasked[rules.Before]; is {
		return rules.Compared{With: rules.Before, Missing: e.unaskable(askable, share(e.model.Seen))}
	}
	return rules.Compared{With: rules.Before, Bad: e.model.Seen.Bad, Total: e.model.Seen.Total, Level: share(e.model.Seen)}
}

func (e *evidence) inLoadTest() rules.Compared {
	if !e.tests {
		return rules.Compared{With: rules.LoadTest, Missing: "its summary does not tell of " + e.subject(e.mark)}
	}
	if askable, is := e.unasked[rules.LoadTest]; is {
		return rules.Compared{With: rules.LoadTest, Missing: e.unaskable(askable, share(e.tested))}
	}
	return rules.Compared{With: rules.LoadTest, Bad: e.tested.Bad, Total: e.tested.Total, Level: share(e.tested)}
}

// beside says what one control beside the version shows, over the window.
func (e *evidence) beside(control rules.Control, i int, f eprocess.Finding) rules.Compared {
	if i >= len(f.Beside) {
		return rules.Compared{With: control, Missing: "not asked"}
	}
	counts := e.counts(i)
	c := rules.Compared{With: control, Bad: counts.Bad, Total: counts.Total, Level: share(counts), Shares: f.Beside[i].Shared}
	switch {
	case f.Beside[i].Seen.Total == 0:
		c.Missing = "no data"
	case f.Beside[i].Beyond:
		c.Missing = e.unaskable(eprocess.OutOfReach, c.Level)
	case f.Beside[i].Thin:
		c.Missing = "too little traffic"
	case !f.Beside[i].Speaks:
		c.Missing = "no data since it mattered"
	}
	return c
}

func (e *evidence) missingArm(control rules.Control) string {
	for _, a := range e.arms {
		if a.control == control {
			return a.missing
		}
	}
	return ""
}

// missing lists why there is nothing to compare with.
func missing(compared []rules.Compared) string {
	var why []string
	for _, c := range compared {
		if c.Missing != "" {
			why = append(why, string(c.With)+": "+c.Missing)
		}
	}
	if len(why) == 0 {
		return "no control"
	}
	return strings.Join(why, "; ")
}

// why returns the arithmetic as a sentence: "errors 4.1 % (41 of 1000) against 0.2 %
// (2 of 900) on 2.3.9 at the same time, 0.3 % before". rules.Combine adds the evidence.
func (e *evidence) why(answer rules.Answer, f eprocess.Finding) string {
	text := make([]byte, 0, 320)
	if answer.Value == nil {
		text = append(append(text, "no "...), e.Of...)
	} else {
		text = append(append(text, e.subject(e.mark)...), ' ')
		text = e.appendShare(text, *answer.Value, e.counts(-1).Bad, answer.Total)
	}
	separator := " against "
	for _, c := range answer.Compared {
		if c.Missing == "" {
			text = e.appendAgainst(append(text, separator...), c)
			separator = ", "
		}
	}
	switch {
	case e.improves():
		text = append(append(text, "; "...), e.aim(answer, f)...)
	case answer.Proved && e.Fewer:
		text = append(append(text, ": proved to stay above "...), e.level(f.Below)...)
	case answer.Proved:
		text = append(append(text, ": proved to stay below "...), e.level(f.Below)...)
	}
	for _, note := range e.notes(answer, f) {
		text = append(append(text, "; "...), note...)
	}
	for _, c := range answer.Compared {
		if c.Missing != "" {
			text = append(append(append(append(text, "; not compared with "...), c.With...), ": "...), c.Missing...)
		}
	}
	for _, w := range answer.Weather {
		if w.Missing != "" {
			text = append(append(append(append(text, "; "...), w.Service...), " is not borrowed: "...), w.Missing...)
		}
	}
	return string(text)
}

// appendShare writes "4.1 % (41 of 1000)".
func (e *evidence) appendShare(text []byte, share, bad, total float64) []byte {
	text = append(append(text, e.level(share)...), " ("...)
	text = append(append(text, counting.Number(bad)...), ' ')
	return append(append(text, counting.Among(total, e.unit())...), ')')
}

func (e *evidence) appendAgainst(text []byte, c rules.Compared) []byte {
	switch c.With {
	case rules.Before:
		return append(append(text, e.level(c.Level)...), " before"...)
	case rules.LoadTest:
		return append(append(text, e.level(c.Level)...), " in the load test"...)
	case rules.Previous:
		name := e.deployment.Previous
		if name == "" {
			name = "the other slot"
		}
		return append(append(append(e.appendShare(text, c.Level, c.Bad, c.Total), " on "...), name...), " at the same time"...)
	case rules.Off:
		return append(e.appendShare(text, c.Level, c.Bad, c.Total), " where it is off"...)
	case rules.LastWeek:
		return append(e.appendShare(text, c.Level, c.Bad, c.Total), " a week ago"...)
	}
	limit := "limit "
	if e.Fewer {
		limit = "goal "
	}
	return append(append(text, limit...), e.level(c.Level)...)
}

// notes says what keeps the evidence from being acted on, and how it was judged.
func (e *evidence) notes(answer rules.Answer, f eprocess.Finding) []string {
	var notes []string
	if f.Held {
		held := "held back: "
		if e.Limit != nil {
			held = "only the limit counts: "
		}
		notes = append(notes, held+heldBy(answer, f))
	}
	if rises := e.rises(answer); rises != "" {
		notes = append(notes, rises)
	}
	if e.untold(f) && f.Suspicious(e.bets().Threshold) {
		notes = append(notes, "without a history nobody knows whether what it is compared with suffers as well")
	}
	if f.Blip {
		notes = append(notes, "held back: it may be a blip of a kind that this service knows")
	}
	if e.already {
		notes = append(notes, "it began before the deployment")
	}
	if e.above() {
		beyond := "above the limit in all, "
		if e.Fewer {
			beyond = "below the goal in all, "
		}
		notes = append(notes, beyond+e.level(share(e.seen)))
	}
	if e.note != "" {
		notes = append(notes, e.note)
	}
	return notes
}

// heldBy says what keeps the evidence from being a breach.
func heldBy(answer rules.Answer, f eprocess.Finding) string {
	shared := slices.ContainsFunc(f.Beside, func(b eprocess.Beside) bool { return b.Speaks && b.Shared })
	switch {
	case f.Excused && suffers(answer.Weather):
		return "other services suffer as well"
	case f.Excused:
		return "other services do not show yet that they are spared"
	case shared:
		return "what it is compared with suffers as well"
	}
	return "what it is compared with does not show yet that it is spared"
}

// points writes a difference of two shares.
func points(share float64) string { return quantity.Format(100*share, quantity.Plain) }

func share(c eprocess.Counts) float64 {
	if c.Total <= 0 {
		return 0
	}
	return c.Bad / c.Total
}
