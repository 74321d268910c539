package outbound

import (
	"bytes"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/prometheus/common/config"

	"github.com/bakewatch/bakewatch/rules"
)

// TLS is the `tls` table of everything that calls out.
type TLS struct {
	CAFile     string `toml:"ca_file" json:"ca_file,omitempty" doc:"PEM file of the authorities to trust instead of the system's"`
	CertFile   string `toml:"cert_file" json:"cert_file,omitempty" doc:"PEM file of the client certificate; read again for every connection"`
	KeyFile    string `toml:"key_file" json:"key_file,omitempty" doc:"PEM file of the client certificate's key"`
	ServerName string `toml:"server_name" json:"server_name,omitempty" doc:"name to expect in the server's certificate; default: the URL's host"`
}

// Check says what is wrong with the table; nil is fine.
func (t *TLS) Check() error {
	if t != nil && (t.CertFile == "") != (t.KeyFile == "") {
		return &rules.FieldError{
			Key: "tls", Err: errors.New("cert_file and key_file belong together"), Hint: "set both, or neither",
		}
	}
	return nil
}

// Config reads the certificates. A nil table trusts the system's authorities.
func (t *TLS) Config() (*tls.Config, error) {
	if t == nil {
		return &tls.Config{MinVersion: tls.VersionTLS12}, nil
	}
	loaded, err := config.NewTLSConfig(&config.TLSConfig{
		CAFile: t.CAFile, CertFile: t.CertFile, KeyFile: t.KeyFile, ServerName: t.ServerName,
		MinVersion: tls.VersionTLS12,
	})
	if err != nil {
		return nil, fmt.Errorf("tls: %w", err)
	}
	return loaded, nil
}

// ReadWith reads a plan's `with` into an executor's options for it and checks
// them. An unknown key is an error.
func ReadWith(with map[string]any, into rules.Options) error {
	if len(with) > 0 {
		text, err := json.Marshal(with)
		if err != nil {
			return fmt.Errorf("with: %w", err)
		}
		decoder := json.NewDecoder(bytes.NewReader(text))
		decoder.DisallowUnknownFields()
		if err := decoder.Decode(into); err != nil {
			return fmt.Errorf("with: %w", err)
		}
	}
	if err := into.Check(); err != nil {
		return fmt.Errorf("with: %w", err)
	}
	return nil
}
