package watcher

import (
	"encoding/json"
	"math"
	"slices"

	"github.com/bakewatch/bakewatch/rules"
)

// How many bytes the answers of one entry may take, their curves with them. Where that
// is too little, the curves of the least interesting answers are left out.
const (
	mostVerdicts = 8 << 10  // less than a minute apart there are none
	mostRuled    = 32 << 10 // a few a watch
)

// plot adds to an entry that people will look at the series behind its answers. It is
// not the lane's to do: a curve changes nothing that is decided, and costs more than a look.
func (s *sight) plot(e Entry) Entry {
	switch {
	case e.Kind == Verdicts:
		e.Answers = fit(s.curves(e.Answers), mostVerdicts)
	case (e.Kind == Ruled || e.Kind == Decided) && e.Ruling != nil:
		ruling := *e.Ruling
		ruling.Answers = fit(s.curves(ruling.Answers), mostRuled)
		e.Ruling = &ruling
	}
	return e
}

// curves returns the answers with the curves of those rules that can show what they
// have seen, as far as they are still of the same instant.
func (s *sight) curves(answers []rules.Answer) []rules.Answer {
	answers = slices.Clone(answers)
	for i, a := range answers {
		at := slices.IndexFunc(s.feeds, func(f *feed) bool { return f.rule == a.Rule })
		if at >= 0 && a.Curve == nil && !a.At.IsZero() && a.At.Equal(s.feeds[at].answer.At) {
			answers[i].Curve = s.feeds[at].curve()
		}
	}
	return answers
}

// curve returns what the rule has seen, or nil. While the rule learns, beside the
// loop, its evidence is not touched. What JSON cannot hold would keep the entry out of the journal.
func (f *feed) curve() (c *rules.Curve) {
	defer func() {
		if recover() != nil {
			c = nil // a rule that cannot show what it saw has judged all the same
		}
	}()
	plotter, is := f.evidence.(rules.Plotter)
	if !is || f.reading != nil {
		return nil
	}
	curve := plotter.Curve()
	for _, value := range slices.Concat(curve.New, curve.Control, curve.Wealth, []float64{curve.Limit}) {
		if math.IsNaN(value) || math.IsInf(value, 0) {
			return nil
		}
	}
	if len(curve.New) == 0 {
		return nil
	}
	return &curve
}

// plain returns the answers without their curves.
func plain(answers []rules.Answer) []rules.Answer {
	answers = slices.Clone(answers)
	for i := range answers {
		answers[i].Curve = nil
	}
	return answers
}

// fit leaves out curves, those of the least interesting answers first, until the
// answers take at most so many bytes. It changes the answers.
func fit(answers []rules.Answer, most int) []rules.Answer {
	for size := sizeOf(answers); size > most; {
		dullest := -1
		for i, a := range answers {
			if a.Curve != nil && (dullest < 0 || interest(a) < interest(answers[dullest])) {
				dullest = i
			}
		}
		if dullest < 0 {
			break
		}
		size -= sizeOf(answers[dullest].Curve)
		answers[dullest].Curve = nil
	}
	return answers
}

// interest says how much people want to see an answer's curve: what is breached first,
// then what is nearest to it.
func interest(a rules.Answer) float64 {
	if a.Verdict == rules.Breached {
		return math.MaxFloat64
	}
	if a.Test == nil {
		return 0
	}
	return a.Test.Wealth
}

func sizeOf(value any) int {
	text, err := json.Marshal(value)
	if err != nil {
		return 0 // the journal will say so
	}
	return len(text)
}
