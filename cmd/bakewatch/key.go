package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"

	"github.com/spf13/cobra"

	"github.com/bakewatch/bakewatch/integrations/nats/signing"
)

func keyCommand(p *program) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "key",
		Short: "Make keys, sign messages and check signatures",
	}
	cmd.AddCommand(keyNewCommand(p), keySignCommand(p), keyVerifyCommand(p))
	return cmd
}

// newKeyFile is where a new key is kept unless another file is named.
const newKeyFile = "bakewatch.nk"

func keyNewCommand(p *program) *cobra.Command {
	var file string
	cmd := &cobra.Command{
		Use:   "new",
		Short: "Make a key: an nkey whose signature proves who speaks or announces",
		Long: `Make a key: an nkey whose signature proves who speaks or announces. The secret goes to
a file that only you may read; the public key, which is printed, goes into the daemon's file.`,
		Example: `  bakewatch key new --out ana.nk
  bakewatch answer checkout keep --key ana.nk`,
		Args: arguments(),
		RunE: p.begin(func(*cobra.Command, []string) error {
			key, err := signing.NewKey()
			if err != nil {
				return err
			}
			if err := keepKey(key, file); err != nil {
				return err
			}
			return p.printKey(key, file)
		}),
	}
	cmd.Flags().StringVar(&file, "out", newKeyFile, "the file to make for the secret")
	return cmd
}

// keepKey writes the secret to a new file that nobody else may read.
func keepKey(key signing.Key, file string) error {
	seed, err := key.Seed()
	if err != nil {
		return err
	}
	out, err := os.OpenFile(file, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600) //nolint:gosec // whoever makes a key says where
	if errors.Is(err, fs.ErrExist) {
		return hinted(fmt.Errorf("%s is there already and stays as it is", file), "name another file with --out")
	}
	if err != nil {
		return err
	}
	_, err = out.Write(append(seed, '\n'))
	return errors.Join(err, out.Sync(), out.Close())
}

func (p *program) printKey(key signing.Key, file string) error {
	if p.output == jsonOut {
		return p.json(struct {
			Key  string `json:"key"`
			File string `json:"file"` // of the secret
		}{key.Public(), file})
	}
	out := p.printer()
	for _, line := range []string{
		key.Public(),
		"",
		"# The secret is in " + file + ". In the daemon's file, for a person who answers:",
		"[person.NAME]",
		`nkeys = ["` + key.Public() + `"]`,
		"",
		"# or for a pipeline that announces deployments:",
		"[trust.announcer.NAME]",
		`nkeys    = ["` + key.Public() + `"]`,
		`services = ["SERVICE"]`,
	} {
		out.line(plain, "%s", line)
	}
	return nil
}
