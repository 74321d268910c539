package events

import (
	"fmt"
	"strings"
	"unicode"

	"github.com/bakewatch/bakewatch/rules"
)

// Reason says why a message was not understood, in words for the person who sent it.
type Reason struct {
	Field string // where, as in the message: "labels.pci", "context.type", "header ce-id"; empty: the message as a whole
	What  string // what is wrong with it
	Hint  string // what to do, or empty
}

// Error returns one short line: "version: is missing; hint".
func (r *Reason) Error() string {
	text := r.What
	if r.Field != "" {
		text = r.Field + ": " + text
	}
	if r.Hint != "" {
		text += "; " + r.Hint
	}
	return text
}

// Nothing is the answer to a message that was understood and asks for no watch: it
// is acknowledged and recorded, not dead-lettered.
type Nothing struct {
	Deployment rules.Deployment // what is known; at least one required field is empty
	Why        string
}

func (n *Nothing) Error() string { return "nothing to watch: " + n.Why }

// refuse returns a *Reason with a formatted What. Names and values from the message
// may stand in it: it is made short and printable, and fits into a header.
func refuse(field, hint, format string, args ...any) *Reason {
	return &Reason{Field: tidy(field, 120), Hint: tidy(hint, 200), What: tidy(fmt.Sprintf(format, args...), 400)}
}

// tidy returns at most so many bytes of the text, without control characters.
func tidy(text string, most int) string {
	text = strings.ToValidUTF8(text, "\uFFFD")
	if len(text) > most {
		text = strings.ToValidUTF8(text[:most], "") + "…"
	}
	return strings.Map(func(r rune) rune {
		if unicode.IsControl(r) {
			return ' '
		}
		return r
	}, text)
}

// quote quotes a value from outside for a message.
func quote(value string) string { return fmt.Sprintf("%q", tidy(value, 60)) }
