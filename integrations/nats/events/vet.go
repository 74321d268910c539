package events

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"unicode/utf8"
)

// object vets the data and returns the fields of its one JSON object. The path is
// what stands before their names in a reason: "" or "data.".
func object(data []byte, path string) (map[string]json.RawMessage, error) {
	if err := vet(data, path); err != nil {
		return nil, err
	}
	var fields map[string]json.RawMessage
	if err := json.Unmarshal(data, &fields); err != nil {
		return nil, refuse("", "", "is not a JSON object: %v", err)
	}
	return fields, nil
}

// vet refuses what JSON decoders take in silence: invalid UTF-8, a key given twice
// (of which the last would win), numbers beyond a float64, and nesting so deep
// that whoever reads the event later may fail. Its memory is a few times the data's.
func vet(data []byte, path string) error {
	if len(data) > MaxSize {
		return refuse("", "put long texts behind a link", "has %d bytes; at most %d are read", len(data), MaxSize)
	}
	if !utf8.Valid(data) {
		return refuse("", "send UTF-8", "is not valid UTF-8 at byte %d", validUntil(data))
	}
	v := vetter{json.NewDecoder(bytes.NewReader(data))}
	v.UseNumber()
	if first := bytes.TrimLeft(data, " \t\r\n"); len(first) == 0 || first[0] != '{' {
		return refuse("", `such as {"id": …, "version": …}`, "is not a JSON object")
	}
	if err := v.value(path, "", 0); err != nil {
		return err
	}
	if _, err := v.Token(); !errors.Is(err, io.EOF) {
		return refuse("", "send one event a message", "goes on after its JSON object, at byte %d", v.InputOffset())
	}
	return nil
}

func validUntil(data []byte) int {
	for at := 0; at < len(data); {
		r, size := utf8.DecodeRune(data[at:])
		if r == utf8.RuneError && size == 1 {
			return at
		}
		at += size
	}
	return len(data)
}

// vetter walks one JSON value, token by token.
type vetter struct{ *json.Decoder }

// value walks the value called name below the path, inside so many others.
func (v vetter) value(path, name string, depth int) error {
	token, err := v.Token()
	if err != nil {
		return v.broken(err)
	}
	switch token := token.(type) {
	case json.Number:
		if _, err := token.Float64(); err != nil {
			return refuse(path+name, "send it as a string", "the number %s is too large", quote(token.String()))
		}
	case json.Delim:
		if depth == MaxDepth {
			return refuse(path+name, "", "is nested deeper than %d", MaxDepth)
		}
		if name != "" {
			path += name + "."
		}
		if token == '[' {
			return v.list(path, depth+1)
		}
		return v.fields(path, depth+1)
	}
	return nil
}

func (v vetter) fields(path string, depth int) error {
	seen := map[string]struct{}{}
	for v.More() {
		token, err := v.Token()
		if err != nil {
			return v.broken(err)
		}
		key, ok := token.(string)
		if !ok {
			return v.broken(fmt.Errorf("a key that is no string"))
		}
		if _, twice := seen[key]; twice {
			return refuse(path+key, "", "is given twice")
		}
		seen[key] = struct{}{}
		if err := v.value(path, tidy(key, 120), depth); err != nil {
			return err
		}
	}
	return v.end()
}

func (v vetter) list(path string, depth int) error {
	for i := 0; v.More(); i++ {
		if err := v.value(path, fmt.Sprint(i), depth); err != nil {
			return err
		}
	}
	return v.end()
}

func (v vetter) end() error {
	if _, err := v.Token(); err != nil {
		return v.broken(err)
	}
	return nil
}

func (v vetter) broken(err error) error {
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return refuse("", "", "breaks off after %d bytes: its JSON has no end", v.InputOffset())
	}
	return refuse("", "", "is not JSON, at byte %d: %v", v.InputOffset(), err)
}
