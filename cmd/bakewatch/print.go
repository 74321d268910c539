package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"strings"
	"text/tabwriter"
	"time"
	"unicode"

	"golang.org/x/term"
)

// paint is a colour of a terminal; the zero value is none.
type paint string

// The colours. No meaning is carried by colour alone: there is always a word.
const (
	plain  paint = ""
	red    paint = "\x1b[31m"
	green  paint = "\x1b[32m"
	yellow paint = "\x1b[33m"
	bold   paint = "\x1b[1m"
	faint  paint = "\x1b[2m"

	unpaint = "\x1b[0m"
)

// printer writes for people: colours and aligned tables on a terminal, plain
// lines with tabs in a pipe. What it prints from outside has no control characters.
type printer struct {
	w        io.Writer
	terminal bool
	coloured bool
}

func (p *program) printer() printer {
	terminal := isTerminal(p.stdout)
	return printer{w: p.stdout, terminal: terminal, coloured: terminal && p.getenv("NO_COLOR") == ""}
}

func isTerminal(w io.Writer) bool {
	file, ok := w.(*os.File)
	return ok && term.IsTerminal(int(file.Fd()))
}

// line prints one line in one colour.
func (p printer) line(colour paint, format string, args ...any) {
	fmt.Fprintln(p.w, p.painted(colour, oneLine(fmt.Sprintf(format, args...))))
}

func (p printer) painted(colour paint, s string) string {
	if !p.coloured || colour == plain || s == "" {
		return s
	}
	return string(colour) + s + unpaint
}

// row is one line of a table.
type row struct {
	colour paint
	cells  []string
}

// table prints rows: aligned below their header on a terminal, else separated by
// tabs and without the header.
func (p printer) table(indent string, header []string, rows []row) {
	if !p.terminal {
		for _, r := range rows {
			fmt.Fprintln(p.w, indent+strings.Join(oneLines(r.cells), "\t"))
		}
		return
	}
	var aligned bytes.Buffer
	tabs := tabwriter.NewWriter(&aligned, 0, 0, 2, ' ', 0)
	colours := []paint{}
	if header != nil {
		fmt.Fprintln(tabs, indent+strings.Join(header, "\t"))
		colours = append(colours, faint)
	}
	for _, r := range rows {
		fmt.Fprintln(tabs, indent+strings.Join(oneLines(r.cells), "\t"))
		colours = append(colours, r.colour)
	}
	tabs.Flush()
	lines := strings.Split(strings.TrimSuffix(aligned.String(), "\n"), "\n")
	for i, colour := range colours {
		fmt.Fprintln(p.w, p.painted(colour, strings.TrimRight(lines[i], " ")))
	}
}

// json prints a value as indented JSON.
func (p *program) json(value any) error {
	encoder := json.NewEncoder(p.stdout)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", "  ")
	return encoder.Encode(value)
}

// printable replaces what a terminal could take for a command, or a reader for
// something else: control characters and reversed text. Line breaks in errors stay.
func printable(s string) string {
	return strings.Map(func(r rune) rune {
		if r == '\n' || unicode.IsPrint(r) {
			return r
		}
		if r == '\t' {
			return ' '
		}
		return unicode.ReplacementChar
	}, s)
}

func oneLine(s string) string { return strings.ReplaceAll(printable(s), "\n", " ") }

func oneLines(cells []string) []string {
	clean := make([]string, len(cells))
	for i, cell := range cells {
		clean[i] = oneLine(cell)
	}
	return clean
}

// clock prints a time of day, with the day where it is not today.
func clock(t, now time.Time) string {
	t, now = t.Local(), now.Local()
	if t.Format(time.DateOnly) == now.Format(time.DateOnly) {
		return t.Format(time.TimeOnly)
	}
	return t.Format(time.DateTime)
}

// left prints when something is due: "10:30:00 (in 4m)".
func left(t, now time.Time) string {
	if d := t.Sub(now).Round(time.Second); d > 0 {
		return fmt.Sprintf("%s (in %s)", clock(t, now), short(d))
	}
	return clock(t, now) + " (overdue)"
}

// since prints when something happened: "10:30:00 (4m ago)".
func since(t, now time.Time) string {
	if d := now.Sub(t).Round(time.Second); d > 0 {
		return fmt.Sprintf("%s (%s ago)", clock(t, now), short(d))
	}
	return clock(t, now) + " (just now)"
}

// short prints a duration in its two greatest units: "26m", "1h5m", "12s".
func short(d time.Duration) string {
	switch {
	case d >= 48*time.Hour:
		return fmt.Sprintf("%dd%dh", d/(24*time.Hour), d%(24*time.Hour)/time.Hour)
	case d >= time.Hour:
		d = d.Round(time.Minute)
	case d >= 10*time.Minute:
		d = d.Round(time.Minute)
	default:
		d = d.Round(time.Second)
	}
	s := d.String()
	if strings.HasSuffix(s, "m0s") {
		s = strings.TrimSuffix(s, "0s")
	}
	if strings.HasSuffix(s, "h0m") {
		s = strings.TrimSuffix(s, "0m")
	}
	return s
}
