package nats

import (
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"strconv"
	"time"
)

// Defaults of a Config.
const (
	DefaultListen  = "127.0.0.1:0"
	DefaultTimeout = 10 * time.Second
	// EmbeddedMaxPayload is the largest message that the embedded server takes, in bytes.
	EmbeddedMaxPayload = 8 << 20
)

// Config says which NATS to use. Exactly one of Store (embedded) and URL
// (external) is set.
type Config struct {
	// Replica names this process in connections and in the lease; default: host and pid.
	Replica string

	// Store is the directory of the embedded server. It is created, and belongs to
	// one process at a time.
	Store string
	// Listen is where the embedded server takes connections from this machine's
	// command line; default 127.0.0.1 and any free port.
	Listen string

	// URL of an external NATS, with its credentials. Files hold the secrets.
	URL       string
	CredsFile string
	NKeyFile  string
	TLS       TLS

	// Stream is an operator's own stream of deployment events; empty: DEPLOYMENTS.
	Stream string
	// Subjects are those that carry deployment events; default: DefaultSubjects.
	Subjects []string
	// CreateStreams creates and updates the streams on an external NATS; the
	// embedded one always does.
	CreateStreams bool
	// Replicas of each stream that is created; default 1.
	Replicas int

	// Timeout bounds the connecting and each request; default 10 s.
	Timeout time.Duration
	Log     *slog.Logger
}

// TLS names the files of a TLS connection.
type TLS struct {
	CA, Cert, Key string
}

// Embedded says whether the configuration asks for a server of our own.
func (c Config) Embedded() bool { return c.Store != "" }

func (c *Config) defaults() error {
	var errs []error
	switch {
	case c.Store == "" && c.URL == "":
		errs = append(errs, errors.New("nats: neither a store directory (embedded) nor a url (external) is given"))
	case c.Store != "" && c.URL != "":
		errs = append(errs, errors.New("nats: both a store directory (embedded) and a url (external) are given; choose one"))
	}
	if c.CredsFile != "" && c.NKeyFile != "" {
		errs = append(errs, errors.New("nats: both a credentials file and an nkey file are given; choose one"))
	}
	if (c.TLS.Cert == "") != (c.TLS.Key == "") {
		errs = append(errs, errors.New("nats: a TLS certificate and its key go together"))
	}
	if c.Stream != "" && reserved(c.Stream) {
		errs = append(errs, fmt.Errorf("nats: stream %q is Bakewatch's own and holds no deployment events", c.Stream))
	}
	if c.Replica == "" {
		c.Replica = defaultReplica()
	}
	if c.Listen == "" {
		c.Listen = DefaultListen
	}
	if len(c.Subjects) == 0 {
		c.Subjects = DefaultSubjects()
	}
	if c.Replicas == 0 {
		c.Replicas = 1
	}
	if c.Timeout == 0 {
		c.Timeout = DefaultTimeout
	}
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	return errors.Join(errs...)
}

func (c Config) listen() (host string, port int, err error) {
	host, text, err := net.SplitHostPort(c.Listen)
	if err != nil {
		return "", 0, fmt.Errorf("nats: listen address %q: %w", c.Listen, err)
	}
	port, err = strconv.Atoi(text)
	if err != nil || port < 0 || port > 65535 {
		return "", 0, fmt.Errorf("nats: listen address %q: %q is no port", c.Listen, text)
	}
	return host, port, nil
}

func defaultReplica() string {
	host, err := os.Hostname()
	if err != nil {
		host = "unknown"
	}
	return host + "/" + strconv.Itoa(os.Getpid())
}
