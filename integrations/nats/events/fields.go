package events

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"
)

// fields reads the known fields out of one JSON object, each once. It notes the
// first thing that is wrong and goes on, so that readers need no checks between.
// What was not asked for stays in rest. A null and an empty text are as if absent.
type fields struct {
	path  string // what stands before a name in a reason: "", "data.", "context."
	rest  map[string]json.RawMessage
	first *problem
}

// problem is the first thing wrong, shared by an object and those inside it.
type problem struct{ reason *Reason }

func newFields(object map[string]json.RawMessage, path string) fields {
	return fields{path: path, rest: maps.Clone(object), first: &problem{}}
}

// err returns the first thing wrong as an error, or nil.
func (f fields) err() error {
	if f.first.reason == nil {
		return nil
	}
	return f.first.reason
}

func (f fields) wrong(key, hint, format string, args ...any) {
	if f.first.reason == nil {
		f.first.reason = refuse(f.path+key, hint, format, args...)
	}
}

// take removes a field from the rest. The second result is false if it is absent or null.
func (f fields) take(key string) (json.RawMessage, bool) {
	raw, given := f.rest[key]
	delete(f.rest, key)
	return raw, given && string(raw) != "null"
}

// decode reads a field into value; false: it is absent, or wrong and noted.
func (f fields) decode(key, want string, value any) bool {
	raw, given := f.take(key)
	if !given {
		return false
	}
	if err := json.Unmarshal(raw, value); err != nil {
		f.wrong(key, "", "is %s, not %s", kindOf(raw), want)
		return false
	}
	return true
}

func (f fields) text(key string, p pattern) string {
	var value string
	f.decode(key, "a string", &value)
	return f.fitting(key, value, p)
}

// element reads one text inside a list or an object.
func (f fields) element(key string, raw json.RawMessage, p pattern) string {
	var value string
	if raw[0] != '"' || json.Unmarshal(raw, &value) != nil {
		f.wrong(key, "", "is %s, not a string", kindOf(raw))
	}
	return f.fitting(key, value, p)
}

// fitting returns the value if it is empty or fits; else notes that it does not.
func (f fields) fitting(key, value string, p pattern) string {
	if value != "" && !p.fits(value) {
		f.wrong(key, p.says, "%s is not valid", quote(value))
		return ""
	}
	return value
}

// person is a text without blanks around it: two spellings of one name must not be two people.
func (f fields) person(key string) string { return strings.TrimSpace(f.text(key, line)) }

func (f fields) people(key string, most int) []string {
	var elements []json.RawMessage
	if !f.decode(key, "a list of strings", &elements) {
		return nil
	}
	if len(elements) > most {
		f.wrong(key, "", "has %d entries; at most %d are kept", len(elements), most)
		return nil
	}
	var people []string
	for i, raw := range elements {
		person := strings.TrimSpace(f.element(fmt.Sprintf("%s.%d", key, i), raw, line))
		if person != "" {
			people = append(people, person)
		}
	}
	return people
}

func (f fields) pairs(key string, most int, p pattern) map[string]string {
	var elements map[string]json.RawMessage
	if !f.decode(key, "an object of strings", &elements) || len(elements) == 0 {
		return nil
	}
	if len(elements) > most {
		f.wrong(key, "", "has %d entries; at most %d are kept", len(elements), most)
		return nil
	}
	pairs := make(map[string]string, len(elements))
	for _, inner := range slices.Sorted(maps.Keys(elements)) {
		if inner == "" {
			f.wrong(key, "", "has an entry without a name")
		}
		f.fitting(key, inner, shortLine)
		pairs[inner] = f.element(key+"."+inner, elements[inner], p)
	}
	return pairs
}

func (f fields) yes(key string) *bool {
	var value bool
	if !f.decode(key, "true or false", &value) {
		return nil
	}
	return &value
}

func (f fields) time(key string) time.Time {
	var value string
	if !f.decode(key, "a string", &value) {
		return time.Time{}
	}
	var at time.Time
	if !moment.MatchString(value) || at.UnmarshalText([]byte(value)) != nil {
		f.wrong(key, "write RFC 3339 with a zone, such as 2026-11-23T10:00:00Z", "%s is not a time", quote(value))
	}
	return at.UTC()
}

// object reads an object inside this one; an absent one has no fields.
func (f fields) object(key string) fields {
	inner := fields{path: f.path + key + ".", first: f.first}
	f.decode(key, "an object", &inner.rest)
	return inner
}

// oneOf reads a text that is one of the words, or empty.
func oneOf[W ~string](f fields, key string, words []W) W {
	var value string
	f.decode(key, "a string", &value)
	if value != "" && !slices.Contains(words, W(value)) {
		f.wrong(key, fmt.Sprintf("one of %q", words), "%s is not known", quote(value))
		return ""
	}
	return W(value)
}

// kindOf names the kind of a JSON value for people.
func kindOf(raw json.RawMessage) string {
	switch raw[0] {
	case '"':
		return "a string"
	case '{':
		return "an object"
	case '[':
		return "a list"
	case 't', 'f':
		return "true or false"
	case 'n':
		return "null"
	}
	return "a number"
}
