package threshold

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/bakewatch/bakewatch/rules"
	"github.com/bakewatch/bakewatch/rules/counting"
)

// evidence folds the looks of one rule at one deployment.
type evidence struct {
	Config
	from  time.Time // the deployment
	asked counting.Asked

	start counting.Start
	looks []seen    // those of the window that count, in order
	since time.Time // the first of the looks that broke the limit without a pause; or zero
	last  time.Time
	said  rules.Answer // at the last look
}

// seen is a look that counts.
type seen struct {
	at time.Time
	Look
}

// See folds one look. One that is not later than the last changes nothing.
func (e *evidence) See(at time.Time, got []rules.Result) rules.Answer {
	if !e.last.IsZero() && !at.After(e.last) {
		return e.said
	}
	if at.Sub(e.last) > e.interval() { // nobody knows what was in between
		e.since = time.Time{}
	}
	e.last = at
	e.said = e.judge(at, got)
	return e.said
}

func (e *evidence) judge(at time.Time, got []rules.Result) rules.Answer {
	answer := e.answer(at)
	look, err := e.read(got)
	first := e.baseline(at, err == nil)
	if why, early := e.early(at); early {
		answer.Verdict, answer.Why = rules.Inconclusive, why
		return answer
	}
	if err != nil || first {
		e.since = time.Time{} // broken "without a pause" can't be said of it
		answer.Verdict, answer.Why = rules.Inconclusive, "the first data after a gap: counted from here on"
		if err != nil {
			answer.Verdict, answer.Why = rules.VerdictOf(err), reason(err)
		}
		return answer
	}
	answer.Query = e.asked.Text(look.Shown)
	e.looks = append(e.looks, seen{at: at, Look: look})
	e.looks = slices.DeleteFunc(e.looks, func(s seen) bool { return at.Sub(s.at) >= e.window() && s.at != at })
	return e.weigh(answer)
}

// answer returns what every answer says.
func (e *evidence) answer(at time.Time) rules.Answer {
	a := rules.Answer{Rule: e.Setting.Name, Ceiling: rules.Auto, At: at, Unit: string(e.Limits.Unit)}
	a.Query = e.asked.Text(0)
	for _, limit := range []*float64{e.Limits.Max, e.Limits.Min} {
		if limit != nil && a.Limit == nil {
			a.Limit = new(*limit)
		}
	}
	return a
}

// read reads a look. A result with an error is never taken for an empty one.
func (e *evidence) read(got []rules.Result) (Look, error) {
	for _, result := range got {
		if result.Err != nil {
			return Look{}, result.Err
		}
	}
	if len(got) != len(e.asked.Queries) {
		return Look{}, rules.Failed(rules.WrongType, "%d results for %d queries", len(got), len(e.asked.Queries))
	}
	return e.Read(got)
}

// weigh holds the looks of the window against the limits.
func (e *evidence) weigh(answer rules.Answer) rules.Answer {
	value := e.measure(&answer)
	if (e.Measure == Share || e.Measure == Per) && answer.Total < max(e.MinTotal, 1) {
		e.since = time.Time{}
		answer.Verdict, answer.Why = rules.LowTraffic, e.tooFew(answer)
		return answer
	}
	limit, sign, broken := e.Limits.broken(value)
	answer.Value, answer.Limit = &value, &limit
	answer.Why = fmt.Sprintf("%s %s limit %s", e.arithmetic(answer), sign, e.format(limit))
	if !broken {
		e.since = time.Time{}
		answer.Verdict = rules.Healthy
	} else {
		e.held(&answer)
	}
	latest := e.looks[len(e.looks)-1]
	if broken && answer.At.Before(e.from.Add(time.Duration(e.Within))) {
		answer.Verdict = rules.Inconclusive
		answer.Why += fmt.Sprintf("; it may be until %s after the deployment", e.Within)
	}
	if latest.Missing {
		answer.Ceiling = rules.Ask
	}
	if latest.Note != "" {
		answer.Why += "; " + latest.Note
	}
	return answer
}

// measure fills in the counts of the window and returns what the limit is about.
func (e *evidence) measure(answer *rules.Answer) float64 {
	latest := e.looks[len(e.looks)-1]
	if e.Measure == Level {
		answer.Bad, answer.Total = latest.Bad, latest.Total
		return latest.Value
	}
	for _, look := range e.looks {
		answer.Bad += look.Bad
		answer.Total += look.Total
		answer.Part += look.Part
	}
	answer.Window = rules.Duration(time.Duration(len(e.looks)) * e.interval())
	switch e.Measure {
	case Count:
		return answer.Bad
	case Per:
		return answer.Part / answer.Total
	case Level, Share:
	}
	return answer.Bad / answer.Total
}

// held says whether the limit, broken now, has been broken for long enough.
func (e *evidence) held(answer *rules.Answer) {
	if e.since.IsZero() {
		e.since = answer.At
	}
	held := answer.At.Sub(e.since)
	switch {
	case held < e.hold():
		answer.Verdict = rules.Inconclusive
		answer.Why += fmt.Sprintf(", for %s of %s", counting.Length(held), counting.Length(e.hold()))
	case e.hold() > 0:
		answer.Verdict = rules.Breached
		answer.Why += " for " + counting.Length(held)
	default:
		answer.Verdict = rules.Breached
	}
}

// reason returns a failure without the name of its class, which the verdict says.
func reason(err error) string {
	if failed, ok := errors.AsType[*rules.SampleError](err); ok {
		return failed.Err.Error()
	}
	return err.Error()
}
