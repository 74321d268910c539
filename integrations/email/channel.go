package email

import (
	"context"
	"crypto/tls"
	"encoding/base64"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/mail"
	"strings"
	"time"

	"github.com/emersion/go-smtp"

	"github.com/bakewatch/bakewatch/actions"
	"github.com/bakewatch/bakewatch/integrations/outbound"
)

// channel sends mail by one server.
type channel struct {
	server     string
	encryption Encryption
	trust      *tls.Config
	username   string // empty: nobody logs in
	password   outbound.Secret
	hello      string
	from       *mail.Address
	to         []*mail.Address
	timeout    time.Duration
	dialer     *net.Dialer
	redact     outbound.Redactor
	log        *slog.Logger
}

// Describe says in a line where messages go.
func (c *channel) Describe() string {
	to := make([]string, len(c.to))
	for i, person := range c.to {
		to[i] = person.Address
	}
	return fmt.Sprintf("mails to %s by %s", strings.Join(to, ", "), c.server)
}

// Notify sends the message to everybody. The receipt is its Message-ID. Who is refused
// while others are not is in the log: one wrong address keeps nobody else from being told.
func (c *channel) Notify(ctx context.Context, key string, m actions.Message) (string, error) {
	id, text, err := c.compose(key, m, time.Now())
	if err != nil {
		return "", actions.Permanent(fmt.Errorf("the message cannot be written as mail: %s", c.redact.Excerpt(err.Error(), 200)))
	}
	ctx, cancel := context.WithTimeout(ctx, c.timeout)
	defer cancel()
	refused, err := c.deliver(ctx, text)
	if err != nil {
		return "", c.classed(ctx, err)
	}
	for person, why := range refused {
		c.log.Warn("somebody does not get the mail", "watch", m.Watch, "service", m.Service, "to", person, "why", c.redact.Excerpt(why.Error(), 200))
	}
	return id, nil
}

// errAdvice is an error with what to do, which the same try will meet again.
type errAdvice struct{ error }

// classed makes the error of a try safe to show and says whether another may help: a
// server's 4xx and everything that is not a server's word may, its 5xx never.
func (c *channel) classed(ctx context.Context, err error) error {
	class := actions.ClassRetryable
	var said *smtp.SMTPError
	var advice errAdvice
	switch {
	case outbound.Forbidden(err), errors.As(err, &advice):
		class = actions.ClassPermanent
	case errors.As(err, &said) && said.Code >= 500:
		class = actions.ClassPermanent
	}
	text := c.redact.Excerpt(err.Error(), 300)
	if cause := ctx.Err(); cause != nil && said == nil {
		text = fmt.Sprintf("%s (%s)", cause, text)
	}
	return &actions.Error{Class: class, Err: fmt.Errorf("%s: %s", c.server, text)}
}

// loginForms are the ways in which a password stands on the wire.
func loginForms(username string, password outbound.Secret) []outbound.Secret {
	if password.IsZero() {
		return nil
	}
	encode := func(text string) outbound.Secret {
		return outbound.NewSecret(base64.StdEncoding.EncodeToString([]byte(text)))
	}
	return []outbound.Secret{password, encode(password.Reveal()), encode("\x00" + username + "\x00" + password.Reveal())}
}
