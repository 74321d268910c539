package configs

import (
	"fmt"
	"regexp"

	"github.com/nats-io/nkeys"

	"github.com/bakewatch/bakewatch/configs/internal/strict"
	"github.com/bakewatch/bakewatch/rules"
)

// Trust says whether messages must be signed, and who may announce what.
type Trust struct {
	Required   *bool            `toml:"required" doc:"whether events, votes and orders must be signed; on an external NATS, auto and veto need it to be said, either way"`
	Announcers rules.Announcers `toml:"announcer" doc:"who may announce deployments where events must be signed, by name"`
}

// Signed says whether events, votes and orders must be signed.
func (t Trust) Signed() bool { return t.Required != nil && *t.Required }

// open says whether anyone who may publish on the NATS is believed, without the
// operator having said that this is meant.
func (d *Daemon) open() bool { return !d.NATS.Embedded() && d.Trust.Required == nil }

// servicePattern is the name of a service, or the beginning of one with * for the rest.
var servicePattern = regexp.MustCompile(`^([A-Za-z0-9][A-Za-z0-9._/@:+-]{0,127}|([A-Za-z0-9][A-Za-z0-9._/@:+-]{0,126})?\*)$`)

func (d *Daemon) loadTrust(t strict.Table) {
	known := map[string]string{}
	for name, announcer := range t.Named("announcer") {
		checkAnnouncer(announcer, d.Trust.Announcers[name])
		for i, key := range d.Trust.Announcers[name].NKeys {
			place := fmt.Sprintf("nkeys.%d", i)
			if other, twice := known[key]; twice {
				announcer.Fail(place, fmt.Sprintf("nkeys: this key stands in %q as well", other), "a key speaks for one announcer: give each its own")
			}
			known[key] = name
			checkNKey(announcer, place, key)
		}
	}
	switch {
	case d.Trust.Signed() && len(known) == 0:
		t.Fail("required", "required = true, and nobody may announce a deployment",
			`write [trust.announcer.NAME] with nkeys and services; bakewatch key new makes a key`)
	case !d.Trust.Signed() && len(known) > 0:
		t.Warn("announcer", "announcers are not asked for: whoever may publish is believed", "write required = true in [trust]")
	}
}

func checkAnnouncer(t strict.Table, a rules.Announcer) {
	if len(a.NKeys) == 0 {
		t.Fail("nkeys", "nkeys is required", `write nkeys = ["U…"]; bakewatch key new makes a key`)
	}
	if len(a.Services) == 0 {
		t.Fail("services", "services is required", `write services = ["checkout", "shop-*"], or ["*"] for all`)
	}
	for i, service := range a.Services {
		if !servicePattern.MatchString(service) {
			t.Fail(fmt.Sprintf("services.%d", i), fmt.Sprintf("services: %q is neither a name nor the beginning of one with *", strict.Shorten(service)), nameHint)
		}
	}
	for i, environment := range a.Environments {
		if !validName(environment) {
			t.Fail(fmt.Sprintf("environments.%d", i), fmt.Sprintf("environments: %q is no name", strict.Shorten(environment)), nameHint)
		}
	}
}

// checkNKey refuses what is no public key, without showing it: it may be the secret.
func checkNKey(t strict.Table, key, nkey string) {
	switch {
	case nkeys.IsValidPublicUserKey(nkey):
	case len(nkey) > 0 && nkey[0] == 'S':
		t.Fail(key, "nkeys: a secret must not be written in place", "write the public key, which begins with U, and make a new one: this one is known now")
	default:
		t.Fail(key, "nkeys: this is no public nkey of a user", "56 characters that begin with U, as bakewatch key new prints them")
	}
}
