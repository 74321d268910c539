package authority

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/bakewatch/bakewatch/rules"
)

// alike are cases in which the same is done.
type alike struct {
	done   string
	points [][]int
	held   []string // why in some of them no more is done than that
	free   bool     // in some of them nothing holds it
}

// sentences tries every case, and says those in which the same is done at once.
func (e explanation) sentences() (said []string) {
	if e.many() {
		return e.oneByOne()
	}
	for _, a := range e.groups() {
		var when []string
		for _, b := range boxes(a.points) {
			when = append(when, e.when(b))
		}
		said = append(said, "On "+strings.Join(when, ", or on ")+": "+a.done+a.since()+".")
	}
	return said
}

// groups puts the cases together in which the same is done, in the order in which they are met.
func (e explanation) groups() (groups []*alike) {
	known := map[string]*alike{}
	e.points(func(point []int) {
		done, held := e.outcome(e.caseAt(point))
		a := known[done]
		if a == nil {
			a = &alike{done: done}
			known[done], groups = a, append(groups, a)
		}
		a.points, a.free = append(a.points, point), a.free || len(held) == 0
		for _, why := range held {
			if !slices.Contains(a.held, why) {
				a.held = append(a.held, why)
			}
		}
	})
	return groups
}

// since says why no more is done.
func (a alike) since() string {
	switch {
	case len(a.held) == 0:
		return ""
	case a.free:
		return " (where more is granted, no more since " + strings.Join(a.held, ", or ") + ")"
	}
	return " (no more, since " + strings.Join(a.held, ", or ") + ")"
}

// when says which cases are in the box.
func (e explanation) when(b box) string {
	text, during := e.accusedOf(b[0]), ""
	for i, a := range e.axes[1:] {
		some := a.some(b[i+1])
		if some != "" && a.calendar {
			during, some = during+some, ""
		}
		text += some
	}
	return text + strings.Replace(during, " and", " while", 1)
}

// some says which of the values are meant; nothing, where all of them are.
func (a axis) some(values uint64) string {
	var in, out []string
	for i, value := range a.values {
		switch last := a.open && i == len(a.values)-1; {
		case last:
		case values>>i&1 > 0:
			in = append(in, value)
		default:
			out = append(out, value)
		}
	}
	other := a.open && values>>(len(a.values)-1)&1 > 0
	switch {
	case len(out) == 0 && (other || !a.open):
		return ""
	case other:
		return fmt.Sprintf(a.not, list(out, "or"))
	}
	return fmt.Sprintf(a.is, list(in, "or"))
}

// accusedOf says which rules are meant.
func (e explanation) accusedOf(values uint64) string {
	var breached, silent []string
	all := true // every rule that may be breached is meant
	for i, value := range e.axes[0].values {
		without := strings.HasSuffix(value, " without data")
		switch meant := values>>i&1 > 0; {
		case meant && without:
			silent = append(silent, strings.Split(value, "\n")...)
		case meant:
			breached = append(breached, strings.Split(value, "\n")...)
		case !without:
			all = false
		}
	}
	var parts []string
	switch {
	case all:
		parts = append(parts, "any breach")
	case len(breached) > 0:
		parts = append(parts, "a breach of "+list(breached, "or"))
	}
	if len(silent) > 0 {
		parts = append(parts, list(silent, "or"))
	}
	return strings.Join(parts, " or on ")
}

// people says who is in the groups, and how they are woken.
func people(p rules.Plan) (said []string) {
	for _, group := range slices.Sorted(maps.Keys(p.Groups)) {
		text := group + " are "
		if schedule := p.Schedules[group]; schedule != "" {
			text += "whoever is on call by " + schedule + " and, where nobody knows that, "
		}
		text += list(p.Groups[group], "and")
		if page := p.Pages[group]; len(page) > 0 {
			text += ", woken by " + list(page, "and")
		}
		said = append(said, text+".")
	}
	return said
}

func texts[T any](values []T) []string {
	words := make([]string, 0, len(values))
	for _, v := range values {
		words = append(words, fmt.Sprint(v))
	}
	return words
}

// list joins words: a, b and c.
func list(words []string, last string) string {
	if len(words) < 2 {
		return strings.Join(words, "")
	}
	end := len(words) - 1
	return strings.Join(words[:end], ", ") + " " + last + " " + words[end]
}
