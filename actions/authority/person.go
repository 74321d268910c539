package authority

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/bakewatch/bakewatch/rules"
)

// Way is how somebody has shown who they are.
type Way string

// The ways. Each is established by one transport, which alone writes it into a Proof.
const (
	Local     Way = "local"     // said so, over a connection that only the operator's own people have
	Signature Way = "signature" // a request signed with an nkey
	Basic     Way = "basic"     // a user name and its password
	OIDC      Way = "oidc"      // a login by OpenID Connect
	Link      Way = "link"      // a signed link, good once and for one person
	Slack     Way = "slack"     // a button in Slack
	PagerDuty Way = "pagerduty" // an acknowledgement in PagerDuty
)

// Ways lists every way.
func Ways() []Way { return []Way{Local, Signature, Basic, OIDC, Link, Slack, PagerDuty} }

// Proof is what a transport has established about who speaks: nothing in it is what
// somebody merely wrote into a message.
type Proof struct {
	Way Way `json:"way"`
	// Subject is who it is in the way's own terms: a public key, a user name, a login's sub
	// or e-mail address in lower case, a Slack user id; for Local and Link the person's name
	// itself. It is compared letter by letter.
	Subject string `json:"subject"`
}

// LocalProof is the proof of somebody who speaks over a connection that only the
// operator's own people have.
func LocalProof(person string) Proof { return Proof{Way: Local, Subject: person} }

// Vouched says that somebody else than who speaks vouches for the subject, also where it
// is nobody's: the service that the person has logged in at, or a link that we signed.
// A name anybody can claim, and a key anybody can make.
func (p Proof) Vouched() bool {
	switch p.Way {
	case Basic, OIDC, Link, Slack, PagerDuty:
		return true
	case Local, Signature:
	}
	return false
}

// String returns the proof for a log or a message.
func (p Proof) String() string { return string(p.Way) + " " + p.Subject }

// Person is one [person.NAME], as the daemon's file says it.
type Person = rules.Person

// accepts says whether the proof is one of the person's.
func accepts(p Person, name string, proof Proof) bool {
	switch proof.Way {
	case Signature:
		return slices.Contains(p.NKeys, proof.Subject)
	case Basic:
		return p.Basic != "" && p.Basic == proof.Subject
	case OIDC:
		return p.OIDC != "" && p.OIDC == proof.Subject
	case Slack:
		return p.Slack != "" && p.Slack == proof.Subject
	case PagerDuty:
		return p.PagerDuty != "" && p.PagerDuty == proof.Subject
	case Link:
		return p.Link && name == proof.Subject
	case Local:
		return p.Local && name == proof.Subject
	}
	return false
}

// Directory knows the people, by name.
type Directory struct {
	People map[string]Person
	// Believe says that whoever is on a local connection is who they say they are:
	// the daemon's own NATS, or one that the operator has declared to be trusted.
	Believe bool
}

// ErrUnproved is why nobody was recognized.
var ErrUnproved = errors.New("does not say who it is in a way that is accepted")

// Identify returns the person that a proof speaks for. It is the one place that says
// so, however the proof came; two people with one proof are nobody.
func (d Directory) Identify(proof Proof) (string, error) {
	if proof.Way == Local && d.Believe && proof.Subject != "" {
		return proof.Subject, nil
	}
	var found []string
	for name, person := range d.People {
		if accepts(person, name, proof) {
			found = append(found, name)
		}
	}
	switch len(found) {
	case 1:
		return found[0], nil
	case 0:
		return "", fmt.Errorf("%s %q %w: see [person.NAME]", proof.Way, proof.Subject, ErrUnproved)
	}
	slices.Sort(found)
	return "", fmt.Errorf("%s %q %w: it stands for %s", proof.Way, proof.Subject, ErrUnproved, strings.Join(found, " and "))
}
