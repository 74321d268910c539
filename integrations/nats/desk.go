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
	methodAbout    = "about"
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
	// claim is who a request says it is from. It counts only where the request is not
	// signed, and is never more than a claim: how somebody has shown who they are is
	// what the server finds, and nothing of it is read from a request.
	claim struct {
		By string `json:"by,omitempty"`
	}
	answerRequest struct {
		claim
		Ref  watcher.Ref    `json:"ref"`
		Vote authority.Vote `json:"vote"` // its question, choice and reason; no more is taken
	}
	wordRequest struct {
		claim
		Ref    watcher.Ref `json:"ref"`
		Reason string      `json:"reason"`
	}
	orderRequest struct {
		claim
		Service string `json:"service,omitempty"`
		Reason  string `json:"reason,omitempty"`
		Force   bool   `json:"force,omitempty"`
	}
	nothing struct{}
)

// About is what a daemon says of itself to whoever wants to sign something for it.
type About struct {
	Cluster string `json:"cluster"`
	Signed  bool   `json:"signed"` // events, votes and orders must be signed
}

// claims returns who the request says it is from.
func (c claim) claims() string { return c.By }

// says returns the reason that is given.
func (r answerRequest) says() string { return r.Vote.Reason }
func (r wordRequest) says() string   { return r.Reason }
func (r orderRequest) says() string  { return r.Reason }

// order returns the order, in the name of whoever the proof speaks for.
func (r orderRequest) order(by authority.Proof) watcher.Order {
	return watcher.Order{Service: r.Service, By: by, Reason: r.Reason, Force: r.Force}
}

// Codes of errors on the wire, after those of HTTP.
const (
	codeBadRequest = "400"
	codeUnproved   = "401"
	codeNotFound   = "404"
	codeConflict   = "409"
	codeRefused    = "422"
	codeInternal   = "500"
)

// codes maps the errors that callers tell apart; it is read in both directions. The
// first one that fits counts.
var codes = []struct {
	code string
	err  error
	also error // is behind it as well; nil: nothing
}{
	{codeUnproved, authority.ErrUnproved, watcher.ErrRefused},
	{codeNotFound, watcher.ErrNotFound, nil},
	{codeConflict, watcher.ErrConflict, nil},
	{codeRefused, watcher.ErrRefused, nil},
}

func codeOf(err error) string {
	for _, c := range codes {
		if errors.Is(err, c.err) {
			return c.code
		}
	}
	return codeInternal
}

// remoteError is an error of the daemon's Desk: its text, and the sentinels behind it.
type remoteError struct {
	text string
	is   error // nil: none that callers tell apart
}

func (e *remoteError) Error() string { return e.text }
func (e *remoteError) Unwrap() error { return e.is }

func remote(code, text string) error {
	for _, c := range codes {
		if c.code == code {
			return &remoteError{text: text, is: errors.Join(c.err, c.also)}
		}
	}
	return &remoteError{text: text}
}
