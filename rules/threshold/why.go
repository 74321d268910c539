package threshold

import (
	"fmt"

	"github.com/bakewatch/bakewatch/rules"
	"github.com/bakewatch/bakewatch/rules/counting"
	"github.com/bakewatch/bakewatch/rules/quantity"
)

// arithmetic returns the subject and its value: "errors 4.1 % (41 of 1000)".
func (e *evidence) arithmetic(answer rules.Answer) string {
	text := e.Subject + " " + e.format(*answer.Value)
	switch e.Measure {
	case Share:
		text += fmt.Sprintf(" (%s of %s)", counting.Number(answer.Bad), counting.Number(answer.Total))
	case Count:
		text += " in " + answer.Window.String()
	case Level:
	}
	return text
}

func (e *evidence) tooFew(answer rules.Answer) string {
	return fmt.Sprintf("%s %s in %s, fewer than min_requests %s", counting.Number(answer.Total), e.Of, answer.Window, counting.Number(max(e.MinTotal, 1)))
}

func (e *evidence) format(value float64) string { return quantity.Format(value, e.Limits.Unit) }
