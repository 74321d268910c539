package rules

import (
	"strings"
	"time"
)

// Blame is an answer to "is it this deployment?".
type Blame string

// The answers. An answer that nobody has looked for is empty.
const (
	ThisDeployment    Blame = "this deployment"
	AnotherDeployment Blame = "another deployment"
	ADependency       Blame = "a dependency"
	Ambient           Blame = "ambient" // something that all versions suffer from
	CannotTell        Blame = "cannot tell"
)

// Words lists the answers as people write them.
func (Blame) Words() []string {
	return []string{string(ThisDeployment), string(AnotherDeployment), string(ADependency), string(Ambient), string(CannotTell)}
}

// Ceiling returns the most power that the answer allows.
func (b Blame) Ceiling() Power {
	switch b {
	case "", ThisDeployment:
		return Auto
	case CannotTell:
		return Ask
	case AnotherDeployment, ADependency, Ambient:
		return Notify
	}
	return None
}

// Attribution is who is to blame for a breach, and why.
type Attribution struct {
	Blame Blame `json:"blame,omitempty"`
	// Suspect names the other deployment ("payments 3.1.0") or the dependency.
	Suspect string `json:"suspect,omitempty"`
	// Why are the reasons as sentences, the weightiest first.
	Why []string `json:"why,omitempty"`
}

// String returns the answer with its reasons: "another deployment (payments 3.1.0):
// it went live 2m before it began".
func (a Attribution) String() string {
	text := string(a.Blame)
	if a.Suspect != "" {
		text += " (" + a.Suspect + ")"
	}
	if len(a.Why) > 0 {
		text += ": " + strings.Join(a.Why, "; ")
	}
	return text
}

// Dated is evidence that knows since when things are worse.
type Dated interface {
	Evidence
	// Onset returns when it became worse, by the best guess at the last look.
	Onset() (at time.Time, known bool)
}
