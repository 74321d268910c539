package promql

import (
	"errors"

	"github.com/prometheus/prometheus/promql/parser"
	"github.com/prometheus/prometheus/promql/parser/posrange"

	"github.com/bakewatch/bakewatch/rules"
)

// Error says which bytes of the text that a person wrote are wrong, and what to do.
type Error struct {
	Offset, Length int    // in bytes; Length is at least 1 unless the text is empty
	Hint           string // or empty
	Err            error
}

func (e *Error) Error() string { return e.Err.Error() }
func (e *Error) Unwrap() error { return e.Err }

// Blame returns the error as a *rules.FieldError that blames this key, keeping
// place and hint. A nil error stays nil.
func Blame(key string, err error) error {
	if err == nil {
		return nil
	}
	if wrong, ok := errors.AsType[*Error](err); ok {
		return &rules.FieldError{Key: key, Hint: wrong.Hint, Err: wrong.Err, Offset: wrong.Offset, Length: wrong.Length}
	}
	return &rules.FieldError{Key: key, Err: err}
}

// at returns an error about a place of the text.
func at(place posrange.PositionRange, hint string, err error) *Error {
	return &Error{Offset: int(place.Start), Length: int(place.End - place.Start), Hint: hint, Err: err}
}

// syntaxError turns the parser's first complaint into an Error about text.
func syntaxError(text string, err error) *Error {
	var all parser.ParseErrors
	if !errors.As(err, &all) || len(all) == 0 {
		return &Error{Length: len(text), Err: err}
	}
	first := all[0]
	wrong := at(first.PositionRange, "", first.Err)
	if name, length, found := placeholderAt(text, wrong.Offset); found {
		wrong.Length = length
		wrong.Hint = `such as {version="$version"}; a dollar sign is $$`
		wrong.Err = errors.New("$" + name + " may stand only inside the value of a label matcher")
	}
	wrong.clip(len(text))
	return wrong
}

// clip keeps the place within a text of this length.
func (e *Error) clip(length int) {
	e.Offset = max(0, min(e.Offset, length))
	e.Length = max(0, min(max(e.Length, 1), length-e.Offset))
	if e.Length == 0 && length > 0 { // the error is behind the last byte
		e.Offset, e.Length = length-1, 1
	}
}
