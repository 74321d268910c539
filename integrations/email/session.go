package email

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"strings"

	"github.com/emersion/go-sasl"
	"github.com/emersion/go-smtp"

	"github.com/bakewatch/bakewatch/integrations/outbound"
)

// deliver hands the mail to the server. It returns who was refused while others were not.
func (c *channel) deliver(ctx context.Context, text []byte) (refused map[string]error, err error) {
	conn, err := c.dialer.DialContext(ctx, "tcp", c.server)
	if err != nil {
		return nil, err
	}
	defer conn.Close()                                      //nolint:errcheck // the mail has been taken, or not
	stop := context.AfterFunc(ctx, func() { conn.Close() }) //nolint:errcheck // what waits for the server ends
	defer stop()
	client, err := c.open(&bounded{Conn: conn, left: outbound.ReplyLimit})
	if err != nil {
		return nil, err
	}
	if refused, err = c.address(client); err != nil {
		return nil, err
	}
	data, err := client.Data()
	if err != nil {
		return nil, err
	}
	if _, err := data.Write(text); err != nil {
		return nil, err
	}
	if err := data.Close(); err != nil {
		return nil, err
	}
	_ = client.Quit() //nolint:errcheck // the mail has been taken
	return refused, nil
}

// open encrypts the connection as the options say, and logs in.
func (c *channel) open(conn net.Conn) (client *smtp.Client, err error) {
	switch c.encryption {
	case FullTLS:
		client = smtp.NewClient(tls.Client(conn, c.trust))
	case None:
		client = smtp.NewClient(conn)
	case StartTLS:
		if client, err = smtp.NewClientStartTLS(conn, c.trust); err != nil {
			return nil, advised(err)
		}
	default:
		return nil, errAdvice{fmt.Errorf("encryption %q is not known", c.encryption)}
	}
	client.CommandTimeout, client.SubmissionTimeout = c.timeout, c.timeout
	if err := client.Hello(c.hello); err != nil {
		return nil, err
	}
	if c.username == "" {
		return client, nil
	}
	return client, c.login(client)
}

// advised says what to do where the server does not encrypt: it will not the next time either.
func advised(err error) error {
	var said *smtp.SMTPError
	if !errors.As(err, &said) && strings.Contains(err.Error(), "support STARTTLS") {
		return errAdvice{errors.New(`the server offers no STARTTLS: set encryption = "tls" for a port that is encrypted from the beginning (465), or "none" within a network that you trust`)}
	}
	return err
}

func (c *channel) login(client *smtp.Client) error {
	var way sasl.Client
	switch {
	case client.SupportsAuth(sasl.Plain):
		way = sasl.NewPlainClient("", c.username, c.password.Reveal())
	case client.SupportsAuth(sasl.Login):
		way = sasl.NewLoginClient(c.username, c.password.Reveal())
	default:
		return errAdvice{errors.New("the server offers no login with a password (PLAIN or LOGIN): is this its port for submission?")}
	}
	err := client.Auth(way)
	var said *smtp.SMTPError
	if errors.As(err, &said) && said.Code == 535 {
		return errAdvice{fmt.Errorf("%w: the user name or the password is wrong", err)}
	}
	return err
}

// address names the sender and the recipients. It fails if there is nobody to send to.
func (c *channel) address(client *smtp.Client) (refused map[string]error, err error) {
	if err := client.Mail(c.from.Address, nil); err != nil {
		return nil, err
	}
	refused = map[string]error{}
	var last, later *smtp.SMTPError
	for _, person := range c.to {
		err := client.Rcpt(person.Address, nil)
		var said *smtp.SMTPError
		switch {
		case err == nil:
			continue
		case !errors.As(err, &said):
			return nil, err
		case said.Temporary():
			later = said
		}
		refused[person.Address], last = said, said
	}
	if len(refused) < len(c.to) {
		return refused, nil
	}
	if later != nil {
		last = later // it may be somebody's turn the next time
	}
	return nil, fmt.Errorf("nobody may be sent to: %w", last)
}

// bounded is a connection of which only so much is read.
type bounded struct {
	net.Conn
	left int
}

var errTooMuch = errors.New("the server does not stop talking")

// Read reads what is left.
func (b *bounded) Read(p []byte) (int, error) {
	if b.left <= 0 {
		return 0, errTooMuch
	}
	n, err := b.Conn.Read(p[:min(len(p), b.left)])
	b.left -= n
	return n, err
}
