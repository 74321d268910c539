package outbound

import (
	"cmp"
	"encoding/json"
	"net/url"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// shortestSecret is the length below which a value is not searched for: text
// would be full of it.
const shortestSecret = 4

// Redactor takes known secrets out of text that came from outside. The zero
// Redactor knows none.
type Redactor struct {
	replacer *strings.Replacer
	forms    []Secret // as they are written, the longest first
}

// NewRedactor makes a redactor for the secrets, as they are and as URLs and JSON
// write them. Values of fewer than 4 bytes are ignored.
func NewRedactor(secrets ...Secret) Redactor {
	var forms []string
	for _, secret := range secrets {
		value := secret.Reveal()
		if len(value) < shortestSecret {
			continue
		}
		quoted, _ := json.Marshal(value) //nolint:errcheck // a string always marshals
		forms = append(forms, value, url.QueryEscape(value), url.PathEscape(value), string(quoted[1:len(quoted)-1]))
	}
	// Of two secrets that begin alike, the longer is to be found first.
	slices.SortFunc(forms, func(a, b string) int { return cmp.Or(cmp.Compare(len(b), len(a)), cmp.Compare(a, b)) })
	var r Redactor
	var pairs []string
	for _, form := range slices.Compact(forms) {
		pairs = append(pairs, form, redacted)
		r.forms = append(r.forms, NewSecret(form))
	}
	r.replacer = strings.NewReplacer(pairs...)
	return r
}

// Text returns the text without the secrets.
func (r Redactor) Text(text string) string {
	if r.replacer == nil {
		return text
	}
	return r.replacer.Replace(text)
}

// Rest returns a text whose beginning was cut off without the secrets, and without
// as much of its new beginning as may be the end of one.
func (r Redactor) Rest(text string) string {
	if len(r.forms) == 0 {
		return text
	}
	from := min(len(r.forms[0].Reveal())-1, len(text))
	for end := r.through(text, from); end > from; end = r.through(text, from) {
		from = end
	}
	return r.Text(text[from:])
}

// through returns where a secret ends that begins before at and ends after it, else at.
func (r Redactor) through(text string, at int) int {
	for _, secret := range r.forms {
		form := secret.Reveal()
		first, last := max(0, at-len(form)+1), min(len(text), at+len(form)-1)
		if i := strings.Index(text[first:last], form); i >= 0 {
			return first + i + len(form)
		}
	}
	return at
}

// Excerpt returns the beginning of a text from outside, at most limit runes on
// one line, without secrets and control characters.
func (r Redactor) Excerpt(text string, limit int) string {
	runes := []rune(oneLine(r.Text(text)))
	if len(runes) <= limit {
		return string(runes)
	}
	return string(runes[:limit]) + "…"
}

// oneLine folds white space and drops what does not print.
func oneLine(text string) string {
	fields := strings.Fields(text)
	return strings.Map(func(r rune) rune {
		if r == utf8.RuneError || !unicode.IsPrint(r) {
			return -1
		}
		return r
	}, strings.Join(fields, " "))
}
