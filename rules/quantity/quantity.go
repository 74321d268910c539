// Package quantity reads numbers with a unit as people write them in a plan:
// "1%", "500ms", "2GiB", or a plain 0.01. It never guesses a unit.
//
// Start reading at Parse.
package quantity

import (
	"encoding/json"
	"fmt"
	"math"
	"regexp"
	"strconv"
	"strings"
)

// Unit is what a quantity counts.
type Unit string

// The units; their words are those of rules.Answer.Unit.
const (
	Plain   Unit = ""
	Ratio   Unit = "ratio"
	Seconds Unit = "seconds"
	Bytes   Unit = "bytes"
	// PerPodSecond is events for each second of each pod. No quantity is written in it.
	PerPodSecond Unit = "per pod-second"
)

// Quantity is a finite number in its base unit. The zero Quantity is "not set",
// which is not the same as the quantity "0".
type Quantity struct {
	value float64
	unit  Unit
	text  string // as it was written; travels instead of the number, so that nothing is lost
}

// scale turns a number into its base unit: by a factor, or by fewer decimal places.
type scale struct {
	unit   Unit
	factor float64
	places int
}

var scales = map[string]scale{
	"": {Plain, 1, 0}, "%": {Ratio, 1, 2},
	"ns": {Seconds, 1, 9}, "us": {Seconds, 1, 6}, "µs": {Seconds, 1, 6}, "ms": {Seconds, 1, 3},
	"s": {Seconds, 1, 0}, "m": {Seconds, 60, 0}, "h": {Seconds, 3600, 0}, "d": {Seconds, 86400, 0},
	"B": {Bytes, 1, 0}, "kB": {Bytes, 1e3, 0}, "KB": {Bytes, 1e3, 0}, "MB": {Bytes, 1e6, 0}, "GB": {Bytes, 1e9, 0}, "TB": {Bytes, 1e12, 0},
	"KiB": {Bytes, 1 << 10, 0}, "MiB": {Bytes, 1 << 20, 0}, "GiB": {Bytes, 1 << 30, 0}, "TiB": {Bytes, 1 << 40, 0},
}

var form = regexp.MustCompile(`^([+-]?[0-9]*\.?[0-9]+)(?:[eE]([+-]?[0-9]+))? ?([A-Za-zµ%]*)$`)

// Parse reads a number with or without a unit.
func Parse(text string) (Quantity, error) {
	match := form.FindStringSubmatch(text)
	if match == nil {
		return Quantity{}, fmt.Errorf("%q is no number with a unit, such as 1%%, 500ms or 2GiB", text)
	}
	s, known := scales[match[3]]
	if !known {
		return Quantity{}, fmt.Errorf("unknown unit %q in %q; one of %%, ms, s, m, h, d, B, KiB, MiB, GiB, kB, MB, GB", match[3], text)
	}
	number, err := shifted(match[1], match[2], s.places)
	if err != nil || math.IsInf(number*s.factor, 0) {
		return Quantity{}, fmt.Errorf("%q is too large", text)
	}
	return Quantity{value: number * s.factor, unit: s.unit, text: text}, nil
}

// shifted reads a decimal number with its point moved to the left. Division would
// round once more: 0.7 / 100 is less than 0.007, and 7 of 1000 would break 0.7 %.
func shifted(digits, exponent string, places int) (float64, error) {
	power := 0
	if exponent != "" {
		var err error
		if power, err = strconv.Atoi(exponent); err != nil {
			return 0, err
		}
	}
	return strconv.ParseFloat(digits+"e"+strconv.Itoa(power-places), 64)
}

// Must is Parse for texts known to be right, such as defaults. It panics on an error.
func Must(text string) Quantity {
	q, err := Parse(text)
	if err != nil {
		panic(err)
	}
	return q
}

// Value returns the number in the base unit: a ratio of 0.01 for "1%", seconds, bytes.
func (q Quantity) Value() float64 { return q.value }

// Unit returns what the quantity counts.
func (q Quantity) Unit() Unit { return q.unit }

// IsZero says that no quantity was set; it is what omitzero asks.
func (q Quantity) IsZero() bool { return q.text == "" }

// String returns the quantity as it was written.
func (q Quantity) String() string { return q.text }

// MarshalText returns the quantity as it was written.
func (q Quantity) MarshalText() ([]byte, error) { return []byte(q.text), nil }

// UnmarshalText reads a number with or without a unit; the empty text is "not set".
func (q *Quantity) UnmarshalText(text []byte) error {
	if len(text) == 0 {
		*q = Quantity{}
		return nil
	}
	read, err := Parse(string(text))
	if err == nil {
		*q = read
	}
	return err
}

// UnmarshalJSON reads a JSON string or number; null changes nothing.
func (q *Quantity) UnmarshalJSON(data []byte) error {
	switch text := string(data); {
	case text == "null":
		return nil
	case !strings.HasPrefix(text, `"`):
		return q.UnmarshalText(data)
	}
	var text string
	if err := json.Unmarshal(data, &text); err != nil {
		return err
	}
	return q.UnmarshalText([]byte(text))
}

// UnmarshalTOML reads a TOML string, integer or float.
func (q *Quantity) UnmarshalTOML(value any) error {
	switch v := value.(type) {
	case string:
		read, err := Parse(v)
		if err == nil {
			*q = read
		}
		return err
	case int64:
		return q.UnmarshalText(strconv.AppendInt(nil, v, 10))
	case float64:
		if math.IsNaN(v) || math.IsInf(v, 0) {
			return fmt.Errorf("%v is no number to compare with", v)
		}
		return q.UnmarshalText(strconv.AppendFloat(nil, v, 'g', -1, 64))
	}
	return fmt.Errorf("a number or a string such as \"1%%\" is wanted, not %T", value)
}
