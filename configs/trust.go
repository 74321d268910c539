package configs

import (
	"github.com/nats-io/nkeys"

	"github.com/bakewatch/bakewatch/configs/internal/strict"
)

// Trust says whether messages must be signed.
type Trust struct {
	Required *bool `toml:"required" doc:"whether events and votes must be signed; on an external NATS, auto and veto need it to be said, either way"`
}

// Signed says whether events, votes and orders must be signed.
func (t Trust) Signed() bool { return t.Required != nil && *t.Required }

// open says whether anyone who may publish on the NATS is believed, without the
// operator having said that this is meant.
func (d *Daemon) open() bool { return !d.NATS.Embedded() && d.Trust.Required == nil }

// checkNKey refuses what is no public key, without showing it: it may be the secret.
func checkNKey(t strict.Table, key, nkey string) {
	switch {
	case nkeys.IsValidPublicUserKey(nkey):
	case len(nkey) > 0 && nkey[0] == 'S':
		t.Fail(key, "nkeys: a secret must not be written in place", "write the public key, which begins with U, and make a new one: this one is known now")
	default:
		t.Fail(key, "nkeys: this is no public nkey of a user", "56 characters that begin with U")
	}
}
