package strict

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/bakewatch/bakewatch/rules"
)

// Table is one table of a file: its values, their places, and where problems go.
type Table struct {
	file  *File
	tree  map[string]any
	node  *node
	where string
	later []string          // keys that a later version brings
	lent  map[string]string // keys that are not written here: who gave them
	hints map[string]string // what to tell where a key is missed
	own   bool              // only keys that are set here are blamed
}

// In returns the table under a name for problems, such as `rule "5xx"`.
func (t Table) In(where string) Table { t.where = where; return t }

// Later returns the table with more keys that are refused as not yet supported.
func (t Table) Later(keys ...string) Table {
	t.later = append(slices.Clone(t.later), keys...)
	return t
}

// Lend returns the table with values for the keys, as from tells in problems,
// that it does not set itself.
func (t Table) Lend(values map[string]any, from string) Table {
	lent, tree := maps.Clone(t.lent), maps.Clone(t.tree)
	for key, value := range values {
		if _, set := tree[key]; set {
			continue
		}
		if lent == nil {
			lent = map[string]string{}
		}
		if tree == nil {
			tree = map[string]any{}
		}
		tree[key], lent[key] = value, from
	}
	t.lent, t.tree = lent, tree
	return t
}

// Hint returns the table with a better hint for keys that are found missing.
func (t Table) Hint(hint string, keys ...string) Table {
	t.hints = maps.Clone(t.hints)
	if t.hints == nil {
		t.hints = map[string]string{}
	}
	for _, key := range keys {
		t.hints[key] = hint
	}
	return t
}

// Own returns the table for which nothing is reported as missing: it is a part of one.
func (t Table) Own() Table { t.own = true; return t }

// Has says whether the key is set.
func (t Table) Has(key string) bool { _, set := t.tree[key]; return set }

// String returns the key's string, or "" where there is none.
func (t Table) String(key string) string { text, _ := t.tree[key].(string); return text }

// Keys returns the keys that are set, sorted.
func (t Table) Keys() []string { return slices.Sorted(maps.Keys(t.tree)) }

// Values returns what the table holds, as decoded.
func (t Table) Values() map[string]any { return t.tree }

// Path returns a path written in the file: relative ones begin at its folder.
func (t Table) Path(path string) string { return t.file.Path(path) }

// Table returns the table under key; an absent one is empty, with its parent's
// place. Anything else there is a problem.
func (t Table) Table(key string) Table {
	below := Table{file: t.file, tree: map[string]any{}, node: t.at(key), where: t.where}
	switch value := t.tree[key].(type) {
	case nil:
	case map[string]any:
		below.tree = value
	default:
		t.Fail(key, fmt.Sprintf("%s must be a table, not %s", key, name(value)), fmt.Sprintf("write [%s] or %s = { … }", key, key))
	}
	return below
}

// Named returns the tables [key.NAME], by name.
func (t Table) Named(key string) map[string]Table {
	all, named := t.Table(key), map[string]Table{}
	for _, name := range all.Keys() {
		named[name] = all.Table(name).In(fmt.Sprintf("%s %q", key, name))
	}
	return named
}

// maxTables bounds how many [[key]] a file may have: far more than anyone can read.
const maxTables = 500

// List returns the tables [[key]], in order.
func (t Table) List(key string) []Table {
	var items []any
	switch value := t.tree[key].(type) {
	case nil:
		return nil
	case []map[string]any:
		for _, item := range value {
			items = append(items, item)
		}
	case []any:
		items = value
	default:
		t.Fail(key, fmt.Sprintf("%s must be a list of tables, not %s", key, name(value)), fmt.Sprintf("write [[%s]]", key))
		return nil
	}
	if len(items) > maxTables {
		t.Fail(key, fmt.Sprintf("%d [[%s]] are more than %d", len(items), key, maxTables), "")
		return nil
	}
	tables := make([]Table, 0, len(items))
	for i, item := range items {
		table, is := item.(map[string]any)
		if !is {
			t.Fail(key, fmt.Sprintf("%s must hold tables, not %s", key, name(item)), fmt.Sprintf("write [[%s]]", key))
			continue
		}
		place := t.at(key)
		if of := t.node.child(key).item(i); of != nil {
			place = of
		}
		tables = append(tables, Table{file: t.file, tree: table, node: place, where: fmt.Sprintf("%s %d", key, i+1)})
	}
	return tables
}

// notYet is what people are told about all that a later version brings.
const notYet = "a later version of Bakewatch brings it; remove it until then"

