package email

import (
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/mail"
	"net/netip"
	"os"
	"strings"
	"time"

	"github.com/bakewatch/bakewatch/actions"
	"github.com/bakewatch/bakewatch/integrations/outbound"
	"github.com/bakewatch/bakewatch/rules"
)

// Kind is the channel "email".
func Kind() rules.Kind {
	return rules.Kind{
		Name: "email",
		New:  func() rules.Options { return &Options{Encryption: StartTLS, Timeout: rules.Duration(20 * time.Second)} },
	}
}

// Encryption says how the connection to the mail server is encrypted.
type Encryption string

// The encryptions.
const (
	StartTLS Encryption = "starttls" // begins in clear and is encrypted before anything is said: port 587
	FullTLS  Encryption = "tls"      // from the beginning: port 465
	None     Encryption = "none"     // in clear, without a password
)

// Words lists the encryptions as people write them.
func (Encryption) Words() []string { return []string{string(StartTLS), string(FullTLS), string(None)} }

// Options are those of a [channel.NAME] of kind email.
type Options struct {
	Server         string         `toml:"server" json:"server,omitempty" doc:"the mail server as host:port, such as smtp.example.com:587"`
	Encryption     Encryption     `toml:"encryption" json:"encryption,omitempty" doc:"starttls, tls (from the beginning, port 465) or none; default starttls"`
	From           string         `toml:"from" json:"from,omitempty" doc:"the sender, such as Bakewatch <bakewatch@example.com>"`
	To             []string       `toml:"to" json:"to,omitempty" doc:"who gets the mail"`
	Username       string         `toml:"username" json:"username,omitempty" doc:"who logs in; default: nobody"`
	PasswordFile   string         `toml:"password_file" json:"password_file,omitempty" doc:"file that holds the password"`
	PasswordEnv    string         `toml:"password_env" json:"password_env,omitempty" doc:"environment variable that holds the password"`
	Hello          string         `toml:"hello" json:"hello,omitempty" doc:"the name this machine gives itself (EHLO); default: its host name"`
	Timeout        rules.Duration `toml:"timeout" json:"timeout,omitempty" doc:"for one mail; default 20s"`
	TLS            *outbound.TLS  `toml:"tls" json:"tls,omitempty" doc:"certificates"`
	AllowLinkLocal bool           `toml:"allow_link_local" json:"allow_link_local,omitempty" doc:"allow link-local and metadata addresses; default false"`
}

// Check says what is wrong with the options.
func (o *Options) Check() error {
	basic := o.Username != ""
	err := errors.Join(
		o.checkServer(), o.checkPeople(), o.TLS.Check(), actions.CheckNotifyTimeout(o.Timeout),
		outbound.CheckSecret("password", o.PasswordFile, o.PasswordEnv, basic))
	if !basic && o.PasswordFile+o.PasswordEnv != "" {
		err = errors.Join(err, &rules.FieldError{Key: "username", Err: errors.New("missing, though there is a password")})
	}
	if basic && o.Encryption == None && !local(o.host()) {
		err = errors.Join(err, &rules.FieldError{
			Key: "encryption", Err: errors.New("the password would be sent in clear"), Hint: "use starttls or tls, or no username",
		})
	}
	return err
}

func (o *Options) checkServer() error {
	host, port, err := net.SplitHostPort(o.Server)
	if err != nil || host == "" || port == "" || strings.ContainsAny(host, "/ @") {
		return &rules.FieldError{Key: "server", Err: fmt.Errorf("%q is no host:port", o.Server), Hint: `such as "smtp.example.com:587"`}
	}
	if strings.ContainsAny(o.Hello, " \t\r\n") {
		return &rules.FieldError{Key: "hello", Err: errors.New("must be one host name")}
	}
	return nil
}

func (o *Options) checkPeople() error {
	var errs []error
	if _, err := address(o.From); err != nil {
		errs = append(errs, &rules.FieldError{Key: "from", Err: err, Hint: `such as "Bakewatch <bakewatch@example.com>"`})
	}
	if len(o.To) == 0 {
		errs = append(errs, &rules.FieldError{Key: "to", Err: errors.New("nobody gets the mail"), Hint: `such as to = ["oncall@example.com"]`})
	}
	for _, to := range o.To {
		if _, err := address(to); err != nil {
			errs = append(errs, &rules.FieldError{Key: "to", Err: err})
		}
	}
	return errors.Join(errs...)
}

// address reads one address. Outside of ASCII only the name may be.
func address(text string) (*mail.Address, error) {
	parsed, err := mail.ParseAddress(text)
	if err != nil || strings.ContainsAny(text, "\r\n") {
		return nil, fmt.Errorf("%q is no mail address", text)
	}
	for _, r := range parsed.Address {
		if r > 126 {
			return nil, fmt.Errorf("%q has letters that mail servers do not all take: write its domain as xn--…", text)
		}
	}
	return parsed, nil
}

func (o *Options) host() string {
	host, _, _ := net.SplitHostPort(o.Server) //nolint:errcheck // checked before
	return host
}

func local(host string) bool {
	addr, err := netip.ParseAddr(host)
	return host == "localhost" || err == nil && addr.IsLoopback()
}

// Notifier makes the channel; it reads the password and certificates.
func (o *Options) Notifier(name string, log *slog.Logger) (actions.Notifier, error) {
	fail := func(err error) (actions.Notifier, error) { return nil, fmt.Errorf("channel %s: %w", name, err) }
	password, err := outbound.ReadSecret("password", o.PasswordFile, o.PasswordEnv)
	if err != nil {
		return fail(err)
	}
	trust, err := o.TLS.Config()
	if err != nil {
		return fail(err)
	}
	if trust.ServerName == "" {
		trust.ServerName = o.host()
	}
	if err := errors.Join(o.checkServer(), o.checkPeople()); err != nil {
		return fail(err)
	}
	c := &channel{
		server: o.Server, encryption: o.Encryption, trust: trust, username: o.Username, password: password, hello: o.Hello,
		timeout: time.Duration(o.Timeout), dialer: outbound.NewDialer(o.AllowLinkLocal), log: log.With("channel", name),
	}
	c.from, _ = address(o.From) //nolint:errcheck // checked above
	for _, text := range o.To {
		to, _ := address(text) //nolint:errcheck // checked above
		c.to = append(c.to, to)
	}
	if c.hello == "" {
		c.hello = hostName()
	}
	c.redact = outbound.NewRedactor(loginForms(c.username, password)...)
	return c, nil
}

// hostName is how this machine calls itself.
func hostName() string {
	name, err := os.Hostname()
	if err != nil || name == "" || strings.ContainsAny(name, " \t\r\n") {
		return "localhost"
	}
	return name
}
