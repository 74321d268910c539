package threshold

import (
	"fmt"
	"math"
	"strconv"
	"time"

	"github.com/bakewatch/bakewatch/rules"
	"github.com/bakewatch/bakewatch/rules/quantity"
)

// arithmetic returns the subject and its value: "errors 4.1 % (41 of 1000)".
func (e *evidence) arithmetic(answer rules.Answer) string {
	text := e.Subject + " " + e.format(*answer.Value)
	switch e.Measure {
	case Share:
		text += fmt.Sprintf(" (%s of %s)", number(answer.Bad), number(answer.Total))
	case Count:
		text += " in " + answer.Window.String()
	case Level:
	}
	return text
}

func (e *evidence) tooFew(answer rules.Answer) string {
	return fmt.Sprintf("%s %s in %s, fewer than min_requests %s", number(answer.Total), e.Of, answer.Window, number(max(e.MinTotal, 1)))
}

func (e *evidence) format(value float64) string { return quantity.Format(value, e.Limits.Unit) }

// number writes a count: whole where it is, for native histograms are interpolated,
// and without what the arithmetic of floats leaves behind.
func number(count float64) string {
	return strconv.FormatFloat(math.Round(count*100)/100, 'f', -1, 64)
}

func length(d time.Duration) string { return rules.Duration(d).String() }
