package daemon

import (
	"errors"
	"fmt"

	"github.com/bakewatch/bakewatch/actions/authority"
	"github.com/bakewatch/bakewatch/integrations/nats"
	"github.com/bakewatch/bakewatch/integrations/nats/events"
	"github.com/bakewatch/bakewatch/integrations/nats/signing"
	"github.com/bakewatch/bakewatch/rules"
)

// errNotTrusted says that an event was understood, and is not believed.
var errNotTrusted = errors.New("not trusted")

// signed says whether events, votes and orders must be signed now.
func (d *Daemon) signed() bool { return d.force.Load().set.Daemon.Trust.Signed() }

// directory knows the people as the daemon's file names them now. Where messages must be
// signed, a name that is only claimed is nobody's.
func (d *Daemon) directory() authority.Directory {
	return authority.Directory{People: d.force.Load().set.Daemon.People, Believe: !d.signed()}
}

// identify returns the person that a proof speaks for now.
func (d *Daemon) identify(proof authority.Proof) (string, error) {
	return d.directory().Identify(proof)
}

// trusts returns nil if the event may be believed. It is measured by when the stream took
// it, so that one that waited, or is delivered again, is as good as it was then.
func (d *Daemon) trusts(in nats.Incoming, deployment rules.Deployment) error {
	trust := d.force.Load().set.Daemon.Trust
	if !trust.Signed() {
		return nil
	}
	if err := d.admit(in, deployment, trust.Announcers); err != nil {
		return fmt.Errorf("%w: %w", errNotTrusted, err)
	}
	return nil
}

func (d *Daemon) admit(in nats.Incoming, deployment rules.Deployment, announcers rules.Announcers) error {
	attributes, err := events.Attributes(in.Headers)
	if err != nil {
		return err
	}
	signed, err := signing.Verify(signing.Message{Subject: in.Subject, Headers: attributes, Body: in.Data}, in.Headers)
	if err != nil {
		return err
	}
	if err := signed.Fresh(in.At); err != nil {
		return err
	}
	if _, err := announcers.Admit(signed.Key, deployment); err != nil {
		return err
	}
	return d.seen.First(signed, in.Seq, in.At)
}
