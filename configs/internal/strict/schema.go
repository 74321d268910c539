package strict

import (
	"encoding"
	"encoding/json"
	"maps"
	"reflect"

	"github.com/BurntSushi/toml"
	"github.com/prometheus/common/model"
)

// Object is a JSON Schema, or a part of one.
type Object = map[string]any

// Schema returns the JSON Schema of a table with the keys of all the structs that
// the pointers point to. The values that they hold are the defaults.
func Schema(structs ...any) Object {
	properties := Object{}
	for _, s := range structs {
		for _, f := range fieldsOf(reflect.ValueOf(s).Elem()) {
			if f.value.Type() == elsewhereType {
				properties[f.key] = Object{"description": f.doc}
				continue
			}
			properties[f.key] = f.schema()
		}
	}
	return Object{"type": "object", "properties": properties, "additionalProperties": false}
}

// NotYet is the schema of a key that a later version brings: nothing may stand there.
func NotYet(doc string) Object {
	return Object{"description": "not yet supported: " + doc, "not": Object{}}
}

func (f field) schema() Object {
	if f.value.Type() == laterType {
		return NotYet(f.doc)
	}
	schema := schemaOf(f.value.Type())
	if f.doc != "" {
		schema["description"] = f.doc
	}
	if value, set := f.defaulted(); set {
		schema["default"] = value
	}
	return schema
}

// defaulted returns the default as JSON knows it; tables have none of their own.
func (f field) defaulted() (any, bool) {
	if f.value.IsZero() || f.value.Kind() == reflect.Struct && !f.value.CanInterface() {
		return nil, false
	}
	if _, is := f.value.Interface().(encoding.TextMarshaler); !is && f.value.Kind() == reflect.Struct {
		return nil, false
	}
	text, err := json.Marshal(f.value.Interface())
	if err != nil || string(text) == `""` || string(text) == "null" {
		return nil, false
	}
	var value any
	if err := json.Unmarshal(text, &value); err != nil {
		return nil, false
	}
	return value, true
}

const durationPattern = `^((([0-9]+)y)?(([0-9]+)w)?(([0-9]+)d)?(([0-9]+)h)?(([0-9]+)m)?(([0-9]+)s)?(([0-9]+)ms)?|0)$`

func schemaOf(t reflect.Type) Object {
	switch {
	case t == reflect.TypeFor[model.Duration]():
		return Object{"type": "string", "pattern": durationPattern}
	case len(wordsOf(t)) > 0:
		return Object{"type": "string", "enum": wordsOf(t)}
	case reflect.PointerTo(t).Implements(reflect.TypeFor[toml.Unmarshaler]()):
		return Object{"type": []string{"string", "number"}}
	case reflect.PointerTo(t).Implements(reflect.TypeFor[encoding.TextUnmarshaler]()):
		return Object{"type": "string"}
	}
	switch t.Kind() { //nolint:exhaustive // options have no other kinds
	case reflect.Pointer:
		return schemaOf(t.Elem())
	case reflect.String:
		return Object{"type": "string"}
	case reflect.Bool:
		return Object{"type": "boolean"}
	case reflect.Float64, reflect.Float32:
		return Object{"type": "number"}
	case reflect.Slice:
		return Object{"type": "array", "items": schemaOf(t.Elem())}
	case reflect.Map:
		return Object{"type": "object", "additionalProperties": schemaOf(t.Elem())}
	case reflect.Struct:
		return Schema(reflect.New(t).Interface())
	case reflect.Interface:
		return Object{}
	}
	return Object{"type": "integer"}
}

// Merge returns a schema of a table with the properties of both.
func Merge(a, b Object) Object {
	merged, properties := maps.Clone(a), Object{}
	for _, schema := range []Object{a, b} {
		if own, is := schema["properties"].(Object); is {
			maps.Copy(properties, own)
		}
	}
	merged["properties"] = properties
	return merged
}

// Key is one key of a table, for people.
type Key struct {
	Name, Doc, Takes, Default string
	Later                     bool
	Below                     []Key // of a table with keys of its own
}

// Keys lists the keys of the structs that the pointers point to, in their order.
func Keys(structs ...any) []Key {
	var keys []Key
	for _, s := range structs {
		for _, f := range fieldsOf(reflect.ValueOf(s).Elem()) {
			t := f.value.Type()
			if t == elsewhereType {
				continue
			}
			key := Key{Name: f.key, Doc: f.doc, Later: t == laterType}
			if !key.Later {
				key.Takes, key.Below = describe(t), below(t)
			}
			if value, set := f.defaulted(); set {
				text, err := json.Marshal(value)
				if err == nil {
					key.Default = string(text)
				}
			}
			keys = append(keys, key)
		}
	}
	return keys
}

// below lists the keys of a struct, or of the structs that a map, list or pointer leads to.
func below(t reflect.Type) []Key {
	for t.Kind() == reflect.Pointer || t.Kind() == reflect.Map || t.Kind() == reflect.Slice {
		t = t.Elem()
	}
	isText := reflect.PointerTo(t).Implements(reflect.TypeFor[encoding.TextUnmarshaler]())
	if t.Kind() != reflect.Struct || isText || reflect.PointerTo(t).Implements(reflect.TypeFor[toml.Unmarshaler]()) {
		return nil
	}
	return Keys(reflect.New(t).Interface())
}
