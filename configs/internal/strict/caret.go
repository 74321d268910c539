package strict

import (
	"bytes"
	"strings"
	"unicode/utf8"
)

// caretWidth is how many characters of a long line are shown on each side of what is wrong.
const caretWidth = 100

// caret returns the line that holds the span, and below it carets under the span.
func (f *File) caret(at span) string {
	at.start, at.end = min(at.start, len(f.data)), min(at.end, len(f.data))
	begin := bytes.LastIndexByte(f.data[:at.start], '\n') + 1
	end := len(f.data)
	if i := bytes.IndexByte(f.data[at.start:], '\n'); i >= 0 {
		end = at.start + i
	}
	before := lastRunes(printable(f.data[begin:at.start]), caretWidth)
	marked := firstRunes(printable(f.data[at.start:max(at.start, min(at.end, end))]), caretWidth)
	after := firstRunes(printable(bytes.TrimSuffix(f.data[min(max(at.end, at.start), end):end], []byte("\r"))), caretWidth)
	return "    " + before + marked + after + "\n    " + blank(before) + strings.Repeat("^", max(1, utf8.RuneCountInString(marked)))
}

// printable keeps a terminal safe from what a file may hold.
func printable(text []byte) string {
	return strings.Map(func(r rune) rune {
		if r != '\t' && r < ' ' || r == 0x7f {
			return '·'
		}
		return r
	}, strings.ToValidUTF8(string(text), "·"))
}

// blank returns as much white space as the text takes; tabs stay tabs.
func blank(text string) string {
	return strings.Map(func(r rune) rune {
		if r == '\t' {
			return r
		}
		return ' '
	}, text)
}

func firstRunes(text string, n int) string {
	if runes := []rune(text); len(runes) > n {
		return string(runes[:n])
	}
	return text
}

func lastRunes(text string, n int) string {
	if runes := []rune(text); len(runes) > n {
		return string(runes[len(runes)-n:])
	}
	return text
}

// inString finds where a byte of a decoded string stands in its source, which
// still has its quotes and escapes.
func inString(raw string, offset int) int {
	quote, at := opening(raw)
	literal := strings.HasPrefix(quote, "'")
	for decoded := 0; decoded < offset && at < len(raw)-len(quote); {
		if literal || raw[at] != '\\' {
			at, decoded = at+1, decoded+1
			continue
		}
		source, value := escape(raw[at:])
		at, decoded = at+source, decoded+value
	}
	return min(at, max(len(raw)-len(quote), 0))
}

// opening returns the quote of a string and where its text begins.
func opening(raw string) (quote string, start int) {
	for _, q := range []string{`"""`, `'''`} {
		if rest, long := strings.CutPrefix(raw, q); long && len(raw) >= 2*len(q) {
			trimmed := strings.TrimPrefix(strings.TrimPrefix(rest, "\r"), "\n")
			return q, len(raw) - len(trimmed)
		}
	}
	return raw[:min(1, len(raw))], min(1, len(raw))
}

// escape returns how many bytes an escape takes in the source, and how many in the string.
func escape(raw string) (source, value int) {
	if len(raw) < 2 {
		return 1, 1
	}
	digits := map[byte]int{'x': 2, 'u': 4, 'U': 8}[raw[1]]
	if digits > 0 && len(raw) >= 2+digits {
		var r rune
		for _, c := range strings.ToLower(raw[2 : 2+digits]) {
			r = r*16 + rune(strings.IndexRune("0123456789abcdef", c))
		}
		return 2 + digits, max(1, utf8.RuneLen(r))
	}
	if trimmed := strings.TrimLeft(raw[1:], " \t\r\n"); len(trimmed) < len(raw)-1 {
		return len(raw) - len(trimmed), 0 // a line that goes on below
	}
	return 2, 1
}
