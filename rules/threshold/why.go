package threshold

import (
	"cmp"
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
		text += fmt.Sprintf(" (%s %s)", counting.Number(answer.Bad), counting.Among(answer.Total, e.Limits.Unit))
	case Count:
		text += " in " + answer.Window.String()
	case Per:
		text += fmt.Sprintf(" (%s in %s %s)", counting.Number(answer.Part), counting.Number(answer.Total), e.Of)
	case Level:
	}
	return text
}

func (e *evidence) tooFew(answer rules.Answer) string {
	key := cmp.Or(e.MinKey, "min_requests")
	return fmt.Sprintf("%s %s in %s, fewer than %s %s", counting.Number(answer.Total), e.Of, answer.Window, key, counting.Number(max(e.MinTotal, 1)))
}

func (e *evidence) format(value float64) string { return quantity.Format(value, e.Limits.Unit) }
