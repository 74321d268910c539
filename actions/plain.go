package actions

import (
	"maps"
	"net/url"
	"slices"
	"strings"
	"unicode"
)

// OneLine makes one line of valid, printable text.
func OneLine(text string) string {
	text = strings.Map(func(r rune) rune {
		if unicode.IsSpace(r) {
			return ' '
		}
		if !unicode.IsPrint(r) {
			return -1
		}
		return r
	}, strings.ToValidUTF8(text, ""))
	return strings.TrimSpace(text)
}

// Shorten returns at most limit runes of the text; what was cut ends in "…".
func Shorten(text string, limit int) string {
	if runes := []rune(text); len(runes) > limit {
		return string(runes[:limit-1]) + "…"
	}
	return text
}

// Link is an address of the web.
type Link struct{ Label, Address string }

// WebLinks returns the message's links by their labels' order. What is no address of the
// web is no link: it comes from an event.
func (m Message) WebLinks() (found []Link) {
	for _, label := range slices.Sorted(maps.Keys(m.Links)) {
		parsed, err := url.Parse(m.Links[label])
		if err != nil || parsed.Scheme != "https" && parsed.Scheme != "http" || parsed.Host == "" {
			continue
		}
		name := OneLine(label)
		if name == "" {
			name = "link"
		}
		found = append(found, Link{name, parsed.String()})
	}
	return found
}
