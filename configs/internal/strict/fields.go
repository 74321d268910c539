package strict

import (
	"encoding"
	"fmt"
	"reflect"
	"strings"
	"time"

	"github.com/BurntSushi/toml"
	"github.com/prometheus/common/model"
)

// Later is the type of a field whose key a later version brings: it is refused
// as not yet supported, never ignored.
type Later struct{}

// Elsewhere is the type of a field whose key is known here and read by other code.
type Elsewhere struct{}

var (
	laterType     = reflect.TypeFor[Later]()
	elsewhereType = reflect.TypeFor[Elsewhere]()
)

// field is one key that a struct knows.
type field struct {
	key, doc string
	value    reflect.Value
}

// fieldsOf lists the keys of a struct in the order of its fields. Fields without
// a `toml` tag have none; embedded structs lend theirs.
func fieldsOf(v reflect.Value) []field {
	var fields []field
	for i := range v.NumField() {
		f := v.Type().Field(i)
		key, _, _ := strings.Cut(f.Tag.Get("toml"), ",")
		switch {
		case f.Anonymous && key == "" && f.Type.Kind() == reflect.Struct:
			fields = append(fields, fieldsOf(v.Field(i))...)
		case key != "" && key != "-" && f.IsExported():
			fields = append(fields, field{key: key, doc: f.Tag.Get("doc"), value: v.Field(i)})
		}
	}
	return fields
}

// wordsOf lists the words that a type knows, or nil if it takes any.
func wordsOf(t reflect.Type) []string {
	if words, few := reflect.New(t).Elem().Interface().(interface{ Words() []string }); few {
		return words.Words()
	}
	return nil
}

// describe says what a type takes, for people.
func describe(t reflect.Type) string {
	if words := wordsOf(t); len(words) > 0 {
		return Words(words)
	}
	switch {
	case t == reflect.TypeFor[model.Duration]():
		return `a length of time such as "30s" or "5m"`
	case reflect.PointerTo(t).Implements(reflect.TypeFor[toml.Unmarshaler]()):
		return "a number"
	case reflect.PointerTo(t).Implements(reflect.TypeFor[encoding.TextUnmarshaler]()):
		return "a string"
	}
	switch t.Kind() { //nolint:exhaustive // options have no other kinds
	case reflect.Pointer:
		return describe(t.Elem())
	case reflect.String:
		return "a string"
	case reflect.Bool:
		return "true or false"
	case reflect.Slice:
		return "a list"
	case reflect.Map, reflect.Struct:
		return "a table"
	case reflect.Float64, reflect.Float32:
		return "a number"
	case reflect.Interface:
		return "any value"
	}
	return "a whole number"
}

// name says what a decoded value is, for people.
func name(value any) string {
	switch value.(type) {
	case string:
		return "a string"
	case bool:
		return "true or false"
	case int64:
		return "a whole number"
	case float64:
		return "a number"
	case time.Time:
		return "a date or time"
	case []any, []map[string]any:
		return "a list"
	case map[string]any:
		return "a table"
	}
	return fmt.Sprintf("%T", value)
}

// Shorten keeps messages readable, whatever stands in the file.
func Shorten(text string) string {
	const longest = 60
	if runes := []rune(text); len(runes) > longest {
		return string(runes[:longest]) + "…"
	}
	return text
}
