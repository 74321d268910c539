package promql

import (
	"errors"
	"slices"
	"strings"

	"github.com/bakewatch/bakewatch/rules"
)

// Words are the plan's own lengths of time, put in as text before parsing:
// $window and $interval may stand wherever PromQL wants a duration.
type Words struct {
	Window   rules.Duration
	Interval rules.Duration
}

// UsesWindow says whether $window stands in the text.
func UsesWindow(text string) bool { return slices.Contains(names(text), "window") }

// ReachesBack returns how far before a look the text sees in a rule with this
// window: the window, if it holds $window. A range written out is not counted.
func ReachesBack(text string, window rules.Duration) rules.Duration {
	if UsesWindow(text) {
		return window
	}
	return 0
}

// Parse reads a template in which the words may stand. Places in an *Error are
// those of the text as it was written.
func (w Words) Parse(text string) (*Template, error) {
	expanded, places := w.expand(text)
	t, err := Parse(expanded)
	if wrong, ok := errors.AsType[*Error](err); ok {
		start, end := places.origin(wrong.Offset), places.origin(wrong.Offset+wrong.Length)
		wrong.Offset, wrong.Length = start, end-start
		wrong.clip(len(text))
	}
	return t, err
}

func (w Words) expand(text string) (string, origins) {
	var out strings.Builder
	var places origins
	last := 0
	for _, match := range dollar.FindAllStringSubmatchIndex(text, -1) {
		var word rules.Duration
		switch text[match[2]:match[3]] {
		case "window":
			word = w.Window
		case "interval":
			word = w.Interval
		}
		if word == 0 {
			continue
		}
		out.WriteString(text[last:match[0]])
		places = append(places, replaced{at: out.Len(), length: len(word.String()), from: match[0], to: match[1]})
		out.WriteString(word.String())
		last = match[1]
	}
	out.WriteString(text[last:])
	return out.String(), places
}

// origins lists what was replaced, in order.
type origins []replaced

type replaced struct{ at, length, from, to int }

// origin returns where a byte of the expanded text comes from.
func (o origins) origin(offset int) int {
	shift := 0
	for _, r := range o {
		switch {
		case offset <= r.at:
			return offset + shift
		case offset < r.at+r.length:
			return r.from
		}
		shift = r.to - (r.at + r.length)
	}
	return offset + shift
}
