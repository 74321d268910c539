package slack

import (
	"strings"
	"unicode/utf8"
)

// escapes are the three characters that mean something to Slack: escaped, no
// text can become a link or mention people (<!channel>, <@U1>).
var escapes = map[rune]string{'&': "&amp;", '<': "&lt;", '>': "&gt;"}

// escape writes text as mrkdwn of at most limit characters, never cutting through
// an escape; what was cut ends in "…".
func escape(text string, limit int) string {
	var written strings.Builder
	length := 0
	for at, r := range text {
		escaped, special := escapes[r]
		if !special {
			escaped = string(r)
		}
		rest := text[at+utf8.RuneLen(r):]
		if room := limit - length - size(escaped); room < 0 || room == 0 && rest != "" {
			written.WriteString("…")
			break
		}
		written.WriteString(escaped)
		length += size(escaped)
	}
	return written.String()
}

// size counts as the strictest reader of Slack's limits would: in UTF-16 units.
func size(text string) int {
	n := 0
	for _, r := range text {
		n++
		if r > 0xFFFF {
			n++
		}
	}
	return n
}

// cut takes the first runes.
func cut(text string, limit int) string {
	if runes := []rune(text); len(runes) > limit {
		return string(runes[:limit])
	}
	return text
}
