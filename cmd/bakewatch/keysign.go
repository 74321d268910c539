package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"github.com/bakewatch/bakewatch/integrations/nats/events"
	"github.com/bakewatch/bakewatch/integrations/nats/signing"
)

// letter is a message as the commands of keys take it.
type letter struct {
	cluster, subject string
	headers          []string // NAME: VALUE
	headerFile       string
}

func keySignCommand(p *program) *cobra.Command {
	var l letter
	cmd := &cobra.Command{
		Use:   "sign [FILE]",
		Short: "Sign a message, from a file or stdin; prints the headers to send with it",
		Long: `Sign a message, from a file or stdin; prints the headers to send with it. Whoever has the
headers and the same body may send it once, within five minutes.`,
		Example: `  bakewatch key sign --key ci.nk --subject deployments.production.checkout event.json
  bakewatch key sign --key ana.nk --subject bakewatch.api.arm --cluster main <<< '{}'`,
		Args: cobra.MaximumNArgs(1),
		RunE: p.begin(func(_ *cobra.Command, args []string) error {
			if p.keyFile == "" {
				return usage("nothing says by which key: --key FILE or $%s", keyVariable)
			}
			if err := p.openKey(); err != nil {
				return err
			}
			m, _, err := p.message(l, args)
			if err != nil {
				return err
			}
			headers, err := p.key.Sign(m, p.now())
			if err != nil {
				return err
			}
			return p.printHeaders(headers)
		}),
	}
	p.keyFlag(cmd)
	l.flags(cmd)
	return cmd
}

func keyVerifyCommand(p *program) *cobra.Command {
	var l letter
	var by string
	cmd := &cobra.Command{
		Use:   "verify [FILE]",
		Short: "Say who signed a message, from a file or stdin, by its headers",
		Long: `Say who signed a message, from a file or stdin, by its headers. It ends with 1 when the
signature does not hold. A signature holds for ever; a daemon believes it for five minutes.`,
		Example: `  bakewatch key verify --subject deployments.production.checkout --headers signature.txt event.json`,
		Args:    cobra.MaximumNArgs(1),
		RunE: p.begin(func(_ *cobra.Command, args []string) error {
			if by != "" && !signing.IsKey(by) {
				return usage("--by is no public nkey of a user (U…)") // and not shown: it may be the secret
			}
			m, headers, err := p.message(l, args)
			if err != nil {
				return err
			}
			signed, err := signing.Verify(m, headers)
			switch {
			case err != nil:
				return hinted(err, "signed are subject, cluster, time, id, the headers ce-… and content-type, and every byte of the body")
			case by != "" && signed.Key != by:
				return fmt.Errorf("it was signed by %s, not by %s", signed.Key, by)
			}
			return p.printSigned(signed)
		}),
	}
	l.flags(cmd)
	cmd.Flags().StringVar(&l.headerFile, "headers", "", "file of the headers, NAME: VALUE a line, as key sign prints them")
	cmd.Flags().StringVar(&by, "by", "", "the public key that must have signed it; default: any")
	return cmd
}

func (l *letter) flags(cmd *cobra.Command) {
	cmd.Flags().StringVar(&l.subject, "subject", "", "the subject on which it is published (required)")
	cmd.Flags().StringVar(&l.cluster, "cluster", "", "of a request to bakewatch.api: the cluster of the daemon that shall do it")
	cmd.Flags().StringArrayVar(&l.headers, "header", nil, "NAME: VALUE, a header of the message; may be repeated")
	_ = cmd.MarkFlagRequired("subject") // fails only for a flag that does not exist
}

// message reads what is signed, and all its headers.
func (p *program) message(l letter, args []string) (m signing.Message, headers map[string][]string, err error) {
	if headers, err = l.read(); err != nil {
		return m, nil, err
	}
	attributes, err := events.Attributes(headers)
	if err != nil {
		return m, nil, err
	}
	body, err := p.body(args)
	return signing.Message{Cluster: l.cluster, Subject: l.subject, Headers: attributes, Body: body}, headers, err
}

func (p *program) body(args []string) ([]byte, error) {
	if len(args) == 0 || args[0] == "-" {
		return io.ReadAll(p.stdin)
	}
	return os.ReadFile(args[0])
}

// read returns the headers of the flags and of the file.
func (l letter) read() (map[string][]string, error) {
	lines := l.headers
	if l.headerFile != "" {
		text, err := os.ReadFile(l.headerFile)
		if err != nil {
			return nil, err
		}
		for line := range strings.Lines(string(text)) {
			if line = strings.TrimSpace(line); line != "" {
				lines = append(lines, line)
			}
		}
	}
	headers := map[string][]string{}
	for _, line := range lines {
		name, value, ok := strings.Cut(line, ":")
		if !ok || name == "" {
			return nil, usage("%q is no header: NAME: VALUE", line)
		}
		headers[name] = append(headers[name], strings.TrimSpace(value))
	}
	return headers, nil
}

func (p *program) printHeaders(headers map[string][]string) error {
	flat := map[string]string{}
	for _, name := range signing.Headers() {
		flat[name] = headers[name][0]
	}
	if p.output == jsonOut {
		return p.json(flat)
	}
	for _, name := range signing.Headers() {
		p.printer().line(plain, "%s: %s", name, flat[name])
	}
	return nil
}

func (p *program) printSigned(signed signing.Signed) error {
	stale := signed.Fresh(p.now())
	if p.output == jsonOut {
		return p.json(struct {
			signing.Signed
			Fresh bool `json:"fresh"` // a daemon that gets it now believes it
		}{signed, stale == nil})
	}
	out := p.printer()
	out.line(green, "signed by %s at %s, id %s", signed.Key, signed.At.Format("2006-01-02 15:04:05 MST"), signed.ID)
	if errors.Is(stale, signing.ErrStale) {
		out.line(yellow, "a daemon that gets it now does not believe it: %s", stale)
	}
	return nil
}
