package main

import (
	"errors"

	"github.com/spf13/cobra"

	"github.com/bakewatch/bakewatch/actions/authority"
	"github.com/bakewatch/bakewatch/integrations/nats/signing"
)

// keyVariable names the key file where no flag does.
const keyVariable = "BAKEWATCH_KEY_FILE"

// keyFlag adds --key, by which the command signs what it sends.
func (p *program) keyFlag(cmd *cobra.Command) {
	cmd.Flags().StringVar(&p.keyFile, "key", "", "file of the nkey by which to sign (bakewatch key new makes one); default $"+keyVariable)
	cmd.PreRun = func(cmd *cobra.Command, _ []string) {
		if p.keyFile == "" && !cmd.Flags().Changed("as") {
			p.keyFile = p.getenv(keyVariable)
		}
	}
}

// speakerFlags adds --as and --key, which say who is speaking.
func (p *program) speakerFlags(cmd *cobra.Command, as *string) {
	personFlag(cmd, as)
	p.keyFlag(cmd)
	cmd.MarkFlagsMutuallyExclusive("as", "key")
}

// openKey reads the key by which to sign, if there is one.
func (p *program) openKey() error {
	if p.keyFile == "" {
		return nil
	}
	key, err := signing.ReadKey(p.keyFile)
	if err != nil {
		return hinted(err, "name the file of an nkey seed with --key or $%s; bakewatch key new makes one", keyVariable)
	}
	p.key = &key
	return nil
}

// speaks is who is speaking: whoever has the key, or else a name that is claimed.
func (p *program) speaks(as string) (authority.Proof, error) {
	if p.key != nil {
		return authority.Proof{Way: authority.Signature, Subject: p.key.Public()}, nil
	}
	person, err := speaker(as)
	return authority.LocalProof(person), err
}

// unheard says what helps somebody who is not believed, or else what the hint says.
func unheard(err error, hint string, args ...any) error {
	if errors.Is(err, authority.ErrUnproved) {
		return hinted(err, "sign with --key FILE, by an nkey whose public key stands in [person.NAME] nkeys of the daemon's file")
	}
	return hinted(err, hint, args...)
}
