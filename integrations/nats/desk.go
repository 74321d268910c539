package nats

import (
	"errors"

	"github.com/bakewatch/bakewatch/actions/authority"
	"github.com/bakewatch/bakewatch/rules"
	"github.com/bakewatch/bakewatch/watcher"
)

var _ watcher.Historian = (*Journal)(nil) // what makes the Desk show watches that ended

// The methods of the Desk, each a subject below bakewatch.api.
const (
	methodList     = "list"
	methodShow     = "show"
	methodAnswer   = "answer"
	methodCancel   = "cancel"
	methodRollback = "rollback"
	methodWrong    = "wrong"
	methodDisarm   = "disarm"
	methodArm      = "arm"
)

// What is asked and answered, as JSON. Fields that a side does not know are
// ignored, so that an older command line works with a newer daemon.
type (
	listRequest struct {
		// After is the last lane of the page before.
		After *rules.LaneID `json:"after,omitempty"`
	}
	listReply struct {
		Lanes []watcher.LaneView `json:"lanes"`
		More  bool               `json:"more,omitempty"`
	}
	showRequest struct {
		Ref watcher.Ref `json:"ref"`
	}
	answerRequest struct {
		Ref  watcher.Ref    `json:"ref"`
		Vote authority.Vote `json:"vote"`
	}
	wordRequest struct {
		Ref    watcher.Ref     `json:"ref"`
		By     authority.Proof `json:"by"`
		Reason string          `json:"reason"`
	}
	nothing struct{}
)

// Codes of errors on the wire, after those of HTTP.
const (
	codeBadRequest = "400"
	codeNotFound   = "404"
	codeConflict   = "409"
	codeRefused    = "422"
	codeInternal   = "500"
)

// codes maps the errors that callers tell apart; it is read in both directions.
var codes = []struct {
	code string
	err  error
}{
	{codeNotFound, watcher.ErrNotFound},
	{codeConflict, watcher.ErrConflict},
	{codeRefused, watcher.ErrRefused},
}

func codeOf(err error) string {
	for _, c := range codes {
		if errors.Is(err, c.err) {
			return c.code
		}
	}
	return codeInternal
}

// remoteError is an error of the daemon's Desk: its text, and the sentinel behind it.
type remoteError struct {
	text string
	is   error // nil: none that callers tell apart
}

func (e *remoteError) Error() string { return e.text }
func (e *remoteError) Unwrap() error { return e.is }

func remote(code, text string) error {
	for _, c := range codes {
		if c.code == code {
			return &remoteError{text: text, is: c.err}
		}
	}
	return &remoteError{text: text}
}