// failKey reports a problem with the key itself rather than with its value.
func (t Table) failKey(key, what, hint string) {
	at := t.node.child(key)
	if at == nil || t.lent[key] != "" {
		t.Fail(key, what, hint)
		return
	}
	t.file.at(at.key, Problem{Where: t.where, What: what, Hint: hint})
}

// Fail reports a problem with a key, dotted below tables; "" is the table itself.
func (t Table) Fail(key, what, hint string) { t.report(key, Problem{What: what, Hint: hint}) }

// Warn reports what is worth knowing about a key.
func (t Table) Warn(key, what, hint string) {
	t.report(key, Problem{What: what, Hint: hint, Warning: true})
}

// Errors counts the problems of the whole file that are more than warnings.
func (t Table) Errors() int {
	n := 0
	for _, p := range t.file.Problems {
		if !p.Warning {
			n++
		}
	}
	return n
}

// Place returns a problem that stands at the key and says nothing yet.
func (t Table) Place(key string) Problem {
	p := Problem{File: t.file.Name, Where: t.where}
	if at := t.at(key).value; at.end > 0 {
		p.Line, p.Column = t.file.place(at.start)
	}
	return p
}

// NotYet refuses a key's value that a later version brings.
func (t Table) NotYet(key, what string) {
	t.Fail(key, what+" is not yet supported", notYet)
}

func (t Table) report(key string, p Problem) {
	if t.file.full() {
		return
	}
	p.Where = t.where
	first, _, _ := strings.Cut(key, ".")
	if from := t.lent[first]; from != "" {
		p.What += " (from " + from + ")"
	}
	if key != "" && t.Has(first) && !p.Warning && t.file.blamed(t.at(key).value) {
		return // the value was refused already; what follows from that helps nobody
	}
	t.file.at(t.at(key).value, p)
}

// at returns the place of a dotted key, or the closest one that is known.
func (t Table) at(key string) *node {
	place := t.node
	if place == nil {
		place = &node{}
	}
	for part := range strings.SplitSeq(key, ".") {
		next := place.child(part)
		if i, err := strconv.Atoi(part); next == nil && err == nil && i >= 0 {
			next = place.item(i)
		}
		if next == nil {
			break
		}
		place = next
	}
	return place
}

// Blame reports what options or a builder had to say: each *rules.FieldError at
// its key, the rest at the table.
func (t Table) Blame(err error) {
	if err == nil {
		return
	}
	if joined, many := err.(interface{ Unwrap() []error }); many { //nolint:errorlint // only this level, so that no error is lost
		for _, each := range joined.Unwrap() {
			t.Blame(each)
		}
		return
	}
	if field, is := err.(*rules.FieldError); is { //nolint:errorlint // as above
		t.blameField(field)
		return
	}
	if inner := errors.Unwrap(err); inner != nil && holdsField(inner) {
		t.Blame(inner)
		return
	}
	if !t.own {
		t.Fail("", strings.TrimPrefix(err.Error(), t.where+": "), "")
	}
}

func holdsField(err error) bool {
	var field *rules.FieldError
	return errors.As(err, &field)
}

func (t Table) blameField(field *rules.FieldError) {
	p := Problem{What: field.Error(), Hint: field.Hint}
	if hint := t.hints[field.Key]; hint != "" && !t.Has(field.Key) {
		p.Hint = hint
	}
	if first, _, _ := strings.Cut(field.Key, "."); t.own && !t.Has(first) || t.givenInPlace(field.Key) {
		return
	}
	place := t.at(field.Key)
	if _, lent := t.lent[field.Key]; field.Length > 0 && !lent {
		raw := t.file.slice(place.value)
		from, to := inString(raw, field.Offset), inString(raw, field.Offset+field.Length)
		at := span{place.value.start + from, place.value.start + max(to, from+1)}
		p.Where, p.Source = t.where, t.file.caret(at)
		t.file.at(at, p)
		return
	}
	t.report(field.Key, p)
}

// givenInPlace says whether the file or variable that is missed was refused
// already, as a value in place: url for url_file.
func (t Table) givenInPlace(key string) bool {
	base := strings.TrimSuffix(strings.TrimSuffix(key, "_file"), "_env")
	at := t.node.child(base)
	return base != key && at != nil && t.file.blamed(at.key)
}

func (f *File) slice(at span) string {
	return string(f.data[min(at.start, len(f.data)):min(at.end, len(f.data))])
}
