package main

import (
	"cmp"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/netip"

	"github.com/BurntSushi/toml"
)

// httpAddress is where the daemon listens.
type httpAddress struct {
	base string // its URL
	ours bool   // the daemon's own file says so
}

// client asks an address. The certificate of an address of this machine, which its own
// daemon's file names, is not verified: it is for the daemon's public name, and nothing
// is sent that someone else could use. Proxies are for other machines.
func (a httpAddress) client() *http.Client {
	if !a.ours {
		return http.DefaultClient
	}
	return &http.Client{Transport: &http.Transport{
		TLSClientConfig: &tls.Config{MinVersion: tls.VersionTLS12, InsecureSkipVerify: true}, //nolint:gosec // see above
	}}
}

// addressBy finds out from the daemon's file where it listens. A file that is being
// edited must not make the daemon that runs look unwell: then it is the default.
func (p *program) addressBy(file string) httpAddress {
	a, err := readAddress(file)
	if err != nil {
		fmt.Fprintf(p.stderr, "bakewatch: %s; the default is asked: %s\n", printable(err.Error()), defaultHTTP)
		return httpAddress{base: "http://" + defaultHTTP}
	}
	return a
}

// readAddress reads no more of the file than it needs: a mistake elsewhere does not matter.
func readAddress(file string) (httpAddress, error) {
	var daemon struct {
		HTTP struct {
			Listen        string `toml:"listen"`
			WebConfigFile string `toml:"web_config_file"`
		} `toml:"http"`
	}
	if _, err := toml.DecodeFile(file, &daemon); err != nil {
		return httpAddress{}, err
	}
	host, port, err := net.SplitHostPort(cmp.Or(daemon.HTTP.Listen, defaultHTTP))
	if err != nil {
		return httpAddress{}, fmt.Errorf("[http] listen: %w", err)
	}
	if ip, err := netip.ParseAddr(host); host == "" || err == nil && ip.IsUnspecified() {
		host = "localhost"
	}
	scheme := "http://"
	if daemon.HTTP.WebConfigFile != "" {
		scheme = "https://"
	}
	return httpAddress{base: scheme + net.JoinHostPort(host, port), ours: true}, nil
}

// wantsCertificate says that a server refused us because we show no certificate.
func wantsCertificate(err error) bool {
	var op *net.OpError
	return errors.As(err, &op) && op.Op == "remote error" // an alert of TLS: someone is alive there
}
