package rules

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
